/// Lines of one channel block in several images: `count` runs of `lines` lines, `stride` floats from run to
/// run.
package struct Runs {
  /// Number of runs.
  package var count: Int
  /// Lines of a run.
  package var lines: Int
  /// Floats from one run to the next.
  package var stride: Int

  /// See the properties.
  package init(count: Int, lines: Int, stride: Int) {
    self.count = count
    self.lines = lines
    self.stride = stride
  }
}
