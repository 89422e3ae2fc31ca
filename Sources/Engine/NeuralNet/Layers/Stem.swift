import Kernels
import Tensors

/// The first convolution of an encoder: planar images `[N][3][H][W]` in, no gradient of the images.
///
/// Caches nothing: the images must still be there for the backward pass.
struct Stem {
  /// `[K, 3, R, R]`.
  let weight: Parameter
  /// `[K]`, if there is one.
  let bias: Parameter?
  /// The sizes, with the most images at once.
  let shape: ConvolutionShape
  private let name: String
  private let check: FiniteCheck?
  private let operation: StemConvolution

  /// Plans parameters `name.weight` and `name.bias`.
  init(
    _ name: String, _ shape: ConvolutionShape, bias hasBias: Bool, initial: Parameter.Initial = .uniformFanIn,
    plan: NetworkPlan
  ) throws {
    self.shape = shape
    self.name = plan.layerName(name)
    check = plan.check
    weight = try plan.parameter(
      "\(name).weight", [shape.outputChannels, shape.inputChannels, shape.kernel, shape.kernel], .weight,
      initial: initial)
    bias = hasBias ? try plan.parameter("\(name).bias", [shape.outputChannels], .bias) : nil
    operation = plan.stem(name, shape)
  }

  /// As many images as `output` has are read from the start of `images`.
  ///
  /// The statistics of the normalisation that follows are taken in the same pass.
  func forward(_ images: Floats, output: Activation, followedBy norm: BatchNorm? = nil) {
    operation.forward(
      images: images, weight: weight.value, bias: bias?.value, output: output, moments: norm?.normalization)
    norm?.updateRunning(by: output)
    check?.forward(name, output, weight: weight.value, followedBy: norm) { $0.finiteness(of: images) }
  }

  /// The convolution and the normalisation that follows, by running statistics.
  func evaluate(_ images: Floats, output: Activation, followedBy frozen: FrozenNormalization) {
    operation.forward(
      images: images, weight: weight.value, bias: bias?.value, output: output, frozen: frozen)
  }

  /// Overwrites the gradients of weight and bias, and `dOutput` by the prologue.
  func backwardParameters(images: Floats, dOutput: Activation, prologue: BackwardPrologue? = nil) {
    operation.backwardWeight(
      images: images, dOutput: dOutput, prologue: prologue, dWeight: weight.gradient, dBias: bias?.gradient)
    check?.backward(name, weight: weight, bias: bias, dOutput: dOutput, throughNorm: prologue != nil)
  }
}
