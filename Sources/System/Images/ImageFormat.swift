/// A format that a decoder knows.
package enum ImageFormat: String, Sendable, CaseIterable {
  case png = "PNG"
  case jpeg = "JPEG"
  case webp = "WebP"

  /// The format of a file by its first bytes; nil: no decoder knows it.
  package init?(_ bytes: [UInt8]) {
    if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if bytes.count >= 12, bytes.starts(with: "RIFF".utf8), bytes[8..<12].elementsEqual("WEBP".utf8) {
      self = .webp
    } else {
      return nil
    }
  }

  /// First bytes that `init` looks at.
  package static let signatureBytes = 12
}

/// Why an image cannot be decoded.
package enum ImageError: Error, Equatable, CustomStringConvertible {
  /// There are no bytes.
  case empty
  /// The first bytes are those of no format that a decoder knows.
  case unknownFormat
  /// The image has more pixels than are allowed.
  case tooManyPixels(width: Int, height: Int, limit: Int)
  /// The data is not what its format asks for; the detail is the decoder's.
  case damaged(ImageFormat, detail: String)

  package var description: String {
    switch self {
    case .empty: "the file is empty"
    case .unknownFormat: "must be a PNG, JPEG or WebP image"
    case .tooManyPixels(let width, let height, let limit):
      "must have at most \(limit) pixels, got \(width) × \(height)"
    case .damaged(let format, let detail): "\(format.rawValue): \(detail)"
    }
  }
}
