import Gzip
import NeuralNet
import Platform
import Recipe
import Testing

@testable import Training

/// Steps that are not finite: what a training hands over, and what a replay makes of it.
@Suite struct CaptureTests {
  /// What a training that must diverge handed over.
  private struct Diverged {
    let training: Pretraining
    let recorder: Recorder
    let bytes: [UInt8]

    init(_ specification: TrainSpecification, from checkpoint: Checkpoint? = nil, threads: Int = 1) throws {
      let (training, recorder) = (
        try Tiny.training(specification, threads: threads, resumingFrom: checkpoint), Recorder()
      )
      (self.training, self.recorder) = (training, recorder)
      #expect(throws: TrainingError.self) { _ = try training.run(recorder) }
      bytes = try #require(recorder.captured.first).bytes
      #expect(recorder.captured.count == 1)
      #expect(recorder.captured.first?.step == training.step + 1)
    }

    /// Read from a file.
    func step() throws -> CapturedStep { try CaptureTests.read(bytes) }
  }

  private static func read(_ bytes: [UInt8]) throws -> CapturedStep {
    let path = "\(FileSystem.temporaryDirectory)/vicregd-capture-\(UInt64.random(in: 0 ... .max))"
    try AtomicFile.write(bytes, to: path)
    defer { try? FileSystem.remove(path) }  // a file left in the temporary folder harms nobody
    return try CapturedStep(path: path)
  }

  /// A training whose weights leave the finite numbers within some steps, by values that anybody may ask for.
  private static func exploding(_ name: OptimizerSpecification.Name) -> TrainSpecification {
    var specification = Tiny.specification
    specification.optimizer.name = name
    specification.optimizer.learningRate = 1_000
    specification.optimizer.weightDecay = 100
    specification.optimizer.momentum = 0.9
    specification.epochs = 20
    return specification
  }

  /// A state before the first step in which one value of a tensor is replaced.
  private static func poisoned(
    _ specification: TrainSpecification, _ name: String, _ value: Float
  ) throws -> Checkpoint {
    try poisoned(Tiny.training(specification).checkpoint(), name, value)
  }

  private static func poisoned(_ start: Checkpoint, _ name: String, _ value: Float) throws -> Checkpoint {
    var tensors = start.tensors
    let tensor = try #require(tensors[name], "\(name)")
    guard case .float32(var values) = tensor.elements else { throw CheckpointError.missingTensor(name) }
    values[0] = value
    tensors[name] = TensorValue(shape: tensor.shape, .float32(values))
    return Checkpoint(
      step: start.step, epoch: start.epoch, position: start.position, specification: start.specification,
      instructionSet: start.instructionSet, tensors: tensors)
  }

  @Test(arguments: [OptimizerSpecification.Name.adamw, .sgd])
  func `a training driven to infinity leaves its step, which any number of threads repeats to the bits`(
    optimizer: OptimizerSpecification.Name
  ) throws {
    let diverged = try Diverged(Self.exploding(optimizer), threads: 2)
    let captured = try diverged.step()
    #expect(captured.step == diverged.recorder.figures.last?.step)
    #expect(captured.before == diverged.training.checkpoint(), "the state before the step")
    #expect(captured.convolutions == diverged.training.convolutions)
    #expect(captured.threads == 2)
    for threads in 1...3 {
      let replay = try StepReplay(captured, threads: threads)
      #expect(replay.isReproduced, "\(replay.differing)")
      #expect(replay.first != nil)
    }
  }

  @Test(arguments: MethodName.allCases)
  func `every method's step is repeated to the bits`(method: MethodName) throws {
    var specification = Tiny.specification
    specification.loss.method = method
    specification.views = min(2, type(of: specification.loss.configured).views.upperBound)
    if specification.loss.configured.branches.predictor != nil {
      specification.predictor = ProjectorSpecification(widths: [16, 32], lastBias: true)
    }
    let start = try Self.poisoned(specification, "encoder.layer2.0.conv2.weight", .infinity)
    let replay = try StepReplay(Diverged(specification, from: start).step(), threads: 1)
    #expect(replay.isReproduced, "\(replay.differing)")
    #expect(replay.first?.layer == "encoder.layer2.0.conv2")
  }

