import Crypto

/// Names the images of one split: two splits with equal digests train and test alike.
package struct SplitDigest: Sendable, Equatable {
  /// SHA-256 of the pixels, `[count][planes][side][side]`, in hexadecimal.
  package let pixels: String
  /// SHA-256 of the labels, four bytes each, the lowest first.
  package let labels: String

  /// The digests of a generated split, whose name says everything about it.
  init(generator: String) {
    pixels = hexadecimal(SHA256.digest(of: Array(generator.utf8)))
    labels = pixels
  }

  /// The digests of a split in one piece.
  init(of images: LabelledPixels) {
    let hash = SplitHash()
    hash.add(images)
    self = hash.finish()
  }

  /// Digests that were computed before.
  init(pixels: String, labels: String) {
    self.pixels = pixels
    self.labels = labels
  }
}

/// Computes a `SplitDigest` of images that come in pieces, in order.
struct SplitHash: ~Copyable {
  private let pixels = SHA256()
  private let labels = SHA256()

  /// Adds images that follow those added before.
  func add(_ piece: LabelledPixels) {
    pixels.update(piece.pixels)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(4 * piece.labels.count)
    for label in piece.labels {
      for place in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: label >> (8 * place))) }
    }
    labels.update(bytes)
  }

  /// The digests of all pieces.
  consuming func finish() -> SplitDigest {
    return SplitDigest(pixels: hexadecimal(pixels.finish()), labels: hexadecimal(labels.finish()))
  }
}

/// SHA-256 of the names of classes in their order, in hexadecimal.
package func digest(ofClasses names: [String]) -> String {
  // A name that had a line end in it would still be told from two names by the count, which is compared too.
  hexadecimal(SHA256.digest(of: Array(names.joined(separator: "\n").utf8)))
}
