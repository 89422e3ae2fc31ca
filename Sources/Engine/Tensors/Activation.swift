import Platform

/// A batch of feature maps in the layout of the kernels: `[N][⌈C/16⌉][H][W][16]`, 16 channels side by side.
///
/// Lanes beyond `channels` in the last block are zero; every operation keeps them so. With `height = width =
/// 1` it is a row-major matrix `[N][C rounded up to 16]`.
package struct Activation: Sendable {
  /// Channels that lie side by side: one AVX-512 vector, one cache line.
  package static let lanes = 16

  /// Images, N.
  package let images: Int
  /// Channels in use, C.
  package let channels: Int
  /// Rows of a map, H.
  package let height: Int
  /// Columns of a map, W.
  package let width: Int
  /// The elements, `images · imageStride`.
  package let storage: Floats

  /// Describes `storage`, whose count must be exactly what the shape needs.
  package init(images: Int, channels: Int, height: Int, width: Int, storage: Floats) {
    self.images = images
    self.channels = channels
    self.height = height
    self.width = width
    self.storage = storage
    let count = Activation.count(images: images, channels: channels, height: height, width: width)
    precondition(storage.count == count, "storage does not fit the shape")
  }

  /// Takes the memory from `arena`.
  package init(
    images: Int, channels: Int, height: Int, width: Int, arena: Arena
  ) throws(SystemError) {
    let count = Activation.count(images: images, channels: channels, height: height, width: width)
    self.init(
      images: images, channels: channels, height: height, width: width, storage: try arena.allocate(count))
  }

  /// Floats that an activation of this shape occupies.
  package static func count(images: Int, channels: Int, height: Int, width: Int) -> Int {
    images * ((channels + lanes - 1) / lanes) * height * width * lanes
  }

  /// Blocks of 16 channels, ⌈C/16⌉.
  package var blocks: Int { (channels + Activation.lanes - 1) / Activation.lanes }
  /// Pixels of a map, H·W.
  package var pixels: Int { height * width }
  /// Floats of one image.
  package var imageStride: Int { blocks * pixels * Activation.lanes }

  /// Whether images, channels, rows and columns are the same.
  package func sameShape(as other: Activation) -> Bool {
    images == other.images && channels == other.channels && height == other.height && width == other.width
  }

  /// The images of `range` only; shares the memory.
  package func images(_ range: Range<Int>) -> Activation {
    precondition(range.lowerBound >= 0 && range.upperBound <= images, "images out of range")
    return Activation(
      images: range.count, channels: channels, height: height, width: width,
      storage: storage.slice(range.lowerBound * imageStride, range.count * imageStride))
  }
}
