import Tensors

/// The memory of a residual block.
struct BlockMemory {
  /// What the convolution of each unit gives, in their order.
  let convolved: [Floats]
  /// What the shortcut's convolution gives, where there is one.
  let shortcut: Floats
  /// What the block gives; for inference it may be the last of `convolved`.
  let output: Floats
  /// What lives only inside a pass with batch statistics, `Block.scratchCount` floats.
  let scratch: Floats

  /// Memory for the training of consecutive blocks.
  ///
  /// What a block keeps lies unused before its forward and after its backward pass: just when the block
  /// before it runs, which takes it as scratch where it is large enough.
  static func training(
    _ blocks: [NetworkDescription.Block], images: Int, arena: Arena
  ) throws -> [BlockMemory] {
    let kept = try blocks.map { block in
      try arena.allocate(block.keptCounts(images: images).reduce(0, +))
    }
    return try blocks.enumerated().map { index, block in
      var start = 0
      let parts = block.keptCounts(images: images).map { count in
        defer { start += count }
        return kept[index].slice(start, count)
      }
      let next = index + 1 < kept.count ? kept[index + 1] : kept[index].slice(0, 0)
      let scratchCount = block.scratchCount(images: images)
      return BlockMemory(
        convolved: Array(parts.dropLast()), shortcut: parts[parts.count - 1],
        output: try arena.allocate(block.last.outputCount(images: images)),
        scratch: next.count >= scratchCount ? next : try arena.allocate(scratchCount))
    }
  }

  /// Memory for forward passes alone: two `carriers` take the activations from block to block, in turns,
  /// beginning with the second. For passes with batch statistics, `scratchCount` is what they need inside a
  /// block; a shortcut takes its place where there is one.
  static func inference(
    _ blocks: [NetworkDescription.Block], images: Int, carriers: [Floats], scratchCount: Int, arena: Arena
  ) throws -> [BlockMemory] {
    let innerUnits = (blocks.map(\.units.count).max() ?? 1) - 1
    let inner = try (0..<innerUnits).map { unit in
      try arena.allocate(blocks.map { $0.units[unit].outputCount(images: images) }.max() ?? 0)
    }
    let shortcut = try arena.allocate(
      max(scratchCount, blocks.compactMap { $0.shortcut?.outputCount(images: images) }.max() ?? 0))
    return blocks.indices.map { index in
      let carrier = carriers[(index + 1) % 2]
      return BlockMemory(
        convolved: inner + [carrier], shortcut: shortcut, output: carrier, scratch: shortcut)
    }
  }
}

extension NetworkDescription.Block {
  /// Floats of each map that a training keeps between its passes, in addition to the output: the
  /// convolutions' results, and last the shortcut's.
  func keptCounts(images: Int) -> [Int] {
    units.map { $0.outputCount(images: images) } + [shortcut?.outputCount(images: images) ?? 0]
  }

  /// Floats that a training needs inside a pass: for a map between two units, and for the shortcut's result
  /// or gradient.
  func scratchCount(images: Int) -> Int {
    let inner = units.dropLast().map { $0.outputCount(images: images) }.max() ?? 0
    guard let shortcut else { return inner }
    return max(inner, shortcut.outputCount(images: images), shortcut.inputCount(images: images))
  }
}

extension Floats {
  /// The start of this memory as an activation.
  func activation(images: Int, channels: Int, side: Int) -> Activation {
    let count = Activation.count(images: images, channels: channels, height: side, width: side)
    return Activation(
      images: images, channels: channels, height: side, width: side, storage: slice(0, count))
  }

  /// The start of this memory as an activation of the same shape as `other`.
  func activation(like other: Activation) -> Activation {
    activation(images: other.images, channels: other.channels, side: other.height)
  }
}
