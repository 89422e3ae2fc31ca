/// Files that come one after the other: those of an archive, or those below a folder.
protocol EntrySource: AnyObject {
  /// The next entry; nil at the end. What was not read of the one before is passed over.
  ///
  /// - Throws: `ImportError`.
  func next() throws(ImportError) -> SourceEntry?

  /// The next bytes of the entry's content, at most `countMax`; empty at its end.
  ///
  /// - Throws: `ImportError`, or `BadEntry` where only this entry is damaged.
  func read(countMax: Int) throws -> [UInt8]

  /// Where the entry's content lies in a file of its own; nil: it must be read.
  var filePath: String? { get }
}

/// An entry before its content is looked at.
enum SourceEntry: Equatable {
  case file(EntryPath)
  /// A folder, or a file that nobody wants to hear of.
  case nothing
  /// What is left out whatever its content is.
  case refused(path: String, reason: String)
}

/// The content of one entry cannot be read; the others can.
struct BadEntry: Error {
  let reason: String
}