  @Test(arguments: [MethodName.vicreg, .barlowTwins, .sigreg])
  func `a step with local views is repeated to the bits, with the views of both sizes`(
    method: MethodName
  ) throws {
    var specification = Tiny.specification
    specification.loss.method = method
    specification.localViews = LocalViews(count: 3, size: 9)
    let start = try Self.poisoned(specification, "encoder.layer2.0.conv2.weight", .infinity)
    let captured = try Diverged(specification, from: start, threads: 2).step()
    let pixels = specification.views * captured.side * captured.side + 3 * 9 * 9
    #expect(captured.views.count == captured.count * 3 * pixels)
    let replay = try StepReplay(captured, threads: 1)
    #expect(replay.isReproduced, "\(replay.differing)")
    #expect(replay.first?.layer == "encoder.layer2.0.conv2")
  }

  @Test(arguments: [
    ("encoder.conv1", Float.nan), ("encoder.layer1.0.conv1", .infinity), ("encoder.bn1", .infinity),
    ("encoder.layer2.0.downsample.0", -.infinity), ("encoder.layer3.1.bn2", .nan), ("projector.0", .infinity),
    ("projector.1", .nan), ("projector.3", .infinity),
  ])
  func `the layer with a weight that is not finite is named`(layer: String, value: Float) throws {
    let start = try Self.poisoned(Tiny.specification, "\(layer).weight", value)
    let replay = try StepReplay(Diverged(Tiny.specification, from: start).step(), threads: 1)
    #expect(replay.isReproduced)
    let first = try #require(replay.first)
    #expect(first.layer == layer)
    #expect(first.pass == .forward)
    #expect(first.quantity == .output)
    #expect(first.weight?.notFinite == 1)
    #expect(first.input?.notFinite == 0)
    #expect(first.values.notFinite > 0 && first.values.notFinite <= first.values.count)
  }

  @Test func `a loss that is not finite for a finite embedding is named`() throws {
    let start = try Self.poisoned(Tiny.specification, "projector.3.weight", 1e30)
    let replay = try StepReplay(Diverged(Tiny.specification, from: start).step(), threads: 1)
    #expect(replay.isReproduced)
    #expect(replay.first?.layer == "loss")
    #expect(replay.first?.input?.notFinite == 0)
    #expect(replay.notFiniteBefore.isEmpty)
  }

  @Test func `a finite gradient whose square is not is named by its parameter`() throws {
    var specification = Tiny.specification
    specification.loss.vicreg.`var` = 0
    specification.loss.vicreg.cov = 0
    let start = try Self.poisoned(specification, "projector.3.weight", 1e14)
    let replay = try StepReplay(Diverged(specification, from: start).step(), threads: 1)
    #expect(replay.isReproduced)
    #expect(replay.figures["loss"]?.isFinite == true)
    let first = try #require(replay.first)
    #expect(first.quantity == .squaredGradient, "\(first)")
    #expect(first.layer.hasSuffix(".weight") || first.layer.hasSuffix(".bias"), "\(first)")
    #expect(first.input?.notFinite == 0)
  }

  @Test(arguments: [
    // The step that follows such a moment computes a weight that is not finite.
    ("optimizer.exp_avg.encoder.conv1.weight", 4),
    // Training does not read the running statistics: its steps stay finite.
    ("encoder.bn1.running_var", nil),
  ])
  func `a state that is not finite when it is to be saved ends the run, and its next step is kept`(
    name: String, kept: Int?
  ) throws {
    var specification = Tiny.specification
    specification.checkpoint.everyEpochs = 1
    let calm = try Tiny.training(specification)
    _ = try calm.run(Recorder(stop: (step: 2, request: .cancelNow)))
    let start = try Self.poisoned(calm.checkpoint(), name, .infinity)
    let recorder = Recorder()
    let training = try Tiny.training(specification, resumingFrom: start)
    let error = #expect(throws: TrainingError.self) { _ = try training.run(recorder) }
    #expect(error?.description.contains("holds a value that is not finite at step 3") == true)
    #expect(recorder.saved.isEmpty)
    #expect(recorder.captured.first?.step == kept)
    guard let bytes = recorder.captured.first?.bytes else { return }
    let replay = try StepReplay(Self.read(bytes), threads: 1)
    #expect(replay.isReproduced)
    #expect(replay.notFiniteBefore.contains("encoder.conv1.weight"))
    #expect(replay.first?.layer == "encoder.conv1")
  }

