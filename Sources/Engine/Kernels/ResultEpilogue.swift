import KernelsABI
import Synchronization
import TensorElements
import Tensors

/// The epilogue of a convolution: what it does with its result besides writing it, for all views and channel
/// blocks.
struct ResultEpilogue {
  /// One of `EpilogueKind`.
  var kind = EpilogueKind.store
  /// The bias, padded to whole blocks, or nil.
  var bias: In?
  /// As in `Epilogue`, at block 0 of image 0.
  var residual: In?
  var lines: In?
  var output: In?
  var mask = GradientMask.none
  /// `[views][blocks][NormConstants.count]`
  var constants: In?
  /// Parts of the batch whose sums are apart.
  var views = 1
  /// Blocks of channels of the result.
  let blocks: Int
  /// Groups of lines in a view, each with sums of its own.
  let groups: Int
  /// Floats from one block of the result's maps to the next.
  let mapStride: Int
  /// Whether the result is written past the caches.
  let isStreamed: Bool
  let partials: Partials

  /// Adds `bias` to `output`, takes moments for `moments`, or applies `gradient` to it.
  init(
    bias: Floats? = nil, moments: Normalization? = nil, gradient: BackwardEpilogue? = nil, groups: Int,
    output: Activation, compute: Compute
  ) {
    self.bias = bias.map { compute.partials.padded($0) }
    self.groups = groups
    blocks = output.blocks
    mapStride = output.pixels * 16
    isStreamed = compute.streams(output)
    partials = compute.partials
    if let moments {
      kind = EpilogueKind.moments
      views = moments.views
    }
    if let gradient {
      kind = EpilogueKind.gradient
      views = gradient.normalization.views
      lines = In(gradient.input.storage.pointer)
      residual = gradient.residual.map { In($0.storage.pointer) }
      (mask, self.output) = gradient.mask.resolved(gradient.input)
      constants = In(gradient.normalization.constants(view: 0))
    }
  }

  /// Normalises by given statistics; a bias goes into their constants.
  init(_ frozen: FrozenNormalization, bias: Floats?, output: Activation, compute: Compute) {
    precondition(frozen.residual?.sameShape(as: output) ?? true, "shapes must agree")
    let memory = compute.partials.constants(0)
    compute.setConstants(frozen.statistics, frozen.parameters, into: memory)
    if let bias {
      for channel in 0..<bias.count {
        let block = memory + channel / 16 * NormConstants.count + channel % 16
        block[NormConstants.shift] += bias[channel] * block[NormConstants.scale]
      }
    }
    kind = EpilogueKind.normalized
    mask = frozen.relu ? Rectification.relu : Rectification.none
    residual = frozen.residual.map { In($0.storage.pointer) }
    constants = In(memory)
    blocks = output.blocks
    groups = 1
    mapStride = output.pixels * 16
    isStreamed = compute.streams(output)
    partials = compute.partials
  }

  /// The epilogue of one block of a view; `sums` have room for `EpilogueSums.count` floats, `target` is the
  /// result's map in image 0.
  func epilogue(view: Int, block: Int, sums: Out, target: Out) -> Epilogue {
    let offset = block * mapStride
    let anything = In(target)
    return Epilogue(
      kind: kind, bias: bias.map { $0 + block * 16 }, residual: residual.map { $0 + offset },
      lines: lines.map { $0 + offset } ?? anything, output: output.map { $0 + offset } ?? anything,
      mask: mask,
      constants: constants.map { $0 + (view * blocks + block) * NormConstants.count } ?? anything, sums: sums,
      isStreamed: isStreamed)
  }

  /// Has all lines that this thread streamed come before what it writes next; the last step of a task. Once
  /// for all of them, for until the memory has taken them the thread stands still.
  func settle() {
    if isStreamed { settleStreams() }
  }

  /// Keeps what some lines of a group of a block have summed up, the group's first lines or more of them.
  func keep(_ sums: In, view: Int, group: Int, block: Int, isFirst: Bool) {
    guard kind == EpilogueKind.moments || kind == EpilogueKind.gradient else { return }
    let entry = partials.entry((view * groups + group) * blocks + block)
    if isFirst { clear(entry) }
    if kind == EpilogueKind.moments {
      mergeMoments(sums, count: Int(sums[EpilogueSums.lines]), into: entry)
    } else {
      for index in 0..<32 { entry[index] += Double(sums[index]) }
    }
  }
}

/// Has everything that this thread streamed come before what it writes next: ordinary writes do not wait for
/// it.
func settleStreams() { atomicMemoryFence(ordering: .sequentiallyConsistent) }

extension Compute {
  /// Whether an epilogue can take the sums of `groups` groups in each view: there is room for them all.
  func hasRoom(for normalization: Normalization?, groups: Int) -> Bool {
    guard let normalization else { return false }
    return normalization.views * groups * normalization.blocks <= Partials.entriesMax
  }

  /// Statistics and constants of `moments`, if given, from the sums of an epilogue or by a pass of their own.
  func finish(_ moments: Normalization?, of output: Activation, isFused: Bool, groups: Int) {
    guard let moments else { return }
    guard isFused else {
      takeStatistics(of: output, moments)
      return
    }
    for view in 0..<moments.views {
      finishMoments(view: view, groups: groups, into: moments.statistics[view])
    }
    setConstants(moments)
  }
}
