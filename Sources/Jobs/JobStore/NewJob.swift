import JobModel
import Recipe

/// A job that is to be queued.
package struct NewJob: Sendable {
  package var id: JobID
  package var labelling: JobLabelling
  package var specification: JobSpecification
  package var policy: JobPolicy
  /// Jobs that have to end before this one begins, in addition to the one whose last checkpoint it evaluates.
  package var needs: [JobID]
  /// Optimiser steps of the whole run, if they are known.
  package var steps: Int?
  /// Those of them that a training has behind it which goes on with another one, if they are known.
  package var stepsDone = 0
  /// The dataset as it is now, if that is known.
  package var dataset: DatasetFingerprint?
  /// What it will take.
  package var cost = JobCost()
  /// Whether the dataset that it reads is an imported one, which must be there when it is queued.
  package var readsImported = false
  /// The model whose weights it takes, which must be there when it is queued; `nil`: it takes none, or
  /// whichever has the name.
  package var model: JobID?
  /// The trial that it belongs to; `nil`: none.
  package var place: TrialPlace?

  package init(
    id: JobID, labelling: JobLabelling, specification: JobSpecification, policy: JobPolicy = JobPolicy(),
    needs: [JobID] = [], steps: Int? = nil, dataset: DatasetFingerprint? = nil
  ) {
    self.id = id
    self.labelling = labelling
    self.specification = specification
    self.policy = policy
    self.needs = needs
    self.steps = steps
    self.dataset = dataset
  }

  /// The checkpoint that it evaluates or begins with.
  private var checkpoint: CheckpointReference? { specification.work.checkpointUse }

  /// The job whose checkpoint that is.
  var checkpointNeed: JobID? { checkpoint?.job }

  /// Every job that has to end before it begins, each once. A checkpoint that is named is there already.
  var awaitedJobs: [JobID] {
    let training = checkpoint.flatMap { $0.choice.waitsForEnd ? $0.job : nil }
    return Self.unique(needs + [training].compactMap(\.self))
  }

  /// Every job that must stay as long as it is unfinished, each once.
  var neededJobs: [JobID] { Self.unique(needs + [checkpointNeed].compactMap(\.self)) }

  private static func unique(_ ids: [JobID]) -> [JobID] {
    var seen: Set<JobID> = []
    return ids.filter { seen.insert($0).inserted }
  }
}

extension JobSpecification {
  /// The dataset that a job reads or imports, by name; `nil`: none.
  var datasetName: String? {
    let name = (work as? ImportSpecification)?.name ?? work.datasetUse?.name
    return name?.string
  }
}
