import JSONText
import NeuralNet
import Platform
import Tensors

/// `vicregd bench memory`: what a training step of a preset's network needs, by purpose, and what the process
/// had at most.
enum BenchMemory {
  /// The flags of the subcommand.
  static let table =
    BenchNetwork.flags + [
      Bench.json,
      Setting(
        name: "runs", kind: .flag, standard: "false",
        help: "compares the estimates of whole trainings and evaluations with what their processes take"),
    ]

  /// Does two training steps and prints bytes, or compares estimates with whole runs.
  static func run(_ arguments: [String]) throws -> Int32 {
    guard let settings = try Bench.settings(of: "memory", table, arguments) else { return 0 }
    if settings.isSet("runs") {
      try BenchMemoryRuns.run(asJSON: settings.isSet("json"))
      return 0
    }
    let network = try BenchNetwork(settings)
    let model = try network.model()
    let optimizer = try network.optimizer(of: model)
    let views = try network.randomViews()
    for _ in 0..<2 { network.step(model, optimizer, views) }
    let purposes = [
      ("parameters", bytes(model.parameters.map(\.value))),
      ("gradients", bytes(model.parameters.map(\.gradient))),
      ("optimizer_state", bytes(optimizer.state.map(\.value))),
      ("running_statistics", bytes(model.buffers.map(\.value))),
      // A training has the views of the present and of the next step.
      ("images", bytes([views, views])), ("scratch", model.compute.scratchBytes),
    ]
    let total = model.arena.allocatedBytes + bytes([views, views])
    // What is left are activations, their gradients, and the batch statistics.
    let activations = total - purposes.reduce(0) { $0 + $1.1 }
    let lines = purposes + [("activations", activations), ("total", total)]
    if settings.isSet("json") {
      let object = JSON.object(Dictionary(lines, uniquingKeysWith: { $1 }).mapValues { .integer($0) })
      let peak = JSON.integer(ProcessMemory.peakResidentBytes)
      Bench.write(network.figures + [("bytes", object), ("peak_resident_bytes", peak)], asJSON: true)
      return 0
    }
    Bench.write(network.figures, asJSON: false)
    for (name, bytes) in lines + [("peak resident", ProcessMemory.peakResidentBytes)] {
      StandardStream.output.write(
        "\(name.padded(to: 20))\(Bench.fixed(Double(bytes) / 1e6, 1, width: 12)) MB\n")
    }
    return 0
  }

  private static func bytes(_ tensors: [Floats]) -> Int {
    tensors.reduce(0) { $0 + $1.count * MemoryLayout<Float>.stride }
  }
}
