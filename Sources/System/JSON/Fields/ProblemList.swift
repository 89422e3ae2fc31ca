import Text

/// What is wrong with an input, so that it can be repaired in one go.
package struct SpecificationProblems: Error, CustomStringConvertible {
  /// A JSON Pointer (RFC 6901) to each wrong value and a sentence that goes on after it: `must be > 0, got
  /// -1`.
  package let problems: [(pointer: String, message: String)]
  /// How many there are, with those that are not listed.
  package let total: Int

  package init(_ problems: [(pointer: String, message: String)], total: Int? = nil) {
    self.problems = problems
    self.total = total ?? problems.count
  }

  package var description: String {
    let more = total > problems.count ? ["\(total - problems.count) more are not listed"] : []
    return (problems.map { "\($0.pointer) \($0.message)" } + more).joined(separator: "; ")
  }
}

/// Where readers of one input note what is wrong: one problem for each place in it.
///
/// Only the first `problemsMax` are kept and worded, and the others counted, so that an answer has a size and
/// a cost that no input exceeds.
package final class ProblemList {
  /// Problems that are listed.
  package static let problemsMax = 100

  package private(set) var problems: [(pointer: String, message: String)] = []
  /// All problems, listed or not.
  package private(set) var total = 0
  private var pointers: Set<ByteString> = []
  private var mentions: Set<ByteString> = []

  package init() {}

  /// Whether further problems are only counted.
  package var isFull: Bool { problems.count == Self.problemsMax }

  /// Notes one problem, unless there is one of the same place.
  package func add(_ pointer: @autoclosure () -> String, _ message: @autoclosure () -> String) {
    if !isFull {
      let pointer = pointer()
      guard pointers.insert(ByteString(pointer)).inserted else { return }
      problems.append((pointer, message()))
    }
    total += 1
  }

  /// Whether these words have not been mentioned in the list's messages before; from now on they have.
  func isFirstMention(of words: ByteString) -> Bool { mentions.insert(words).inserted }

  /// - Throws: what was noted, if anything was.
  package func check() throws(SpecificationProblems) {
    if total > 0 { throw SpecificationProblems(problems, total: total) }
  }
}
