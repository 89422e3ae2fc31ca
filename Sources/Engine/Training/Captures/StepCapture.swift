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
    _ place: Checkpoint, state: [StoredTensor], batch: BatchStream.Batch, of model: PretrainingModel,
    labels: [Int], classes: Int, convolutions: ConvolutionRecord, figures: [Figure]
  ) {
    step = place.step + 1
    threads = model.compute.team.threads
    var metadata = place.file.metadata
    metadata["kind"] = CaptureFormat.kind
    metadata["batch_size"] = String(model.batchSize)
    metadata["classes"] = String(classes)
    metadata["convolutions"] = convolutions.json.text
    metadata["threads"] = String(threads)
    metadata["figures"] = CaptureFormat.text(figures)
    metadata["gradients"] = String(model.gradientDigest().value, radix: 16)
    self.metadata = metadata
    var tensors = state.map { TensorSource($0) }
    var start = 0
    for (name, shape) in CaptureFormat.batch(model.configuration, images: batch.count, side: model.imageSide)
    {
      let count = shape.reduce(1, *)
      tensors.append(TensorSource(name, shape: shape, batch.views.slice(start, count)))
      start += count
    }
    tensors.append(TensorSource(CaptureFormat.images, TensorValue(integers: Array(batch.images))))
    if !labels.isEmpty {
      tensors.append(TensorSource(CaptureFormat.labels, TensorValue(integers: labels)))
    }
    self.tensors = tensors
  }

  /// Bytes of the file of a step before compression, but for its header: a checkpoint's and the batch's.
  static func byteCount(checkpoint: Int, model: ModelConfiguration, images: Int, side: Int) -> Int {
    let floats = CaptureFormat.batch(model, images: images, side: side).reduce(0) {
      $0 + $1.shape.reduce(1, *)
    }
    return checkpoint + floats * MemoryLayout<Float>.stride + 2 * images * MemoryLayout<Int64>.stride
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
  /// `[local views, n, 3, s, s]`, for a training with local views.
  static let localViews = "batch.local_views"
  /// `[n]`, positions in the dataset.
  static let images = "batch.images"
  /// `[n]`, for methods that need labels.
  static let labels = "batch.labels"

  /// The tensors of views in a batch of `images` images, in the order in which they lie in memory; `side` is
  /// that of the global ones.
  static func batch(
    _ model: ModelConfiguration, images: Int, side: Int
  ) -> [(name: String, shape: [Int])] {
    let global = (views, [model.views, images, 3, side, side])
    guard let local = model.localViews else { return [global] }
    return [global, (localViews, [local.count, images, 3, local.size, local.size])]
  }

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
