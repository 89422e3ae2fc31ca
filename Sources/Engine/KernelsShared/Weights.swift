import KernelsABI

/// Lays out the weights of one tap, 16 inner and `width` outer channels, as B of `multiplyPixels`:
/// `[16][width]`.
///
/// Element (i, j) is `weight[i · innerStride + j · outerStride]`; those beyond `innerCount` or `outerCount`
/// are zero.
func packWeights(
  weight: In, innerCount: Int, innerStride: Int, outerCount: Int, outerStride: Int, width: Int, target: Out
) {
  for i in 0..<16 {
    let row = target + i * width
    if i >= innerCount {
      for j in 0..<width { row[j] = 0 }
      continue
    }
    let from = weight + i * innerStride
    for j in 0..<outerCount { row[j] = from[j * outerStride] }
    for j in outerCount..<width { row[j] = 0 }
  }
}

/// Sums the accumulators of weight gradients and writes them in PyTorch's layout.
///
/// For one tap and one pair of blocks: `parts` accumulators `[16 inner][16 outer]`, `partStride` floats
/// apart; the sum of element (i, j) goes to `target[j · outerStride + i · innerStride]`, for `innerCount` ×
/// `outerCount` elements.
func reduceWeights(
  accumulators: In, parts: Int, partStride: Int, innerCount: Int, innerStride: Int, outerCount: Int,
  outerStride: Int, target: Out
) {
  for i in 0..<innerCount {
    var total = line(accumulators + i * 16)
    for part in 1..<max(parts, 1) { total += line(accumulators + part * partStride + i * 16) }
    let to = target + i * innerStride
    for j in 0..<outerCount { to[j * outerStride] = total[j] }
  }
}
