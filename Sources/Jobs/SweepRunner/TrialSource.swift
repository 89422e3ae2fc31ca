import JobStore
import Recipe
import Sweeps

/// A trial that is to get its jobs.
package struct TrialOrder: Sendable {
  package var sweep: JobID
  /// What people call the sweep; nil: it has no name.
  package var name: String?
  /// Of its jobs.
  package var priority: Int
  package var specification: SweepSpecification
  package var trial: Int
  package var configuration: Configuration
  /// From 0.
  package var rung = 0
  /// Where the rung ends; nil: the trial trains to its end.
  package var epochs: Int?
  /// The trainings that it goes on with, one per seed; empty: it begins.
  package var previous: [JobID] = []

  package init(
    sweep: JobID, name: String?, priority: Int, specification: SweepSpecification, trial: Int,
    configuration: Configuration, epochs: Int?
  ) {
    self.sweep = sweep
    self.name = name
    self.priority = priority
    self.specification = specification
    self.trial = trial
    self.configuration = configuration
    self.epochs = epochs
  }
}

/// Makes the jobs of trials.
package protocol TrialSource: Sendable {
  /// Trainings, and the evaluation of each after it where the sweep has any. May wait for datasets to be
  /// looked at.
  ///
  /// - Throws: `SpecificationProblems` where the specification refuses the trial's values; anything else
  /// where
  ///   that cannot be told now.
  func jobs(for order: TrialOrder) throws -> [NewJob]
}
