import Datasets
import Images

extension StoredImages {
  /// Pixels between two images of a sheet.
  private static let gap = 2

  /// The images in rows of about as many as there are rows, white between them, as a PNG; a single one as it
  /// is.
  ///
  /// - Precondition: there is an image.
  /// - Throws: `ImageError` where libpng fails.
  package func sheet() throws(ImageError) -> [UInt8] {
    let columns = Int(Double(images.count).squareRoot().rounded(.up))
    let rows = (images.count + columns - 1) / columns
    let step = side + (images.count == 1 ? 0 : Self.gap)
    let (width, height) = ((columns - 1) * step + side, (rows - 1) * step + side)
    var pixels = [UInt8](repeating: 255, count: planes * width * height)
    for (place, image) in images.enumerated() {
      let (left, top) = (place % columns * step, place / columns * step)
      for y in 0..<side {
        for x in 0..<side {
          for plane in 0..<planes {
            pixels[((top + y) * width + left + x) * planes + plane] = image[(plane * side + y) * side + x]
          }
        }
      }
    }
    return try encodePNG(pixels, width: width, height: height, channels: planes)
  }
}
