/// How long tests wait for what must come: a busy machine is slow, and what never comes fails the test in the
/// end. No test passes or fails by how soon something comes.
package enum Patience {
  package static let seconds = 180
  package static let milliseconds = seconds * 1_000
  package static let nanoseconds = UInt64(seconds) * 1_000_000_000
}
