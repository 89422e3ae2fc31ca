/// What a method is trained with: its heads, its optimiser and, at full size, how its views are made.
struct MethodRecipe {
  var projector = ProjectorSpecification()
  var predictor: ProjectorSpecification?
  /// With the learning rate of the reference batch.
  var optimizer = OptimizerSpecification()
  /// Images of the batch that the learning rate is for, which it grows with; `nil`: it is for any batch.
  var referenceBatch: Int?
  /// Share of the learning rate at which the cosine ends.
  var finalFactor = 0.0

  /// The learning rate for a batch size.
  func learningRate(batchSize: Int) -> Double {
    optimizer.learningRate * (referenceBatch.map { Double(batchSize) / Double($0) } ?? 1)
  }

  /// As in solo-learn's CIFAR scripts and LeJEPA's minimal example, for batches of 256 (recipes.md).
  static func published(_ method: MethodName) -> MethodRecipe {
    func lars(_ rate: Double, weightDecay: Double) -> OptimizerSpecification {
      OptimizerSpecification(
        name: .lars, learningRate: rate, weightDecay: weightDecay, trust: 0.02, clip: true,
        excludeBiasAndNorm: true)
    }
    var recipe = MethodRecipe(referenceBatch: 256)
    switch method {
    case .vicreg, .barlowTwins:
      recipe.projector = ProjectorSpecification(widths: [2048, 2048, 2048])
      recipe.optimizer = lars(0.3, weightDecay: 1e-4)
    case .simclr:
      recipe.projector = ProjectorSpecification(widths: [2048, 256])
      recipe.optimizer = lars(0.4, weightDecay: 1e-4)
    case .byol:
      recipe.projector = ProjectorSpecification(widths: [4096, 256])
      recipe.predictor = ProjectorSpecification(widths: [4096, 256])
      recipe.optimizer = lars(1, weightDecay: 1e-5)
    case .simsiam:
      recipe.projector = ProjectorSpecification(
        widths: [2048, 2048, 2048], lastBias: false, hiddenBias: false, lastBatchNorm: true)
      recipe.predictor = ProjectorSpecification(widths: [512, 2048], hiddenBias: false)
      recipe.optimizer = OptimizerSpecification(name: .sgd, learningRate: 0.5, weightDecay: 1e-5)
    case .sigreg:
      recipe.projector = ProjectorSpecification(widths: [2048, 2048, 64])
      recipe.optimizer = OptimizerSpecification(name: .adamw, learningRate: 5e-4, weightDecay: 5e-4)
      recipe.finalFactor = 0.001
    case .supervised:
      recipe.optimizer = OptimizerSpecification(name: .sgd, learningRate: 0.1, weightDecay: 5e-4)
      recipe.optimizer.nesterov = true
    }
    return recipe
  }

  /// For the narrow network of the preset `small`, which trains on a CPU in minutes.
  ///
  /// The rates of `byol` and `simsiam` are the best of those tried, by 5,000 training images that were
  /// held back, after 400 steps on 50,000 images of Fashion-MNIST, by nearest neighbours and by logistic
  /// regression on pooled features: `byol` 74.1% and 78.2% (Adam at 3e-3: 68.4% and 71.9%), `simsiam`
  /// 73.4% and 75.8% (SGD at 0.1: 68.4% and 68.6%; at 2 76.2% and 77.7%, but with three effective
  /// dimensions left). `vicreg` has 80.1% and 83.8% there. The other methods' rates were not compared.
  static func small(_ method: MethodName) -> MethodRecipe {
    var recipe = MethodRecipe()
    recipe.projector = ProjectorSpecification(widths: [256, 256, 256])
    recipe.optimizer.learningRate = 3e-3
    switch method {
    case .vicreg, .barlowTwins: break
    case .simclr: recipe.projector.widths = [256, 128]
    case .byol:
      recipe.projector.widths = [256, 128]
      recipe.predictor = ProjectorSpecification(widths: [256, 128])
      recipe.optimizer = OptimizerSpecification(name: .sgd, learningRate: 0.5, weightDecay: 1e-5)
      recipe.referenceBatch = 64
    case .simsiam:
      recipe.projector = ProjectorSpecification(
        widths: [256, 256, 256], lastBias: false, hiddenBias: false, lastBatchNorm: true)
      recipe.predictor = ProjectorSpecification(widths: [64, 256], hiddenBias: false)
      recipe.optimizer = OptimizerSpecification(name: .sgd, learningRate: 1, weightDecay: 1e-5)
      recipe.referenceBatch = 64
    case .sigreg: recipe.projector.widths = [256, 256, 64]
    case .supervised:
      recipe.optimizer = OptimizerSpecification(name: .sgd, learningRate: 0.05, weightDecay: 5e-4)
      recipe.optimizer.nesterov = true
      recipe.referenceBatch = 64
    }
    return recipe
  }
}

extension TrainSpecification {
  /// Takes the heads, the optimiser and the number of views of a method, at the size of the preset.
  mutating func adopt(_ method: MethodName) {
    loss.method = method
    if method == preset.method { return }
    let recipe = preset.methodRecipe(method)
    (projector, predictor, optimizer) = (recipe.projector, recipe.predictor, recipe.optimizer)
    schedule.finalFactor = recipe.finalFactor
    let possible = type(of: loss.constants).views
    views = min(max(views, possible.lowerBound), possible.upperBound)
    optimizer.learningRate = recipeLearningRate
  }

  /// The learning rate that the recipe means for this batch size.
  var recipeLearningRate: Double {
    loss.method == preset.method
      ? preset.learningRate(batchSize: batchSize)
      : preset.methodRecipe(loss.method).learningRate(batchSize: batchSize)
  }
}

extension Preset {
  /// What another method is trained with at the size of this preset.
  fileprivate func methodRecipe(_ method: MethodName) -> MethodRecipe {
    self == .small ? .small(method) : .published(method)
  }
}
