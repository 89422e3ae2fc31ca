import JSONText
import Text

extension TrainSpecification {
  /// Reads a `spec`: members that it names, on top of the preset that it names, or of `Preset.defaultValue`.
  ///
  /// The learning rate of a recipe that scales it follows a changed `batch_size` unless `lr` is given.
  /// Members of `optimizer` that its `name` does not use are accepted and have no effect.
  ///
  /// - Parameter places: where keys belong that are in a wrong place.
  package static func parse(
    _ json: JSON, at pointer: String = "", places: KeyPlaces = TrainSpecification.places
  ) throws(SpecificationProblems) -> TrainSpecification {
    let problems = ProblemList()
    let specification = read(json, at: pointer, problems, places: places)
    try problems.check()
    return specification
  }

  /// As `parse`; what is wrong is noted in the list and has the preset's value in the result.
  ///
  /// - Parameter adopting: sets what a new specification leaves to things outside of it, before what belongs
  ///   together is checked.
  package static func read(
    _ json: JSON, at pointer: String, _ problems: ProblemList, places: KeyPlaces = TrainSpecification.places,
    adopting: (inout TrainSpecification) -> Void = { _ in }
  ) -> TrainSpecification {
    let reader = ObjectReader(json, at: pointer, problems, places: places)
    var result = TrainSpecification.preset(.defaultValue)
    result.read(reader)
    reader.finish()
    adopting(&result)
    if let limit = result.dataset.limit { result.check(imageCount: limit, at: pointer, problems) }
    result.checkTogether(at: pointer, problems)
    return result
  }

  /// What a `spec` may be, as a JSON Schema; without the rules that join several fields. The defaults are
  /// those of the default preset.
  package static let schema: JSON = fields.schema(defaults: .preset(.defaultValue))
  /// What the resolved `spec` of an answer may be, as a JSON Schema.
  package static let resolvedSchema: JSON = fields.schema(defaults: nil)

  /// Where the keys of a `spec` belong.
  package static let places = KeyPlaces(resolvedSchema, name: "spec")

  /// Images of the smallest batch: BatchNorm needs two.
  package static let batchSizeMin = 2

  /// The names of the metrics that lines of this training have.
  package var metricNames: [String] {
    (loss.method.figures + Metric.common + (online?.metrics ?? [])).map(\.name)
  }

  /// The names of the metrics that lines of trainings have, of every method.
  package static let metricNames = Metric.all.map(\.name)

