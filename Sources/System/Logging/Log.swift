import Platform
import Synchronization

/// Lines for people on standard error: time, level, where, what.
///
/// `2026-11-24T02:29:00.123Z info  dispatcher: job 01… started`. Nothing that a client or a job sent is
/// secret enough to be kept out by this type; callers leave tokens and bodies out.
package struct Log: Sendable {
  /// How much a line matters.
  package enum Level: Int, Sendable, CaseIterable {
    case debug, info, warning, error

    /// The level's name in lines and settings.
    package var name: String {
      switch self {
      case .debug: "debug"
      case .info: "info"
      case .warning: "warn"
      case .error: "error"
      }
    }
  }

  private let subject: String

  /// Lines about one part of the program.
  package init(_ subject: String) { self.subject = subject }

  /// Lines below this level are not written, nor are their texts made. `info` at first.
  package static var level: Level {
    get { Level(rawValue: threshold.load(ordering: .relaxed)) ?? .info }
    set { threshold.store(newValue.rawValue, ordering: .relaxed) }
  }

  /// For the one who looks for a fault.
  package func debug(_ text: @autoclosure () -> String) { write(.debug, text) }
  /// What happened, in the usual course.
  package func info(_ text: @autoclosure () -> String) { write(.info, text) }
  /// Something that a person may want to look at.
  package func warning(_ text: @autoclosure () -> String) { write(.warning, text) }
  /// Something that did not work.
  package func error(_ text: @autoclosure () -> String) { write(.error, text) }

  private func write(_ level: Level, _ text: () -> String) {
    guard level.rawValue >= Log.threshold.load(ordering: .relaxed) else { return }
    let pad = String(repeating: " ", count: 5 - level.name.count)
    StandardStream.error.write("\(SystemClock.rfc3339Now) \(level.name)\(pad) \(subject): \(text())\n")
  }

  private static let threshold = Atomic<Int>(Level.info.rawValue)
}
