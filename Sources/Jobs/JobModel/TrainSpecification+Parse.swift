extension TrainSpecification {
  /// Reads a `spec`: members that it names, on top of the preset that it names, or of `Preset.defaultValue`.
  ///
  /// The learning rate of a recipe that scales it follows a changed `batch_size` unless `lr` is given.
  /// Members of `optimizer` that its `name` does not use are accepted and have no effect.
  package static func parse(_ json: JSON, at pointer: String = "") throws(SpecificationProblems)
    -> TrainSpecification
  {
    let problems = ProblemList()
    let specification = read(json, at: pointer, problems)
    try problems.check()
    return specification
  }

  /// As `parse`; what is wrong is noted in the list and has the preset's value in the result.
  package static func read(_ json: JSON, at pointer: String, _ problems: ProblemList) -> TrainSpecification {
    let reader = ObjectReader(json, at: pointer, problems, places: places)
    let result = read(reader)
    reader.finish()
    if let limit = result.dataset.limit { result.check(imageCount: limit, at: pointer, problems) }
    result.checkTogether(at: pointer, problems)
    return result
  }

  /// What a `spec` may be, as a JSON Schema; without the rules that join several fields.
  package static var schema: JSON { ObjectReader.schema { _ = read($0) } }

  /// Images of the smallest batch: BatchNorm needs two.
  package static let batchSizeMin = 2

  private static let places = KeyPlaces(schema, outside: JobSubmission.keys, name: "spec")

  private static func read(_ reader: ObjectReader) -> TrainSpecification {
    var preset = Preset.defaultValue
    let meaning = "The recipe that fills every field that is not given."
    reader.choice("preset", into: &preset, meaning)
    reader.describe("preset", meaning, Preset.schema)
    var result = TrainSpecification.preset(preset)
    reader.integer(
      "batch_size", TrainSpecification.batchSizeMin...65_536, into: &result.batchSize,
      "Images per optimiser step; each gives two views.")
    result.optimizer.learningRate = preset.learningRate(batchSize: result.batchSize)
    reader.object("dataset", "The images to train on.") { result.dataset.read($0) }
    reader.integer(
      "image_size", orNullIn: 16...256, into: &result.imageSize,
      "Side in pixels of the views that the network sees; null: that of the dataset's images.")
    reader.object("encoder", "The network that is trained and kept.") { result.encoder.read($0) }
    reader.choice(
      "convolution", into: &result.convolution,
      "How convolutions are computed: direct sums all products, auto takes the fastest algorithm.")
    reader.object("projector", "The network after the encoder, which only the training uses.") {
      result.projector.read($0)
    }
    reader.object(
      "loss",
      "VICReg: inv times the mean squared error, var times the variance term, cov times the covariance term."
    ) { result.loss.read($0) }
    result.augmentation.read(reader)
    reader.object("optimizer", "How gradients become steps.") { result.optimizer.read($0) }
    reader.object("schedule", "How the learning rate changes over the run.") { result.schedule.read($0) }
    reader.integer("epochs", 1...1_000_000, into: &result.epochs, "Passes over the dataset.")
    reader.integer(
      "max_steps", orNullIn: 1...1_000_000_000, into: &result.maxSteps,
      "Optimiser steps after which the run ends, even if epochs are left; null: no such limit.")
    reader.boolean(
      "shuffle", into: &result.shuffle,
      "A new order of the images in each epoch; false: always the order of the dataset.")
    reader.boolean(
      "drop_last", into: &result.dropLast,
      "Leaves out the last batch of an epoch where it is a short one.")
    reader.seed(
      "seed", into: &result.seed,
      "Of all randomness; the same specification and seed give the same result.")
    reader.object("checkpoint", "Which checkpoints are written and kept.") { result.checkpoint.read($0) }
    reader.object("divergence", "What happens when a loss, gradient or weight is no longer finite.") {
      result.divergence.read($0)
    }
    reader.integer(
      "log_every_steps", 1...1_000_000, into: &result.logEverySteps,
      "Optimiser steps from one metric line to the next; the first and last step always have one.")
    return result
  }

  /// Notes what is wrong about the batches that a number of images makes; for a dataset's size once it is
  /// known.
  package func check(imageCount: Int, at pointer: String, _ problems: ProblemList) {
    let count = min(imageCount, dataset.limit ?? imageCount)
    if count < 2 {
      problems.add(
        "\(pointer)/dataset/name",
        "must have at least 2 images in split \"\(dataset.split.rawValue)\", got \(count)")
      return
    }
    let steps = stepCount(imageCount: imageCount)
    if steps / logEverySteps > Self.metricLinesMax {
      problems.add(
        "\(pointer)/log_every_steps",
        "must be ≥ \(steps / Self.metricLinesMax + 1), as a run of \(steps) steps may have "
          + "\(Self.metricLinesMax) metric lines, got \(logEverySteps)")
    }
    if dropLast {
      if count < batchSize {
        problems.add(
          "\(pointer)/batch_size",
          "must be ≤ the \(count) images, as drop_last leaves the short last batch out, got \(batchSize)")
      }
    } else if count % batchSize == 1 {
      problems.add(
        "\(pointer)/batch_size",
        "must not leave a last batch of one image, whose variance is undefined: \(count) images, "
          + "got \(batchSize); choose another size or drop_last")
    }
  }

  /// Notes what is wrong about images of a height and width; for a dataset's size once it is known.
  package func check(imageSide: Int, at pointer: String, _ problems: ProblemList) {
    let imageSide = imageSize ?? imageSide
    let sideMin = encoder.stem == .cifar ? 3 - 2 * encoder.stemPadding : 1
    if imageSide < sideMin {
      problems.add(
        "\(pointer)/image_size",
        "must be at least \(sideMin), as the stem's 3×3 convolution has a padding of \(encoder.stemPadding), "
          + "got \(imageSide)")
    }
    guard case .random(let recipe) = augmentation, recipe.blurProbability.contains(where: { $0 > 0 }),
      recipe.blurKernel / 2 >= imageSide
    else { return }
    problems.add(
      "\(pointer)/augmentation/blur_kernel",
      "must be < \(2 * imageSide), twice the side of the images, got \(recipe.blurKernel)")
  }

  /// Metric lines of a run at most: what bounds its file of events, about a gigabyte.
  private static let metricLinesMax = 4_000_000

  private func checkTogether(at pointer: String, _ problems: ProblemList) {
    if loss.inv == 0 && loss.var == 0 && loss.cov == 0 {
      problems.add("\(pointer)/loss", "must have a weight above 0 among inv, var and cov, all are 0")
    }
    if schedule.warmupEpochs > Double(epochs) {
      problems.add(
        "\(pointer)/schedule/warmup_epochs",
        "must be ≤ epochs (\(epochs)), got \(JSON.number(schedule.warmupEpochs).text)")
    }
  }

  /// Optimiser steps of one epoch over that many images.
  package func stepsPerEpoch(imageCount: Int) -> Int {
    let count = min(imageCount, dataset.limit ?? imageCount)
    return dropLast ? count / batchSize : (count + batchSize - 1) / batchSize
  }

  /// Optimiser steps of the whole run.
  package func stepCount(imageCount: Int) -> Int {
    min(epochs * stepsPerEpoch(imageCount: imageCount), maxSteps ?? .max)
  }
}

