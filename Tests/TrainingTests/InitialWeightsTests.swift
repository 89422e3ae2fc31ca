import JSONText
import Recipe
import Testing

@testable import Training

@Suite struct `A training that begins with another one's checkpoint` {
  private static let source = InitialWeights(
    CheckpointReference(job: JobID(unixMilliseconds: 1, random: 1), which: "last"))

  private static func training(
    _ specification: TrainSpecification, from checkpoint: Checkpoint
  ) throws -> Pretraining {
    try Pretraining(
      specification, dataset: Tiny.open(), threads: 1, beginningWith: checkpoint)
  }

  /// The state after a whole run.
  private static func finished(_ training: Pretraining) throws -> Checkpoint {
    _ = try training.run(Recorder())
    return training.checkpoint()
  }

  @Test func `goes on to the same bits as one that was longer from the start`() throws {
    let short = try Self.finished(Tiny.training())
    var longer = Tiny.specification
    longer.epochs = 4
    let undisturbed = try Self.finished(Tiny.training(longer))
    longer.initFrom = Self.source
    longer.initFrom?.optimizer = true
    let training = try Self.training(longer, from: short)
    #expect(training.step == 6 && training.stepsTotal == 12)
    let continued = try Self.finished(training)
    #expect(continued.tensors == undisturbed.tensors)
    let resumed = try Tiny.training(longer, resumingFrom: continued)
    #expect(resumed.step == 12 && resumed.checkpoint().tensors == continued.tensors)
  }

  @Test func `is refused where no step is left`() throws {
    let short = try Self.finished(Tiny.training())
    var same = Tiny.specification
    same.initFrom = Self.source
    same.initFrom?.optimizer = true
    #expect(throws: TrainingError.noStepLeft(step: 6, stepsTotal: 6)) { try Self.training(same, from: short) }
  }

  @Test func `takes the encoder alone, and has everything else new`() throws {
    let source = try Self.finished(Tiny.training())
    var specification = Tiny.specification
    specification.initFrom = Self.source
    specification.seed = 12
    let begun = try Self.training(specification, from: source).checkpoint()
    let new = try Tiny.training(
      {
        var specification = Tiny.specification
        specification.seed = 12
        return specification
      }()
    ).checkpoint()
    #expect(begun.step == 0)
    for (name, value) in begun.tensors {
      #expect(value == (name.hasPrefix("encoder.") ? source : new).tensors[name], "\(name)")
    }
    #expect(begun.tensors["encoder.conv1.weight"] != new.tensors["encoder.conv1.weight"])
  }

  @Test func `has a final Linear of another size new, and a moving average of the weights taken`() throws {
    let source = try Self.finished(Tiny.training())
    var specification = try TrainSpecification.parse([
      "preset": "small", "method": "byol", "encoder": ["fc": 32], "projector": ["widths": [32, 32]],
      "predictor": ["widths": [32, 32]], "batch_size": 16,
    ])
    specification.dataset = Tiny.specification.dataset
    specification.initFrom = Self.source
    let begun = try Self.training(specification, from: source).checkpoint().tensors
    #expect(begun["encoder.layer4.1.conv2.weight"] == source.tensors["encoder.layer4.1.conv2.weight"])
    #expect(begun["target.encoder.conv1.weight"] == source.tensors["encoder.conv1.weight"])
    #expect(begun["encoder.fc.weight"]?.shape == [32, 128])
    var other = Tiny.specification
    other.encoder.width = 32
    other.initFrom = Self.source
    #expect(throws: CheckpointError.self) { try Self.training(other, from: source) }
  }
}
