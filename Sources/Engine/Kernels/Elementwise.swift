import Tensors

// Operations on every element, layout changes and pooling.
extension Compute {
  /// `target += source`, of the same count.
  package func add(_ source: Floats, to target: Floats) {
    precondition(source.count == target.count, "addition needs equal counts")
    for i in 0..<source.count { target[i] += source[i] }
  }

  /// `target *= factor`.
  package func scale(_ target: Floats, by factor: Float) {
    for i in 0..<target.count { target[i] *= factor }
  }

  /// Σ x², summed in double precision over a fixed partition.
  package func sumOfSquares(_ floats: Floats) -> Double {
    var sum = 0.0
    for i in 0..<floats.count { sum += Double(floats[i]) * Double(floats[i]) }
    return sum
  }

  /// `target = source · (x > 0)`: the backward pass of `x = max(·, 0)`; `target` may be `source`.
  package func maskPositive(_ source: Floats, where x: Floats, into target: Floats) {
    precondition(source.count == x.count && target.count == x.count, "masking needs equal counts")
    for i in 0..<x.count { target[i] = x[i] > 0 ? source[i] : 0 }
  }

  /// `target = max(source, 0)`; `target` may be `source`.
  package func relu(_ source: Floats, into target: Floats) {
    precondition(source.count == target.count, "ReLU needs equal counts")
    for i in 0..<source.count { target[i] = max(source[i], 0) }
  }

  /// The mean over the pixels of each map: `[N, C, H, W]` to `[N, C, 1, 1]`.
  package func averagePool(_ input: Activation, into output: Activation) {
    precondition(output.images == input.images && output.channels == input.channels && output.pixels == 1)
    for n in 0..<input.images {
      for c in 0..<input.channels {
        var sum: Float = 0
        for y in 0..<input.height { for x in 0..<input.width { sum += input[n, c, y, x] } }
        output[n, c, 0, 0] = sum / Float(input.pixels)
      }
    }
  }

  /// The backward pass of `averagePool`: each pixel of `dInput` gets `dOutput / (H·W)`.
  package func averagePoolBackward(dOutput: Activation, into dInput: Activation) {
    precondition(
      dInput.images == dOutput.images && dInput.channels == dOutput.channels && dOutput.pixels == 1)
    for n in 0..<dInput.images {
      for c in 0..<dInput.channels {
        let share = dOutput[n, c, 0, 0] / Float(dInput.pixels)
        for y in 0..<dInput.height { for x in 0..<dInput.width { dInput[n, c, y, x] = share } }
      }
    }
  }

  /// Planar `[N][C][H][W]` at the start of `planar` to the blocked layout; unused lanes become zero.
  package func blocked(planar: Floats, into output: Activation) {
    output.storage.fill(0)
    for n in 0..<output.images {
      for c in 0..<output.channels {
        for y in 0..<output.height {
          for x in 0..<output.width {
            output[n, c, y, x] = planar[((n * output.channels + c) * output.height + y) * output.width + x]
          }
        }
      }
    }
  }

  /// The blocked layout to planar `[N][C][H][W]`.
  package func planar(_ input: Activation, into output: Floats) {
    for n in 0..<input.images {
      for c in 0..<input.channels {
        for y in 0..<input.height {
          for x in 0..<input.width {
            output[((n * input.channels + c) * input.height + y) * input.width + x] = input[n, c, y, x]
          }
        }
      }
    }
  }
}
