import JSONText
import NeuralNet
import Recipe
import Text

/// A step that `StepCapture` wrote, read from a file that is not trusted: every number is within the range
/// that the network takes, or reading throws.
package struct CapturedStep: Sendable {
  /// The state that the step started from; a training that resumes from it repeats the step.
  package let before: Checkpoint
  /// From 1: the step that failed.
  package var step: Int { before.step + 1 }
  /// Number of images, n.
  package let count: Int
  /// Side of the views in pixels.
  package let side: Int
  /// `[views][n][3][S][S]`, then `[local views][n][3][s][s]`.
  package let views: [Float]
  /// Positions in the dataset of the images.
  package let images: [Int]
  /// `[n]`, or empty where the method needs none.
  package let labels: [Int]
  /// Most images of a step, 2 or more: what the network was planned for.
  package let batchSize: Int
  /// Classes of the dataset.
  package let classes: Int
  /// How each layer was computed.
  package let convolutions: ConvolutionRecord
  /// Threads of the worker, which change nothing in the bits.
  package let threads: Int
  /// What the step gave.
  package let figures: [Figure]
  /// The digest of its gradients, `BitDigest.value`.
  package let gradients: UInt64

  /// Most pixels of a side.
  private static let sideMax = 4_096
  /// Most classes.
  private static let classesMax = 1_000_000
  /// Most threads.
  private static let threadsMax = 65_536
  /// Steps of a run at most.
  private static let stepsMax = 1 << 40

  /// Reads the compressed file at `path`.
  ///
  /// - Throws: `CheckpointError` for a file that is not one, `ConvolutionRecordError` for algorithms that
  ///   this program does not have.
  package init(path: String) throws {
    var file = try CheckpointFormat.read(path: path)
    let metadata = try CheckpointMetadata(file.metadata)
    let kind = try metadata.text("kind")
    guard kind == CaptureFormat.kind else {
      throw CheckpointError.metadata(
        key: "kind", "must be \"\(CaptureFormat.kind)\", got \"\(ByteString(kind).shown)\"")
    }
    let views = file.tensors.removeValue(forKey: CaptureFormat.views)
    let local = file.tensors.removeValue(forKey: CaptureFormat.localViews)
    let images = file.tensors.removeValue(forKey: CaptureFormat.images)
    let labels = file.tensors.removeValue(forKey: CaptureFormat.labels)
    before = try Checkpoint(file)
    guard before.step < Self.stepsMax else {
      throw CheckpointError.metadata(key: "step", "must be below \(Self.stepsMax)")
    }
    batchSize = try metadata.natural("batch_size", max: before.specification.batchSize)
    classes = try metadata.natural("classes", max: Self.classesMax)
    threads = try metadata.natural("threads", max: Self.threadsMax)
    guard let figures = CaptureFormat.figures(try metadata.text("figures")),
      figures["loss"] != nil, figures["grad_norm"] != nil
    else {
      throw CheckpointError.metadata(
        key: "figures", "must be pairs of a name and 64 bits in hexadecimal, with loss and grad_norm")
    }
    self.figures = figures
    guard let gradients = UInt64(try metadata.text("gradients"), radix: 16) else {
      throw CheckpointError.metadata(key: "gradients", "must be 64 bits in hexadecimal")
    }
    self.gradients = gradients
    guard let record = try? JSON.parse(metadata.text("convolutions")) else {
      throw CheckpointError.metadata(key: "convolutions", "is not valid JSON")
    }
    convolutions = try ConvolutionRecord(json: record)
    let global = try Self.views(views, before.specification, batchSize: batchSize)
    (count, side) = (global.count, global.side)
    self.views = global.values + (try Self.localViews(local, before.specification.localViews, count: count))
    self.images = try Self.integers(images, CaptureFormat.images, count: count, below: JSON.exactIntegerMax)
    let needsLabels = before.specification.loss.method.type.needsLabels
    guard needsLabels || labels == nil else { throw CheckpointError.unknownTensors([CaptureFormat.labels]) }
    self.labels =
      needsLabels ? try Self.integers(labels, CaptureFormat.labels, count: count, below: classes) : []
  }

  private static func views(
    _ tensor: TensorValue?, _ specification: TrainSpecification, batchSize: Int
  ) throws(CheckpointError) -> (values: [Float], count: Int, side: Int) {
    guard let tensor else { throw .missingTensor(CaptureFormat.views) }
    let shape = tensor.shape
    let expected = "F32 [\(specification.views), 2 to \(batchSize), 3, S, S]"
    guard batchSize >= 2, shape.count == 5, shape[0] == specification.views,
      (2...batchSize).contains(shape[1]), shape[2] == 3, shape[3] == shape[4], shape[3] <= sideMax,
      specification.viewSide(storedSide: shape[3]) == shape[3], case .float32(let values) = tensor.elements
    else {
      throw .tensor(
        name: CaptureFormat.views, found: "\(tensor.type.rawValue) \(shape)", expected: expected)
    }
    return (values, shape[1], shape[3])
  }

  private static func localViews(
    _ tensor: TensorValue?, _ local: LocalViews?, count: Int
  ) throws(CheckpointError) -> [Float] {
    guard let local else {
      if tensor == nil { return [] }
      throw .unknownTensors([CaptureFormat.localViews])
    }
    guard let tensor else { throw .missingTensor(CaptureFormat.localViews) }
    let shape = [local.count, count, 3, local.size, local.size]
    guard tensor.shape == shape, case .float32(let values) = tensor.elements else {
      throw .tensor(
        name: CaptureFormat.localViews, found: "\(tensor.type.rawValue) \(tensor.shape)",
        expected: "F32 \(shape)")
    }
    return values
  }

  private static func integers(
    _ tensor: TensorValue?, _ name: String, count: Int, below limit: Int
  ) throws(CheckpointError) -> [Int] {
    guard let tensor else { throw .missingTensor(name) }
    guard case .int64(let values) = tensor.elements, tensor.shape == [count],
      values.allSatisfy({ $0 >= 0 && $0 < limit })
    else {
      throw .tensor(
        name: name, found: "\(tensor.type.rawValue) \(tensor.shape)",
        expected: "I64 [\(count)] from 0 to \(limit - 1)")
    }
    return values.map { Int($0) }
  }
}
