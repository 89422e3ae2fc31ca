import NeuralNet
import Recipe
import Testing

@testable import Training

@Suite("Pre-training")
struct PretrainingTests {
  @Test func `reports first, last and every second step with all figures`() throws {
    let recorder = Recorder()
    let training = try Tiny.training()
    #expect(training.stepsTotal == 6)
    guard case .finished = try training.run(recorder) else { Issue.record("did not finish"); return }
    #expect(recorder.figures.map(\.step) == [1, 2, 4, 6])
    #expect(recorder.figures.map(\.epoch) == [0, 0, 1, 1])
    let names = [
      "inv", "var", "cov", "loss", "std_mean", "std_min", "corr", "rankme", "grad_norm", "lr",
      "images_per_second",
    ]
    for line in recorder.figures {
      #expect(line.figures.map(\.name) == names)
      #expect(line.figures.allSatisfy { $0.value.isFinite })
    }
    let first = try #require(recorder.figures.first)
    let parts = try (#require(first["inv"]), #require(first["var"]), #require(first["cov"]))
    #expect(abs(try #require(first["loss"]) - (25 * parts.0 + 25 * parts.1 + parts.2)) < 1e-3)
  }

  @Test func `saves at the end of each due epoch, initially if asked, and at the end`() throws {
    var specification = Tiny.specification
    specification.checkpoint.initial = true
    let recorder = Recorder()
    _ = try Tiny.training(specification).run(recorder)
    #expect(recorder.saved.map(\.step) == [0, 3, 6])
    #expect(recorder.saved.map(\.epoch) == [0, 1, 2])

    specification.checkpoint = CheckpointPolicy(everyEpochs: 5, initial: false, keepLast: 1)
    specification.maxSteps = 4
    let shorter = Recorder()
    _ = try Tiny.training(specification).run(shorter)
    #expect(shorter.saved.map(\.step) == [4])
    #expect(shorter.saved[0].file.metadata["position"] == "1")
    #expect(shorter.figures.map(\.step) == [1, 2, 4])
  }

  @Test(arguments: ["adam", "adamw", "sgd", "lars"])
  func `goes on in the middle of an epoch, bit for bit`(optimizer: String) throws {
    var specification = Tiny.specification
    specification.optimizer.name = try #require(OptimizerSpecification.Name(rawValue: optimizer))
    specification.schedule = ScheduleSpecification(name: .cosine, warmupEpochs: 0.5, finalFactor: 0.001)
    let whole = Recorder()
    _ = try Tiny.training(specification).run(whole)

    let first = Recorder(stop: (step: 4, request: .yield))
    let interrupted = try Tiny.training(specification)
    guard case .stopped(.yield) = try interrupted.run(first) else { Issue.record("did not yield"); return }
    #expect(interrupted.step == 4)
    let state = try #require(first.saved.last)
    #expect(state.file.metadata["position"] == "1")

    let second = Recorder()
    let resumed = try Tiny.training(specification, resumingFrom: Checkpoint(state.file))
    #expect(resumed.step == 4)
    _ = try resumed.run(second)
    #expect(second.figures.map(\.step) == [6])
    #expect(second.figures.last?["loss"] == whole.figures.last?["loss"])
    #expect(try Tiny.bytes(#require(second.saved.last)) == Tiny.bytes(#require(whole.saved.last)))
  }

  @Test func `keeps to the convolutions that were recorded at its beginning`() throws {
    var direct = Tiny.specification
    direct.convolution = .direct
    // As if an older version of this program had chosen otherwise.
    let record = try ConvolutionRecord(json: Tiny.training(direct).convolutions.json)
    func end(_ recorded: ConvolutionRecord?, stopping: Bool) throws -> [UInt8] {
      let recorder = Recorder(stop: stopping ? (step: 4, request: .yield) : nil)
      let training = try Tiny.training(recorded: recorded)
      _ = try training.run(recorder)
      guard stopping else { return try Tiny.bytes(#require(recorder.saved.last)) }
      let second = Recorder()
      _ = try Tiny.training(
        recorded: training.convolutions, resumingFrom: Checkpoint(#require(recorder.saved.last).file)
      ).run(second)
      return try Tiny.bytes(#require(second.saved.last))
    }
    let whole = try end(record, stopping: false)
    #expect(try end(record, stopping: true) == whole)
    #expect(try end(nil, stopping: false) != whole)
  }

  @Test func `a rollback multiplies the rate, from there to the end, also after a resume`() throws {
    var specification = Tiny.specification
    specification.divergence = DivergencePolicy(policy: .rollback, factor: 0.25, maxRollbacks: 3)
    let calm = Recorder()
    _ = try Tiny.training(specification).run(calm)
    let slow = Recorder(stop: (step: 3, request: .yield))
    _ = try Tiny.training(specification, rollbacks: 2).run(slow)
    let rest = Recorder()
    let resumed = try Tiny.training(
      specification, resumingFrom: Checkpoint(#require(slow.saved.last).file))
    #expect(resumed.rollbacks == 2)
    _ = try resumed.run(rest)
    let rates = (slow.figures + rest.figures).compactMap { $0["lr"] }
    #expect(rates == calm.figures.compactMap { $0["lr"].map { $0 * 0.0625 } })
  }

  @Test func `gives the same bytes with one, two and three threads`() throws {
    let runs = try [1, 2, 3].map { threads in
      let recorder = Recorder()
      _ = try Tiny.training(threads: threads).run(recorder)
      return try Tiny.bytes(#require(recorder.saved.last))
    }
    #expect(runs[0] == runs[1])
    #expect(runs[0] == runs[2])
  }

  @Test func `another seed gives other bytes`() throws {
    var specification = Tiny.specification
    specification.maxSteps = 1
    let one = Recorder()
    _ = try Tiny.training(specification).run(one)
    specification.seed = 12
    let other = Recorder()
    _ = try Tiny.training(specification).run(other)
    #expect(one.saved.last?.file.tensors != other.saved.last?.file.tensors)
  }

  @Test func `stops without a checkpoint when cancelled at once, with one when cancelled gracefully`() throws
  {
    let now = Recorder(stop: (step: 2, request: .cancelNow))
    guard case .stopped(.cancelNow) = try Tiny.training().run(now) else { Issue.record("went on"); return }
    #expect(now.saved.isEmpty)

    let graceful = Recorder(stop: (step: 2, request: .cancel))
    guard case .stopped(.cancel) = try Tiny.training().run(graceful) else { Issue.record("went on"); return }
    #expect(graceful.saved.map(\.step) == [2])
  }

  @Test func `fails as diverged, keeps the last good checkpoint and saves nothing after it`() throws {
    var specification = Tiny.specification
    specification.optimizer.name = .sgd
    specification.optimizer.learningRate = 1e30
    specification.schedule = ScheduleSpecification(name: .constant, warmupEpochs: 0.5, finalFactor: 0)
    specification.checkpoint.initial = true
    let recorder = Recorder()
    let error = #expect(throws: TrainingError.self) { try Tiny.training(specification).run(recorder) }
    guard case .diverged(let step, _) = error else {
      Issue.record("another error: \(String(describing: error))"); return
    }
    #expect(step <= 4)
    #expect(recorder.figures.last?.step == step)
    #expect(recorder.saved.map(\.step) == [0])
    #expect(recorder.saved.allSatisfy { $0.file.tensors.values.allSatisfy(\.isFinite) })
  }

  @Test(arguments: [0, 3])
  func `a step with a finite loss and a gradient that is not finite is not taken`(after steps: Int) throws {
    // The state after some good steps, continued with a weight of the loss that double precision holds and
    // the gradient's single precision does not.
    var good = Tiny.specification
    good.maxSteps = max(steps, 1)
    let before = try Tiny.training(good)
    if steps > 0 { _ = try before.run(Recorder()) }
    var bad = Tiny.specification
    bad.loss.constants = VICReg(inv: 1e39)
    let state = before.checkpoint()
    let start = Checkpoint(
      step: steps, epoch: state.epoch, position: state.position, specification: bad,
      instructionSet: state.instructionSet, tensors: state.tensors)
    let training = try Tiny.training(bad, resumingFrom: start)
    let recorder = Recorder()
    let error = #expect(throws: TrainingError.self) { try training.run(recorder) }
    guard case .diverged(let step, let what) = error else {
      Issue.record("another error: \(String(describing: error))"); return
    }
    #expect(step == steps + 1)
    #expect(what.contains("gradient"))
    let line = try #require(recorder.figures.last)
    #expect(line.step == steps + 1)
    #expect(try #require(line["loss"]).isFinite)
    #expect(try !#require(line["grad_norm"]).isFinite)
    #expect(training.step == steps)
    #expect(training.checkpoint().tensors == state.tensors)
    #expect(state.tensors.keys.contains("encoder.bn1.running_mean"))
    #expect(state.tensors.keys.contains("optimizer.exp_avg.encoder.conv1.weight"))
  }

  @Test func `max_steps shortens the schedule and what is counted`() throws {
    var specification = Tiny.specification
    specification.schedule = ScheduleSpecification(name: .cosine, warmupEpochs: 0, finalFactor: 0)
    specification.epochs = 500
    specification.maxSteps = 4
    specification.logEverySteps = 1
    let recorder = Recorder()
    let training = try Tiny.training(specification)
    #expect(training.stepsTotal == 4)
    #expect(training.epochsTotal == 2)
    _ = try training.run(recorder)
    let peak = specification.optimizer.learningRate
    let shares = recorder.figures.compactMap { $0["lr"] }.map { $0 / peak }
    for (share, expected) in zip(shares, [1, 0.8535533905932737, 0.5, 0.14644660940672627]) {
      #expect(abs(share - expected) < 1e-12)
    }
    #expect(shares.count == 4)
  }

  @Test func `refuses a checkpoint of another specification, and one with other tensors`() throws {
    let recorder = Recorder()
    _ = try Tiny.training().run(recorder)
    let checkpoint = try Checkpoint(#require(recorder.saved.last).file)
    var other = Tiny.specification
    other.optimizer.learningRate = 0.5
    #expect(throws: CheckpointError.otherSpecification) { try Tiny.training(other, resumingFrom: checkpoint) }

    var tensors = checkpoint.tensors
    let removed = try #require(tensors["encoder.conv1.weight"])
    tensors["encoder.conv1.weight"] = nil
    #expect(throws: CheckpointError.missingTensor("encoder.conv1.weight")) {
      try Tiny.training(resumingFrom: with(checkpoint, tensors))
    }
    tensors["encoder.conv1.weight"] = TensorValue(shape: [removed.count], removed.elements)
    #expect(throws: CheckpointError.self) { try Tiny.training(resumingFrom: with(checkpoint, tensors)) }
    tensors["encoder.conv1.weight"] = removed
    tensors["encoder.conv9.weight"] = removed
    #expect(throws: CheckpointError.unknownTensors(["encoder.conv9.weight"])) {
      try Tiny.training(resumingFrom: with(checkpoint, tensors))
    }
  }

  @Test func `refuses a dataset that makes no batch`() throws {
    var specification = Tiny.specification
    specification.batchSize = 64
    specification.dropLast = true
    #expect(throws: TrainingError.tooFewImages(dataset: Tiny.dataset, count: 40, needed: 64)) {
      try Tiny.training(specification)
    }
  }

  private func with(_ checkpoint: Checkpoint, _ tensors: [String: TensorValue]) -> Checkpoint {
    Checkpoint(
      step: checkpoint.step, epoch: checkpoint.epoch, position: checkpoint.position,
      specification: checkpoint.specification, instructionSet: checkpoint.instructionSet, tensors: tensors)
  }
}
