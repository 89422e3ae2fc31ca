import KernelsABI
import Parallel
import Tensors

// Max-pooling, as `torch.nn.MaxPool2d`: the border counts as −∞, and of equal values the first in scan order
// gets the gradient.
extension Compute {
  /// The largest value of each window: `[N, C, H, W]` to `[N, C, H′, W′]`.
  ///
  /// With `normalization`, of which `input` is the batch, the values are normalised and rectified first:
  /// `max over the window of max(0, γ x̂ + β)`.
  ///
  /// Overwrites `output`, which may not alias `input`.
  ///
  /// Reference: `takes the first largest value, and gives it the gradient`,
  /// `normalises and rectifies what it reads`
  package func maxPool(
    _ input: Activation, _ window: PoolWindow, normalization: Normalization? = nil, into output: Activation
  ) {
    let grid = grid(of: window, input, output)
    measured("max-pool \(input.name)") {
      eachMap(input, normalization) { map, constants in
        kernels.maxPoolMap(
          grid, constants, input.storage.pointer + map * input.pixels * 16,
          output.storage.pointer + map * output.pixels * 16)
      }
    }
  }

  /// The backward pass of `maxPool`: overwrites `dInput`, the gradient of the pooled values; that of the ReLU
  /// and the normalisation is left to `applyEpilogue` and `normalizeBackward`.
  ///
  /// `input` and `normalization` are those of the forward pass; nothing else is cached.
  ///
  /// `dInput` may alias neither `input` nor `dOutput`.
  ///
  /// Reference: `takes the first largest value, and gives it the gradient`,
  /// `normalises and rectifies what it reads`
  package func maxPoolBackward(
    input: Activation, _ window: PoolWindow, normalization: Normalization? = nil, dOutput: Activation,
    into dInput: Activation
  ) {
    precondition(dInput.sameShape(as: input), "shapes must agree")
    let grid = grid(of: window, input, dOutput)
    measured("max-pool backward \(input.name)") {
      eachMap(input, normalization) { map, constants in
        kernels.maxPoolMapGradient(
          grid, constants, input.storage.pointer + map * input.pixels * 16,
          dOutput.storage.pointer + map * dOutput.pixels * 16,
          dInput.storage.pointer + map * input.pixels * 16)
      }
    }
  }

  private func grid(of window: PoolWindow, _ input: Activation, _ output: Activation) -> PoolGrid {
    precondition(
      output.images == input.images && output.channels == input.channels
        && output.height == window.outputs(of: input.height)
        && output.width == window.outputs(of: input.width) && output.pixels > 0,
      "the output has one pixel for each window")
    return PoolGrid(
      rows: output.height, columns: output.width, mapRows: input.height, mapColumns: input.width,
      kernel: window.kernel, stride: window.stride, padding: window.padding)
  }

  /// Runs `body` on every map of 16 channels, with the constants of its normalisation.
  private func eachMap(
    _ input: Activation, _ normalization: Normalization?, _ body: (_ map: Int, _ constants: In?) -> Void
  ) {
    precondition(normalization?.channels ?? input.channels == input.channels, "one constant a channel")
    let views = normalization?.views ?? 1
    precondition(input.images.isMultiple(of: views), "each view has the same number of images")
    team.run(tasks: input.images * input.blocks) { map in
      let view = map / input.blocks / (input.images / views)
      body(
        map,
        normalization.map {
          In($0.constants(view: view) + map % input.blocks * NormConstants.count)
        })
    }
  }
}
