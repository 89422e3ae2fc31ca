import KernelsABI

/// Transforms the weights of a block of inner channels and a block of outer channels: `G g Gᵀ`.
///
/// Position p of (i, j) goes to `target[p · positionStride + i · width + j]`, zero beyond the channels. With
/// `isRotated`, taps are taken in reverse: the convolution of the input gradient.
func winogradWeights(
  outputs: Int, weight: In, block: WeightBlock, isRotated: Bool, width: Int, positionStride: Int,
  scratch: Out,
  target: Out
) {
  switch outputs {
  case 2: weights(WinogradTwo.Weight.self, weight, block, isRotated, width, positionStride, scratch, target)
  case 4: weights(WinogradFour.Weight.self, weight, block, isRotated, width, positionStride, scratch, target)
  default: weights(WinogradSix.Weight.self, weight, block, isRotated, width, positionStride, scratch, target)
  }
}

/// Transforms gradients of factors, `[positions][16 inner][16 outer]` with `positionStride` floats between
/// two positions, to gradients of weights: `Gᵀ r G`.
func winogradWeightGradients(
  outputs: Int, factors: In, block: WeightBlock, positionStride: Int, scratch: Out, target: Out
) {
  switch outputs {
  case 2: gradients(WinogradTwo.WeightGradient.self, factors, block, positionStride, scratch, target)
  case 4: gradients(WinogradFour.WeightGradient.self, factors, block, positionStride, scratch, target)
  default: gradients(WinogradSix.WeightGradient.self, factors, block, positionStride, scratch, target)
  }
}

/// Floats of the taps of 16 × 16 channels.
@inline(__always)
private var tapFloats: Int { 16 * 9 * 16 }

@inline(__always)
private func weights<T: LineTransform>(
  _: T.Type, _ weight: In, _ block: WeightBlock, _ isRotated: Bool, _ width: Int, _ positionStride: Int,
  _ scratch: Out, _ target: Out
) {
  if block.innerCount < 16 || block.outerCount < 16 {
    for offset in stride(from: 0, to: tapFloats, by: 16) { setLine(Line(), scratch + offset) }
  }
  // Whatever lies side by side in memory is read in one go.
  if block.innerStride < block.outerStride {
    for j in 0..<block.outerCount {
      for i in 0..<block.innerCount { spreadTaps(weight, block, i, j, isRotated, scratch) }
    }
  } else {
    for i in 0..<block.innerCount {
      for j in 0..<block.outerCount { spreadTaps(weight, block, i, j, isRotated, scratch) }
    }
  }
  for i in 0..<16 {
    transformTile(
      T.self, scratch + i * 9 * 16, 3 * 16, 16, scratch: scratch + tapFloats, target + i * width,
      T.outputs * positionStride, positionStride)
  }
}

/// Writes the nine taps of inner channel i and outer channel j to lane j of nine lines.
@inline(__always)
private func spreadTaps(
  _ weight: In, _ block: WeightBlock, _ i: Int, _ j: Int, _ isRotated: Bool, _ scratch: Out
) {
  let from = weight + i * block.innerStride + j * block.outerStride
  let to = scratch + i * 9 * 16 + j
  for tap in 0..<9 { to[(isRotated ? 8 - tap : tap) * 16] = from[tap] }
}

@inline(__always)
private func gradients<T: LineTransform>(
  _: T.Type, _ factors: In, _ block: WeightBlock, _ positionStride: Int, _ scratch: Out, _ target: Out
) {
  let taps = scratch + tapFloats
  for i in 0..<block.innerCount {
    transformTile(
      T.self, factors + i * 16, T.inputs * positionStride, positionStride, scratch: scratch, taps, 3 * 16, 16)
    for j in 0..<block.outerCount {
      let to = target + i * block.innerStride + j * block.outerStride
      for tap in 0..<9 { to[tap] = taps[tap * 16 + j] }
    }
  }
}
