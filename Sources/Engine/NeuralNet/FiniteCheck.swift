import Kernels
import Tensors

/// Finds the first values of a training step that are not finite, and the layer that computed them.
///
/// A network that is planned with a check hands it every result in the order of the step. A training's
/// network is planned without one and pays nothing. The check changes no bits of the step.
package final class FiniteCheck {
  /// Where the first values that are not finite came up.
  package struct Finding: Sendable, Equatable {
    /// The layer by its name in a state dict, such as `encoder.layer1.0.conv1`; a residual block's sum has
    /// the block's name, pooling is `encoder.avgpool`, and the objective is `loss`; the names of layers on
    /// local views begin with `local.`. With `squaredGradient` it is the parameter.
    package var layer: String
    /// Whether they came up before the loss, or in the gradients after it.
    package var pass: Pass
    /// What the layer computed.
    package var quantity: Quantity
    /// The values.
    package var values: Finiteness
    /// What it was computed from: the layer's input, or in the backward pass the gradient of its output;
    /// `nil` where nothing keeps that.
    package var input: Finiteness?
    /// The layer's weight; `nil`: it has none.
    package var weight: Finiteness?
  }

  /// A direction of a step.
  package enum Pass: String, Sendable {
    case forward
    case backward
  }

  /// A result of a layer.
  package enum Quantity: String, Sendable {
    case output
    case loss
    case weightGradient = "gradient of the weight"
    case biasGradient = "gradient of the bias"
    case inputGradient = "gradient of the input"
    case squaredGradient = "sum of the squared gradient"
  }

  /// `nil`: everything was finite so far.
  package private(set) var first: Finding?

  private let compute: Compute
  /// Memory for the largest map, for what a layer normalises as it reads.
  private var scratch: Floats?
  /// The normalisation that follows a layer.
  private var norms: [String: BatchNorm] = [:]

  init(compute: Compute) { self.compute = compute }

  /// Takes the memory for maps of `layers`. Throws `SystemError` without memory.
  func allocate(for layers: [PlannedLayer], from arena: Arena) throws {
    let counts = layers.flatMap { layer in
      let shape = layer.shape
      return [
        Activation.count(
          images: shape.images, channels: shape.outputChannels, height: shape.outputHeight,
          width: shape.outputWidth),
        Activation.count(
          images: shape.images, channels: shape.inputChannels, height: shape.height,
          width: shape.width),
      ]
    }
    scratch = try arena.allocate(counts.max() ?? 0)
  }

  /// Takes what a layer gave in the forward pass, with a normalisation that may follow it.
  ///
  /// - Parameters:
  ///   - weight: of the layer, if it has one.
  ///   - input: how finite the layer's input is.
  func forward(
    _ layer: String, _ output: Activation, weight: Floats? = nil, followedBy norm: BatchNorm? = nil,
    input: (FiniteCheck) -> Finiteness
  ) {
    note(layer, .forward, .output, compute.finiteness(of: output), weight: weight) { input(self) }
    guard let norm else { return }
    norms[layer] = norm
    // Nothing keeps what a normalisation gives: it is computed again, without the ReLU, which hides a NaN.
    let normalized = normalized(output, norm.normalization, relu: false)
    note(
      norm.name, .forward, .output, compute.finiteness(of: normalized),
      weight: norm.normalization.parameters.weight
    ) { self.compute.finiteness(of: output) }
  }

  /// Takes the loss of `embedding` and its gradient by it.
  func objective(loss: Double, of embedding: Activation, gradient: Activation) {
    let input = { () -> Finiteness? in self.compute.finiteness(of: embedding) }
    if !loss.isFinite {
      note("loss", .forward, .loss, Finiteness(count: 1, notFinite: 1), input: input)
    }
    note("loss", .backward, .inputGradient, compute.finiteness(of: gradient), input: input)
  }

  /// Takes the gradients of a layer's parameters, computed from that of its output.
  ///
  /// - Parameter throughNorm: `dOutput` was computed in the same pass, from the gradient of the normalisation
  ///   that follows the layer.
  func backward(
    _ layer: String, weight: Parameter, bias: Parameter?, dOutput: Activation, throughNorm: Bool = false
  ) {
    if throughNorm, let norm = norms[layer] { backward(norm, dInput: dOutput) }
    for (quantity, parameter) in [(Quantity.weightGradient, weight)]
      + (bias.map { [(.biasGradient, $0)] } ?? [])
    {
      note(layer, .backward, quantity, compute.finiteness(of: parameter.gradient), weight: weight.value) {
        self.compute.finiteness(of: dOutput)
      }
    }
  }

  /// Takes the gradient of a layer's input, computed from that of its output.
  func backward(_ layer: String, weight: Parameter, dOutput: Activation, dInput: Activation) {
    note(layer, .backward, .inputGradient, compute.finiteness(of: dInput), weight: weight.value) {
      self.compute.finiteness(of: dOutput)
    }
  }

  /// Takes the gradients that a normalisation computed.
  func backward(_ norm: BatchNorm, dInput: Activation) {
    let weight = norm.normalization.parameters.weight
    note(norm.name, .backward, .weightGradient, compute.finiteness(of: norm.dWeight), weight: weight)
    note(norm.name, .backward, .biasGradient, compute.finiteness(of: norm.dBias), weight: weight)
    note(norm.name, .backward, .inputGradient, compute.finiteness(of: dInput), weight: weight)
  }

  /// Takes the sums of squares that the norm of the gradient is made of: they are infinite from gradients of
  /// about 1e19 on, which are finite themselves.
  func squares(of parameters: [Parameter]) {
    for parameter in parameters where !compute.sumOfSquares(parameter.gradient).isFinite {
      note(
        parameter.name, .backward, .squaredGradient, Finiteness(count: 1, notFinite: 1),
        weight: parameter.value
      ) { self.compute.finiteness(of: parameter.gradient) }
    }
  }

  /// How finite a map is.
  func finiteness(of map: Activation) -> Finiteness { compute.finiteness(of: map) }

  /// How finite planar images are.
  func finiteness(of images: Floats) -> Finiteness { compute.finiteness(of: images) }

  /// How finite a map is that a layer normalises and rectifies as it reads it.
  func finiteness(of map: NormalizedMap) -> Finiteness {
    compute.finiteness(of: normalized(map.input, map.normalization, relu: true))
  }

  private func normalized(_ input: Activation, _ normalization: Normalization, relu: Bool) -> Activation {
    guard let scratch else { preconditionFailure("a check has memory before the first step") }
    let result = scratch.slice(0, input.storage.count).activation(like: input)
    compute.normalize(input, normalization, relu: relu, output: result)
    return result
  }

  private func note(
    _ layer: String, _ pass: Pass, _ quantity: Quantity, _ values: Finiteness, weight: Floats? = nil,
    input: () -> Finiteness? = { nil }
  ) {
    guard first == nil, values.notFinite > 0 else { return }
    first = Finding(
      layer: layer, pass: pass, quantity: quantity, values: values, input: input(),
      weight: weight.map { compute.finiteness(of: $0) })
  }
}
