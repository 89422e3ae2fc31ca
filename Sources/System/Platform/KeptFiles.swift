/// A folder with files that can be made again, of which the newest are kept. It belongs to its owner alone.
package struct KeptFiles: Sendable {
  package let folder: String
  /// Files, and their bytes, that are kept at most; the newest is kept whatever its size is.
  package let filesMax: Int
  package let bytesMax: Int

  package init(folder: String, filesMax: Int = .max, bytesMax: Int) {
    self.folder = folder
    self.filesMax = filesMax
    self.bytesMax = bytesMax
  }

  /// Removes the oldest files until what is kept is within its bounds, and what a process left that was
  /// killed.
  ///
  /// - Parameter newest: path of the file that was made last; one that is not there counts as a file of no
  ///   bytes.
  package func removeOld(except newest: String) throws(SystemError) {
    var files: [(path: String, time: FileTime, bytes: Int)] = []
    for name in try FileSystem.list(folder) {
      let path = "\(folder)/\(name)"
      if AtomicFile.isTemporary(name) {
        try FileSystem.remove(path)
      } else if path != newest, let bytes = FileSystem.regularFileSize(path) {
        files.append((path, try FileSystem.modificationTime(path), bytes))
      }
    }
    files.sort { $0.time > $1.time }
    var (count, bytes) = (1, FileSystem.regularFileSize(newest) ?? 0)
    for file in files {
      count += 1
      bytes += file.bytes
      if count > filesMax || bytes > bytesMax { try FileSystem.remove(file.path) }
    }
  }
}
