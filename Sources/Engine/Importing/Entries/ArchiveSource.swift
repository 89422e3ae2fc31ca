import Archives
import Platform
import Recipe

/// The entries of an archive, in its order, as far as the limits on bytes allow.
final class ArchiveSource: EntrySource {
  private let reader: ArchiveReader
  private let limits: ImportLimits
  /// Bytes that may come out because of `limits.ratio`.
  private let ratioBytesMax: Int
  /// Whether there may be unread content of an entry.
  private var isInside = false

  /// Bytes that are read at a time of what nobody needs.
  private static let pieceBytes = 1 << 18

  /// Opens an archive.
  ///
  /// - Parameters:
  ///   - name: what errors call it; nil: its path.
  ///   - roots: below which the file must lie; nil: anywhere.
  init(
    path: String, name: String? = nil, roots: RootFolders?, limits: ImportLimits
  ) throws(ImportError) {
    do throws(ArchiveError) {
      reader = try ArchiveReader(path: path, name: name)
    } catch {
      throw .archive(error)
    }
    if let roots, !roots.hold(descriptor: reader.descriptor) { throw .outsideRoots }
    self.limits = limits
    let (product, overflow) = reader.fileBytes.multipliedReportingOverflow(by: limits.ratio)
    let (sum, isTooLarge) = product.addingReportingOverflow(ImportLimits.ratioFreeBytes)
    ratioBytesMax = overflow || isTooLarge ? .max : sum
  }

  var filePath: String? { nil }

  func next() throws(ImportError) -> SourceEntry? {
    // libarchive would unpack what is skipped in one go, whatever its size.
    if isInside { try skipContent() }
    isInside = false
    let found: ArchiveEntry?
    do throws(ArchiveError) {
      found = try reader.next()
    } catch {
      throw .archive(error)
    }
    try checkBytes()
    guard let entry = found else { return nil }
    isInside = true
    let path = EntryPath.read(entry.path, nestingMax: limits.nesting)
    if entry.kind == .folder || path == .ignored { return .nothing }
    let shown = EntryPath.shown(entry.path)
    guard entry.kind == .file else { return .refused(path: shown, reason: "is \(entry.kind.rawValue)") }
    if entry.isEncrypted { return .refused(path: shown, reason: "is encrypted") }
    switch path {
    case .path(let path): return .file(path)
    case .refused(let reason): return .refused(path: shown, reason: reason)
    case .ignored: return .nothing
    }
  }

  func read(countMax: Int) throws -> [UInt8] {
    let bytes: [UInt8]
    do throws(ArchiveError) {
      bytes = try reader.read(countMax: countMax)
    } catch .damagedEntry(let detail) {
      isInside = false
      throw BadEntry(reason: ArchiveError.damagedEntry(detail: detail).description)
    } catch {
      throw ImportError.archive(error)
    }
    try checkBytes()
    return bytes
  }

  private func skipContent() throws(ImportError) {
    do {
      while try !read(countMax: Self.pieceBytes).isEmpty {}
    } catch let error as ImportError {
      throw error
    } catch {
      // The content is not needed, so it does not matter that it is damaged.
    }
  }

  private func checkBytes() throws(ImportError) {
    let bytes = reader.bytesOut
    if bytes > limits.bytes {
      throw .limit(name: "bytes", allowed: limits.bytes, what: "the archive unpacks to more bytes")
    }
    if bytes > ratioBytesMax {
      throw .limit(
        name: "ratio", allowed: limits.ratio,
        what: "the archive unpacks to more bytes for each of its own")
    }
  }
}
