import Datasets
import JSONText
import Recipe
import Testing
import Text

@testable import Training

@Suite("Logistic evaluation")
struct LogisticEvaluationTests {
  private static func specification(
    baselines: Bool = true, layer: EvaluationLayer? = .pooled
  ) -> EvaluateSpecification {
    EvaluateSpecification(
      checkpoint: CheckpointReference(job: JobID(unixMilliseconds: 1, random: 1), which: "last"),
      protocol: .logistic, features: .cached,
      dataset: EvaluationDataset(name: ByteString(TinyEvaluation.dataset)),
      baselines: baselines, epochs: 50, seed: 2, layer: layer)
  }

  @Test func `reports features, ridges and fits, and a result with both baselines`() throws {
    let recorder = Recorder()
    let evaluation = try TinyEvaluation.evaluation(Self.specification(), TinyEvaluation.checkpoint())
    let result = try TinyEvaluation.result(evaluation, recorder)
    let steps = recorder.figures.map(\.step)
    #expect(steps == steps.sorted())
    #expect(steps.last == evaluation.stepsTotal)
    #expect(evaluation.step == evaluation.stepsTotal)
    #expect(recorder.figures.contains { $0["images_per_second"] != nil })
    let losses = recorder.figures.compactMap { line in line["holdout_loss"].map { (line["ridge"], $0) } }
    #expect(losses.count >= 2)
    let fit = try #require(result.fit)
    #expect(losses.min { $0.1 < $1.1 }?.0 == fit.ridge)
    let last = try #require(recorder.figures.last)
    #expect(last["top1_raw_pixels"] == result.baselines?.rawPixels)
    #expect(last["train_top1_raw_pixels"].map { $0 > 0.5 } == true)
    #expect(result.layer == .pooled)
    #expect(result.json["layer"] == "pooled")
    #expect(result.json["ridge"]?.double == fit.ridge)
    #expect(result.json["train_top1"]?.double == result.trainTop1)
    #expect(result.json["iterations"]?.double == Double(fit.iterations))
    // What is saved is the state between two subjects.
    #expect(recorder.saved.map(\.step) == [18, 36])
  }

  @Test func `gives the same result with one, two and three threads`() throws {
    let checkpoint = try TinyEvaluation.checkpoint()
    let results = try [1, 2, 3].map { threads in
      let recorder = Recorder()
      _ = try TinyEvaluation.result(
        TinyEvaluation.evaluation(Self.specification(), checkpoint, threads: threads), recorder)
      return recorder.figures.map { line in line.figures.filter { $0.name != "images_per_second" } }
    }
    #expect(results[0] == results[1])
    #expect(results[0] == results[2])
  }

  @Test func `stops between two blocks and goes on with the subject it was at`() throws {
    let checkpoint = try TinyEvaluation.checkpoint()
    let expected = try TinyEvaluation.result(TinyEvaluation.evaluation(Self.specification(), checkpoint))
    var resumedAt: Set<Int> = []
    for step in stride(from: 0, to: 300, by: 37) {
      let first = Recorder(stop: (step: step, request: .yield))
      let interrupted = try TinyEvaluation.evaluation(Self.specification(), checkpoint)
      guard case .stopped(.yield) = try interrupted.run(first) else { continue }
      let state = first.saved.last
      let resumed = try TinyEvaluation.evaluation(Self.specification(), checkpoint, resumingFrom: state?.file)
      #expect(resumed.step == state?.step ?? 0)
      resumedAt.insert(resumed.step)
      #expect(try TinyEvaluation.result(resumed) == expected)
    }
    #expect(resumedAt.isSuperset(of: [0, 18]))
  }

  @Test func `cancelled at once saves nothing`() throws {
    let recorder = Recorder(stop: (step: 3, request: .cancelNow))
    let evaluation = try TinyEvaluation.evaluation(Self.specification(), TinyEvaluation.checkpoint())
    guard case .stopped(.cancelNow) = try evaluation.run(recorder) else {
      Issue.record("went on")
      return
    }
    #expect(recorder.saved.isEmpty)
  }

  @Test func `evaluates the pooled maps or the final Linear, whichever is asked for`() throws {
    let checkpoint = try TinyEvaluation.checkpoint(fc: 24)
    let pooled = try TinyEvaluation.result(
      TinyEvaluation.evaluation(Self.specification(baselines: false), checkpoint))
    let fc = try TinyEvaluation.result(
      TinyEvaluation.evaluation(Self.specification(baselines: false, layer: .fc), checkpoint))
    #expect(pooled.layer == .pooled)
    #expect(fc.layer == .fc)
    #expect(fc.fit != pooled.fit)
    let other = try TinyEvaluation.checkpoint()
    #expect(throws: TrainingError.missingLayer("fc")) {
      try TinyEvaluation.evaluation(Self.specification(layer: .fc), other)
    }
  }

  @Test func `tells classes apart that pixels tell apart`() throws {
    let images = try Tiny.open(TinyEvaluation.dataset, .train)
    let evaluation = try Evaluation(
      Self.specification(), checkpoint: TinyEvaluation.checkpoint(), train: images, test: images, threads: 1)
    let result = try TinyEvaluation.result(evaluation)
    #expect(try #require(result.baselines).rawPixels > 0.8)
    #expect(result.top1 == result.trainTop1)
  }

  @Test func `a state whose specification lacks fields of today is resumed with their defaults`() throws {
    let checkpoint = try TinyEvaluation.checkpoint()
    let recorder = Recorder()
    let expected = try TinyEvaluation.result(
      TinyEvaluation.evaluation(Self.specification(), checkpoint), recorder)
    var file = try #require(recorder.saved.last).file
    guard case .object(var members) = Self.specification().json else { Issue.record("no object"); return }
    // As a version wrote it that did not know these fields; the order of its members is its own affair too.
    members["layer"] = nil
    members["features"] = nil
    members["epochs"] = nil
    file.metadata["spec"] = " \(JSON.object(members).text)\n"
    let resumed = try TinyEvaluation.evaluation(Self.specification(), checkpoint, resumingFrom: file)
    #expect(resumed.step == 36)
    #expect(try TinyEvaluation.result(resumed) == expected)

    members["seed"] = 3
    file.metadata["spec"] = JSON.object(members).text
    #expect(throws: CheckpointError.otherSpecification) {
      try TinyEvaluation.evaluation(Self.specification(), checkpoint, resumingFrom: file)
    }
    file.metadata["spec"] = "{"
    #expect(throws: CheckpointError.self) {
      try TinyEvaluation.evaluation(Self.specification(), checkpoint, resumingFrom: file)
    }
  }
}
