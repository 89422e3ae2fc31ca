import Platform

/// Where a run keeps the step that was not finite: one file, the first such step of the last attempt that had
/// one.
package struct CaptureFolder: Sendable {
  package let path: String

  /// Names a folder; nothing is touched.
  package init(_ path: String) { self.path = path }

  /// Stores a step, durable when this returns, in place of the one before.
  ///
  /// - Parameters:
  ///   - step: from 1.
  ///   - write: hands the compressed bytes over, piece by piece.
  /// - Returns: the file's name, as a checkpoint of the step would have it.
  package func store(step: Int, write: (_ piece: ([UInt8]) throws -> Void) throws -> Void) throws -> String {
    try FileSystem.makeDirectories(path)
    try FileSystem.syncDirectory(FileSystem.parent(of: path))
    let name = CheckpointFolder.name(step: step)
    let file = try AtomicFile("\(path)/\(name)")
    try write { try file.write($0) }
    try file.commit()
    for other in try names() where other != name { try FileSystem.remove("\(path)/\(other)") }
    return name
  }

  /// The path of the step that is kept; `nil`: there is none. After a death between the writing of one and
  /// the removal of another it is the later step.
  package func kept() throws(SystemError) -> String? {
    try names().max { ($0.utf8.count, $0) < ($1.utf8.count, $1) }.map { "\(path)/\($0)" }
  }

  private func names() throws(SystemError) -> [String] {
    guard FileSystem.isDirectory(path) else { return [] }
    return try FileSystem.list(path).filter { $0.hasSuffix(CheckpointFolder.suffix) }
  }
}
