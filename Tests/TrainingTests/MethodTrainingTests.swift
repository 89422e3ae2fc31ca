import JobModel
import NeuralNet
import Testing

@testable import Training

@Suite struct `A training by every method` {
  /// A method with the heads and the optimiser of its recipe, narrow.
  private static func configuration(_ name: String) -> (ModelConfiguration, TrainSpecification) {
    var specification = Tiny.specification
    specification.schedule = ScheduleSpecification(name: .cosine, warmupEpochs: 0.5, finalFactor: 0)
    var projector = ProjectorConfiguration(widths: [32, 24])
    var predictor = ProjectorConfiguration(widths: [32, 24])
    var views: Int?
    let method: any Method
    switch name {
    case BarlowTwins.name: (method, views) = (BarlowTwins(), 3)
    case SimCLR.name: method = SimCLR()
    case BYOL.name: method = BYOL()
    case SimSiam.name:
      projector = ProjectorConfiguration(
        widths: [32, 24], lastBias: false, hiddenBias: false, lastBatchNorm: true)
      predictor.hiddenBias = false
      method = SimSiam()
    case SIGReg.name: (method, views) = (SIGReg(slices: 32), 4)
    case Supervised.name: method = Supervised()
    default: (method, views) = (VICReg(), 8)
    }
    switch name {
    case SimSiam.name, Supervised.name: specification.optimizer.name = .sgd
    case SIGReg.name: specification.optimizer.name = .adamw
    default: specification.optimizer.name = .lars
    }
    let configuration = ModelConfiguration(
      encoder: EncoderConfiguration(specification.encoder), projector: projector, predictor: predictor,
      method: method, views: views, classes: 4, seed: specification.seed)
    return (configuration, specification)
  }

  private func training(
    _ name: String, threads: Int = 1, resumingFrom checkpoint: Checkpoint? = nil
  ) throws -> Pretraining {
    let (configuration, specification) = Self.configuration(name)
    return try Pretraining(
      specification, configuration: configuration, dataset: Tiny.open(), threads: threads,
      resumingFrom: checkpoint)
  }

  private static let names = [
    VICReg.name, BarlowTwins.name, SimCLR.name, BYOL.name, SimSiam.name, SIGReg.name, Supervised.name,
  ]

  @Test(arguments: names)
  func `goes on in the middle of an epoch, bit for bit, with any number of threads`(name: String) throws {
    let whole = Recorder()
    _ = try training(name).run(whole)
    let first = Recorder(stop: (step: 4, request: .yield))
    _ = try training(name, threads: 2).run(first)
    let second = Recorder()
    let state = try #require(first.saved.last)
    _ = try training(name, threads: 3, resumingFrom: Checkpoint(state.file)).run(second)
    #expect(second.figures.last?["loss"] == whole.figures.last?["loss"])
    #expect(try Tiny.bytes(#require(second.saved.last)) == Tiny.bytes(#require(whole.saved.last)))
  }

  @Test(arguments: names) func `reports its own parts, the loss and the diagnostics`(name: String) throws {
    let recorder = Recorder()
    _ = try training(name).run(recorder)
    let own: [String] =
      switch name {
      case BarlowTwins.name: ["on_diagonal", "off_diagonal"]
      case SimCLR.name: ["positive_similarity", "contrast_top1"]
      case BYOL.name, SimSiam.name: ["similarity"]
      case SIGReg.name: ["inv", "sigreg"]
      case Supervised.name: ["top1"]
      default: ["inv", "var", "cov"]
      }
    let common = [
      "loss", "std_mean", "std_min", "corr", "rankme", "grad_norm", "lr", "images_per_second",
    ]
    for line in recorder.figures {
      #expect(line.figures.map(\.name) == own + common)
      #expect(line.figures.allSatisfy { $0.value.isFinite })
    }
  }

  @Test func `names the tensors of a predictor, a moving average and a head as PyTorch would`() throws {
    func names(_ method: String) throws -> Set<String> {
      Set(try training(method).checkpoint().tensors.keys)
    }
    let byol = try names(BYOL.name)
    for name in [
      "predictor.0.weight", "predictor.1.running_var", "predictor.3.bias", "target.encoder.conv1.weight",
      "target.encoder.bn1.running_mean", "target.projector.0.weight",
      "optimizer.momentum_buffer.predictor.0.bias",
    ] {
      #expect(byol.contains(name), "\(name)")
    }
    #expect(!byol.contains { $0.hasPrefix("optimizer.") && $0.contains("target.") })
    let simsiam = try names(SimSiam.name)
    #expect(simsiam.contains("projector.4.running_var") && !simsiam.contains("projector.4.weight"))
    #expect(try names(Supervised.name).isSuperset(of: ["head.weight", "head.bias"]))
  }
}
