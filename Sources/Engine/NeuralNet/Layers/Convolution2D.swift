import Kernels
import Tensors

/// A convolution with its parameters: `[N, C, H, W]` to `[N, K, H′, W′]`. Caches nothing: the caller keeps
/// the input.
struct Convolution2D {
  /// `[K, C, R, R]`.
  let weight: Parameter
  /// `[K]`, if there is one.
  let bias: Parameter?
  /// The sizes, with the most images at once.
  let shape: ConvolutionShape
  private let name: String
  private let check: FiniteCheck?
  private let operation: Convolution

  /// Plans parameters `name.weight` and `name.bias`.
  init(_ name: String, _ shape: ConvolutionShape, bias hasBias: Bool = false, plan: NetworkPlan) throws {
    self.shape = shape
    self.name = plan.layerName(name)
    check = plan.check
    weight = try plan.parameter(
      "\(name).weight", [shape.outputChannels, shape.inputChannels, shape.kernel, shape.kernel], .weight)
    bias = hasBias ? try plan.parameter("\(name).bias", [shape.outputChannels], .bias) : nil
    operation = try plan.convolution(name, shape)
  }

  /// `output = weight ∗ input + bias`; the statistics of the normalisation that follows are taken in the same
  /// pass.
  func forward(_ input: Activation, output: Activation, followedBy norm: BatchNorm? = nil) {
    operation.forward(
      input: input, weight: weight.value, bias: bias?.value, output: output, moments: norm?.normalization)
    norm?.updateRunning(by: output)
    check?.forward(name, output, weight: weight.value, followedBy: norm) { $0.finiteness(of: input) }
  }

  /// The same of a map that is normalised and rectified in the pass that reads it.
  func forward(_ input: NormalizedMap, output: Activation, followedBy norm: BatchNorm? = nil) {
    operation.forward(
      input: input, weight: weight.value, bias: bias?.value, output: output, moments: norm?.normalization)
    norm?.updateRunning(by: output)
    check?.forward(name, output, weight: weight.value, followedBy: norm) { $0.finiteness(of: input) }
  }

  /// The convolution and the normalisation that follows, by running statistics.
  func evaluate(_ input: Activation, output: Activation, followedBy frozen: FrozenNormalization) {
    operation.forward(
      input: input, weight: weight.value, bias: bias?.value, output: output, frozen: frozen)
  }

  /// Overwrites the gradients of weight and bias, from the input of the forward pass, and `dOutput` by
  /// the prologue.
  func backwardParameters(input: Activation, dOutput: Activation, prologue: BackwardPrologue? = nil) {
    operation.backwardWeight(
      input: input, dOutput: dOutput, prologue: prologue, dWeight: weight.gradient, dBias: bias?.gradient)
    check?.backward(name, weight: weight, bias: bias, dOutput: dOutput, throughNorm: prologue != nil)
  }

  /// The same where the forward pass normalised its input.
  func backwardParameters(input: NormalizedMap, dOutput: Activation, prologue: BackwardPrologue? = nil) {
    operation.backwardWeight(
      input: input, dOutput: dOutput, prologue: prologue, dWeight: weight.gradient, dBias: bias?.gradient)
    check?.backward(name, weight: weight, bias: bias, dOutput: dOutput, throughNorm: prologue != nil)
  }

  /// Whether the gradient of the input may take the place of the input, as `Convolution` says.
  func fusesEpilogue(views: Int) -> Bool { operation.fusesEpilogue(views: views) }

  /// Overwrites `dInput`, and applies `epilogue` to it if there is one.
  func backwardInput(dOutput: Activation, dInput: Activation, epilogue: BackwardEpilogue? = nil) {
    operation.backwardInput(dOutput: dOutput, weight: weight.value, dInput: dInput, epilogue: epilogue)
    check?.backward(name, weight: weight, dOutput: dOutput, dInput: dInput)
  }
}