  @Test func `a training that goes on from the captured state repeats the step`() throws {
    let diverged = try Diverged(Self.exploding(.sgd))
    let captured = try diverged.step()
    let again = try Diverged(captured.before.specification, from: captured.before)
    #expect(again.bytes == diverged.bytes)
  }

  @Test func `labels and positions of the batch are kept`() throws {
    var specification = Tiny.specification
    specification.loss.method = .supervised
    specification.views = 1
    let start = try Self.poisoned(specification, "encoder.conv1.weight", .nan)
    let captured = try Diverged(specification, from: start).step()
    let dataset = try Tiny.open()
    let labels = try dataset.requireLabels()
    #expect(captured.labels == captured.images.map { labels[$0] })
    #expect(captured.views.count == captured.count * 3 * captured.side * captured.side)
  }

  @Test func `a file that is cut or has a flipped bit ends in one sentence`() throws {
    let bytes = try Diverged(Self.exploding(.sgd)).bytes
    for share in [0, 1, 3, 7, 9] {
      let cut = Array(bytes.prefix(bytes.count * share / 10))
      #expect(throws: CheckpointError.self) { try Self.read(cut) }
      var flipped = bytes
      flipped[min(bytes.count - 9, bytes.count * share / 10 + 20)] ^= 4
      #expect(throws: CheckpointError.self) { try Self.read(flipped) }
    }
  }

  @Test(arguments: [
    ("batch_size", "9007199254740993"), ("batch_size", "1"), ("batch_size", "17"), ("batch_size", "-1"),
    ("classes", "9223372036854775807"), ("threads", "x"), ("step", "9007199254740992"), ("kind", "train"),
    ("figures", "[]"), ("figures", "[[1,2]]"), ("figures", "[[\"loss\",\"zz\"]]"), ("convolutions", "{"),
    ("spec", "{}x"), ("version", "9"), ("epoch", "1e9"), ("gradients", "0xg"), ("gradients", ""),
  ])
  func `metadata outside its range is refused`(key: String, value: String) throws {
    try expectRefused { $0.metadata[key] = value }
    try expectRefused { $0.metadata[key] = nil }
  }

  @Test(arguments: [
    [2, 16, 3, 16], [2, 1, 3, 16, 24], [1, 32, 3, 16, 16], [2, 64, 3, 8, 8], [0, 0, 3, 0, 0],
  ])
  func `views of another shape are refused`(shape: [Int]) throws {
    try expectRefused {
      $0.tensors["batch.views"] = TensorValue(
        shape: shape, .float32(Array(repeating: 0, count: shape.reduce(1, *))))
    }
  }

  @Test(arguments: [Int64(-1), .max, .min])
  func `positions outside a dataset are refused`(position: Int64) throws {
    try expectRefused {
      $0.tensors["batch.images"] = TensorValue(
        shape: [16], .int64(Array(repeating: position, count: 16)))
    }
  }

  private func expectRefused(_ change: (inout TensorFile) -> Void) throws {
    let path = "\(FileSystem.temporaryDirectory)/vicregd-capture-\(UInt64.random(in: 0 ... .max))"
    try AtomicFile.write(Self.sample.get(), to: path)
    defer { try? FileSystem.remove(path) }  // a file left in the temporary folder harms nobody
    var file = try CheckpointFormat.read(path: path)
    change(&file)
    var bytes: [UInt8] = []
    try CheckpointFormat.write(file) { bytes += $0 }
    let error = #expect(throws: CheckpointError.self) { try Self.read(bytes) }
    #expect(error?.description.contains("\n") == false)
  }

  private static let sample = Result { try Diverged(exploding(.sgd)).bytes }

  @Test func `a step of another instruction set is refused with what helps`() throws {
    let path = "\(FileSystem.temporaryDirectory)/vicregd-capture-\(UInt64.random(in: 0 ... .max))"
    try AtomicFile.write(Self.sample.get(), to: path)
    defer { try? FileSystem.remove(path) }  // a file left in the temporary folder harms nobody
    var file = try CheckpointFormat.read(path: path)
    file.metadata["isa"] = "abacus"
    var bytes: [UInt8] = []
    try CheckpointFormat.write(file) { bytes += $0 }
    let captured = try Self.read(bytes)
    let error = #expect(throws: ReplayError.self) { try StepReplay(captured, threads: 1) }
    #expect(error?.description.contains("computed with abacus") == true)
  }
}