extension DatasetSelection {
  fileprivate mutating func read(_ reader: ObjectReader) {
    reader.line(
      "name", charactersMax: 1024, into: &name,
      "A dataset of GET /datasets, or a path in one of the forms of --dataset-root.")
    reader.choice("split", into: &split, "The part of the dataset.")
    reader.integer(
      "limit", orNullIn: 2...1_000_000_000, into: &limit,
      "Use only the first N images; null: all.")
  }
}

extension EncoderSpecification {
  fileprivate mutating func read(_ reader: ObjectReader) {
    reader.choice("arch", into: &architecture, "The architecture, by its name in torchvision.")
    reader.integer(
      "width", 16...512, multipleOf: 16, into: &width,
      "Channels of the first stage; torchvision has 64.")
    reader.choice(
      "stem", into: &stem,
      "Before the first block: cifar, a 3×3 convolution; imagenet, a 7×7 one of stride 2, and pooling.")
    reader.integer(
      "stem_padding", 0...2, into: &stemPadding,
      "Zero padding in pixels of the cifar stem's convolution.")
    reader.boolean("stem_bias", into: &stemBias, "Whether the cifar stem's convolution has a bias.")
    reader.integer(
      "fc", orNullIn: 1...16_384, into: &fc,
      "Outputs of a last Linear, which are then the representation; null: the pooled features are.")
    reader.boolean(
      "zero_init_residual", into: &zeroInitResidual,
      "Whether the last BatchNorm of each block starts with weight 0.")
  }
}

