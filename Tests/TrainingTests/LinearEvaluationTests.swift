import Datasets
import Recipe
import Testing
import Text

@testable import Training

@Suite("Linear evaluation")
struct LinearEvaluationTests {
  private static func specification(
    _ features: EvaluateSpecification.Features, epochs: Int = 4, baselines: Bool = true,
    protocol: EvaluationProtocol = .linear
  ) throws -> EvaluateSpecification {
    EvaluateSpecification(
      checkpoint: CheckpointReference(job: JobID(unixMilliseconds: 1, random: 1), which: "last"),
      protocol: `protocol`, features: features,
      dataset: EvaluationDataset(name: ByteString(TinyEvaluation.dataset)),
      baselines: baselines,
      epochs: epochs, seed: 2)
  }

  @Test(arguments: EvaluateSpecification.Features.allCases)
  func `reports an epoch a step for each subject and a result with both yardsticks`(
    features: EvaluateSpecification.Features
  ) throws {
    let recorder = Recorder()
    let evaluation = try TinyEvaluation.evaluation(Self.specification(features), TinyEvaluation.checkpoint())
    #expect(evaluation.stepsTotal == 12)
    guard case .finished(let result) = try evaluation.run(recorder) else { Issue.record("stopped"); return }
    #expect(recorder.figures.map(\.step) == Array(1...12))
    #expect(recorder.figures[0].figures.map(\.name) == ["loss", "top1", "lr", "images_per_second"])
    #expect(recorder.figures[3]["top1"] == result.top1)
    #expect(recorder.figures[7]["top1_untrained"] == result.baselines?.untrained)
    #expect(recorder.figures[11]["top1_raw_pixels"] == result.baselines?.rawPixels)
    #expect(result.layer == .pooled)
    #expect(result.json["baselines"]?["raw_pixels"]?.double == result.baselines?.rawPixels)
    // An evaluation on fresh views is long: it is saved after each epoch, and any between two subjects.
    #expect(recorder.saved.map(\.step) == (features == .augmented ? Array(1...12) : [4, 8]))
  }

  @Test func `lowers the rate by a cosine once an epoch`() throws {
    let recorder = Recorder()
    _ = try TinyEvaluation.evaluation(
      Self.specification(.cached, baselines: false), TinyEvaluation.checkpoint()
    ).run(recorder)
    let rates = recorder.figures.compactMap { $0["lr"] }
    // PyTorch's CosineAnnealingLR with T_max 4 from 0.02.
    let expected = [0.02, 0.017071067811865476, 0.01, 0.002928932188134524]
    #expect(rates.count == 4)
    for (rate, known) in zip(rates, expected) { #expect(abs(rate - known) < 1e-15) }
  }

  @Test func `learns to tell the training images apart, far better than chance`() throws {
    let recorder = Recorder()
    // The images that it is trained on are the test: whether they generalise is the encoder's business.
    let images = try Tiny.open(TinyEvaluation.dataset, .train)
    let evaluation = try Evaluation(
      Self.specification(.cached, epochs: 200), checkpoint: TinyEvaluation.checkpoint(), train: images,
      test: images,
      threads: 1)
    guard case .finished(let result) = try evaluation.run(recorder) else { Issue.record("stopped"); return }
    let losses = recorder.figures.compactMap { $0["loss"] }
    #expect(try #require(losses.last) < 0.9 * #require(losses.first))
    // An encoder of one step is hardly trained; pixels suffice to know a few images by heart.
    #expect(try #require(result.baselines).rawPixels > 0.8)
    #expect(result.top1 > 0.4)
  }

  @Test func `goes on after the last whole epoch, bit for bit`() throws {
    let checkpoint = try TinyEvaluation.checkpoint()
    let specification = try Self.specification(.augmented)
    let whole = Recorder()
    guard case .finished(let expected) = try TinyEvaluation.evaluation(specification, checkpoint).run(whole)
    else {
      Issue.record("stopped")
      return
    }
    // Asked about once a batch: this is in the middle of an epoch of the second subject.
    let first = Recorder(stop: (step: 13, request: .yield))
    guard case .stopped(.yield) = try TinyEvaluation.evaluation(specification, checkpoint).run(first) else {
      Issue.record("did not yield")
      return
    }
    let state = try #require(first.saved.last)
    #expect((4..<12).contains(state.step))
    let second = Recorder()
    let resumed = try TinyEvaluation.evaluation(
      specification, checkpoint, threads: 2, resumingFrom: state.file)
    #expect(resumed.step == state.step)
    guard case .finished(let result) = try resumed.run(second) else { Issue.record("stopped"); return }
    #expect(result == expected)
    #expect(second.saved.last == whole.saved.last)
    #expect(second.figures.first?.step == state.step + 1)
  }

  @Test func `a cached evaluation that yields is saved too`() throws {
    let recorder = Recorder(stop: (step: 8, request: .yield))
    guard
      case .stopped(.yield) = try TinyEvaluation.evaluation(
        Self.specification(.cached), TinyEvaluation.checkpoint()
      ).run(
        recorder)
    else { Issue.record("did not yield"); return }
    #expect(recorder.saved.count == 1)
    #expect(recorder.saved.last?.step == recorder.figures.last?.step)
  }

  @Test func `cancelled at once saves nothing`() throws {
    let recorder = Recorder(stop: (step: 8, request: .cancelNow))
    guard
      case .stopped(.cancelNow) = try TinyEvaluation.evaluation(
        Self.specification(.cached), TinyEvaluation.checkpoint()
      ).run(
        recorder)
    else { Issue.record("went on"); return }
    #expect(recorder.saved.isEmpty)
  }

  @Test func `linear-seed differs from linear in the test images alone`() throws {
    let checkpoint = try TinyEvaluation.checkpoint()
    let runs = try [EvaluationProtocol.linear, .linearSeed].map { name in
      let recorder = Recorder()
      let specification = try Self.specification(.cached, baselines: false, protocol: name)
      guard
        case .finished(let result) = try TinyEvaluation.evaluation(specification, checkpoint).run(recorder)
      else {
        throw CheckpointError.otherSpecification
      }
      #expect(result.protocol == name)
      return recorder
    }
    #expect(runs[0].figures.map { $0["loss"] } == runs[1].figures.map { $0["loss"] })
  }

  @Test func `refuses the state of another evaluation`() throws {
    let checkpoint = try TinyEvaluation.checkpoint()
    let recorder = Recorder()
    _ = try TinyEvaluation.evaluation(Self.specification(.augmented, epochs: 1), checkpoint).run(recorder)
    let state = try #require(recorder.saved.first).file
    #expect(throws: CheckpointError.otherSpecification) {
      try TinyEvaluation.evaluation(Self.specification(.cached, epochs: 1), checkpoint, resumingFrom: state)
    }
  }

  @Test func `refuses a checkpoint whose encoder is another one`() throws {
    let checkpoint = try TinyEvaluation.checkpoint()
    var wider = checkpoint.specification
    wider.encoder.width = 32
    let other = Checkpoint(
      step: 1, epoch: 0, position: 1, specification: wider, instructionSet: "", tensors: checkpoint.tensors)
    #expect(throws: CheckpointError.self) {
      _ = try TinyEvaluation.evaluation(Self.specification(.cached), other).run(Recorder())
    }
  }
}
