import NeuralNet
import Recipe
import Testing

@testable import Training

@Suite struct `A training by every method` {
  /// A training by a method with the heads and the optimiser of its recipe, narrow.
  private static func specification(_ method: MethodName) -> TrainSpecification {
    var specification = Tiny.specification
    specification.schedule = ScheduleSpecification(name: .cosine, warmupEpochs: 0.5, finalFactor: 0)
    specification.loss.method = method
    specification.projector = ProjectorSpecification(widths: [32, 24])
    specification.optimizer.name = .lars
    switch method {
    case .vicreg: specification.views = 8
    case .barlowTwins: specification.views = 3
    case .simclr: break
    case .byol: specification.predictor = ProjectorSpecification(widths: [32, 24])
    case .simsiam:
      specification.projector = ProjectorSpecification(
        widths: [32, 24], lastBias: false, hiddenBias: false, lastBatchNorm: true)
      specification.predictor = ProjectorSpecification(widths: [32, 24], hiddenBias: false)
      specification.optimizer.name = .sgd
    case .sigreg:
      specification.views = 4
      specification.loss.constants = SIGReg(slices: 32)
      specification.optimizer.name = .adamw
    case .supervised:
      // It has none, and a specification that is read back has the standard one.
      specification.projector = ProjectorSpecification(widths: [256, 256, 256])
      specification.views = 1
      specification.optimizer.name = .sgd
    default: Issue.record("the test does not know \(method)")
    }
    return specification
  }

  private func training(
    _ method: MethodName, threads: Int = 1, resumingFrom checkpoint: Checkpoint? = nil
  ) throws -> Pretraining {
    try Pretraining(
      Self.specification(method), dataset: Tiny.open(), threads: threads, resumingFrom: checkpoint)
  }

  @Test(arguments: MethodName.allCases)
  func `goes on in the middle of an epoch, bit for bit, with any number of threads`(method: MethodName) throws
  {
    let whole = Recorder()
    _ = try training(method).run(whole)
    let first = Recorder(stop: (step: 4, request: .yield))
    _ = try training(method, threads: 2).run(first)
    let second = Recorder()
    let state = try #require(first.saved.last)
    _ = try training(method, threads: 3, resumingFrom: Checkpoint(state.file)).run(second)
    #expect(second.figures.last?["loss"] == whole.figures.last?["loss"])
    #expect(try Tiny.bytes(#require(second.saved.last)) == Tiny.bytes(#require(whole.saved.last)))
  }

  @Test(arguments: MethodName.allCases) func `reports its own parts, the loss and the diagnostics`(
    method: MethodName
  ) throws {
    let recorder = Recorder()
    _ = try training(method).run(recorder)
    let expected = Self.specification(method).metricNames
    for line in recorder.figures {
      #expect(line.figures.map(\.name) == expected)
      #expect(line.figures.allSatisfy { $0.value.isFinite })
    }
  }

  @Test func `names the tensors of a predictor, a moving average and a head as PyTorch would`() throws {
    func names(_ method: MethodName) throws -> Set<String> {
      Set(try training(method).checkpoint().tensors.keys)
    }
    let byol = try names(.byol)
    for name in [
      "predictor.0.weight", "predictor.1.running_var", "predictor.3.bias", "target.encoder.conv1.weight",
      "target.encoder.bn1.running_mean", "target.projector.0.weight",
      "optimizer.momentum_buffer.predictor.0.bias",
    ] {
      #expect(byol.contains(name), "\(name)")
    }
    #expect(!byol.contains { $0.hasPrefix("optimizer.") && $0.contains("target.") })
    let simsiam = try names(.simsiam)
    #expect(simsiam.contains("projector.4.running_var") && !simsiam.contains("projector.4.weight"))
    #expect(try names(.supervised).isSuperset(of: ["head.weight", "head.bias"]))
  }
}
