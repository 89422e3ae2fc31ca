import Kernels
import Recipe
import Tensors

/// An encoder with the projector that may follow: images in, embedding out.
final class NetworkBranch {
  let encoder: ResNet
  private let projector: Projector?
  private var features: Activation?

  /// Plans `prefix.encoder.…` and `prefix.projector.…` for at most `images` images, of which BatchNorm
  /// normalises each of `parts` equal parts on its own.
  init(
    _ configuration: ModelConfiguration, prefix: String, images: Int, imageSide: Int, parts: Int,
    plan: NetworkPlan
  ) throws {
    encoder = try ResNet(
      configuration.encoder, prefix: "\(prefix)encoder.", images: images, imageSide: imageSide, views: parts,
      plan: plan)
    projector =
      type(of: configuration.method).hasProjector
      ? try Projector(
        configuration.projector, prefix: "\(prefix)projector.", rows: images,
        inputs: configuration.encoder.featureCount, views: parts, plan: plan) : nil
  }

  /// Forward with batch statistics over the first `count` of planar `images`.
  func forward(_ images: Floats, count: Int) -> Activation {
    let features = encoder.forward(images, count: count)
    self.features = features
    return projector?.forward(features) ?? features
  }

  /// Backward from the gradient of the embedding, which may be overwritten; `images` are those of the last
  /// `forward`.
  func backward(_ images: Floats, dEmbedding: Activation) {
    guard let features else { preconditionFailure("a backward pass follows a forward pass") }
    let dFeatures = projector?.backward(features: features, dEmbedding: dEmbedding) ?? dEmbedding
    encoder.backward(images, dFeatures: dFeatures)
  }
}
