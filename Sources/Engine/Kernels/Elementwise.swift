import KernelsABI
import Parallel
import TensorElements
import Tensors

// Operations on every element, layout changes and pooling.
extension Compute {
  /// Floats of one task of an operation on every element.
  private static let chunk = 16384

  /// `target += source`, of the same count.
  ///
  /// Overwrites `target` element by element.
  ///
  /// Reference: `sums and products agree with scalar loops`
  package func add(_ source: Floats, to target: Floats) {
    precondition(source.count == target.count, "addition needs equal counts")
    eachChunk(source.count) { kernels.addFloats(source.pointer + $0, $1, target.pointer + $0) }
  }

  /// Copies all of `source` to `target`, of the same count.
  ///
  /// They are the same memory or do not overlap.
  ///
  /// Reference: `sums and products agree with scalar loops`
  package func copy(_ source: Floats, to target: Floats) { target.copy(from: source) }

  /// Sets every element of `target` to `value`; a plan whose memory is only counted writes nothing.
  ///
  /// Reference: `sums and products agree with scalar loops`
  package func fill(_ target: Floats, with value: Float) { target.fill(value) }

  /// `target *= factor`.
  ///
  /// In place, element by element.
  ///
  /// Reference: `sums and products agree with scalar loops`
  package func scale(_ target: Floats, by factor: Float) {
    eachChunk(target.count) { kernels.scaleFloats(factor, $1, target.pointer + $0) }
  }

  /// Σ x², in single precision for some thousand elements, in double over these parts.
  ///
  /// The parts follow from the count alone. Uses the shared scratch.
  ///
  /// Reference: `sums and products agree with scalar loops`
  package func sumOfSquares(_ floats: Floats) -> Double {
    let parts = min(Partials.entriesMax, max(1, (floats.count + Compute.chunk - 1) / Compute.chunk))
    let partials = self.partials
    let source = floats.pointer
    team.run(tasks: parts) { part in
      var sum = 0.0
      let end = (part + 1) * floats.count / parts
      for start in stride(from: part * floats.count / parts, to: end, by: 4096) {
        sum += Double(kernels.sumSquares(source + start, min(4096, end - start)))
      }
      partials.entry(part)[0] = sum
    }
    var sum = 0.0
    for part in 0..<parts { sum += partials.entry(part)[0] }
    return sum
  }

  /// The mean over the pixels of each map: `[N, C, H, W]` to `[N, C, 1, 1]`.
  ///
  /// Overwrites `output`, which may not alias `input`. Each map's sum is in single
  /// precision, in four interleaved parts.
  ///
  /// Reference: `a map's mean goes forth and its gradient back`
  package func averagePool(_ input: Activation, into output: Activation) {
    precondition(
      output.images == input.images && output.channels == input.channels && output.pixels == 1,
      "the output has one pixel for each map")
    let factor = 1 / Float(input.pixels)
    eachImage(input.images) { image in
      for block in 0..<input.blocks {
        kernels.sumLines(
          input.storage.pointer + (image * input.blocks + block) * input.pixels * 16,
          Runs(count: 1, lines: input.pixels, stride: 0), factor,
          output.storage.pointer + (image * input.blocks + block) * 16)
      }
    }
  }

  /// The backward pass of `averagePool`: each pixel of `dInput` gets `dOutput / (H·W)`.
  ///
  /// Overwrites `dInput`, which may not alias `dOutput`.
  ///
  /// Reference: `a map's mean goes forth and its gradient back`
  package func averagePoolBackward(dOutput: Activation, into dInput: Activation) {
    precondition(
      dInput.images == dOutput.images && dInput.channels == dOutput.channels && dOutput.pixels == 1,
      "the output has one pixel for each map")
    let factor = 1 / Float(dInput.pixels)
    eachImage(dInput.images) { image in
      for block in 0..<dInput.blocks {
        kernels.spreadLine(
          dOutput.storage.pointer + (image * dInput.blocks + block) * 16, factor, dInput.pixels,
          dInput.storage.pointer + (image * dInput.blocks + block) * dInput.pixels * 16)
      }
    }
  }

  /// Planar `[N][C][H][W]` at the start of `planar` to the blocked layout; unused lanes become zero.
  ///
  /// Overwrites `output`, `[N, C, H, W]`, which may not alias `planar`.
  ///
  /// Reference: `a map's mean goes forth and its gradient back`
  package func blocked(planar: Floats, into output: Activation) {
    let planes = output.channels * output.pixels
    precondition(planar.count >= output.images * planes, "there are not enough images")
    eachImage(output.images) { image in
      for block in 0..<output.blocks {
        kernels.blockPlanes(
          planar.pointer + image * planes + block * 16 * output.pixels, min(16, output.channels - block * 16),
          output.pixels, output.storage.pointer + (image * output.blocks + block) * output.pixels * 16)
      }
    }
  }

  /// The blocked layout to planar `[N][C][H][W]` at the start of `output`.
  ///
  /// Overwrites the first N·C·H·W floats of `output`, which may not alias `input`.
  ///
  /// Reference: `a map's mean goes forth and its gradient back`
  package func planar(_ input: Activation, into output: Floats) {
    let planes = input.channels * input.pixels
    precondition(output.count >= input.images * planes, "the planar images do not fit")
    eachImage(input.images) { image in
      for block in 0..<input.blocks {
        kernels.unblockPlanes(
          input.storage.pointer + (image * input.blocks + block) * input.pixels * 16,
          min(16, input.channels - block * 16), input.pixels,
          output.pointer + image * planes + block * 16 * input.pixels)
      }
    }
  }

  /// Runs `body` on chunks (start, count) that make up `count` floats.
  func eachChunk(_ count: Int, _ body: (_ start: Int, _ count: Int) -> Void) {
    team.run(tasks: (count + Compute.chunk - 1) / Compute.chunk) { task in
      let start = task * Compute.chunk
      body(start, min(Compute.chunk, count - start))
    }
  }

  /// Runs `body` on every image, four to a task.
  private func eachImage(_ images: Int, _ body: (_ image: Int) -> Void) {
    team.run(tasks: (images + 3) / 4) { task in
      for image in task * 4..<min(task * 4 + 4, images) { body(image) }
    }
  }
}
