/// What a sweep was asked to do.
package struct SweepPlan: Sendable, Equatable {
  package var space: SearchSpace
  package var searcher: Searcher
  package var seed: UInt64
  package var mode: ObjectiveMode
  package var halving: SuccessiveHalving?
  /// Trials in all; nil: until the space is exhausted.
  package var maxTrials: Int?
  /// Trials that are queued or running at a time; nil: any number, or one if the searcher learns.
  package var maxConcurrent: Int?
  /// The sweep fails when more trials than this have failed.
  package var maxFailed: Int

  package static let maxFailedDefault = 5

  package init(
    space: SearchSpace, searcher: Searcher, seed: UInt64 = 0, mode: ObjectiveMode = .min,
    halving: SuccessiveHalving? = nil, maxTrials: Int?, maxConcurrent: Int? = nil,
    maxFailed: Int = maxFailedDefault
  ) {
    self.space = space
    self.searcher = searcher
    self.seed = seed
    self.mode = mode
    self.halving = halving
    self.maxTrials = maxTrials
    self.maxConcurrent = maxConcurrent
    self.maxFailed = maxFailed
  }

  /// How many trials the sweep can have; nil: any number.
  package var trialsMax: Int? {
    guard let size = space.size else { return maxTrials }
    return min(size, maxTrials ?? size)
  }

  /// What is wrong with the plan, by member of the request.
  package var problems: [SpaceProblem] {
    var problems = searcher.problems(in: space, maxTrials: maxTrials).map {
      SpaceProblem(["space"] + $0.path, $0.message)
    }
    if maxTrials == nil, space.size == nil {
      problems.append(SpaceProblem(["max_trials"], "must be given: the space has no end"))
    }
    for (name, value, least) in [
      ("max_trials", maxTrials, 1), ("max_concurrent", maxConcurrent, 1), ("max_failed", maxFailed, 0),
    ] {
      if let value, value < least {
        problems.append(SpaceProblem([.init(name)], "must be at least \(least), got \(value)"))
      }
    }
    return problems
  }
}
