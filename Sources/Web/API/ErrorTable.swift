import HTTP
import JSONText
import JobStore
import Logging
import Platform
import SQLite

extension API {
  /// The one table from errors to answers. What has no line in it is a mistake of the daemon: 500, and a log
  /// line.
  @Sendable
  package static func problem(for error: any Error) -> Problem {
    switch error {
    case let error as Problem: return error
    case let error as SpecificationProblems:
      return Problem(
        status: 422, title: "The input is not valid", detail: detail(of: error), errors: error.problems)
    case let error as JSONError:
      return Problem(status: 400, title: "The body is not valid JSON", detail: error.description)
    case let error as JobStoreError: return problem(for: error)
    case let error as SQLiteError where error.isDiskFull: return full("The database cannot grow.")
    case let error as SystemError where error.isDiskFull: return full("The data folder cannot grow.")
    case let error as SystemError where error.passesByItself:
      Log("api").warning("\(error)")
      return .unavailable("The machine is short of descriptors, threads or memory; try again.")
    case let error as SQLiteError where error.isBusy:
      Log("api").warning("\(error)")
      var problem = Problem(status: 503, detail: "The database is held by another process; try again.")
      problem.headers.add("Retry-After", "1")
      return problem
    default:
      Log("api").error("\(error)")
      return Problem(status: 500, detail: "Internal error; see the daemon's log.")
    }
  }

  /// How many errors there are, with the first of them; all stand under `errors`, up to the list's limit.
  private static func detail(of error: SpecificationProblems) -> String {
    guard let first = error.problems.first else { return "\(error)" }
    let text = "\(first.pointer) \(first.message)"
    if error.total == 1 { return text }
    let listed = error.total > error.problems.count ? ", of which \(error.problems.count) are listed" : ""
    return "\(error.total) errors\(listed); the first: \(text)"
  }

  private static func problem(for error: JobStoreError) -> Problem {
    switch error {
    case .noSuchJob, .noSuchDataset, .noSuchModel, .noSuchSweep:
      return Problem(status: 404, detail: "\(error).")
    case .wrongState, .isNeeded, .datasetExists, .datasetIsNeeded, .datasetIsNotReady, .modelExists,
      .modelIsNeeded, .retryNeedsModel, .wrongSweepState, .isOfSweep:
      return Problem(status: 409, detail: "\(error).")
    case .unusableNeed:
      return Problem(
        status: 422, title: "The input is not valid", detail: "\(error)",
        errors: [("/spec/checkpoint/job", "must name a train job that has succeeded or still can: \(error)")])
    case .keyReused: return Problem(status: 422, title: "The key is taken", detail: "\(error).")
    case .unreadableRow, .unreadableSweep:
      Log("api").error("\(error)")
      return Problem(status: 500, detail: "\(error).")
    }
  }

  private static func full(_ what: String) -> Problem {
    Problem(status: 507, detail: "\(what) No space is left on the device; free some and try again.")
  }
}
