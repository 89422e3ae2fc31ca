/// Asynchronous successive halving (ASHA): every trial trains to the first rung, and of those that have
/// reached a rung the best 1/η go on to the next, as soon as they are among the best, without waiting for the
/// others.
///
/// Nothing is kept between calls: who goes on and who is stopped follows from the rows.
/// Source: Li et al., "A system for massively parallel hyperparameter tuning", MLSys 2020, algorithm 2.
/// Unlike there, a rung that no further trial can reach always sends its best one on, and trials that can no
/// longer be among the best are stopped.
package struct SuccessiveHalving: Sendable, Equatable {
  /// η: of so many trials, one goes on.
  package let reductionFactor: Int
  /// Epochs of each rung; the last is the longest training.
  package let rungs: [Int]

  package static let reductionFactorMax = 100

  /// Rungs at `minEpochs`, `minEpochs` · η, … and at `maxEpochs`.
  package init(reductionFactor: Int, minEpochs: Int, maxEpochs: Int) throws(InvalidSpace) {
    var problems: [SpaceProblem] = []
    if !(2...Self.reductionFactorMax).contains(reductionFactor) {
      let most = Self.reductionFactorMax
      problems.append(
        SpaceProblem(["reduction_factor"], "must be between 2 and \(most), got \(reductionFactor)"))
    }
    if minEpochs < 1 { problems.append(SpaceProblem(["min_epochs"], "must be at least 1, got \(minEpochs)")) }
    if minEpochs > maxEpochs {
      problems.append(
        SpaceProblem(["min_epochs"], "must not be above max_epochs, \(maxEpochs); got \(minEpochs)"))
    }
    guard problems.isEmpty else { throw InvalidSpace(problems: problems) }
    self.reductionFactor = reductionFactor
    var rungs: [Int] = []
    var epochs = minEpochs
    while epochs < maxEpochs {
      rungs.append(epochs)
      let (next, overflow) = epochs.multipliedReportingOverflow(by: reductionFactor)
      epochs = overflow ? maxEpochs : next
    }
    self.rungs = rungs + [maxEpochs]
  }

  /// A trial that goes on to a rung.
  package struct Promotion: Sendable, Equatable {
    package var trial: Int
    /// From 0.
    package var rung: Int
    /// Epochs to train in all, from the trial's start.
    package var epochs: Int

    package init(trial: Int, rung: Int, epochs: Int) {
      self.trial = trial
      self.rung = rung
      self.epochs = epochs
    }
  }

  /// A trial that does not go on, and why.
  package struct Stop: Sendable, Equatable {
    package var trial: Int
    /// The last rung that it has reached, from 0, and its epochs.
    package var rung: Int
    package var epochs: Int
    /// Its place among those that have reached the rung, from 1.
    package var rank: Int
    package var reached: Int
    /// The best that go on at most.
    package var places: Int

    /// Why, for people.
    package var message: String {
      "stopped at rung \(rung) after \(epochs) \(epochs == 1 ? "epoch" : "epochs"): "
        + "place \(rank) of \(reached); at most \(places) \(places == 1 ? "goes" : "go") on"
    }
  }

  /// What follows from the rows. Promotions come with the highest rung first and the best trial first; stops
  /// by rung and trial.
  ///
  /// `trialsMax` is how many trials the sweep may have in all; nil: any number.
  package func decisions(
    _ trials: [Trial], mode: ObjectiveMode, trialsMax: Int?
  ) -> (promotions: [Promotion], stops: [Stop]) {
    var promotions: [Promotion] = []
    var stops: [Stop] = []
    let silent = trials.count { $0.rungs.isEmpty && ($0.hasFailed || $0.state == .cancelled) }
    // How many trials can reach the rung at most; nil: any number.
    var possible = trialsMax.map { max($0, trials.count) - silent }
    for rung in rungs.indices.dropLast() {
      let standings = RungStandings(trials, rung: rung, mode: mode)
      let places = standings.places(possible: possible, reductionFactor: reductionFactor)
      let placesNow = min(
        places, max(possible == standings.reached ? 1 : 0, standings.reached / reductionFactor))
      var waiting = 0
      for (rank, entry) in standings.entries.enumerated() where entry.isResting {
        if rank < placesNow {
          promotions.append(Promotion(trial: entry.trial, rung: rung + 1, epochs: rungs[rung + 1]))
          waiting += 1
        } else if rank >= places {
          stops.append(
            Stop(
              trial: entry.trial, rung: rung, epochs: rungs[rung], rank: rank + 1,
              reached: standings.reached, places: places))
        } else {
          waiting += 1
        }
      }
      possible = possible.map { standings.promoted + waiting + max(0, $0 - standings.reached) }
    }
    promotions.sort { $0.rung > $1.rung }
    return (promotions, stops.sorted { ($0.rung, $0.trial) < ($1.rung, $1.trial) })
  }
}

/// The trials that have reached one rung, the best first.
private struct RungStandings {
  private(set) var entries: [Entry] = []
  /// Trials that have gone on from here and have reached the next rung or still may.
  private(set) var promoted = 0

  struct Entry {
    var trial: Int
    var loss: Double
    /// Whether it waits here for a decision.
    var isResting: Bool
  }

  /// How many have reached the rung.
  var reached: Int { entries.count }

  init(_ trials: [Trial], rung: Int, mode: ObjectiveMode) {
    for trial in trials {
      if trial.rungs.count > rung {
        let isHere = trial.rungs.count == rung + 1
        let loss = mode.loss(trial.rungs[rung])
        let isResting = isHere && trial.state == .resting && loss.isFinite
        entries.append(Entry(trial: trial.number, loss: loss, isResting: isResting))
        let goesOn = trial.state == .unfinished || trial.isToRunAgain || trial.state == .diverged
        if !isHere || goesOn { promoted += 1 }
      } else if trial.state == .diverged, trial.rungs.count == rung {
        entries.append(Entry(trial: trial.number, loss: .infinity, isResting: false))
      }
    }
    entries.sort { ($0.loss, $0.trial) < ($1.loss, $1.trial) }
  }

  /// How many may go on at most, once every trial that can reach the rung has.
  func places(possible: Int?, reductionFactor: Int) -> Int {
    possible.map { max(1, max($0, reached) / reductionFactor) } ?? .max
  }
}
