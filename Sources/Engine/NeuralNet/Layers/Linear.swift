import Kernels
import Tensors

/// `y = x Wᵀ + b` on rows: `[N, in]` to `[N, out]`. Caches nothing: the caller keeps the input.
struct Linear {
  /// `[out, in]`.
  let weight: Parameter
  /// `[out]`, if there is one.
  let bias: Parameter?
  private let name: String
  private let check: FiniteCheck?
  private let operation: Convolution

  /// Plans parameters `name.weight` and `name.bias` for at most `rows` rows.
  init(_ name: String, rows: Int, inputs: Int, outputs: Int, bias hasBias: Bool, plan: NetworkPlan) throws {
    self.name = plan.layerName(name)
    check = plan.check
    weight = try plan.parameter("\(name).weight", [outputs, inputs], .weight)
    bias = hasBias ? try plan.parameter("\(name).bias", [outputs], .bias) : nil
    operation = try plan.convolution(name, .linear(rows: rows, inputs: inputs, outputs: outputs))
  }

  /// `output = input Wᵀ + b`; the statistics of the normalisation that follows are taken in the same pass.
  func forward(_ input: Activation, output: Activation, followedBy norm: BatchNorm? = nil) {
    operation.forward(
      input: input, weight: weight.value, bias: bias?.value, output: output, moments: norm?.normalization)
    norm?.updateRunning(by: output)
    check?.forward(name, output, weight: weight.value, followedBy: norm) { $0.finiteness(of: input) }
  }

  /// The same with the normalisation that follows, by running statistics.
  func evaluate(_ input: Activation, output: Activation, followedBy frozen: FrozenNormalization) {
    operation.forward(
      input: input, weight: weight.value, bias: bias?.value, output: output, frozen: frozen)
  }

  /// Overwrites the gradients of weight and bias, from the input of the forward pass.
  func backwardParameters(input: Activation, dOutput: Activation) {
    operation.backwardWeight(input: input, dOutput: dOutput, dWeight: weight.gradient, dBias: bias?.gradient)
    check?.backward(name, weight: weight, bias: bias, dOutput: dOutput)
  }

  /// Overwrites `dInput`, and applies `epilogue` to it if there is one.
  func backwardInput(dOutput: Activation, dInput: Activation, epilogue: BackwardEpilogue? = nil) {
    operation.backwardInput(dOutput: dOutput, weight: weight.value, dInput: dInput, epilogue: epilogue)
    check?.backward(name, weight: weight, dOutput: dOutput, dInput: dInput)
  }
}