extension ProjectorSpecification {
  fileprivate mutating func read(_ reader: ObjectReader) {
    reader.integers(
      "widths", count: 1...8, 1...16_384, into: &widths,
      "Outputs of each Linear; BatchNorm and ReLU stand between them.")
    reader.boolean("last_bias", into: &lastBias, "Whether the last Linear has a bias.")
    if widths.last == 1 {
      reader.refuse("widths", "must end with 2 or more, as one dimension has no covariance")
    }
  }
}

extension LossSpecification {
  fileprivate mutating func read(_ reader: ObjectReader) {
    reader.number("inv", .closed(0, 1e6), into: &inv, "Weight of the invariance term.")
    reader.number("var", .closed(0, 1e6), into: &self.var, "Weight of the variance term.")
    reader.number("cov", .closed(0, 1e6), into: &cov, "Weight of the covariance term.")
    reader.number(
      "gamma", .positive(1000), into: &gamma,
      "Standard deviation that the variance term asks of every output.")
    reader.number("epsilon", .closed(0, 1), into: &epsilon, "Added to the variance before its square root.")
    reader.choice(
      "variance", into: &variance,
      "Whether the variance terms of the two views are added or averaged.")
    reader.choice(
      "batch_norm", into: &batchNorm,
      "Whether BatchNorm takes its statistics over both views together or over each alone.")
  }
}

extension AugmentationSpecification {
  fileprivate mutating func read(_ reader: ObjectReader) {
    if case .random(var recipe) = self {
      reader.describe(
        "augmentation",
        "How the two views of an image are made. mirror: the image and its mirror image, without randomness.",
        ["anyOf": [["const": "mirror"], ObjectReader.schema { recipe.read($0) }]])
    }
    guard let value = reader.value("augmentation") else { return }
    if value == "mirror" {
      self = .mirror
    } else if value.object == nil {
      reader.refuse("augmentation", "must be \"mirror\" or an object")
    } else if case .random(var recipe) = self {
      reader.object("augmentation", "") { recipe.read($0) }
      self = .random(recipe)
    }
  }
}

extension AugmentationRecipe {
  fileprivate mutating func read(_ reader: ObjectReader) {
    let probability = NumberRange.closed(0, 1)
    reader.interval(
      "crop_scale", .positive(1), into: &cropScale,
      "Area of the crop as a share of the image.")
    reader.interval(
      "crop_ratio", .positive(100), into: &cropRatio,
      "Aspect ratio of the crop, width by height.")
    reader.boolean(
      "antialias", into: &antialias,
      "Whether the crop is resized with antialiasing, as torchvision does today.")
    reader.number(
      "flip_probability", probability, into: &flipProbability,
      "Probability of a horizontal flip.")
    reader.number(
      "jitter_probability", probability, into: &jitterProbability,
      "Probability that brightness, contrast, saturation and hue are changed.")
    reader.number(
      "brightness", .closed(0, 10), into: &brightness,
      "Largest relative change of the brightness.")
    reader.number("contrast", .closed(0, 10), into: &contrast, "Largest relative change of the contrast.")
    reader.number(
      "saturation", .closed(0, 10), into: &saturation,
      "Largest relative change of the saturation.")
    reader.number(
      "hue", .closed(0, 0.5), into: &hue,
      "Largest change of the hue, in turns of the colour circle.")
    reader.number(
      "grayscale_probability", probability, into: &grayscaleProbability,
      "Probability that all colour is removed.")
    reader.perView(
      "blur_probability", probability, into: &blurProbability,
      "Probability of a Gaussian blur.")
    var kernel = blurKernel
    reader.integer("blur_kernel", 1...31, into: &kernel, "")
    reader.describe(
      "blur_kernel", "Side of the kernel of the blur, in pixels; odd.",
      ["enum": .array(stride(from: 1, through: 31, by: 2).map(JSON.integer))])
    if kernel % 2 == 0 { reader.refuse("blur_kernel", "must be odd") } else { blurKernel = kernel }
    reader.interval(
      "blur_sigma", .positive(100), into: &blurSigma,
      "Standard deviation of the blur, in pixels.")
    reader.perView(
      "solarize_probability", probability, into: &solarizeProbability,
      "Probability that values from the threshold on are inverted.")
    reader.number(
      "solarize_threshold", probability, into: &solarizeThreshold,
      "Threshold of the solarisation; 0 is black, 1 is white.")
  }
}

