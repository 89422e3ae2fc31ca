import Platform

/// Reads complete lines of a growing file from a byte offset. A last line without its newline is not there
/// yet.
package struct EventTail: Sendable {
  /// One line and where the next one begins.
  package struct Line: Sendable, Equatable {
    /// Without the newline.
    package var bytes: [UInt8]
    /// Byte offset behind the newline.
    package var end: Int

    package init(bytes: [UInt8], end: Int) {
      self.bytes = bytes
      self.end = end
    }
  }

  /// Bytes that a line may have; a longer one is a damaged file.
  package static let lineBytesMax = 1 << 20
  /// Bytes from the end of a file in which its last newline is looked for; a file with more behind it is
  /// damaged. A killed writer leaves a part of one line, a crash of the machine perhaps a run of zeros.
  package static let tornBytesMax = 16 << 20

  private let path: String
  private var file: File?
  /// Where the next line begins.
  package private(set) var offset: Int

  /// Starts at an offset that an earlier tail ended with, or at 0. The file need not be there yet.
  package init(path: String, offset: Int = 0) {
    self.path = path
    self.offset = offset
  }

  /// The lines that have been completed since the last call, about a megabyte of them at most; empty: none.
  ///
  /// - Throws: `RunFolderError` for a file that cannot be read, or that holds a line over `lineBytesMax`.
  package mutating func next() throws(RunFolderError) -> [Line] {
    do {
      if file == nil {
        guard FileSystem.exists(path) else { return [] }
        file = try File(path, .read, links: .refused)
      }
      guard let file, try file.size() > offset else { return [] }
      return try split(file.read(at: offset, countMax: EventTail.lineBytesMax))
    } catch let error as SystemError {
      throw RunFolderError(operation: "read", subject: path, cause: error.cause, system: error)
    } catch let error as RunFolderError {
      throw error
    } catch {
      throw RunFolderError(operation: "read", subject: path, cause: "\(error)")
    }
  }

  /// The byte after the last complete line of a file; a missing file has none.
  ///
  /// - Throws: `SystemError`, also for a file with more than `tornBytesMax` behind its last newline.
  package static func end(of path: String) throws(SystemError) -> Int {
    guard FileSystem.exists(path) else { return 0 }
    return try end(of: File(path, .read, links: .refused))
  }

  private static func end(of file: File) throws(SystemError) -> Int {
    let size = try file.size()
    var end = size
    while end > 0 {
      guard size - end <= tornBytesMax else {
        throw SystemError.tooLarge(
          "read", file.path, "its last \(tornBytesMax) bytes are not part of a line")
      }
      let start = max(0, end - pieceBytes)
      let piece = try file.read(at: start, countMax: end - start)
      if let newline = piece.lastIndex(of: UInt8(ascii: "\n")) { return start + newline + 1 }
      end = start
    }
    return 0
  }

  /// The last complete line of a file, if it has one that is no longer than it may be.
  package static func lastLine(of path: String) throws(SystemError) -> [UInt8]? {
    guard FileSystem.exists(path) else { return nil }
    let file = try File(path, .read, links: .refused)
    let end = try end(of: file)
    if end == 0 { return nil }
    let start = max(0, end - lineBytesMax)
    let piece = try file.read(at: start, countMax: end - 1 - start)
    if let newline = piece.lastIndex(of: UInt8(ascii: "\n")) { return Array(piece[(newline + 1)...]) }
    return start == 0 ? piece : nil
  }

  private static let pieceBytes = 1 << 16

  private mutating func split(_ bytes: [UInt8]) throws(RunFolderError) -> [Line] {
    var lines: [Line] = []
    var start = 0
    while let newline = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
      lines.append(Line(bytes: Array(bytes[start..<newline]), end: offset + newline + 1))
      start = newline + 1
    }
    if lines.isEmpty && bytes.count == EventTail.lineBytesMax {
      throw RunFolderError(
        operation: "read", subject: path,
        cause: "the line at byte \(offset) is over \(EventTail.lineBytesMax) bytes")
    }
    offset += start
    return lines
  }
}