  /// Notes what is wrong about the batches that a number of images makes; for a dataset's size once it is
  /// known.
  package func check(imageCount: Int, at pointer: String, _ problems: ProblemList) {
    let all = min(imageCount, dataset.limit ?? imageCount)
    if all < 2 {
      problems.add(
        "\(pointer)/dataset/name",
        "must have at least 2 images in split \"\(dataset.split.rawValue)\", got \(all)")
      return
    }
    checkOnline(imageCount: imageCount, at: pointer, problems)
    let count = trainedCount(of: imageCount)
    if count < 2 { return }
    let images = count == all ? "\(count) images" : "\(count) images that are not held back"
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
          "must be ≤ the \(images), as drop_last leaves the short last batch out, got \(batchSize)")
      }
    } else if count % batchSize == 1 {
      problems.add(
        "\(pointer)/batch_size",
        "must not leave a last batch of one image, whose variance is undefined: \(images), "
          + "got \(batchSize); choose another size or drop_last")
    }
  }

  /// Notes what is wrong about images of a height and width; for a dataset's size once it is known.
  package func check(imageSide storedSide: Int, at pointer: String, _ problems: ProblemList) {
    let imageSide = viewSide(storedSide: storedSide)
    let sideMin = encoder.stem == .cifar ? 3 - 2 * encoder.stemPadding : 1
    if imageSide < sideMin {
      problems.add(
        "\(pointer)/image_size",
        "must be at least \(sideMin), as the stem's 3×3 convolution has a padding of \(encoder.stemPadding), "
          + "got \(imageSide)")
    }
    let smallest = min(imageSide, localViews?.size ?? imageSide)
    guard case .random(let recipe) = augmentation, recipe.blurProbability.contains(where: { $0 > 0 }),
      recipe.blurKernel / 2 >= smallest
    else { return }
    problems.add(
      "\(pointer)/augmentation/blur_kernel",
      "must be < \(2 * smallest), twice the side of the \(smallest < imageSide ? "local views" : "images"), "
        + "got \(recipe.blurKernel)")
  }

  /// Notes that something needs labels that a dataset lacks; for its number of classes once that is known.
  package func check(classCount: Int, at pointer: String, _ problems: ProblemList) {
    checkKeepBest(classCount: classCount, at: pointer, problems)
    if !loss.method.type.needsLabels || classCount >= 2 { return }
    problems.add(
      "\(pointer)/dataset/name",
      "must have at least 2 classes, as method is \"\(loss.method.rawValue)\"; "
        + "\(JSON.string(dataset.name).text) has \(classCount)")
  }

  /// Names the side of the views where the specification leaves it to the dataset, if that can be named.
  package mutating func resolveImageSize(storedSide: Int) {
    if imageSize == nil, Self.imageSizeRange.contains(storedSide) { imageSize = storedSide }
  }

  /// Sides of views that a specification can name, in pixels.
  package static let imageSizeRange = 16...256

  /// Side of the views in pixels, where the dataset's images have this one.
  package func viewSide(storedSide: Int) -> Int { imageSize ?? storedSide }

  /// Metric lines of a run at most: what bounds its file of events, about a gigabyte.
  private static let metricLinesMax = 4_000_000

  private func checkTogether(at pointer: String, _ problems: ProblemList) {
    if let mistake = loss.constants.mistake { problems.add("\(pointer)/loss", mistake) }
    checkMethod(at: pointer, problems)
    if let horizon = schedule.horizonEpochs, horizon < epochs {
      problems.add(
        "\(pointer)/schedule/horizon_epochs", "must be null or ≥ epochs (\(epochs)), got \(horizon)")
    }
    let span = schedule.horizonEpochs.map { ("horizon_epochs", $0) } ?? ("epochs", epochs)
    if schedule.warmupEpochs > Double(span.1) {
      problems.add(
        "\(pointer)/schedule/warmup_epochs",
        "must be ≤ \(span.0) (\(span.1)), got \(JSON.number(schedule.warmupEpochs).text)")
    }
  }

  /// Notes what the chosen method cannot take.
  private func checkMethod(at pointer: String, _ problems: ProblemList) {
    let method = loss.method.type
    let name = "\"\(loss.method.rawValue)\""
    if !method.views.contains(views) {
      let allowed =
        method.views.count == 1
        ? "\(method.views.lowerBound)" : "from \(method.views.lowerBound) to \(method.views.upperBound)"
      problems.add("\(pointer)/views", "must be \(allowed), as method is \(name), got \(views)")
    }
    if localViews != nil, !method.takesLocalViews {
      let others = MethodName.allCases.filter(\.takesLocalViews).map { "\"\($0.rawValue)\"" }
      problems.add(
        "\(pointer)/local_views",
        "must be null, as method is \(name) and only \(others.joined(separator: ", ")) take local views, "
          + "got an object")
    }
    switch (predictor, method.hasPredictor) {
    case (nil, true):
      problems.add("\(pointer)/predictor", "must be an object, as method is \(name), got null")
    case (_?, false): problems.add("\(pointer)/predictor", "must be null, as method is \(name)")
    case (let predictor?, true) where predictor.widths.last != projector.widths.last:
      problems.add(
        "\(pointer)/predictor/widths",
        "must end as projector.widths does, with \(projector.widths.last ?? 0), got "
          + "\(predictor.widths.last ?? 0)")
    default: break
    }
  }

  /// Whether the method has a projector.
  package var hasProjector: Bool { loss.method.type.hasProjector }

  /// Optimiser steps of one epoch where the split has that many images.
  package func stepsPerEpoch(imageCount: Int) -> Int {
    let count = trainedCount(of: imageCount)
    return dropLast ? count / batchSize : (count + batchSize - 1) / batchSize
  }

  /// Optimiser steps of the whole run.
  package func stepCount(imageCount: Int) -> Int {
    min(epochs * stepsPerEpoch(imageCount: imageCount), maxSteps ?? .max)
  }
}
