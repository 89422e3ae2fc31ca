import CJPEG
import CPNG
import CWebP

/// Decodes whole images by the libraries of their formats.
enum Decoder {
  /// Bytes of a decoder's message.
  private static let messageBytes = 200

  /// Calls a function that gives 0, or another number and a message.
  static func call(
    _ format: ImageFormat, _ body: (UnsafeMutablePointer<CChar>, Int) -> CInt
  ) throws(ImageError) {
    let message: String? = withUnsafeTemporaryAllocation(of: CChar.self, capacity: messageBytes) { buffer in
      buffer.initialize(repeating: 0)
      guard let start = buffer.baseAddress, body(start, buffer.count) != 0 else { return nil }
      return String(cString: start)
    }
    if let message { throw .damaged(format, detail: message) }
  }

  /// Decodes an image, which `header` was read from.
  ///
  /// - Parameter eighths: a JPEG is decoded at this many eighths of its size, 1 to 8; others in full.
  static func decode(
    _ bytes: [UInt8], _ header: ImageHeader, eighths: Int = 8
  ) throws(ImageError) -> Bitmap {
    var width = header.width
    var height = header.height
    if header.format == .jpeg {
      width = Int(cjpeg_scaled(UInt32(width), CInt(eighths)))
      height = Int(cjpeg_scaled(UInt32(height), CInt(eighths)))
    }
    var failure: ImageError?
    let count = width * height * header.channels
    let samples = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      guard let target = buffer.baseAddress else { return }
      do throws(ImageError) {
        try decode(bytes, header, eighths: eighths, into: target)
        filled = count
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return Bitmap(width: width, height: height, channels: header.channels, samples: samples)
  }

  private static func decode(
    _ bytes: [UInt8], _ header: ImageHeader, eighths: Int, into target: UnsafeMutablePointer<UInt8>
  ) throws(ImageError) {
    let (width, height) = (UInt32(header.width), UInt32(header.height))
    switch header.format {
    case .png:
      var expected = cpng_header(width: width, height: height, is_gray: header.isGray ? 1 : 0)
      try call(.png) { cpng_decode(bytes, bytes.count, &expected, target, $0, $1) }
    case .jpeg:
      var expected = cjpeg_header(width: width, height: height, is_gray: header.isGray ? 1 : 0)
      try call(.jpeg) { cjpeg_decode(bytes, bytes.count, &expected, CInt(eighths), target, $0, $1) }
    case .webp:
      var expected = cwebp_header()
      try call(.webp) { cwebp_read_header(bytes, bytes.count, &expected, $0, $1) }
      try call(.webp) { cwebp_decode(bytes, bytes.count, &expected, target, $0, $1) }
    }
  }
}
