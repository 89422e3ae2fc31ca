import KernelsABI
import Parallel
import TensorElements
import Tensors

/// Scratch of fixed size for sums over activations: partial sums in double precision, and constants of
/// channel blocks.
///
/// The partial sums of block b in group g of a view lie at `(view · groups + g) · blocks + b`.
struct Partials {
  /// Most partial sums at once; the partition of a problem follows from this, never from the number of
  /// threads.
  static let entriesMax = 16384
  /// Most blocks of channels.
  static let blocksMax = 4096
  /// Doubles of one partial sum: two for each channel of a block, the number of lines, and the rest of a
  /// cache line.
  static let entryDoubles = 40
  /// Where an entry has the number of its lines.
  static let linesIndex = 32
  static let floats = entriesMax * entryDoubles * 2 + blocksMax * NormConstants.count

  let start: Out

  /// The doubles of partial sum `index`.
  func entry(_ index: Int) -> UnsafeMutablePointer<Double> {
    UnsafeMutableRawPointer(start).assumingMemoryBound(to: Double.self) + index * Partials.entryDoubles
  }

  /// The constants of channel block `block`, for operations that have none of their own.
  func constants(_ block: Int) -> Out {
    start + Partials.entriesMax * Partials.entryDoubles * 2 + block * NormConstants.count
  }

  /// Writes `bias` padded with zeros to whole blocks of 16 channels; valid until the next use of constants.
  func padded(_ bias: Floats) -> In {
    let target = constants(0)
    for channel in 0..<(bias.count + 15) / 16 * 16 {
      target[channel] = channel < bias.count ? bias[channel] : 0
    }
    return In(target)
  }
}

/// Sets a partial sum to zero.
func clear(_ entry: UnsafeMutablePointer<Double>) {
  for index in 0..<Partials.entryDoubles { entry[index] = 0 }
}

/// Merges moments of one piece (s, Σ(x − s), Σ(x − s)² over `count` lines) into an entry's mean, Σ(x − mean)²
/// and number of lines (Chan, Golub and LeVeque's formula).
func mergeMoments(_ moments: In, count: Int, into entry: UnsafeMutablePointer<Double>) {
  let lines = entry[Partials.linesIndex]
  let count = Double(count)
  let total = lines + count
  for channel in 0..<16 {
    let sum = Double(moments[16 + channel])
    let mean = Double(moments[channel]) + sum / count
    let squares = Double(moments[32 + channel]) - sum * sum / count
    let distance = mean - entry[channel]
    entry[channel] += distance * count / total
    entry[16 + channel] += max(squares, 0) + distance * distance * lines * count / total
  }
  entry[Partials.linesIndex] = total
}

extension Compute {
  /// Merges the moments of all groups of a view, group by group, into its statistics.
  func finishMoments(view: Int = 0, groups: Int, into statistics: ChannelStatistics) {
    let channels = statistics.mean.count
    let blocks = (channels + 15) / 16
    let partials = self.partials
    team.run(tasks: blocks) { block in
      for lane in 0..<min(16, channels - block * 16) {
        var (mean, squares, lines) = (0.0, 0.0, 0.0)
        for group in 0..<groups {
          let entry = partials.entry((view * groups + group) * blocks + block)
          let added = entry[Partials.linesIndex]
          let total = lines + added
          let distance = entry[lane] - mean
          mean += distance * added / total
          squares += entry[16 + lane] + distance * distance * lines * added / total
          lines = total
        }
        statistics.mean[block * 16 + lane] = Float(mean)
        statistics.variance[block * 16 + lane] = Float(squares / lines)
      }
    }
  }

  /// Adds up Σg and Σg(x − mean) of all groups: the gradients of γ and β, and the constants by which the
  /// gradient of the input is computed. `lines`: lines of a view.
  func finishGradient(_ epilogue: BackwardEpilogue, groups: Int, lines: Int) {
    let normalization = epilogue.normalization
    let blocks = normalization.blocks
    let partials = self.partials
    team.run(tasks: blocks) { block in
      for lane in 0..<min(16, normalization.channels - block * 16) {
        let channel = block * 16 + lane
        var (dWeight, dBias) = (0.0, 0.0)
        for view in 0..<normalization.views {
          var (sum, product) = (0.0, 0.0)
          for group in 0..<groups {
            let entry = partials.entry((view * groups + group) * blocks + block) + lane
            sum += entry[0]
            product += entry[16]
          }
          let inverse = Double(
            normalization.parameters.inverseDeviation(channel, normalization.statistics[view]))
          dBias += sum
          dWeight += product * inverse
          let constants = normalization.constants(view: view) + block * NormConstants.count + lane
          constants[NormConstants.gradientMean] = Float(sum / Double(lines))
          constants[NormConstants.slope] = Float(product / Double(lines) * inverse * inverse)
        }
        epilogue.dWeight[channel] = Float(dWeight)
        epilogue.dBias[channel] = Float(dBias)
      }
    }
  }

  /// Writes mean, scale and shift of each channel; channels beyond the last get zeros.
  func setConstants(_ statistics: ChannelStatistics, _ parameters: NormParameters, into constants: Out) {
    let channels = parameters.weight.count
    precondition(statistics.mean.count == channels, "one value a channel")
    for channel in 0..<(channels + 15) / 16 * 16 {
      let block = constants + channel / 16 * NormConstants.count + channel % 16
      guard channel < channels else {
        for offset in stride(from: 0, to: NormConstants.count, by: 16) { block[offset] = 0 }
        continue
      }
      let scale = parameters.weight[channel] * parameters.inverseDeviation(channel, statistics)
      block[NormConstants.mean] = statistics.mean[channel]
      block[NormConstants.scale] = scale
      block[NormConstants.shift] = parameters.bias[channel] - statistics.mean[channel] * scale
    }
  }
}
