import Kernels
import Recipe
import Tensors

/// The network at the size of the local views: with the parameters and running statistics of the branch for
/// the global ones, and with activations and batch statistics of its own.
///
/// As PyTorch users train with crops of several sizes: the network is called once per size, global views
/// first; a BatchNorm normalises each call by that call's batch, and moves its running statistics on by both
/// in this order; gradients add up.
final class LocalBranch {
  /// What the names of its layers begin with in the record of convolutions.
  static let prefix = "local."

  private let branch: NetworkBranch
  private let views: Int
  private let gradients: [NetworkPlan.SharedGradient]
  /// `[(global + local views) · batchSize, d]`
  private let embedding: Activation
  private let compute: Compute

  /// Plans it for at most `batchSize` images, after the branch for the global views.
  init(
    _ configuration: ModelConfiguration, _ local: LocalViews, batchSize: Int, plan: NetworkPlan
  ) throws {
    compute = plan.compute
    views = local.count
    branch = try plan.sharing(prefix: LocalBranch.prefix) {
      try NetworkBranch(
        configuration, prefix: "", images: local.count * batchSize, imageSide: local.size,
        parts: configuration.normalizedParts(of: local.count), plan: $0)
    }
    gradients = plan.sharedGradients
    embedding = try plan.activation(
      images: (configuration.views + local.count) * batchSize, channels: configuration.embeddingCount, side: 1
    )
  }

  /// Forward over the local views of `count` images; returns the embeddings of the global views, then those
  /// of the local ones.
  func forward(_ images: Floats, count: Int, after global: Activation) -> Activation {
    let local = branch.forward(images, count: views * count)
    let all = embedding.images(0..<global.images + local.images)
    compute.copy(global.storage, to: all.images(0..<global.images).storage)
    compute.copy(local.storage, to: all.images(global.images..<all.images).storage)
    return all
  }

  /// Backward from the gradient of the local views' embeddings, which may be overwritten: adds to the
  /// gradients that the branch for the global views has written. `images` are those of the last `forward`.
  func backward(_ images: Floats, dEmbedding: Activation) {
    branch.backward(images, dEmbedding: dEmbedding)
    for gradient in gradients { compute.add(gradient.second, to: gradient.first) }
  }
}
