import CPNG

/// Encodes a picture as a PNG with 8 bits a channel.
///
/// - Parameters:
///   - pixels: `[height][width][channels]`.
///   - channels: 1 (grey) or 3 (red, green, blue).
/// - Throws: `ImageError` where libpng fails.
package func encodePNG(
  _ pixels: [UInt8], width: Int, height: Int, channels: Int
) throws(ImageError) -> [UInt8] {
  precondition(channels == 1 || channels == 3, "a picture is grey or has three colours")
  precondition(pixels.count == width * height * channels, "pixels do not fit the size")
  var header = cpng_header(
    width: UInt32(width), height: UInt32(height), is_gray: channels == 1 ? 1 : 0)
  let room = cpng_encoded_bytes_max(&header)
  var failure: ImageError?
  let bytes = [UInt8](unsafeUninitializedCapacity: room) { buffer, filled in
    var count = room
    do throws(ImageError) {
      try Decoder.call(.png) { cpng_encode(pixels, &header, buffer.baseAddress, &count, $0, $1) }
      filled = count
    } catch {
      failure = error
    }
  }
  if let failure { throw failure }
  return bytes
}
