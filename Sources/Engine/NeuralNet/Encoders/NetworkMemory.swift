import Tensors

/// The memory of an encoder's activations.
struct NetworkMemory {
  /// Of the stem.
  let stem: EncoderStem.Memory
  /// Of each block.
  let blocks: [BlockMemory]

  /// Takes the memory for at most `images` images from the plan's arena. Throws `SystemError` without memory.
  init(_ network: NetworkDescription, images: Int, plan: NetworkPlan) throws {
    let arena = plan.arena
    let convolvedCount = network.stem.outputCount(images: images)
    let outputCount = Activation.count(
      images: images, channels: network.stem.channels, height: network.stemSide, width: network.stemSide)
    if plan.isTraining {
      let convolved = try arena.allocate(convolvedCount)
      // The first block normalises the stem's maps as it reads them, unless they are pooled or its shortcut
      // reads them too.
      let isFused = network.stemPool == nil && network.blocks.first?.shortcut == nil
      let output = isFused ? nil : try arena.allocate(outputCount)
      blocks = try BlockMemory.training(network.blocks, images: images, arena: arena)
      let dConvolved = try arena.allocate(network.stemPool == nil ? 0 : convolvedCount)
      stem = EncoderStem.Memory(convolved: convolved, output: output, dConvolved: dConvolved)
    } else {
      let largest = network.blocks.map { $0.last.outputCount(images: images) }.reduce(convolvedCount, max)
      let carriers = [try arena.allocate(largest), try arena.allocate(largest)]
      let scratch = network.blocks.map { $0.scratchCount(images: images) }.reduce(convolvedCount, max)
      blocks = try BlockMemory.inference(
        network.blocks, images: images, carriers: carriers,
        scratchCount: plan.usesBatchStatistics ? scratch : 0, arena: arena)
      // The first block reads the first carrier, and with batch statistics normalises it unless a shortcut
      // reads it too.
      let hasOutput =
        network.stemPool != nil || plan.usesBatchStatistics && network.blocks.first?.shortcut != nil
      stem = EncoderStem.Memory(
        convolved: carriers[hasOutput ? 1 : 0], output: hasOutput ? carriers[0] : nil,
        dConvolved: carriers[0].slice(0, 0))
    }
  }
}
