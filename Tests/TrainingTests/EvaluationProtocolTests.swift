import Datasets
import JSONText
import NeuralNet
import Recipe
import Testing
import Text

@testable import Training

/// What holds for every protocol.
@Suite("Protocols of evaluation")
struct EvaluationProtocolTests {
  private static func specification(
    _ choice: EvaluationProtocol, _ change: (inout EvaluateSpecification) -> Void = { _ in }
  ) -> EvaluateSpecification {
    var specification = EvaluateSpecification(
      checkpoint: CheckpointReference(job: JobID(unixMilliseconds: 1, random: 1), which: "last"),
      protocol: choice, dataset: EvaluationDataset(name: ByteString(TinyEvaluation.dataset)), baselines: true,
      epochs: 3,
      seed: 2, layer: .pooled)
    change(&specification)
    return specification
  }

  @Test(arguments: EvaluationProtocol.allCases)
  func `have everything that their numbers must be read with`(choice: EvaluationProtocol) throws {
    let recorder = Recorder()
    let evaluation = try TinyEvaluation.evaluation(Self.specification(choice), TinyEvaluation.checkpoint())
    let result = try TinyEvaluation.result(evaluation, recorder)
    let steps = recorder.figures.map(\.step)
    #expect(steps == steps.sorted() && Set(steps).count == steps.count)
    #expect(steps.last == evaluation.stepsTotal && evaluation.step == evaluation.stepsTotal)
    let json = result.json
    #expect(json["protocol"] == .string(choice.rawValue) && json["layer"] == "pooled")
    #expect(json["method"] == "vicreg" && json["preset"] == "small")
    #expect(json["train_images"] == 96 && json["test_images"] == 48 && json["seeds"] == 1)
    #expect(json["top1_std"] == .null)
    let interval = try #require(json["top1_interval"]?.array).compactMap(\.double)
    #expect(interval[0] <= result.top1 && result.top1 <= interval[1] && interval[0] < interval[1])
    // There are three classes.
    #expect(json["top5"] == 1)
    let confusion = result.confusion
    #expect(confusion.joined().reduce(0, +) == 48)
    let hits = confusion.indices.map { confusion[$0][$0] }
    #expect(Double(hits.reduce(0, +)) / 48 == result.top1)
    let perClass = try #require(json["per_class"]?.array)
    #expect(perClass.count == 3 && perClass[1]["images"] == 16)
    #expect(perClass[1]["top1"]?.double == Double(hits[1]) / 16)
    #expect(json["verdict"]?.string?.string.contains("raw pixels") == true)
    #expect(json["baselines"]?["untrained"]?.double == result.baselines?.untrained)
    #expect(result.predictions.map(\.count) == [48])
  }

  @Test(arguments: EvaluationProtocol.allCases)
  func `have the same bits with one, two and three threads`(choice: EvaluationProtocol) throws {
    let checkpoint = try TinyEvaluation.checkpoint()
    let specification = Self.specification(choice) { $0.labelShare = 0.5 }
    let lines = try [1, 2, 3].map { threads in
      let recorder = Recorder()
      let result = try TinyEvaluation.result(
        TinyEvaluation.evaluation(specification, checkpoint, threads: threads), recorder)
      return recorder.figures.map { line in line.figures.filter { $0.name != "images_per_second" } }
        .map { "\($0)" } + [result.json.text]
    }
    #expect(lines[0] == lines[1] && lines[0] == lines[2])
  }

