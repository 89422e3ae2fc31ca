import Datasets
import JSONText
import Kernels
import NeuralNet
import Recipe
import Tensors

/// A training step that gave a number that is not finite, where it lies in memory: the state that it started
/// from, its batch, its figures, and a digest of its gradients.
///
/// `write` makes the file that `CapturedStep` reads: that of a checkpoint, with the batch as further tensors
/// and with more metadata. It copies a piece at a time.
package struct StepCapture {
  /// From 1: the step that failed.
  package let step: Int
  /// Bytes of the file before compression, but for its header.
  package var byteCount: Int { tensors.reduce(0) { $0 + $1.byteCount } }

  private let metadata: [String: String]
  private let tensors: [TensorSource]
  private let threads: Int

  init(
    _ place: Checkpoint, state: [StoredTensor], batch: BatchStream.Batch, side: Int, viewsPerImage: Int,
    labels: [Int], batchSize: Int, classes: Int, convolutions: ConvolutionRecord, threads: Int,
    figures: [Figure], gradients: BitDigest
  ) {
    step = place.step + 1
    self.threads = threads
    var metadata = place.file.metadata
    metadata["kind"] = CaptureFormat.kind
    metadata["batch_size"] = String(batchSize)
    metadata["classes"] = String(classes)
    metadata["convolutions"] = convolutions.json.text
    metadata["threads"] = String(threads)
    metadata["figures"] = CaptureFormat.text(figures)
    metadata["gradients"] = String(gradients.value, radix: 16)
    self.metadata = metadata
    let shape = [viewsPerImage, batch.count, 3, side, side]
    var tensors = state.map { TensorSource($0) }
    tensors.append(
      TensorSource(CaptureFormat.views, shape: shape, batch.views.slice(0, shape.reduce(1, *))))
    tensors.append(TensorSource(CaptureFormat.images, TensorValue(integers: Array(batch.images))))
    if !labels.isEmpty {
      tensors.append(TensorSource(CaptureFormat.labels, TensorValue(integers: labels)))
    }
    self.tensors = tensors
  }

  /// Bytes of the file of a step before compression, but for its header: a checkpoint's and the batch's.
  static func byteCount(checkpoint: Int, views: Int, images: Int, side: Int) -> Int {
    checkpoint + views * images * 3 * side * side * MemoryLayout<Float>.stride
      + 2 * images * MemoryLayout<Int64>.stride
  }

  /// Passes the bytes of the compressed file to `sink`, in order, by as many threads as the step had.
  package func write(to sink: ([UInt8]) throws -> Void) throws {
    try CheckpointFormat.write(metadata: metadata, tensors, threads: threads, to: sink)
  }
}

/// Names in the file of a captured step.
enum CaptureFormat {
  /// The metadata's `kind`.
  static let kind = "capture"
  /// `[views, n, 3, S, S]`, what the step was computed from.
  static let views = "batch.views"
  /// `[n]`, positions in the dataset.
  static let images = "batch.images"
  /// `[n]`, for methods that need labels.
  static let labels = "batch.labels"

  /// Figures by name with the bits of their values in hexadecimal: JSON has no numbers that are not finite.
  static func text(_ figures: [Figure]) -> String {
    JSON.array(
      figures.map { .array([.string($0.name), .string(String($0.value.bitPattern, radix: 16))]) }
    ).text
  }

  /// Reads what `text` gave; `nil`: it is not such a text.
  static func figures(_ text: String) -> [Figure]? {
    // A text that is not JSON is as wrong as any other.
    guard let items = (try? JSON.parse(text))?.array else { return nil }
    var figures: [Figure] = []
    for item in items {
      guard let pair = item.array, pair.count == 2, let name = pair[0].string?.string,
        let bits = pair[1].string.flatMap({ UInt64($0.string, radix: 16) })
      else { return nil }
      figures.append(Figure(name, Double(bitPattern: bits)))
    }
    return figures
  }
}

extension TensorValue {
  fileprivate init(integers: [Int]) { self.init(shape: [integers.count], .int64(integers.map(Int64.init))) }
}
