import Recipe
import Tensors
import Testing

@testable import NeuralNet

@Suite struct `Objectives` {
  /// An objective with the bench that it was planned on.
  private struct Subject {
    let bench: Bench
    let objective: any Objective
    let golden: MethodGolden.LossCase

    init(_ golden: MethodGolden.LossCase, threads: Int = 2) throws {
      bench = try Bench(threads: threads)
      self.golden = golden
      objective = try MethodGolden.method(golden.method, slices: golden.slices).objective(
        EmbeddingShape(
          views: golden.views, localViews: golden.local ?? 0, batchSize: golden.n + 3, dimension: golden.d),
        plan: bench.plan)
      try bench.ready()
      MethodGolden.setDirections(
        objective, seed: golden.seed + 80, slices: golden.slices, dimension: golden.d)
    }

    private func activation(_ values: [Float]) throws -> Activation {
      try bench.activation(golden.allViews * golden.n, golden.d, 1, 1, values)
    }

    /// Where the loss is differentiated: predictions where the method has them.
    var leaf: [Float] {
      golden.rows(seed: golden.seed + (golden.method == .byol || golden.method == .simsiam ? 50 : 0))
    }

    func evaluate(_ leaf: [Float]) throws -> (loss: Double, gradient: Activation) {
      if let sigreg = objective as? SIGRegObjective { return sigreg.evaluate(try activation(leaf)) }
      let z = try activation(golden.rows(seed: golden.seed))
      switch golden.method {
      case .byol:
        return objective.evaluate(BranchOutputs(embedding: z, prediction: try activation(leaf), target: z))
      case .simsiam:
        return objective.evaluate(BranchOutputs(embedding: z, prediction: try activation(leaf)))
      default: return objective.evaluate(BranchOutputs(embedding: try activation(leaf)))
      }
    }
  }

  @Test(arguments: MethodGolden.shared.losses.indices)
  func `give PyTorch's loss, parts and gradient`(index: Int) throws {
    let golden = MethodGolden.shared.losses[index]
    let subject = try Subject(golden)
    let (loss, gradient) = try subject.evaluate(subject.leaf)
    let name = "\(golden.method) \(golden.kind)"
    #expect(abs(loss - golden.loss) <= 2e-6 * max(1, abs(golden.loss)), "\(name)")
    let figures = subject.objective.figures
    #expect(Set(figures.map(\.name)) == Set(golden.parts.keys))
    for (part, expected) in golden.parts where part != "contrast_top1" {
      let value = try #require(figures[part])
      #expect(abs(value - expected) <= 1e-5 * max(1, abs(expected)), "\(name) \(part)")
    }
    let error = golden.gradient.relativeError(of: try subject.bench.planar(gradient))
    // Rows within 1e-3 of each other have differences that single precision holds to 6e-5.
    #expect(error <= (golden.kind == "noise" ? 1e-5 : 1e-4), "\(name): \(error)")
  }

  @Test(arguments: MethodGolden.shared.losses.indices)
  func `have the gradient of their central differences`(index: Int) throws {
    let golden = MethodGolden.shared.losses[index]
    guard golden.kind == "noise" else { return }
    let subject = try Subject(golden)
    let gradient = try subject.bench.planar(subject.evaluate(subject.leaf).gradient)
    let error = try differenceError(at: subject.leaf, gradient: gradient, step: 5e-4) {
      try subject.evaluate($0).loss
    }
    #expect(error < 5e-3, "\(golden.method)")
  }

  @Test(arguments: MethodGolden.shared.losses.indices)
  func `give the same bits with one, two and three threads`(index: Int) throws {
    let runs = try [1, 2, 3].map { threads in
      let subject = try Subject(MethodGolden.shared.losses[index], threads: threads)
      let (loss, gradient) = try subject.evaluate(subject.leaf)
      return (loss, try subject.bench.planar(gradient))
    }
    for run in runs.dropFirst() { #expect(run == runs[0]) }
  }

  @Test func `SIGReg's directions are unit vectors that follow from seed and step`() throws {
    let bench = try Bench()
    let objective = try SIGRegObjective(
      SIGReg(slices: 24), EmbeddingShape(views: 2, batchSize: 6, dimension: 20, seed: 5), plan: bench.plan)
    try bench.ready()
    let z = try bench.activation(12, 20, 1, 1, GoldenGenerator.values(seed: 3, count: 240))
    func draw(_ step: Int) -> [Float] {
      _ = objective.evaluate(BranchOutputs(embedding: z, step: step))
      return objective.directions.floats.array
    }
    let first = draw(7)
    #expect(draw(8) != first)
    #expect(draw(7) == first)
    for slice in 0..<24 {
      let row = Array(first[slice * 32..<slice * 32 + 20])
      #expect(abs(dot(row, row) - 1) < 1e-6)
    }
  }
}