  @Test(arguments: EvaluationProtocol.allCases)
  func `go on bit for bit, wherever they were stopped`(choice: EvaluationProtocol) throws {
    let checkpoint = try TinyEvaluation.checkpoint()
    let specification = Self.specification(choice) { ($0.seeds, $0.labelShare) = (2, 0.5) }
    let expected = try TinyEvaluation.result(TinyEvaluation.evaluation(specification, checkpoint))
    var resumedAt: Set<Int> = []
    for step in [0, 5, 17, 24, 40, 71, 130, 200] {
      let first = Recorder(stop: (step: step, request: .yield))
      guard case .stopped(.yield) = try TinyEvaluation.evaluation(specification, checkpoint).run(first) else {
        break
      }
      let state = first.saved.last
      let second = Recorder()
      let resumed = try TinyEvaluation.evaluation(
        specification, checkpoint, threads: 2, resumingFrom: state?.file)
      #expect(resumed.step == state?.step ?? 0)
      resumedAt.insert(resumed.step)
      #expect(try TinyEvaluation.result(resumed, second) == expected)
      if let state, let line = second.figures.first { #expect(line.step > state.step) }
    }
    #expect(resumedAt.count > 1)
  }

  @Test func `fine-tuning is computed as was recorded when it began, where that was recorded`() throws {
    let checkpoint = try TinyEvaluation.checkpoint()
    let specification = Self.specification(.finetune) { ($0.baselines, $0.epochs) = (false, 1) }
    let first = try TinyEvaluation.evaluation(specification, checkpoint)
    let names = first.convolutions.names
    let tuned = names.keys.filter { $0.hasPrefix("finetune.") }
    #expect(!tuned.isEmpty && tuned.count < names.count)
    let expected = try TinyEvaluation.result(first)
    func result(_ names: [String: [String: String]]) throws -> EvaluationResult {
      try TinyEvaluation.result(
        TinyEvaluation.evaluation(specification, checkpoint, recorded: ConvolutionRecord(names: names)))
    }
    #expect(try result(names) == expected)
    // An evaluation of an older version recorded the encoder alone.
    #expect(try result(names.filter { !tuned.contains($0.key) }) == expected)
    var incomplete = names
    incomplete["finetune.encoder.layer1.0.conv1"] = nil
    #expect(throws: ConvolutionRecordError.self) { try result(incomplete) }
  }

  @Test(arguments: EvaluationProtocol.allCases)
  func `with several seeds have mean, deviation and interval`(choice: EvaluationProtocol) throws {
    let checkpoint = try TinyEvaluation.checkpoint()
    let specification = Self.specification(choice) {
      ($0.seeds, $0.labelShare, $0.baselines) = (3, 0.25, false)
    }
    let result = try TinyEvaluation.result(TinyEvaluation.evaluation(specification, checkpoint))
    let json = result.json
    let runs = try #require(json["runs"]?.array)
    #expect(runs.map { $0["seed"] } == [2, 3, 4])
    let values = runs.compactMap { $0["top1"]?.double }
    #expect(abs(values.reduce(0, +) / 3 - result.top1) < 1e-12)
    #expect(json["train_images"] == 24 && json["seeds"] == 3)
    let interval = try #require(json["top1_interval"]?.array).compactMap(\.double)
    let half = 4.302653 * Interval.deviation(values) / 3.0.squareRoot()
    #expect(abs(max(0, result.top1 - half) - interval[0]) < 1e-6)
    #expect(json["top1_std"]?.double == Interval.deviation(values))
    #expect(json["verdict"] == "Not compared with any baseline.")
    // Each seed alone gives the same.
    let alone = Self.specification(choice) { ($0.seed, $0.labelShare, $0.baselines) = (4, 0.25, false) }
    #expect(try TinyEvaluation.result(TinyEvaluation.evaluation(alone, checkpoint)).top1 == values[2])
  }

  @Test func `neighbours of all labels do not vary with the seed`() throws {
    let specification = Self.specification(.knn) { $0.seeds = 5 }
    let evaluation = try TinyEvaluation.evaluation(specification, TinyEvaluation.checkpoint())
    let json = try TinyEvaluation.result(evaluation).json
    #expect(json["top1_std"] == 0 && json["seeds"] == 5 && json["runs"]?.array?.count == 1)
    #expect(evaluation.stepsTotal == 2 * 20 + 10)
  }

  @Test func `need a label of each class`() throws {
    let checkpoint = try TinyEvaluation.checkpoint()
    let dataset = try Tiny.open(TinyEvaluation.dataset).name
    #expect(throws: TrainingError.tooFewLabels(dataset: dataset, count: 2, classes: 3)) {
      _ = try TinyEvaluation.evaluation(Self.specification(.knn) { $0.labelShare = 0.02 }, checkpoint)
    }
    _ = try TinyEvaluation.result(
      TinyEvaluation.evaluation(Self.specification(.logistic) { $0.labelShare = 0.03 }, checkpoint))
  }

  @Test(arguments: [EvaluationProtocol.logistic, .knn, .linear])
  func `evaluate each layer that a network has`(choice: EvaluationProtocol) throws {
    let checkpoint = try TinyEvaluation.checkpoint(fc: 24)
    let results = try EvaluationLayer.allCases.map { layer in
      let specification = Self.specification(choice) { ($0.layer, $0.baselines) = (layer, false) }
      let evaluation = try TinyEvaluation.evaluation(specification, checkpoint)
      let widths: [EvaluationLayer: Int] = [.pooled: 128, .fc: 24, .embedding: 32]
      #expect(evaluation.subjects.encoder.featureCount == widths[layer])
      let result = try TinyEvaluation.result(evaluation)
      #expect(result.json["layer"] == .string(layer.rawValue))
      return result.predictions
    }
    #expect(Set(results).count > 1)
    let supervised = try TinyEvaluation.checkpoint(method: .supervised)
    for layer in [EvaluationLayer.fc, .embedding] {
      #expect(throws: TrainingError.missingLayer(layer.rawValue)) {
        _ = try TinyEvaluation.evaluation(Self.specification(choice) { $0.layer = layer }, supervised)
      }
    }
  }

  @Test func `average the features of an image and of its mirror image`() throws {
    let checkpoint = try TinyEvaluation.checkpoint()
    let plain = try TinyEvaluation.evaluation(Self.specification(.knn), checkpoint).subjects
    let mirrored = try TinyEvaluation.evaluation(Self.specification(.knn) { $0.mirror = true }, checkpoint)
      .subjects
    func table(_ subjects: EvaluationSubjects, _ views: [ViewMaker]) throws -> [Float] {
      let source = try subjects.source(of: .trained)
      let rows = try subjects.rows(
        subjects.test, [4, 7], views[0], mirror: subjects.specification.mirror, source)
      try rows.keep {}
      return try #require(rows.table).array
    }
    let (one, other) = (try table(plain, [.plain]), try table(plain, [.mirrored]))
    let mean = try table(mirrored, [.plain])
    #expect(one != other)
    #expect(mean == zip(one, other).map { ($0 + $1) * 0.5 })
  }

  @Test func `tell classes apart that neighbours tell apart`() throws {
    let images = try Tiny.open(TinyEvaluation.dataset, .train)
    let evaluation = try Evaluation(
      Self.specification(.knn) { $0.knn.k = 1 }, checkpoint: TinyEvaluation.checkpoint(), train: images,
      test: images,
      threads: 2)
    let result = try TinyEvaluation.result(evaluation)
    // Each image finds itself; without itself it does not.
    #expect(result.top1 == 1 && result.trainTop1 < 1)
    #expect(result.baselines?.rawPixels == 1)
    #expect(
      result.verdict.hasPrefix("Does not beat raw pixels beyond the 95% interval: the difference is 0.0"))
  }
}
