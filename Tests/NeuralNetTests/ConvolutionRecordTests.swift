import Kernels
import Parallel
import Recipe
import Tensors
import Testing

@testable import NeuralNet

@Suite struct `Convolution record` {
  private static let layer = "encoder.layer1.0.conv1"

  private func model(
    _ choice: ConvolutionChoice = .automatic, width: Int = 16, recorded: ConvolutionRecord? = nil
  ) throws -> PretrainingModel {
    try PretrainingModel(
      ModelConfiguration(
        encoder: EncoderSpecification(width: width, fc: 32),
        projector: ProjectorSpecification(widths: [32, 32]), method: VICReg()), imageSide: 16, batchSize: 2,
      team: try ThreadTeam(threads: 1),
      convolutions: choice, recorded: recorded)
  }

  @Test func `names every convolution and linear layer, and reads back equal`() throws {
    let record = try model().convolutions
    // Two in each of eight blocks, three downsamples, fc and two in the projector.
    #expect(record.layers.count == 16 + 3 + 1 + 2)
    #expect(record.names[Self.layer]?.keys.sorted() == ["backward_input", "backward_weight", "forward"])
    for name in ["encoder.layer4.0.downsample.0", "encoder.fc", "projector.3"] {
      #expect(record.layers[name] == .direct)
    }
    #expect(try ConvolutionRecord(names: record.names) == record)
  }

  @Test func `is followed, to the last bit, whatever would be chosen today`() throws {
    let old = try model(.direct)
    let new = try model(.automatic, recorded: old.convolutions)
    #expect(new.convolutions == old.convolutions)
    let chosen = try model(.automatic)
    let views = try Arena().allocate(4 * 3 * 16 * 16)
    views.copy(from: GoldenGenerator.values(seed: 6, count: views.count))
    let gradients = [old, new, chosen].map { model in
      model.initialize(seed: 5)
      _ = model.step(views, count: 2)
      return model.parameters.map(\.gradient.array)
    }
    #expect(gradients[1] == gradients[0])
    #expect(gradients[2] != gradients[0])
  }

  @Test func `is followed by an encoder for inference`() throws {
    func encoder(_ choice: ConvolutionChoice, _ recorded: ConvolutionRecord?) throws -> EncoderInference {
      try EncoderInference(
        EncoderSpecification(width: 16), imageSide: 16, batchSize: 2, team: try ThreadTeam(threads: 1),
        convolutions: choice, recorded: recorded)
    }
    let record = try encoder(.automatic, nil).convolutions
    #expect(record.layers[Self.layer]?.forward != .direct)
    #expect(try encoder(.direct, record).convolutions == record)
  }

  @Test func `is refused when it does not fit the program or the network`() throws {
    let names = try model().convolutions.names
    func refusal(_ change: (inout [String: [String: String]]) -> Void) -> ConvolutionRecordError? {
      var changed = names
      change(&changed)
      return #expect(throws: ConvolutionRecordError.self) {
        try model(recorded: ConvolutionRecord(names: changed))
      }
    }
    let unknown = refusal { $0[Self.layer]?["forward"] = "winograd9" }
    #expect(unknown == .unknownAlgorithm(layer: Self.layer, direction: "forward", name: "winograd9"))
    #expect(unknown?.description.contains("\"winograd9\", only direct, ") == true)
    #expect(
      refusal { $0[Self.layer]?["backward_weight"] = nil }
        == .unknownAlgorithm(layer: Self.layer, direction: "backward_weight", name: nil))
    #expect(
      refusal { $0["encoder.fc"]?["backward_input"] = "winograd4" }
        == .notApplicable(layer: "encoder.fc", direction: "backward_input", name: "winograd4"))
    #expect(refusal { $0["projector.0"] = nil } == .missingLayer("projector.0"))
    #expect(refusal { $0["projector.6"] = $0["projector.0"] } == .unknownLayers(["projector.6"]))
  }

  @Test func `is refused with the largest tiles on more than 128 channels`() throws {
    // Layer 3 has four times the width.
    func largest(width: Int) throws -> ConvolutionRecord {
      var names = try model(width: width).convolutions.names
      names["encoder.layer3.1.conv1"]?["backward_weight"] = "winograd6"
      return try ConvolutionRecord(names: names)
    }
    let allowed = try largest(width: 32)
    #expect(try model(width: 32, recorded: allowed).convolutions == allowed)
    let refused = try largest(width: 36)
    let refusal = #expect(throws: ConvolutionRecordError.self) { try model(width: 36, recorded: refused) }
    #expect(
      refusal
        == .notApplicable(
          layer: "encoder.layer3.1.conv1", direction: "backward_weight", name: "winograd6"))
  }
}
