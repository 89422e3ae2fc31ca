/// Floats that a kernel reads.
package typealias In = UnsafePointer<Float>
/// Floats that a kernel writes.
package typealias Out = UnsafeMutablePointer<Float>

/// One instruction set's kernels. Each is documented where it is written, in `KernelsShared`.
///
/// Kernels are free functions of integers, floats, raw pointers and plain structs: anything generic from the
/// standard library would become one symbol for the whole program, whatever instruction set it was compiled
/// for.
package struct KernelTable: Sendable {
  /// Each kernel under the name of its function.
  package let multiplyPixels: @Sendable (Int, Int, In, Int, In, Int, Out, Out, Bool) -> Void
  package let multiplyChannels: @Sendable (Int, In, In, In, Int, Out, Out, Bool) -> Void
  package let multiplyRegisters: @Sendable (Int, In, In, Out) -> Void
  package let operationsOfStep: @Sendable () -> Int
  package let gatherLines: @Sendable (PixelGrid, Int, Int, In, Out) -> Void
  package let scatterLines: @Sendable (PixelGrid, Int, Int, Out, Epilogue, Out) -> Void
  package let multiplyWindows:
    @Sendable (PixelGrid, Int, Int, UnsafePointer<Int>, Int, In, In, Int, Out, Out) -> Void
  package let copyWindow: @Sendable (PixelGrid, Int, Int, Int, Int, In, Out) -> Void
  package let multiplyGrid: @Sendable (Int, Int, In, Int, Int, In, In, Int, Out, Out, Bool) -> Void
  package let multiplyPatches: @Sendable (UnsafePointer<Int>, Int, Int, Int, In, In, Int, Out, Out) -> Void
  package let accumulatePatches: @Sendable (Int, Int, Int, Int, Int, Int, Int, In, In, Out) -> Void
  package let padPlanes: @Sendable (Int, Int, Int, Int, In, Out) -> Void
  package let winogradScratchFloats: @Sendable () -> Int
  package let winogradInput: @Sendable (TileGrid, Int, Int, In, In?, Int, Out, Out) -> Void
  package let winogradGradient: @Sendable (TileGrid, Int, Int, In, Int, Out, Out) -> Void
  package let winogradOutput: @Sendable (TileGrid, Int, Int, In, Int, Epilogue, Out, Out) -> Void
  package let phaseWeights: @Sendable (In, WeightBlock, PhaseTaps, Int, Int, Out, Out) -> Void
  package let phaseWeightGradients: @Sendable (In, WeightBlock, PhaseTaps, Int, Out, Out) -> Void
  package let winogradWeights: @Sendable (Int, In, WeightBlock, Bool, Int, Int, Out, Out) -> Void
  package let winogradWeightGradients: @Sendable (Int, In, WeightBlock, Int, Out, Out) -> Void
  package let packWeights: @Sendable (In, Int, Int, Int, Int, Int, Out) -> Void
  package let reduceWeights: @Sendable (In, Int, Int, Int, Int, Int, Int, Out, Out) -> Void
  package let packRows: @Sendable (In, Int, Int, Int, Int, Int, Out) -> Void
  package let packColumns: @Sendable (In, Int, Int, Int, Int, Int, Out) -> Void
  package let storeRows: @Sendable (In, Int, Int, Float, Float, Int, Out) -> Void
  package let prefetchLines: @Sendable (In, Int, Int, Int, Int) -> Void
  package let channelMoments: @Sendable (In, Runs, Out) -> Void
  package let normalizeLines: @Sendable (In, In, In?, In?, Bool, Runs, Bool, Out) -> Void
  package let gradientEpilogue: @Sendable (Epilogue, Runs, Out) -> Void
  package let applyNormGradient: @Sendable (In, In, In, Runs, Out) -> Void
  package let addFloats: @Sendable (In, Int, Out) -> Void
  package let scaleFloats: @Sendable (Float, Int, Out) -> Void
  package let sumSquares: @Sendable (In, Int) -> Float
  package let sumLines: @Sendable (In, Runs, Float, Out) -> Void
  package let spreadLine: @Sendable (In, Float, Int, Out) -> Void
  package let maxPoolMap: @Sendable (PoolGrid, In?, In, Out) -> Void
  package let maxPoolMapGradient: @Sendable (PoolGrid, In?, In, In, Out) -> Void
  package let blockPlanes: @Sendable (In, Int, Int, Out) -> Void
  package let unblockPlanes: @Sendable (In, Int, Int, Out) -> Void
  package let updateAdam: @Sendable (AdamConstants, In, Int, Out, Out, Out) -> Void
  package let updateMomentum: @Sendable (Float, Float, Bool, Float, Float, In, Int, Out, Out?) -> Void

  /// All kernels of one instruction set.
  package init(
    multiplyPixels: @escaping @Sendable (Int, Int, In, Int, In, Int, Out, Out, Bool) -> Void,
    multiplyChannels: @escaping @Sendable (Int, In, In, In, Int, Out, Out, Bool) -> Void,
    multiplyRegisters: @escaping @Sendable (Int, In, In, Out) -> Void,
    operationsOfStep: @escaping @Sendable () -> Int,
    gatherLines: @escaping @Sendable (PixelGrid, Int, Int, In, Out) -> Void,
    scatterLines: @escaping @Sendable (PixelGrid, Int, Int, Out, Epilogue, Out) -> Void,
    multiplyWindows:
      @escaping @Sendable (PixelGrid, Int, Int, UnsafePointer<Int>, Int, In, In, Int, Out, Out) -> Void,
    copyWindow: @escaping @Sendable (PixelGrid, Int, Int, Int, Int, In, Out) -> Void,
    multiplyGrid: @escaping @Sendable (Int, Int, In, Int, Int, In, In, Int, Out, Out, Bool) -> Void,
    multiplyPatches: @escaping @Sendable (UnsafePointer<Int>, Int, Int, Int, In, In, Int, Out, Out) -> Void,
    accumulatePatches: @escaping @Sendable (Int, Int, Int, Int, Int, Int, Int, In, In, Out) -> Void,
    padPlanes: @escaping @Sendable (Int, Int, Int, Int, In, Out) -> Void,
    winogradScratchFloats: @escaping @Sendable () -> Int,
    winogradInput: @escaping @Sendable (TileGrid, Int, Int, In, In?, Int, Out, Out) -> Void,
    winogradGradient: @escaping @Sendable (TileGrid, Int, Int, In, Int, Out, Out) -> Void,
    winogradOutput: @escaping @Sendable (TileGrid, Int, Int, In, Int, Epilogue, Out, Out) -> Void,
    phaseWeights: @escaping @Sendable (In, WeightBlock, PhaseTaps, Int, Int, Out, Out) -> Void,
    phaseWeightGradients: @escaping @Sendable (In, WeightBlock, PhaseTaps, Int, Out, Out) -> Void,
    winogradWeights: @escaping @Sendable (Int, In, WeightBlock, Bool, Int, Int, Out, Out) -> Void,
    winogradWeightGradients: @escaping @Sendable (Int, In, WeightBlock, Int, Out, Out) -> Void,
    packWeights: @escaping @Sendable (In, Int, Int, Int, Int, Int, Out) -> Void,
    reduceWeights: @escaping @Sendable (In, Int, Int, Int, Int, Int, Int, Out, Out) -> Void,
    packRows: @escaping @Sendable (In, Int, Int, Int, Int, Int, Out) -> Void,
    packColumns: @escaping @Sendable (In, Int, Int, Int, Int, Int, Out) -> Void,
    storeRows: @escaping @Sendable (In, Int, Int, Float, Float, Int, Out) -> Void,
    prefetchLines: @escaping @Sendable (In, Int, Int, Int, Int) -> Void,
    channelMoments: @escaping @Sendable (In, Runs, Out) -> Void,
    normalizeLines: @escaping @Sendable (In, In, In?, In?, Bool, Runs, Bool, Out) -> Void,
    gradientEpilogue: @escaping @Sendable (Epilogue, Runs, Out) -> Void,
    applyNormGradient: @escaping @Sendable (In, In, In, Runs, Out) -> Void,
    addFloats: @escaping @Sendable (In, Int, Out) -> Void,
    scaleFloats: @escaping @Sendable (Float, Int, Out) -> Void,
    sumSquares: @escaping @Sendable (In, Int) -> Float,
    sumLines: @escaping @Sendable (In, Runs, Float, Out) -> Void,
    spreadLine: @escaping @Sendable (In, Float, Int, Out) -> Void,
    maxPoolMap: @escaping @Sendable (PoolGrid, In?, In, Out) -> Void,
    maxPoolMapGradient: @escaping @Sendable (PoolGrid, In?, In, In, Out) -> Void,
    blockPlanes: @escaping @Sendable (In, Int, Int, Out) -> Void,
    unblockPlanes: @escaping @Sendable (In, Int, Int, Out) -> Void,
    updateAdam: @escaping @Sendable (AdamConstants, In, Int, Out, Out, Out) -> Void,
    updateMomentum: @escaping @Sendable (Float, Float, Bool, Float, Float, In, Int, Out, Out?) -> Void
  ) {
    (self.phaseWeights, self.phaseWeightGradients) = (phaseWeights, phaseWeightGradients)
    (self.multiplyPixels, self.multiplyChannels) = (multiplyPixels, multiplyChannels)
    (self.multiplyRegisters, self.operationsOfStep) = (multiplyRegisters, operationsOfStep)
    (self.gatherLines, self.scatterLines) = (gatherLines, scatterLines)
    (self.multiplyWindows, self.copyWindow, self.multiplyGrid) = (multiplyWindows, copyWindow, multiplyGrid)
    (self.multiplyPatches, self.accumulatePatches) = (multiplyPatches, accumulatePatches)
    (self.padPlanes, self.winogradScratchFloats) = (padPlanes, winogradScratchFloats)
    (self.winogradInput, self.winogradGradient) = (winogradInput, winogradGradient)
    (self.winogradOutput, self.winogradWeights) = (winogradOutput, winogradWeights)
    (self.winogradWeightGradients, self.packWeights) = (winogradWeightGradients, packWeights)
    (self.reduceWeights, self.packRows, self.packColumns) = (reduceWeights, packRows, packColumns)
    (self.storeRows, self.prefetchLines) = (storeRows, prefetchLines)
    (self.channelMoments, self.normalizeLines) = (channelMoments, normalizeLines)
    (self.gradientEpilogue, self.applyNormGradient) = (gradientEpilogue, applyNormGradient)
    (self.addFloats, self.scaleFloats, self.sumSquares) = (addFloats, scaleFloats, sumSquares)
    (self.sumLines, self.spreadLine) = (sumLines, spreadLine)
    (self.maxPoolMap, self.maxPoolMapGradient) = (maxPoolMap, maxPoolMapGradient)
    (self.blockPlanes, self.unblockPlanes) = (blockPlanes, unblockPlanes)
    (self.updateAdam, self.updateMomentum) = (updateAdam, updateMomentum)
  }
}
