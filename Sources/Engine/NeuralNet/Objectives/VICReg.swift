import Kernels
import Recipe
import Tensors

extension VICReg: Method {
  package var branches: Branches { Branches() }
  package var diagnosed: DiagnosedEmbedding { .raw(epsilon: epsilon) }

  package func health(dimension: Int) -> HealthScale { HealthScale(spread: gamma) }

  package func objective(_ shape: EmbeddingShape, plan: NetworkPlan) throws -> any Objective {
    try VICRegObjective(self, shape, plan: plan)
  }
}
