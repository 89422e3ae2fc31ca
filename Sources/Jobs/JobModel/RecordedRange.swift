import JSONText
import Text

/// The ranges of the numbers that run folders and rows may hold. A number outside is not believed: its line
/// or file counts as damaged, so that nothing computes with it.
package enum RecordedRange {
  /// The largest number of anything.
  package static let countMax = JSON.exactIntegerMax
  /// Optimiser steps, done or to be done.
  package static let steps = 0...countMax
  /// Epochs, done or to be done.
  package static let epochs = 0...countMax
  /// Sizes of files, and offsets in them.
  package static let bytes = 0...countMax
  /// Which attempt of a job it is.
  package static let attempts = 1...Int(Int32.max)
  /// Threads of a worker's engine.
  package static let threads = 1...1024
  /// Cores that a worker could keep busy.
  package static let cores = 1...65_536
  /// For how long something has run, in milliseconds: at most ten years.
  package static let ageMilliseconds = 0...315_360_000_000

  /// The members of an event line that have a range.
  private static let members: [ByteString: ClosedRange<Int>] = [
    "step": steps, "steps": steps, "epoch": epochs, "epochs": epochs, "bytes": bytes, "attempt": attempts,
    "threads": threads,
  ]

  /// Whether each of an event's members that has a range is missing or is a whole number in it.
  package static func allow(_ event: [ByteString: JSON]) -> Bool {
    members.allSatisfy { name, range in
      guard let value = event[name] else { return true }
      return value.int(in: range) != nil
    }
  }
}

extension ClosedRange<Int> {
  /// The number in the range that is nearest to another one.
  package func nearest(to number: Int) -> Int { Swift.min(Swift.max(number, lowerBound), upperBound) }
}
