import KernelsABI
import Parallel
import TensorElements
import Tensors

// The passes of batch normalisation over an activation, on their own: what convolutions do not fuse.
extension Compute {
  /// Mean and biased variance of each channel of `input`.
  ///
  /// Overwrites the C means and variances. Sums are in single precision within a piece, and merged in double
  /// over a fixed partition of images and pixels.
  ///
  /// Reference: `statistics are exact even far from zero`
  package func statistics(of input: Activation, into statistics: ChannelStatistics) {
    precondition(statistics.mean.count == input.channels, "one mean and one variance a channel")
    let partition = ImagePartition(input)
    let partials = self.partials
    let source = In(input.storage.pointer)
    measured("statistics \(input.name)") {
      team.run(tasks: partition.tasks) { task in
        let entry = partials.entry(task)
        clear(entry)
        withLineScratch { sums in
          partition.eachPiece(of: task) { offset, runs in
            kernels.channelMoments(source + offset, runs, sums)
            mergeMoments(sums, count: runs.count * runs.lines, into: entry)
          }
        }
      }
      finishMoments(groups: partition.groups, into: statistics)
    }
  }

  /// Takes the statistics of a batch, each view on its own, and the constants that follow from them.
  ///
  /// Overwrites the statistics and constants of `normalization`; N is a multiple of its views. Sums as in
  /// `statistics(of:into:)`.
  ///
  /// Reference: `each view is normalised on its own`
  package func takeStatistics(of input: Activation, _ normalization: Normalization) {
    for view in 0..<normalization.views {
      let images = normalization.images(of: view, among: input.images)
      statistics(of: input.images(images), into: normalization.statistics[view])
    }
    setConstants(normalization)
  }

  /// The constants that follow from the statistics of the batch.
  func setConstants(_ normalization: Normalization) {
    for view in 0..<normalization.views {
      setConstants(
        normalization.statistics[view], normalization.parameters, into: normalization.constants(view: view))
    }
  }

  /// `output = γ (input − mean) / √(variance + ε) + β`, plus `residual` if given, through a ReLU if asked
  /// for.
  ///
  /// `output` may be `input`.
  ///
  /// Overwrites `output`; all maps are `[N, C, H, W]`. Each element is a function of the same elements of the
  /// inputs and of its channel's constants. Uses the shared scratch.
  ///
  /// Reference: `forward and backward agree with a double precision reference`
  package func normalize(
    _ input: Activation, statistics: ChannelStatistics, parameters: NormParameters,
    residual: Activation? = nil, relu: Bool, output: Activation
  ) {
    setConstants(statistics, parameters, into: partials.constants(0))
    normalize(
      input, constants: partials.constants(0), residual, relu: relu, output,
      isStreamed: streams(output) && !output.hasPlace(of: input))
  }

  /// The same with the statistics of the batch, each view with its own. A residual with a normalisation is
  /// normalised and rectified in the pass that reads it.
  ///
  /// `output`, of the same shape, is overwritten and may be `input`. Needs the constants that
  /// `takeStatistics` or a convolution with moments has left; N is a multiple of the views.
  ///
  /// Reference: `each view is normalised on its own`,
  /// `a residual normalised while it is read gives what a normalised residual gives`
  package func normalize(
    _ input: Activation, _ normalization: Normalization, residual: Activation? = nil,
    residualNormalization: Normalization? = nil, relu: Bool, output: Activation
  ) {
    let isStreamed = streams(output) && !output.hasPlace(of: input)
    for view in 0..<normalization.views {
      let images = normalization.images(of: view, among: input.images)
      normalize(
        input.images(images), constants: normalization.constants(view: view), residual?.images(images),
        residualNormalization.map { In($0.constants(view: view)) }, relu: relu, output.images(images),
        isStreamed: isStreamed)
    }
  }

  private func normalize(
    _ input: Activation, constants: In, _ residual: Activation?, _ residualConstants: In? = nil, relu: Bool,
    _ output: Activation, isStreamed: Bool
  ) {
    precondition(output.sameShape(as: input) && residual?.sameShape(as: input) ?? true, "shapes must agree")
    let partition = ImagePartition(input)
    let source = In(input.storage.pointer)
    let added = residual.map { In($0.storage.pointer) }
    let target = output.storage.pointer
    measured("normalise \(input.name)") {
      team.run(tasks: partition.tasks) { task in
        let block = task % partition.blocks * NormConstants.count
        partition.eachPiece(of: task) { offset, runs in
          kernels.normalizeLines(
            source + offset, constants + block, added.map { $0 + offset },
            residualConstants.map { $0 + block }, relu, runs, isStreamed, target + offset)
        }
        if isStreamed { settleStreams() }
      }
    }
  }

