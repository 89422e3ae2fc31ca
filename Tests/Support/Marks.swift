/// Text that is expensive for whatever compares by canonical equivalence, and text of the same size that is
/// not.
package enum Marks {
  /// Combining marks of two classes by turns, which normalisation has to sort: its cost grows with the square
  /// of their number. A mark has two bytes of UTF-8.
  package static func marks(bytes: Int) -> String { String(repeating: "\u{301}\u{316}", count: bytes / 4) }

  /// As many bytes of letters.
  package static func letters(bytes: Int) -> String { String(repeating: "abcd", count: bytes / 4) }

  /// Whether what is done with marks costs as much as with letters, within a factor that leaves room for a
  /// busy machine. `body` is called with both; the fastest of some rounds counts.
  package static func costNoMore(
    bytes: Int, rounds: Int = 3, times: Int = 10, _ body: (String) throws -> Void
  ) rethrows -> Bool {
    func seconds(_ text: String) throws -> Double {
      var fastest = Duration.seconds(1_000)
      for _ in 0..<rounds {
        let time = try ContinuousClock().measure { for _ in 0..<times { try body(text) } }
        fastest = min(fastest, time)
      }
      return fastest / .seconds(1)
    }
    let letters = try seconds(Marks.letters(bytes: bytes))
    let marks = try seconds(Marks.marks(bytes: bytes))
    return marks <= 20 * letters + 0.1
  }
}
