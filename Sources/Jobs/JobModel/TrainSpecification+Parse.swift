extension TrainSpecification {
  /// Reads a `spec`: members that it names, on top of the preset that it names (`seed` if none).
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

  private static let places = KeyPlaces(schema, outside: JobSubmission.keys, name: "spec")

  private static func read(_ reader: ObjectReader) -> TrainSpecification {
    var preset = Preset.seed
    reader.choice("preset", into: &preset)
    var result = TrainSpecification.preset(preset)
    reader.integer("batch_size", 2...65_536, into: &result.batchSize)
    result.optimizer.learningRate = preset.learningRate(batchSize: result.batchSize)
    reader.object("dataset") { result.dataset.read($0) }
    reader.object("encoder") { result.encoder.read($0) }
    reader.choice("convolution", into: &result.convolution)
    reader.object("projector") { result.projector.read($0) }
    reader.object("loss") { result.loss.read($0) }
    result.augmentation.read(reader)
    reader.object("optimizer") { result.optimizer.read($0) }
    reader.object("schedule") { result.schedule.read($0) }
    reader.integer("epochs", 1...1_000_000, into: &result.epochs)
    reader.integer("max_steps", orNullIn: 1...1_000_000_000, into: &result.maxSteps)
    reader.boolean("shuffle", into: &result.shuffle)
    reader.boolean("drop_last", into: &result.dropLast)
    reader.seed("seed", into: &result.seed)
    reader.object("checkpoint") { result.checkpoint.read($0) }
    reader.object("divergence") { result.divergence.read($0) }
    reader.integer("log_every_steps", 1...1_000_000, into: &result.logEverySteps)
    return result
  }

  /// Notes what is wrong about the batches that so many images make; for a dataset's size once it is known.
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

  /// Optimiser steps of one epoch over so many images.
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
    reader.line("name", bytesMax: 1024, into: &name)
    reader.choice("split", into: &split)
    reader.integer("limit", orNullIn: 2...1_000_000_000, into: &limit)
  }
}

extension EncoderSpecification {
  fileprivate mutating func read(_ reader: ObjectReader) {
    reader.choice("arch", into: &architecture)
    reader.integer("width", 16...512, multipleOf: 16, into: &width)
    reader.integer("stem_padding", 0...2, into: &stemPadding)
    reader.boolean("stem_bias", into: &stemBias)
    reader.integer("fc", orNullIn: 1...16_384, into: &fc)
  }
}

extension ProjectorSpecification {
  fileprivate mutating func read(_ reader: ObjectReader) {
    reader.integers("widths", count: 1...8, 1...16_384, into: &widths)
    reader.boolean("last_bias", into: &lastBias)
    if widths.last == 1 {
      reader.refuse("widths", "must end with 2 or more, as one dimension has no covariance")
    }
  }
}

extension LossSpecification {
  fileprivate mutating func read(_ reader: ObjectReader) {
    reader.number("inv", .closed(0, 1e6), into: &inv)
    reader.number("var", .closed(0, 1e6), into: &self.var)
    reader.number("cov", .closed(0, 1e6), into: &cov)
    reader.number("gamma", .positive(1000), into: &gamma)
    reader.number("epsilon", .closed(0, 1), into: &epsilon)
    reader.choice("variance", into: &variance)
    reader.choice("batch_norm", into: &batchNorm)
  }
}

extension AugmentationSpecification {
  fileprivate mutating func read(_ reader: ObjectReader) {
    if case .random(var recipe) = self {
      reader.describe(
        "augmentation", ["anyOf": [["const": "mirror"], ObjectReader.schema { recipe.read($0) }]])
    }
    guard let value = reader.value("augmentation") else { return }
    if value == "mirror" {
      self = .mirror
    } else if value.object == nil {
      reader.refuse("augmentation", "must be \"mirror\" or an object")
    } else if case .random(var recipe) = self {
      reader.object("augmentation") { recipe.read($0) }
      self = .random(recipe)
    }
  }
}

extension AugmentationRecipe {
  fileprivate mutating func read(_ reader: ObjectReader) {
    let probability = NumberRange.closed(0, 1)
    reader.interval("crop_scale", .positive(1), into: &cropScale)
    reader.interval("crop_ratio", .positive(100), into: &cropRatio)
    reader.boolean("antialias", into: &antialias)
    reader.number("flip_probability", probability, into: &flipProbability)
    reader.number("jitter_probability", probability, into: &jitterProbability)
    reader.number("brightness", .closed(0, 10), into: &brightness)
    reader.number("contrast", .closed(0, 10), into: &contrast)
    reader.number("saturation", .closed(0, 10), into: &saturation)
    reader.number("hue", .closed(0, 0.5), into: &hue)
    reader.number("grayscale_probability", probability, into: &grayscaleProbability)
    reader.perView("blur_probability", probability, into: &blurProbability)
    var kernel = blurKernel
    reader.integer("blur_kernel", 1...31, into: &kernel)
    reader.describe("blur_kernel", ["enum": .array(stride(from: 1, through: 31, by: 2).map(JSON.integer))])
    if kernel % 2 == 0 { reader.refuse("blur_kernel", "must be odd") } else { blurKernel = kernel }
    reader.interval("blur_sigma", .positive(100), into: &blurSigma)
    reader.perView("solarize_probability", probability, into: &solarizeProbability)
    reader.number("solarize_threshold", probability, into: &solarizeThreshold)
  }
}

extension OptimizerSpecification {
  fileprivate mutating func read(_ reader: ObjectReader) {
    reader.choice("name", into: &name)
    reader.number("lr", .positive(1000), into: &learningRate)
    reader.numbers("betas", count: 2, .halfOpen(0, 1), into: &betas)
    reader.number("eps", .positive(1), into: &epsilon)
    reader.number("weight_decay", .closed(0, 100), into: &weightDecay)
    reader.number("momentum", .halfOpen(0, 1), into: &momentum)
    reader.number("trust", .positive(100), into: &trust)
    reader.boolean("clip", into: &clip)
    reader.boolean("exclude_bias_and_norm", into: &excludeBiasAndNorm)
  }
}

extension ScheduleSpecification {
  fileprivate mutating func read(_ reader: ObjectReader) {
    reader.choice("name", into: &name)
    reader.number("warmup_epochs", .closed(0, 1e6), into: &warmupEpochs)
    reader.number("final_factor", .closed(0, 1), into: &finalFactor)
  }
}

extension CheckpointPolicy {
  fileprivate mutating func read(_ reader: ObjectReader) {
    reader.integer("every_epochs", 1...1_000_000, into: &everyEpochs)
    reader.boolean("initial", into: &initial)
    reader.integer("keep_last", 1...10_000, into: &keepLast)
    reader.integer("keep_every", orNullIn: 1...1_000_000, into: &keepEvery)
    reader.describe("keep_best", ["anyOf": [["type": "null"], KeepBest.schema]])
    guard let value = reader.value("keep_best") else { return }
    if value.isNull {
      keepBest = nil
    } else {
      var best = keepBest ?? KeepBest()
      reader.object("keep_best") { best.read($0) }
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
    reader.line("metric", bytesMax: 64, into: &metric)
    reader.choice("mode", into: &mode)
    reader.integer("count", 1...1000, into: &count)
  }
}

extension DivergencePolicy {
  fileprivate mutating func read(_ reader: ObjectReader) {
    reader.choice("policy", into: &policy)
    reader.number("lr_factor", .positive(0.99), into: &factor)
    reader.integer("max_rollbacks", 1...100, into: &maxRollbacks)
  }
}
