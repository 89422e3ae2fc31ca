import CJPEG
import CPNG
import CWebP

/// What the header of an image says, read before any memory is taken for its pixels.
package struct ImageHeader: Sendable, Equatable {
  package let format: ImageFormat
  /// Of the stored image, before its orientation is applied.
  package let width: Int
  package let height: Int
  /// Whether the stored image has neither colours nor a palette.
  package let isGray: Bool
  /// How the stored image is turned to be seen.
  package let orientation: Orientation

  /// Channels of the decoded image: 1 or 3.
  package var channels: Int { isGray ? 1 : 3 }

  /// Reads the header of a file.
  ///
  /// - Throws: `ImageError`, also for an image with more pixels than `pixelsMax`.
  package init(_ bytes: [UInt8], pixelsMax: Int) throws(ImageError) {
    if bytes.isEmpty { throw .empty }
    guard let format = ImageFormat(bytes) else { throw .unknownFormat }
    self.format = format
    switch format {
    case .png:
      var header = cpng_header()
      try Decoder.call(.png) { cpng_read_header(bytes, bytes.count, &header, $0, $1) }
      (width, height, isGray) = (Int(header.width), Int(header.height), header.is_gray != 0)
      orientation = Orientation(png: bytes)
    case .jpeg:
      var header = cjpeg_header()
      try Decoder.call(.jpeg) { cjpeg_read_header(bytes, bytes.count, &header, $0, $1) }
      (width, height, isGray) = (Int(header.width), Int(header.height), header.is_gray != 0)
      orientation = Orientation(jpeg: bytes)
    case .webp:
      var header = cwebp_header()
      try Decoder.call(.webp) { cwebp_read_header(bytes, bytes.count, &header, $0, $1) }
      (width, height, isGray) = (Int(header.width), Int(header.height), false)
      orientation = Orientation(webP: bytes)
    }
    guard width > 0, height > 0 else { throw .damaged(format, detail: "the image has no pixels") }
    let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
    guard !overflow, pixels <= pixelsMax else {
      throw .tooManyPixels(width: width, height: height, limit: pixelsMax)
    }
  }
}
