import Platform
import TensorElements
import Tensors

/// For each output position along one axis: the inputs that it is made of, and their weights.
struct ResizeTaps {
  /// Index of the first input, as a bit pattern. `[outputs]`
  let starts: Floats
  /// `[taps][outputs]`, in memory for `[inputsMax][outputs]`.
  let weights: Floats
  let outputs: Int

  /// Tables for `outputs` positions, each of at most `inputsMax` inputs.
  init(outputs: Int, inputsMax: Int, arena: Arena) throws(SystemError) {
    self.outputs = outputs
    starts = try arena.allocate(outputs)
    weights = try arena.allocate(outputs * inputsMax)
  }

  /// The first input of output `index`.
  @inline(__always)
  func start(_ index: Int) -> Int { Int(starts[index].bitPattern) }

  /// Fills the tables for a resize of `inputs` positions, weights times `scale`; gives the number of taps.
  /// With `reverses` the outputs are in reverse order.
  func prepare(inputs: Int, antialias: Bool, reverses: Bool, scale: Float) -> Int {
    antialias
      ? prepareTriangle(inputs: inputs, reverses: reverses, scale: scale)
      : prepareBilinear(inputs: inputs, reverses: reverses, scale: scale)
  }

  /// PyTorch's `upsample_bilinear2d`, half-pixel centres: two neighbours.
  private func prepareBilinear(inputs: Int, reverses: Bool, scale: Float) -> Int {
    let taps = min(2, inputs)
    let step = Float(inputs) / Float(outputs)
    for position in 0..<outputs {
      let output = reverses ? outputs - 1 - position : position
      let source = max(step * (Float(position) + 0.5) - 0.5, 0)
      let first = min(Int(source), inputs - 1)
      let start = min(first, inputs - taps)
      starts[output] = Float(bitPattern: UInt32(start))
      guard taps == 2 else {
        weights[output] = scale
        continue
      }
      // At the last input both neighbours are that input.
      let share = first > start ? 1 : source - Float(first)
      weights[output] = (1 - share) * scale
      weights[outputs + output] = share * scale
    }
    return taps
  }

  /// PyTorch's `_upsample_bilinear2d_aa`: a triangle as wide as the step, cut at the border and normalised.
  private func prepareTriangle(inputs: Int, reverses: Bool, scale: Float) -> Int {
    let step = Float(inputs) / Float(outputs)
    let support = max(step, 1)
    let taps = min(Int(support.rounded(.up)) * 2 + 1, inputs)
    for position in 0..<outputs {
      let output = reverses ? outputs - 1 - position : position
      let center = step * (Float(position) + 0.5)
      let low = max(Int(center - support + 0.5), 0)
      let high = min(Int(center + support + 0.5), inputs)
      let start = min(low, inputs - taps)
      starts[output] = Float(bitPattern: UInt32(start))
      var total: Float = 0
      for tap in 0..<taps {
        let input = start + tap
        let distance = abs((Float(input) - center + 0.5) / support)
        let weight = input >= low && input < high ? max(1 - distance, 0) : 0
        weights[tap * outputs + output] = weight
        total += weight
      }
      for tap in 0..<taps { weights[tap * outputs + output] *= scale / total }
    }
    return taps
  }
}

extension PlanarImage {
  /// Fills the image with the part `box` of 8-bit planes, resized to the image's side and divided by 255;
  /// `flips` exchanges left and right. torchvision's `resized_crop` and `hflip`.
  ///
  /// `source` holds the planes from `offset` on, each of `sourceHeight` × `sourceWidth` bytes; `scratch`
  /// must be made for at least as many rows and columns as the box has.
  func resizedCrop(
    of source: Span<UInt8>, offset: Int, sourceHeight: Int, sourceWidth: Int, box: AugmentationDraw.Box,
    flips: Bool, antialias: Bool, scratch: AugmentationScratch
  ) {
    let columnTaps = scratch.columnTaps
    let columns = columnTaps.prepare(
      inputs: box.width, antialias: antialias, reverses: flips, scale: 1 / 255)
    let rows = scratch.rowTaps.prepare(inputs: box.height, antialias: antialias, reverses: false, scale: 1)
    for plane in 0..<planes {
      let start = offset + (plane * sourceHeight + box.top) * sourceWidth + box.left
      for row in 0..<box.height {
        let line = start + row * sourceWidth
        if columns == 2 {
          resizeRowOfPairs(source, line, columnTaps, into: scratch.rows, at: row * stride)
        } else {
          resizeRow(source, line, columnTaps, taps: columns, into: scratch.rows, at: row * stride)
        }
      }
      resizeColumns(scratch.rows, scratch.rowTaps, taps: rows, plane: plane)
    }
  }

  private func resizeRowOfPairs(
    _ source: Span<UInt8>, _ line: Int, _ taps: ResizeTaps, into rows: Floats, at offset: Int
  ) {
    let weights = taps.weights
    for column in 0..<side {
      let first = line + taps.start(column)
      rows[offset + column] =
        Float(source[first]) * weights[column] + Float(source[first + 1]) * weights[side + column]
    }
  }

  private func resizeRow(
    _ source: Span<UInt8>, _ line: Int, _ table: ResizeTaps, taps: Int, into rows: Floats, at offset: Int
  ) {
    let weights = table.weights
    for column in 0..<side {
      let first = line + table.start(column)
      var sum: Float = 0
      for tap in 0..<taps { sum += Float(source[first + tap]) * weights[tap * side + column] }
      rows[offset + column] = sum
    }
  }

  private func resizeColumns(_ rows: Floats, _ table: ResizeTaps, taps: Int, plane: Int) {
    let weights = table.weights
    for row in 0..<side {
      let first = table.start(row) * stride
      let target = plane * planeCount + row * stride
      for column in Swift.stride(from: 0, to: stride, by: Pixels.scalarCount) {
        var sum = rows.vector8(at: first + column) * weights[row]
        for tap in 1..<max(taps, 1) {
          sum += rows.vector8(at: first + tap * stride + column) * weights[tap * side + row]
        }
        storage.setVector8(sum, at: target + column)
      }
    }
  }
}
