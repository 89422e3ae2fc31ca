import TensorElements
import Tensors

extension PlanarImage {
  /// torchvision's `adjust_brightness`: values times `factor`, cut to [0, 1].
  func adjustBrightness(_ factor: Float) {
    for index in Swift.stride(from: 0, to: storage.count, by: Pixels.scalarCount) {
      storage.setVector8(clamped(storage.vector8(at: index) * factor), at: index)
    }
  }

  /// torchvision's `adjust_contrast`: a blend with the mean of the grey image, cut to [0, 1].
  func adjustContrast(_ factor: Float) {
    let addend = (1 - factor) * grayMean
    for index in Swift.stride(from: 0, to: storage.count, by: Pixels.scalarCount) {
      storage.setVector8(clamped(storage.vector8(at: index) * factor + addend), at: index)
    }
  }

  /// torchvision's `adjust_saturation`: a blend with the grey image, cut to [0, 1].
  func adjustSaturation(_ factor: Float) {
    let rest = 1 - factor
    for index in Swift.stride(from: 0, to: planeCount, by: Pixels.scalarCount) {
      let addend = gray(at: index) * rest
      for plane in 0..<planes {
        let position = plane * planeCount + index
        storage.setVector8(clamped(storage.vector8(at: position) * factor + addend), at: position)
      }
    }
  }

  /// torchvision's `adjust_hue`: a turn of the hue by `shift` (−0.5…0.5 of a full turn) in HSV.
  ///
  /// Back from HSV a channel is `v − v·s·max(0, min(k, 4 − k, 1))` with `k = (n + 6h) mod 6` and n = 5,
  /// 3, 1 for red, green, blue: no branches, and continuous where torchvision's cases meet.
  func adjustHue(_ shift: Float) {
    guard planes == 3 else { return }
    let turn = 6 * shift
    for index in Swift.stride(from: 0, to: planeCount, by: Pixels.scalarCount) {
      let red = storage.vector8(at: index)
      let green = storage.vector8(at: index + planeCount)
      let blue = storage.vector8(at: index + 2 * planeCount)
      let value = larger(larger(red, green), blue)
      let chroma = value - smaller(smaller(red, green), blue)
      let inverse = Pixels(repeating: 1) / chroma.replacing(with: 1, where: chroma .== 0)
      // The hue in sixths of a turn: −1…5.
      var hue = (4 + (red - green) * inverse)
      hue.replace(with: 2 + (blue - red) * inverse, where: value .== green)
      hue.replace(with: (green - blue) * inverse, where: value .== red)
      hue += turn
      hue.replace(with: hue + 6, where: hue .< 0)
      storage.setVector8(value - chroma * share(hue + 5), at: index)
      storage.setVector8(value - chroma * share(hue + 3), at: index + planeCount)
      storage.setVector8(value - chroma * share(hue + 1), at: index + 2 * planeCount)
    }
  }

  /// torchvision's `rgb_to_grayscale` with as many equal planes as before.
  func makeGray() {
    for index in Swift.stride(from: 0, to: planeCount, by: Pixels.scalarCount) {
      let value = gray(at: index)
      for plane in 0..<planes { storage.setVector8(value, at: plane * planeCount + index) }
    }
  }

  /// `0.2989 R + 0.587 G + 0.114 B` of eight pixels.
  @inline(__always)
  private func gray(at index: Int) -> Pixels {
    let red = storage.vector8(at: index)
    let green = planes == 3 ? storage.vector8(at: index + planeCount) : red
    let blue = planes == 3 ? storage.vector8(at: index + 2 * planeCount) : red
    return red * 0.2989 + green * 0.587 + blue * 0.114
  }

  /// Mean of the grey image.
  private var grayMean: Float {
    var sums = Pixels()
    var rest: Float = 0
    let whole = side / Pixels.scalarCount * Pixels.scalarCount
    for row in 0..<side {
      for column in Swift.stride(from: 0, to: whole, by: Pixels.scalarCount) {
        sums += gray(at: row * stride + column)
      }
      if whole < side {
        let last = gray(at: row * stride + whole)
        for column in whole..<side { rest += last[column - whole] }
      }
    }
    return (sums.sum() + rest) / Float(side * side)
  }

  /// How far a channel lies below the value, as a share of the chroma; `k` in 0…18 counts modulo 6.
  @inline(__always)
  private func share(_ k: Pixels) -> Pixels {
    var turned = k
    turned.replace(with: turned - 6, where: turned .>= 6)
    turned.replace(with: turned - 6, where: turned .>= 6)
    return clamped(smaller(turned, 4 - turned))
  }
}

/// The values cut to [0, 1].
@inline(__always)
func clamped(_ values: Pixels) -> Pixels {
  smaller(larger(values, Pixels()), Pixels(repeating: 1))
}

/// The larger of each pair. Written lane by lane because only that becomes one instruction a vector.
@inline(__always)
private func larger(_ a: Pixels, _ b: Pixels) -> Pixels {
  var result = a
  for lane in 0..<Pixels.scalarCount { result[lane] = a[lane] > b[lane] ? a[lane] : b[lane] }
  return result
}

/// The smaller of each pair.
@inline(__always)
private func smaller(_ a: Pixels, _ b: Pixels) -> Pixels {
  var result = a
  for lane in 0..<Pixels.scalarCount { result[lane] = a[lane] < b[lane] ? a[lane] : b[lane] }
  return result
}
