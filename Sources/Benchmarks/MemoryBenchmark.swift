import Tensors

/// What a training step of a network needs, by purpose.
package struct MemoryBenchmark {
  /// Bytes of each purpose, under its name in `--json`; the last is `total`, the sum of the others.
  package let purposes: [(name: String, bytes: Int)]

  /// Does two training steps, so that all memory is touched. Throws what planning the network throws.
  package init(_ network: BenchmarkNetwork) throws {
    let training = try network.training()
    let (model, optimizer) = (training.model, training.optimizer)
    let views = try network.randomViews()
    for _ in 0..<2 { training.step(views) }
    func bytes(_ tensors: [Floats]) -> Int {
      tensors.reduce(0) { $0 + $1.count * MemoryLayout<Float>.stride }
    }
    let known = [
      ("parameters", bytes((model.parameters + model.averagedParameters).map(\.value))),
      ("gradients", bytes(model.parameters.map(\.gradient))),
      ("optimizer_state", bytes(optimizer.state.map(\.value))),
      ("running_statistics", bytes(model.buffers.map(\.value))),
      // A training has the views of the present and of the next step.
      ("images", bytes([views, views])), ("scratch", model.compute.scratchBytes),
    ]
    let total = model.arena.allocatedBytes + bytes([views, views])
    // What is left are activations, their gradients, and the batch statistics.
    let activations = total - known.reduce(0) { $0 + $1.1 }
    purposes = known + [("activations", activations), ("total", total)]
  }
}
