/// An 8-bit image, row by row, its channels side by side: `[height][width][channels]`.
package struct Bitmap: Sendable, Equatable {
  package let width: Int
  package let height: Int
  /// 1 (grey) or 3 (red, green, blue).
  package let channels: Int
  package let samples: [UInt8]

  /// - Precondition: there are as many samples as the shape has.
  package init(width: Int, height: Int, channels: Int, samples: [UInt8]) {
    precondition(channels == 1 || channels == 3, "an image has one channel or three")
    precondition(
      width > 0 && height > 0 && samples.count == width * height * channels, "samples do not fit the shape")
    self.width = width
    self.height = height
    self.channels = channels
    self.samples = samples
  }

  /// The image as it is seen.
  func turned(_ orientation: Orientation) -> Bitmap {
    if orientation == .normal { return self }
    let (newWidth, newHeight) = orientation.swapsSides ? (height, width) : (width, height)
    var turned = [UInt8](repeating: 0, count: samples.count)
    for row in 0..<newHeight {
      for column in 0..<newWidth {
        let from = orientation.place(row: row, column: column, height: height, width: width)
        for channel in 0..<channels {
          turned[(row * newWidth + column) * channels + channel] =
            samples[(from.row * width + from.column) * channels + channel]
        }
      }
    }
    return Bitmap(width: newWidth, height: newHeight, channels: channels, samples: turned)
  }

  /// The image in the middle of a black square, which it fits into.
  func letterboxed(side: Int) -> Bitmap {
    if width == side && height == side { return self }
    // As PIL's `ImageOps.pad` rounds: half to even.
    let left = Int((Double(side - width) * 0.5).rounded(.toNearestOrEven))
    let top = Int((Double(side - height) * 0.5).rounded(.toNearestOrEven))
    var square = [UInt8](repeating: 0, count: side * side * channels)
    for row in 0..<height {
      let to = ((top + row) * side + left) * channels
      let from = row * width * channels
      square.replaceSubrange(to..<(to + width * channels), with: samples[from..<(from + width * channels)])
    }
    return Bitmap(width: side, height: side, channels: channels, samples: square)
  }

  /// The channels one after the other, `[planes][height][width]`; a grey image is repeated for three planes.
  package func planes(_ planes: Int) -> [UInt8] {
    precondition(planes == channels || channels == 1, "three channels do not make one plane")
    let area = width * height
    return [UInt8](unsafeUninitializedCapacity: planes * area) { buffer, count in
      for plane in 0..<planes {
        let channel = channels == 1 ? 0 : plane
        for index in 0..<area { buffer[plane * area + index] = samples[index * channels + channel] }
      }
      count = planes * area
    }
  }
}
