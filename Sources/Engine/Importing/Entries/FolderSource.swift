import Platform
import Recipe

/// The files below a folder, folder by folder in the order of their names. Links are not followed.
final class FolderSource: EntrySource {
  private let root: String
  private let roots: RootFolders?
  private let limits: ImportLimits
  /// What is still to be looked at, relative to the root, the next one last.
  private var ahead: [String]
  private var current: File?
  private var position = 0
  private var bytesRead = 0

  /// The files below a folder.
  ///
  /// - Parameter roots: below which every file must lie; nil: anywhere.
  init(path: String, roots: RootFolders?, limits: ImportLimits) throws(ImportError) {
    root = path
    self.roots = roots
    self.limits = limits
    ahead = try Self.names(in: path).reversed()
  }

  private(set) var filePath: String?

  func next() throws(ImportError) -> SourceEntry? {
    current = nil
    filePath = nil
    guard let relative = ahead.popLast() else { return nil }
    let path = "\(root)/\(relative)"
    let reading = EntryPath.read(Array(relative.utf8), nestingMax: limits.nesting)
    if reading == .ignored { return .nothing }
    let shown = EntryPath.shown(Array(relative.utf8))
    // A name that is not UTF-8 was repaired and leads nowhere.
    guard let kind = FileKind(path: path, links: .refused) else {
      return .refused(path: shown, reason: "its name is not valid UTF-8, or it is gone")
    }
    guard case .path(let entry) = reading else {
      guard case .refused(let reason) = reading else { return .nothing }
      return .refused(path: shown, reason: reason)
    }
    switch kind {
    case .folder:
      ahead += try Self.names(in: path).reversed().map { "\(relative)/\($0)" }
      return .nothing
    case .regular:
      position = 0
      filePath = path
      return .file(entry)
    default: return .refused(path: shown, reason: "is \(kind.rawValue)")
    }
  }

  func read(countMax: Int) throws -> [UInt8] {
    let file: File
    if let current {
      file = current
    } else {
      guard let filePath else { return [] }
      do {
        file = try File(filePath, .read, links: .refused)
      } catch {
        if error.passesByItself { throw ImportError.system(error) }
        throw BadEntry(reason: "cannot be opened: \(error.cause)")
      }
      if let roots, !roots.hold(descriptor: file.descriptor) { throw BadEntry(reason: "lies elsewhere") }
      current = file
    }
    let bytes: [UInt8]
    do {
      bytes = try file.read(at: position, countMax: countMax)
    } catch {
      throw ImportError.system(error)
    }
    position += bytes.count
    bytesRead += bytes.count
    if bytesRead > limits.bytes {
      throw ImportError.limit(name: "bytes", allowed: limits.bytes, what: "the files have more bytes")
    }
    return bytes
  }

  private static func names(in folder: String) throws(ImportError) -> [String] {
    do {
      return try FileSystem.list(folder)
    } catch {
      throw .system(error)
    }
  }
}
