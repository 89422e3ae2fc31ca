import Kernels
import Recipe
import Tensors

/// A projector or a predictor: Linear, then (BatchNorm1d, ReLU, Linear) repeated, and where it is asked for a
/// last BatchNorm1d without affine; `[N, D]` to `[N, d]`.
///
/// Parameters carry the names of a PyTorch `Sequential`. Cached for the backward pass: each Linear's output
/// and what each BatchNorm1d makes of it.
final class Projector {
  private struct Hidden {
    let norm: BatchNorm
    let output: Activation
  }

  private let linears: [Linear]
  private let outputs: [Activation]
  private let hidden: [Hidden]
  /// The last BatchNorm1d, with its output.
  private let last: Hidden?
  private let gradients: [Activation]
  private let dFeatures: Activation?

  /// Plans the layers for at most `rows` rows of `inputs` features. `views` as in `BatchNorm`.
  init(
    _ configuration: ProjectorSpecification, prefix: String, rows: Int, inputs: Int, views: Int,
    plan: NetworkPlan
  ) throws {
    var linears: [Linear] = []
    var outputs: [Activation] = []
    var hidden: [Hidden] = []
    var count = inputs
    for (index, width) in configuration.widths.enumerated() {
      let isLast = index == configuration.widths.count - 1
      // In the Sequential each Linear but the last is followed by BatchNorm1d and ReLU.
      linears.append(
        try Linear(
          "\(prefix)\(3 * index)", rows: rows, inputs: count, outputs: width,
          bias: isLast ? configuration.lastBias : configuration.hiddenBias, plan: plan))
      outputs.append(try plan.activation(images: rows, channels: width, side: 1))
      if !isLast {
        let norm = try BatchNorm("\(prefix)\(3 * index + 1)", channels: width, views: views, plan: plan)
        hidden.append(
          Hidden(norm: norm, output: try plan.activation(images: rows, channels: width, side: 1)))
      }
      count = width
    }
    self.linears = linears
    self.outputs = outputs
    self.hidden = hidden
    if configuration.lastBatchNorm {
      let index = 3 * (configuration.widths.count - 1) + 1
      last = Hidden(
        norm: try BatchNorm("\(prefix)\(index)", channels: count, views: views, isAffine: false, plan: plan),
        output: try plan.activation(images: rows, channels: count, side: 1))
    } else {
      last = nil
    }
    gradients =
      plan.isTraining
      ? try hidden.map { try plan.activation(images: rows, channels: $0.output.channels, side: 1) } : []
    dFeatures = plan.isTraining ? try plan.activation(images: rows, channels: inputs, side: 1) : nil
  }

  /// Forward with batch statistics; returns the embedding `[N, d]`.
  func forward(_ features: Activation) -> Activation {
    let rows = 0..<features.images
    var input = features
    for (index, linear) in linears.enumerated() {
      let output = outputs[index].images(rows)
      guard index < hidden.count else {
        linear.forward(input, output: output, followedBy: last?.norm)
        guard let last else { return output }
        last.norm.normalize(output, relu: false, output: last.output.images(rows))
        return last.output.images(rows)
      }
      linear.forward(input, output: output, followedBy: hidden[index].norm)
      hidden[index].norm.normalize(output, relu: true, output: hidden[index].output.images(rows))
      input = hidden[index].output.images(rows)
    }
    return input
  }

  /// Forward with running statistics, as in PyTorch's eval mode; returns the embedding `[N, d]`.
  func evaluate(_ features: Activation) -> Activation {
    let rows = 0..<features.images
    var input = features
    for (index, linear) in linears.enumerated() {
      let output = outputs[index].images(rows)
      let isHidden = index < hidden.count
      if let norm = isHidden ? hidden[index].norm : last?.norm {
        linear.evaluate(input, output: output, followedBy: norm.frozen(relu: isHidden))
      } else {
        linear.forward(input, output: output)
      }
      input = output
    }
    return input
  }

  /// Backward from the gradient of the embedding, which may be overwritten, into the gradients of all
  /// parameters; returns that of `features`, which are those of the last `forward`.
  func backward(features: Activation, dEmbedding: Activation) -> Activation {
    guard let dFeatures else { preconditionFailure("a branch without gradients has no backward pass") }
    let rows = 0..<features.images
    var gradient = dEmbedding
    if let last, let input = outputs.last?.images(rows) {
      last.norm.backward(input: input, open: gradient, dInput: gradient)
    }
    for (index, linear) in linears.enumerated().reversed() {
      let input = index > 0 ? hidden[index - 1].output.images(rows) : features
      linear.backwardParameters(input: input, dOutput: gradient)
      let dInput = (index > 0 ? gradients[index - 1] : dFeatures).images(rows)
      if index > 0 {
        let norm = hidden[index - 1].norm
        let output = outputs[index - 1].images(rows)
        linear.backwardInput(
          dOutput: gradient, dInput: dInput, epilogue: norm.backwardEpilogue(input: output, mask: .recomputed)
        )
        norm.backward(input: output, gradient: dInput, dInput: dInput)
      } else {
        linear.backwardInput(dOutput: gradient, dInput: dInput)
      }
      gradient = dInput
    }
    return gradient
  }
}
