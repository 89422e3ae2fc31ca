/// Resizes 8-bit images with a triangle filter that is as wide as the reduction, as Pillow's
/// `Image.resize(…, BILINEAR, box)` does, bit by bit (`src/libImaging/Resample.c`).
struct Resampling {
  /// The part of the source that is taken, in pixels; ends may lie inside a pixel.
  struct Box: Equatable {
    var left: Double
    var top: Double
    var right: Double
    var bottom: Double
  }

  /// Which source pixels make one target pixel, and their weights.
  private struct Taps {
    /// The first source pixel of each target pixel.
    var starts: [Int]
    /// How many there are.
    var counts: [Int]
    /// `[targets][stride]`, fixed-point numbers with `fractionBits`.
    var weights: [Int32]
    var stride: Int
  }

  /// Bits behind the point: 32 less 8 of a pixel and 2 of room.
  private static let fractionBits = 22

  /// The part of an image that `box` says, in `width` × `height` pixels.
  static func resize(_ image: Bitmap, box: Box, width: Int, height: Int) -> Bitmap {
    let columns = taps(image.width, box.left, box.right, targets: width)
    let rows = taps(image.height, box.top, box.bottom, targets: height)
    let first = rows.starts[0]
    let last = rows.starts[height - 1] + rows.counts[height - 1]
    let channels = image.channels
    let between = [UInt8](unsafeUninitializedCapacity: (last - first) * width * channels) { buffer, count in
      count = (last - first) * width * channels
      image.samples.withUnsafeBufferPointer { source in
        for row in first..<last {
          horizontal(
            source, from: row * image.width * channels, columns, channels, width: width, into: buffer,
            at: (row - first) * width * channels)
        }
      }
    }
    let samples = [UInt8](unsafeUninitializedCapacity: width * height * channels) { buffer, count in
      count = width * height * channels
      between.withUnsafeBufferPointer { source in
        vertical(source, rows, first: first, rowCount: width * channels, height: height, into: buffer)
      }
    }
    return Bitmap(width: width, height: height, channels: channels, samples: samples)
  }

  private static func taps(_ sources: Int, _ start: Double, _ end: Double, targets: Int) -> Taps {
    // Pillow keeps a box in single precision.
    let (start, end) = (Double(Float(start)), Double(Float(end)))
    let scale = (end - start) / Double(targets)
    let support = max(scale, 1)
    let stride = Int(support.rounded(.up)) * 2 + 1
    var taps = Taps(starts: [], counts: [], weights: [], stride: stride)
    taps.weights.reserveCapacity(targets * stride)
    for target in 0..<targets {
      let center = start + (Double(target) + 0.5) * scale
      let first = max(Int(center - support + 0.5), 0)
      let count = min(Int(center + support + 0.5), sources) - first
      var weights = (0..<count).map { index in
        max(1 - abs((Double(index + first) - center + 0.5) / support), 0)
      }
      let sum = weights.reduce(0, +)
      if sum != 0 { for index in 0..<count { weights[index] /= sum } }
      taps.starts.append(first)
      taps.counts.append(count)
      for index in 0..<stride {
        taps.weights.append(index < count ? Int32(0.5 + weights[index] * Double(1 << fractionBits)) : 0)
      }
    }
    return taps
  }

  private static func horizontal(
    _ source: UnsafeBufferPointer<UInt8>, from offset: Int, _ taps: borrowing Taps, _ channels: Int,
    width: Int, into target: UnsafeMutableBufferPointer<UInt8>, at place: Int
  ) {
    for column in 0..<width {
      let start = offset + taps.starts[column] * channels
      let weights = column * taps.stride
      for channel in 0..<channels {
        var sum: Int32 = 1 << (fractionBits - 1)
        for index in 0..<taps.counts[column] {
          sum &+= Int32(source[start + index * channels + channel]) &* taps.weights[weights + index]
        }
        target[place + column * channels + channel] = clipped(sum)
      }
    }
  }

  private static func vertical(
    _ source: UnsafeBufferPointer<UInt8>, _ taps: Taps, first: Int, rowCount: Int, height: Int,
    into target: UnsafeMutableBufferPointer<UInt8>
  ) {
    var sums = [Int32](repeating: 0, count: rowCount)
    for row in 0..<height {
      for column in 0..<rowCount { sums[column] = 1 << (fractionBits - 1) }
      for index in 0..<taps.counts[row] {
        let weight = taps.weights[row * taps.stride + index]
        let start = (taps.starts[row] + index - first) * rowCount
        for column in 0..<rowCount { sums[column] &+= Int32(source[start + column]) &* weight }
      }
      for column in 0..<rowCount { target[row * rowCount + column] = clipped(sums[column]) }
    }
  }

  private static func clipped(_ sum: Int32) -> UInt8 {
    UInt8(truncatingIfNeeded: min(max(sum >> Int32(fractionBits), 0), 255))
  }
}
