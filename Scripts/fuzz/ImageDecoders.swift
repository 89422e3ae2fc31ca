// sources: System/Images/*.swift
// libraries: png16 jpeg webp webpdemux

/// PNG, JPEG and WebP: the first byte says how the image is fitted, the rest is its file. It stops the run
/// when decoding traps, when memory is taken that the pixel limit does not allow, and when an image of
/// another shape comes out.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzImageDecoders(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = Array(UnsafeBufferPointer(start: start, count: count))
  guard let first = input.first else { return 0 }
  let bytes = Array(input.dropFirst())
  let fit = SquareImage.Fit.allCases[Int(first) % 3]
  let side = 16 + Int(first) / 3 % 48
  guard let header = try? ImageHeader(bytes, pixelsMax: pixelsMax) else { return 0 }
  precondition(header.width * header.height <= pixelsMax, "The header was let through.")
  guard let image = try? SquareImage(decoding: bytes, side: side, fit: fit, pixelsMax: pixelsMax) else {
    return 0
  }
  precondition(
    image.bitmap.width == side && image.bitmap.height == side, "The image is not the square asked for.")
  precondition(image.bitmap.channels == header.channels, "The header says other channels.")
  precondition(image.bitmap.planes(3).count == 3 * side * side)
  return 0
}

private let pixelsMax = 1 << 17
