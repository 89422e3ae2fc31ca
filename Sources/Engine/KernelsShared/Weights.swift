import KernelsABI

/// Lays out the weights of one tap, 16 inner and `width` outer channels, as B of `multiplyPixels`:
/// `[16][width]`.
///
/// Element (i, j) is `weight[i · innerStride + j · outerStride]`; those beyond `innerCount` or `outerCount`
/// are zero.
func packWeights(
  weight: In, innerCount: Int, innerStride: Int, outerCount: Int, outerStride: Int, width: Int, target: Out
) {
  if innerCount < 16 || outerCount < width {
    for offset in stride(from: 0, to: 16 * width, by: 16) { setLine(Line(), target + offset) }
  }
  // The nearer elements of the weight are read one after the other.
  if innerStride <= outerStride {
    var first = 0
    while innerStride == 1, innerCount == 16, first + 16 <= outerCount {
      transposeLines(weight + first * outerStride, stride: outerStride, target + first, stride: width)
      first += 16
    }
    for j in first..<outerCount {
      let from = weight + j * outerStride
      for i in 0..<innerCount { target[i * width + j] = from[i * innerStride] }
    }
  } else {
    for i in 0..<innerCount {
      let from = weight + i * innerStride
      if outerStride == 1 {
        copyFloats(from, outerCount, target + i * width)
      } else {
        for j in 0..<outerCount { target[i * width + j] = from[j * outerStride] }
      }
    }
  }
}

/// Sums the accumulators of weight gradients and writes them in PyTorch's layout.
///
/// For one tap and one pair of blocks: `parts` accumulators `[16 inner][16 outer]`, `partStride` floats
/// apart; the sum of element (i, j) goes to `target[j · outerStride + i · innerStride]`, for `innerCount` ×
/// `outerCount` elements. `scratch` has room for 256 floats.
func reduceWeights(
  accumulators: In, parts: Int, partStride: Int, innerCount: Int, innerStride: Int, outerCount: Int,
  outerStride: Int, scratch: Out, target: Out
) {
  for i in 0..<innerCount {
    var total = line(accumulators + i * 16)
    for part in 1..<max(parts, 1) { total += line(accumulators + part * partStride + i * 16) }
    setLine(total, scratch + i * 16)
  }
  if innerStride == 1, innerCount == 16, outerCount == 16 {
    transposeLines(scratch, stride: 16, target, stride: outerStride)
    return
  }
  // The nearer elements of the target are written one after the other.
  for j in 0..<outerCount {
    let to = target + j * outerStride
    for i in 0..<innerCount { to[i * innerStride] = scratch[i * 16 + j] }
  }
}
