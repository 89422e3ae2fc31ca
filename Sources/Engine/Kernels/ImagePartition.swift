import KernelsABI
import Tensors

/// A fixed partition of an activation into tasks of one channel block and some images each.
///
/// It follows from the shape alone, so sums over it have the same bits for any number of threads.
struct ImagePartition {
  /// Lines that a task should have at least, and a kernel sums in single precision at most.
  static let linesWanted = 1024

  let images: Int
  let pixels: Int
  let blocks: Int
  /// Groups of images.
  let groups: Int
  private let imageStride: Int

  /// `parts`: how many such activations share the partial sums.
  init(_ activation: Activation, parts: Int = 1) {
    images = activation.images
    pixels = activation.pixels
    blocks = activation.blocks
    imageStride = activation.imageStride
    precondition(blocks <= Partials.blocksMax, "at most \(Partials.blocksMax * 16) channels")
    let wanted = max(1, images * pixels / ImagePartition.linesWanted)
    groups = min(images, wanted, max(1, Partials.entriesMax / max(blocks * parts, 1)))
  }

  /// One task for each block of each group, blocks innermost.
  var tasks: Int { groups * blocks }

  /// Calls `body` with offset and runs of pieces of at most about `linesWanted` lines that make up a task.
  @inline(__always)
  func eachPiece(of task: Int, _ body: (_ offset: Int, _ runs: Runs) -> Void) {
    let range = imageRange(task / blocks)
    let start = task % blocks * pixels * 16
    if pixels > ImagePartition.linesWanted {
      for image in range {
        for first in stride(from: 0, to: pixels, by: ImagePartition.linesWanted) {
          let lines = min(ImagePartition.linesWanted, pixels - first)
          body(image * imageStride + start + first * 16, Runs(count: 1, lines: lines, stride: 0))
        }
      }
      return
    }
    let step = max(1, ImagePartition.linesWanted / max(pixels, 1))
    for image in stride(from: range.lowerBound, to: range.upperBound, by: step) {
      let count = min(step, range.upperBound - image)
      body(image * imageStride + start, Runs(count: count, lines: pixels, stride: imageStride))
    }
  }

  private func imageRange(_ group: Int) -> Range<Int> {
    group * images / groups..<(group + 1) * images / groups
  }
}
