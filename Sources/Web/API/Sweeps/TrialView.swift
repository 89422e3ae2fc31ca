import JSONText
import JobModel
import JobStore
import Recipe
import Sweeps
import Text

/// A trial as clients see it.
struct TrialView: Sendable {
  /// Where a trial is in its life.
  enum State: String, Sendable, CaseIterable {
    /// Its jobs wait, or it waits at a rung.
    case queued
    case running
    case succeeded
    case failed
    /// By successive halving, by a person, or with its sweep.
    case stopped
  }

  /// One of its trainings.
  private struct Seed {
    let job: JobID?
    let evaluation: JobID?
    let value: Double?
  }

  let record: TrialRecord
  let state: State
  private let seeds: [Seed]
  /// Epochs of its training; nil: not known.
  private let epochs: Int?
  /// Whether its sweep stops trials at rungs.
  private let hasRungs: Bool

  init(_ record: TrialRecord, jobs: [TrialJob], seedCount: Int) {
    self.record = record
    hasRungs = record.epochs != nil
    let present = jobs.filter { $0.rung == record.rung }
    state =
      switch record.outcome {
      case nil: present.contains { $0.state.isActive || $0.state == .succeeded } ? .running : .queued
      case .resting: .queued
      case .interrupted: record.trial.isToRunAgain ? .queued : .failed
      case .succeeded: .succeeded
      case .diverged, .failed: .failed
      case .stopped, .cancelled: .stopped
      }
    seeds = (0..<seedCount).map { seed in
      let own = present.filter { $0.seed == seed }
      return Seed(
        job: own.last { $0.kind == .train }?.id, evaluation: own.last { $0.kind == .evaluate }?.id,
        value: record.seedValues.indices.contains(seed) ? record.seedValues[seed] : nil)
    }
    epochs = record.epochs ?? present.first { $0.kind == .train }?.epochs
  }

  /// The training of its first seed; nil: it has none, or that was deleted.
  var job: JobID? { seeds.first?.job }

  private var stoppedAt: Int? { hasRungs && state == .stopped ? record.rung : nil }

  /// The trial as a JSON object.
  var json: JSON {
    [
      "number": .integer(record.number), "job": .optional(job?.text),
      "evaluation": .optional(seeds.first?.evaluation?.text), "state": .string(state.rawValue),
      "value": .optional(record.value), "parameters": record.configuration.json,
      "rung": .optional(hasRungs ? record.rung : nil), "stopped_at": .optional(stoppedAt),
      "epochs": .optional(epochs), "message": .optional(record.message),
      "rung_values": .array(record.rungValues.map(JSON.number)),
      "seeds": .array(
        seeds.enumerated().map { index, seed in
          [
            "seed": .integer(index), "job": .optional(seed.job?.text),
            "evaluation": .optional(seed.evaluation?.text), "value": .optional(seed.value),
          ]
        }),
    ]
  }

  /// The columns of the table, before those of the parameters.
  static let columns: [ByteString] = ["number", "state", "value", "rung", "stopped_at", "epochs", "seeds"]

  /// One line of the table, without what differs from one run of the same sweep to the next: ids and times.
  func row(parameters: [ByteString]) -> [ByteString] {
    func text(_ value: Int?) -> ByteString { ByteString(value.map(String.init) ?? "") }
    let own: [ByteString] = [
      text(record.number), ByteString(state.rawValue),
      ByteString(record.value.map { JSON.number($0).text } ?? ""),
      text(hasRungs ? record.rung : nil), text(stoppedAt), text(epochs), text(seeds.count),
    ]
    return own
      + parameters.map { pointer in
        switch record.configuration[pointer] {
        case nil: ""
        case .text(let value): value
        case let value?: ByteString(value.json.text)
        }
      }
  }
}

extension SweepStanding {
  /// The trials as clients see them, by number.
  var views: [TrialView] {
    // A specification that this program cannot read costs the seeds, not the answer.
    let seedCount = (try? record.specification().specification.seeds) ?? 1
    let byTrial = Dictionary(grouping: jobs, by: \.trial)
    return trials.map { TrialView($0, jobs: byTrial[$0.number] ?? [], seedCount: seedCount) }
  }
}