extension OptimizerSpecification {
  fileprivate mutating func read(_ reader: ObjectReader) {
    reader.choice("name", into: &name, "The optimiser; members that it does not use have no effect.")
    reader.number("lr", .positive(1000), into: &learningRate, "Learning rate after the warm-up.")
    reader.numbers(
      "betas", count: 2, .halfOpen(0, 1), into: &betas,
      "adam and adamw: decay of the averages of the gradient and of its square.")
    reader.number("eps", .positive(1), into: &epsilon, "adam and adamw: added to the denominator.")
    reader.number(
      "weight_decay", .closed(0, 100), into: &weightDecay,
      "Weight decay; in adam and sgd as an L2 penalty.")
    reader.number("momentum", .halfOpen(0, 1), into: &momentum, "sgd and lars: momentum.")
    reader.number("trust", .positive(100), into: &trust, "lars: trust coefficient.")
    reader.boolean("clip", into: &clip, "lars: whether the trust ratio never raises the learning rate.")
    reader.boolean(
      "exclude_bias_and_norm", into: &excludeBiasAndNorm,
      "lars: whether biases and norm parameters are neither decayed nor adapted.")
  }
}

extension ScheduleSpecification {
  fileprivate mutating func read(_ reader: ObjectReader) {
    reader.choice("name", into: &name, "The course of the learning rate after the warm-up.")
    reader.number(
      "warmup_epochs", .closed(0, 1e6), into: &warmupEpochs,
      "Epochs in which the learning rate rises linearly from 0; fractions are allowed.")
    reader.number(
      "final_factor", .closed(0, 1), into: &finalFactor,
      "cosine: share of the learning rate at which it ends.")
  }
}

extension CheckpointPolicy {
  fileprivate mutating func read(_ reader: ObjectReader) {
    reader.integer(
      "every_epochs", 1...1_000_000, into: &everyEpochs,
      "Epochs from one checkpoint to the next; the end of the run always has one.")
    reader.boolean("initial", into: &initial, "Whether the untrained state is written as well, as step 0.")
    reader.integer("keep_last", 1...10_000, into: &keepLast, "How many of the newest checkpoints are kept.")
    reader.integer(
      "keep_every", orNullIn: 1...1_000_000, into: &keepEvery,
      "Checkpoints at the end of every N epochs are kept as well; null: none for that.")
    reader.describe(
      "keep_best", "The checkpoints that are best by a metric are kept as well; null: none for that.",
      ["anyOf": [["type": "null"], KeepBest.schema]])
    guard let value = reader.value("keep_best") else { return }
    if value.isNull {
      keepBest = nil
    } else {
      var best = keepBest ?? KeepBest()
      reader.object("keep_best", "") { best.read($0) }
      keepBest = best
    }
  }
}

extension KeepBest {
  fileprivate static var schema: JSON {
    ObjectReader.schema { reader in
      var best = KeepBest()
      best.read(reader)
    }
  }

  fileprivate mutating func read(_ reader: ObjectReader) {
    let meaning = "A metric of the training, as the last line before the checkpoint has it."
    // Earlier versions took any name: a stored specification is read with the one that it has.
    reader.line("metric", charactersMax: 64, into: &metric, meaning)
    reader.describe("metric", meaning, ObjectReader.schema(among: JobKind.train.metricNames))
    reader.choice("mode", into: &mode, "Whether the lowest or the highest value is best.")
    reader.integer("count", 1...1000, into: &count, "How many are kept.")
  }
}

extension DivergencePolicy {
  fileprivate mutating func read(_ reader: ObjectReader) {
    reader.choice(
      "policy", into: &policy,
      "fail: the job fails; rollback: it goes on from its last checkpoint with a lower learning rate.")
    reader.number(
      "lr_factor", .positive(0.99), into: &factor,
      "rollback: what the learning rate is multiplied by each time.")
    reader.integer(
      "max_rollbacks", 1...100, into: &maxRollbacks,
      "rollback: how often in one run; the next divergence fails the job.")
  }
}
