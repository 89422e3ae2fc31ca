import Images

/// The images of one file of numbers, one after the other.
final class ImageArray {
  /// How one image's bytes lie in the file.
  enum Layout: Equatable {
    /// `[height][width][channels]`: 1, 3, or 4 with alpha, which lies on white.
    case interleaved
    /// `[channels][height][width]`.
    case planar
    /// `[channels][width][height]`, as STL-10 has them.
    case planarByColumns
  }

  let count: Int
  let height: Int
  let width: Int
  private let storedChannels: Int
  private let layout: Layout
  private let file: NumberFile
  /// Bytes before each image that are read and handed on: CIFAR's labels.
  private let prefixBytes: Int
  private var next = 0

  /// Images whose header has been read.
  init(
    _ file: NumberFile, count: Int, height: Int, width: Int, channels: Int, layout: Layout,
    prefixBytes: Int = 0
  ) {
    self.file = file
    self.count = count
    self.height = height
    self.width = width
    storedChannels = channels
    self.layout = layout
    self.prefixBytes = prefixBytes
  }

  /// An array of bytes in three or four dimensions: `[n][h][w]`, `[n][h][w][c]` or `[n][c][h][w]`, c being 1,
  /// 3 or, in the last place, 4.
  convenience init(_ array: NumberArray) throws(ImportError) {
    guard let element = array.element, element.bytes == 1, !element.isSigned else {
      throw array.file.problem("images must be bytes (uint8), got \(array.elementName)")
    }
    let shape = array.shape
    if shape.count == 3 {
      self.init(
        array.file, count: shape[0], height: shape[1], width: shape[2], channels: 1, layout: .interleaved)
    } else if [1, 3, 4].contains(shape[3]) {
      self.init(
        array.file, count: shape[0], height: shape[1], width: shape[2], channels: shape[3],
        layout: .interleaved)
    } else if [1, 3].contains(shape[1]) {
      self.init(
        array.file, count: shape[0], height: shape[2], width: shape[3], channels: shape[1], layout: .planar)
    } else {
      throw array.file.problem("must have 1, 3 or 4 channels, last or second, got the shape \(shape)")
    }
  }

  /// Channels of the images: 1 or 3.
  var channels: Int { storedChannels == 1 ? 1 : 3 }
  /// The file as the user knows it.
  var name: String { file.name }

  /// Bytes of one image in the file.
  private var imageBytes: Int { height * width * storedChannels }

  /// The next image and the bytes before it; nil at the end, where nothing may follow.
  func take() throws(ImportError) -> (prefix: [UInt8], image: Bitmap)? {
    guard next < count else {
      guard try file.takeSome(1).isEmpty else { throw file.problem("has more bytes than \(count) images") }
      return nil
    }
    let prefix = try file.take(prefixBytes, "labels of image \(next)")
    let bytes = try file.take(imageBytes, "image \(next)")
    next += 1
    return (prefix, bitmap(bytes))
  }

  private func bitmap(_ bytes: [UInt8]) -> Bitmap {
    let area = height * width
    if layout == .interleaved, storedChannels != 4 {
      return Bitmap(width: width, height: height, channels: channels, samples: bytes)
    }
    var samples = [UInt8](repeating: 0, count: area * channels)
    for index in 0..<area {
      let (row, column) = index.quotientAndRemainder(dividingBy: width)
      for channel in 0..<channels {
        let place = index * channels + channel
        switch layout {
        case .planar: samples[place] = bytes[channel * area + index]
        case .planarByColumns: samples[place] = bytes[channel * area + column * height + row]
        case .interleaved:
          let alpha = Int(bytes[index * 4 + 3])
          samples[place] = UInt8((Int(bytes[index * 4 + channel]) * alpha + 255 * (255 - alpha) + 127) / 255)
        }
      }
    }
    return Bitmap(width: width, height: height, channels: channels, samples: samples)
  }
}
