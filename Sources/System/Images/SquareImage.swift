/// An image as a dataset stores it: square, upright, 8 bits.
///
///     let image = try SquareImage(decoding: bytes, side: 64, fit: .cover, pixelsMax: 100_000_000)
///     image.bitmap.planes(3)  // [3][64][64]
package struct SquareImage: Sendable, Equatable {
  /// How an image that is not square becomes one.
  package enum Fit: Sendable, CaseIterable {
    /// The shorter side is scaled, and the middle is kept (Pillow's `ImageOps.fit`).
    case cover
    /// The longer side is scaled, and the rest is black (Pillow's `ImageOps.pad`).
    case contain
    /// Both sides are scaled.
    case stretch
  }

  /// Of equal sides; one channel if the image was grey.
  package let bitmap: Bitmap

  /// Decodes a file and scales the image with an antialiased triangle filter.
  ///
  /// A JPEG that is much larger than needed is decoded at an eighth, a quarter or half of its size: twice as
  /// many rows and columns as needed are left at least.
  ///
  /// - Throws: `ImageError`, also for an image with more pixels than `pixelsMax`, of which none is decoded.
  package init(decoding bytes: [UInt8], side: Int, fit: Fit, pixelsMax: Int) throws(ImageError) {
    let header = try ImageHeader(bytes, pixelsMax: pixelsMax)
    try self.init(decoding: bytes, header, side: side, fit: fit)
  }

  /// As the other initialiser, for a header that was read from the same bytes.
  package init(
    decoding bytes: [UInt8], _ header: ImageHeader, side: Int, fit: Fit
  ) throws(ImageError) {
    let eighths = header.format == .jpeg ? Self.eighths(header, side: side, fit: fit) : 8
    let bitmap = try Decoder.decode(bytes, header, eighths: eighths)
    let share = Double(eighths) / 8
    self.init(
      bitmap, width: Double(header.width) * share, height: Double(header.height) * share,
      orientation: header.orientation, side: side, fit: fit)
  }

  /// Scales an image that is in memory.
  package init(_ bitmap: Bitmap, side: Int, fit: Fit) {
    self.init(
      bitmap, width: Double(bitmap.width), height: Double(bitmap.height), orientation: .normal, side: side,
      fit: fit)
  }

  /// - Parameters:
  ///   - width: of the image in pixels of the bitmap, whose last column may lie partly outside.
  ///   - height: likewise.
  private init(
    _ bitmap: Bitmap, width: Double, height: Double, orientation: Orientation, side: Int, fit: Fit
  ) {
    var box = Resampling.Box(left: 0, top: 0, right: width, bottom: height)
    var (targetWidth, targetHeight) = (side, side)
    switch fit {
    case .stretch: break
    case .cover:
      let shorter = min(width, height)
      box.left = (width - shorter) / 2
      box.top = (height - shorter) / 2
      box.right = box.left + shorter
      box.bottom = box.top + shorter
    case .contain:
      targetWidth = Self.scaled(width, beside: height, to: side)
      targetHeight = Self.scaled(height, beside: width, to: side)
    }
    let isSame = width == Double(targetWidth) && height == Double(targetHeight)
    let scaled =
      isSame ? bitmap : Resampling.resize(bitmap, box: box, width: targetWidth, height: targetHeight)
    self.bitmap = scaled.turned(orientation).letterboxed(side: side)
  }

  /// What an extent becomes when the longer one becomes `side`, at least one pixel.
  private static func scaled(_ extent: Double, beside other: Double, to side: Int) -> Int {
    if extent >= other { return side }
    return max(1, Int((extent / other * Double(side)).rounded(.toNearestOrEven)))
  }

  /// How many times the pixels of the target a scaled JPEG keeps in each direction, at least.
  private static let reduction = 2.0

  /// The smallest size that a JPEG can be decoded at without a loss that is seen. Others than these are slow
  /// in the library.
  private static func eighths(_ header: ImageHeader, side: Int, fit: Fit) -> Int {
    let extent =
      fit == .contain ? max(header.width, header.height) : min(header.width, header.height)
    let factor = Double(extent) / Double(side)
    return [1, 2, 4].first { factor * Double($0) / 8 >= reduction } ?? 8
  }
}