  /// Applies an epilogue to a gradient in place, in a pass of its own: adds the residual, masks by the ReLU,
  /// and sums up the gradients of γ and β and what `normalizeBackward` needs.
  ///
  /// `gradient`, `[N, C, H, W]`, and the C gradients of γ and β are overwritten; the residual may be the
  /// gradient's own memory. Sums go over a fixed partition, in double precision over its pieces.
  ///
  /// Reference: `forward and backward agree with a double precision reference`
  package func applyEpilogue(to gradient: Activation, _ epilogue: BackwardEpilogue) {
    let normalization = epilogue.normalization
    precondition(gradient.sameShape(as: epilogue.input), "shapes must agree")
    let (kind, output) = epilogue.mask.resolved(epilogue.input)
    let share = gradient.images / normalization.views
    let partition = ImagePartition(gradient.images(0..<share), parts: normalization.views)
    let partials = self.partials
    let lines = In(epilogue.input.storage.pointer)
    let residual = epilogue.residual.map { In($0.storage.pointer) }
    let target = gradient.storage.pointer
    measured("gradient epilogue \(gradient.name)") {
      team.run(tasks: normalization.views * partition.tasks) { task in
        let view = task / partition.tasks
        let start = view * share * gradient.imageStride
        let entry = partials.entry(task)
        clear(entry)
        let constants =
          normalization.constants(view: view) + task % partition.blocks * NormConstants.count
        withLineScratch { sums in
          partition.eachPiece(of: task % partition.tasks) { offset, runs in
            let offset = start + offset
            kernels.gradientEpilogue(
              Epilogue(
                kind: EpilogueKind.gradient, bias: nil, residual: residual.map { $0 + offset },
                lines: lines + offset, output: output + offset, mask: kind, constants: constants, sums: sums,
                isStreamed: false),
              runs, target + offset)
            for index in 0..<32 { entry[index] += Double(sums[index]) }
          }
        }
      }
      finishGradient(epilogue, groups: partition.groups, lines: share * gradient.pixels)
    }
  }

  /// The backward pass of a normalisation with batch statistics. `dInput` may be where what was normalised or
  /// the gradient is.
  ///
  /// Overwrites `dInput`, `[N, C, H, W]`, element by element, from what `applyEpilogue` or a convolution with
  /// an epilogue has left.
  ///
  /// Reference: `forward and backward agree with a double precision reference`
  package func normalizeBackward(_ prologue: BackwardPrologue, dInput: Activation) {
    let input = prologue.input
    let views = prologue.normalization.views
    precondition(dInput.sameShape(as: input), "shapes must agree")
    let share = input.images / views
    let partition = ImagePartition(input.images(0..<share))
    let target = dInput.storage.pointer
    measured("normalise backward \(input.name)") {
      team.run(tasks: views * partition.tasks) { task in
        let (view, part) = task.quotientAndRemainder(dividingBy: partition.tasks)
        partition.eachPiece(of: part) { offset, runs in
          prologue.pass(
            runs, at: view * share * input.imageStride + offset, view: view, block: part % partition.blocks,
            into: target, kernels)
        }
      }
    }
  }

  /// Moves `running` on by the statistics of each part of a batch in turn, and adds 1 to `tracked` per part.
  ///
  /// `running = (1 − momentum) running + momentum · batch`, where the batch's variance counts as unbiased:
  /// PyTorch normalises by the biased variance, but keeps the other one. All statistics have C floats,
  /// `tracked` has one; no argument may share memory with another.
  ///
  /// - Parameter count: values per channel in each part, at least 2.
  ///
  /// Reference: `gives PyTorch's output, gradients, running statistics and eval mode`
  package func updateRunning(
    _ running: ChannelStatistics, tracked: Floats, by batches: [ChannelStatistics], count: Int,
    momentum: Float
  ) {
    precondition(count >= 2, "batch statistics need two values a channel")
    let unbias = Float(Double(count) / Double(count - 1))
    let keep = 1 - momentum
    for batch in batches {
      precondition(batch.mean.count == running.mean.count, "one mean and one variance a channel")
      for c in 0..<batch.mean.count {
        running.mean[c] = keep * running.mean[c] + momentum * batch.mean[c]
        running.variance[c] = keep * running.variance[c] + momentum * unbias * batch.variance[c]
      }
      tracked[0] += 1
    }
  }

  /// The sum of each channel over images and pixels: the gradient of a bias.
  ///
  /// Overwrites the C sums: in single precision within a piece, in double over a fixed partition.
  ///
  /// Reference: `a convolution agrees with a double precision reference`
  package func channelSums(of input: Activation, into sums: Floats) {
    precondition(sums.count == input.channels, "one sum a channel")
    let partition = ImagePartition(input)
    let partials = self.partials
    let source = In(input.storage.pointer)
    team.run(tasks: partition.tasks) { task in
      let entry = partials.entry(task)
      clear(entry)
      withLineScratch { sums in
        partition.eachPiece(of: task) { offset, runs in
          kernels.sumLines(source + offset, runs, 1, sums)
          for channel in 0..<16 { entry[channel] += Double(sums[channel]) }
        }
      }
    }
    for channel in 0..<input.channels {
      var sum = 0.0
      for group in 0..<partition.groups {
        sum += partials.entry(group * partition.blocks + channel / 16)[channel % 16]
      }
      sums[channel] = Float(sum)
    }
  }
}

/// Some lines on the stack for a kernel's sums.
@inline(__always)
private func withLineScratch(_ body: (Out) -> Void) {
  withUnsafeTemporaryAllocation(of: Float.self, capacity: EpilogueSums.count) { buffer in
    if let start = buffer.baseAddress { body(start) }
  }
}

extension Activation {
  /// For people: `64×30×30`.
  var name: String { "\(channels)×\(height)×\(width)" }
  /// Whether both lie in the same memory.
  func hasPlace(of other: Activation) -> Bool { storage.pointer == other.storage.pointer }
}
