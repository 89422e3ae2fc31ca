import Kernels
import Recipe
import Tensors

extension SimSiam: Method {
  package var branches: Branches { Branches(predictor: .constant) }
  package var diagnosed: DiagnosedEmbedding { .unitRows }

  package func health(dimension: Int) -> HealthScale { .unitRows(dimension: dimension, lossMin: -1) }

  package func objective(_ shape: EmbeddingShape, plan: NetworkPlan) throws -> any Objective {
    try CosineObjective(shape, factor: -0.5, offset: 0, plan: plan)
  }
}
