/// What a method is trained with: its constants, its heads and its optimiser.
package struct MethodRecipe: Sendable {
  /// Of the loss.
  var constants: any MethodSpecification
  var projector = ProjectorSpecification()
  var predictor: ProjectorSpecification?
  /// With the learning rate of the reference batch.
  var optimizer: OptimizerSpecification
  /// Images of the batch that the learning rate is for, which it grows with; `nil`: it is for any batch.
  var referenceBatch: Int?
  /// Share of the learning rate at which the cosine ends.
  var finalFactor = 0.0

  /// The learning rate for a batch size.
  func learningRate(batchSize: Int) -> Double {
    optimizer.learningRate * (referenceBatch.map { Double(batchSize) / Double($0) } ?? 1)
  }

  /// For the network of the preset `small` where nothing better has been found: the optimiser that its
  /// `vicreg` has.
  static func narrow(
    _ constants: any MethodSpecification,
    projector: ProjectorSpecification = ProjectorSpecification(widths: [256, 256, 256])
  ) -> MethodRecipe {
    MethodRecipe(
      constants: constants, projector: projector, optimizer: OptimizerSpecification(learningRate: 3e-3))
  }
}

extension OptimizerSpecification {
  /// LARS as in solo-learn's CIFAR scripts.
  static func publishedLARS(_ rate: Double, weightDecay: Double) -> OptimizerSpecification {
    OptimizerSpecification(
      name: .lars, learningRate: rate, weightDecay: weightDecay, trust: 0.02, clip: true,
      excludeBiasAndNorm: true)
  }
}

extension TrainSpecification {
  /// Takes the constants, the heads, the optimiser and the number of views of a method, at the size of the
  /// preset.
  mutating func adopt(_ method: MethodName) {
    if method == preset.method { return }
    let recipe = preset.methodRecipe(method)
    loss = LossSpecification(recipe.constants)
    (projector, predictor, optimizer) = (recipe.projector, recipe.predictor, recipe.optimizer)
    schedule.finalFactor = recipe.finalFactor
    let possible = method.type.views
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
    isForCPUs ? method.type.small : method.type.published
  }
}
