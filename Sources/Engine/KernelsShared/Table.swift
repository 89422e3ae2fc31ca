import KernelsABI

/// The kernels of this target's instruction set.
package func kernelTable() -> KernelTable {
  KernelTable(
    multiplyPixels: multiplyPixels,
    multiplyChannels: multiplyChannels,
    multiplyRegisters: multiplyRegisters,
    operationsOfStep: operationsOfStep,
    gatherLines: gatherLines,
    scatterLines: scatterLines,
    gatherPatches: gatherPatches,
    winogradScratchFloats: winogradScratchFloats,
    winogradInput: winogradInput,
    winogradGradient: winogradGradient,
    winogradOutput: winogradOutput,
    winogradWeights: winogradWeights,
    winogradWeightGradients: winogradWeightGradients,
    packWeights: packWeights,
    reduceWeights: reduceWeights,
    packRows: packRows,
    packColumns: packColumns,
    storeRows: storeRows,
    channelMoments: channelMoments,
    normalizeLines: normalizeLines,
    reduceNormGradient: reduceNormGradient,
    applyNormGradient: applyNormGradient,
    addFloats: addFloats,
    scaleFloats: scaleFloats,
    sumSquares: sumSquares,
    maskFloats: maskFloats,
    rectifyFloats: rectifyFloats,
    sumLines: sumLines,
    spreadLine: spreadLine,
    blockPlanes: blockPlanes,
    unblockPlanes: unblockPlanes,
    updateAdam: updateAdam,
    updateMomentum: updateMomentum)
}
