import Kernels
import Recipe
import Tensors

extension BYOL: Method {
  package var branches: Branches {
    Branches(predictor: .scheduled, target: MomentumSchedule(start: momentum, end: momentumEnd))
  }
  package var diagnosed: DiagnosedEmbedding { .unitRows }

  package func health(dimension: Int) -> HealthScale { .unitRows(dimension: dimension) }

  package func objective(_ shape: EmbeddingShape, plan: NetworkPlan) throws -> any Objective {
    try CosineObjective(shape, factor: -2, offset: 2, plan: plan)
  }
}
