import CArchive
import Platform
import Text

/// Reads a tar, tar.gz, tar.xz or zip archive from front to end. The kind is found by the content, never by
/// the name, and nothing is ever written by an entry's name.
///
///     let reader = try ArchiveReader(path: "pets.zip")
///     while let entry = try reader.next() {
///       while case let piece = try reader.read(countMax: 1 << 16), !piece.isEmpty { … }
///     }
///
/// Owned by one thread at a time.
package final class ArchiveReader {
  private let file: File
  private let archive: OpaquePointer
  /// Has libarchive read and give names as UTF-8 whatever the locale of the process is; nil: there is none,
  /// and names that are not ASCII cannot be decoded.
  private let locale: locale_t?
  /// Bytes of the archive itself.
  package let fileBytes: Int
  /// What errors call it.
  private let name: String
  /// The path of the newest entry, as errors show it.
  private var newest: String?
  /// Bytes of data that were read so far.
  private var dataBytes = 0

  /// Bytes of the archive that libarchive reads at a time.
  private static let blockBytes = 64 << 10
  /// Characters of an entry's path in an error.
  private static let shownMax = 200

  /// Opens an archive and finds out of what kind it is.
  ///
  /// - Parameter name: what errors call it; nil: its path.
  /// - Throws: `ArchiveError`.
  package init(path: String, name: String? = nil) throws(ArchiveError) {
    self.name = name ?? path
    do throws(SystemError) {
      file = try File(path, .read)
      fileBytes = try file.size()
    } catch {
      throw .cannotOpen(error)
    }
    guard let archive = archive_read_new() else {
      throw .cannotOpen(SystemError(operation: "read", subject: path, errno: ENOMEM))
    }
    self.archive = archive
    locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nil)
    archive_read_support_filter_gzip(archive)
    archive_read_support_filter_xz(archive)
    archive_read_support_format_tar(archive)
    archive_read_support_format_zip(archive)
    // By the open file: what the path leads to may have changed since. A zip's directory needs a file that
    // can be gone back in, which a descriptor alone is not to libarchive.
    let open = "/proc/self/fd/\(file.descriptor)"
    let code = inLocale { archive_read_open_filename(archive, open, Self.blockBytes) }
    guard code == ARCHIVE_OK else { throw .unknownFormat(file: self.name) }
  }

  deinit {
    archive_read_free(archive)
    if let locale { freelocale(locale) }
  }

  /// The descriptor of the open file.
  package var descriptor: Int32 { file.descriptor }

  /// Bytes that have come out so far: data of entries, and what was skipped of a compressed tar.
  package var bytesOut: Int { max(dataBytes, Int(archive_filter_bytes(archive, 0))) }

  /// The next entry; nil at the end. What is left of the data of the one before is skipped.
  ///
  /// - Throws: `ArchiveError.damaged`, and `unknownFormat` for the first entry.
  package func next() throws(ArchiveError) -> ArchiveEntry? {
    var entry: OpaquePointer?
    while true {
      let code = inLocale { archive_read_next_header(archive, &entry) }
      switch code {
      case ARCHIVE_EOF:
        guard try isComplete() else {
          throw .damaged(file: name, entry: newest, detail: "the blocks of zeros that end a tar are missing")
        }
        return nil
      case ARCHIVE_RETRY: continue
      case ARCHIVE_OK, ARCHIVE_WARN:
        guard let entry else { return nil }
        let found = inLocale { Self.entry(entry) }
        newest = ByteString(decoding: found.path ?? []).shown(charactersMax: Self.shownMax)
        return found
      default:
        if archive_format(archive) == 0 { throw .unknownFormat(file: name) }
        throw .damaged(file: name, entry: newest, detail: message)
      }
    }
  }

  /// Whether a tar that is not compressed ends as it should (POSIX.1-1988, 10.1.1): libarchive takes one that
  /// was cut off between two entries for a whole one.
  private func isComplete() throws(ArchiveError) -> Bool {
    guard archive_filter_code(archive, 0) == ARCHIVE_FILTER_NONE,
      archive_format(archive) & ARCHIVE_FORMAT_BASE_MASK == ARCHIVE_FORMAT_TAR
    else { return true }
    // What was read last is the block of zeros, or the last block of an entry.
    let end = Int(archive_filter_bytes(archive, 0))
    do throws(SystemError) {
      return try file.read(at: max(end - Self.tarBlockBytes, 0), countMax: Self.tarBlockBytes)
        .allSatisfy { $0 == 0 }
    } catch {
      throw .cannotOpen(error)
    }
  }

  private static let tarBlockBytes = 512

  /// The next bytes of the entry's data, at most `countMax`; empty at its end.
  ///
  /// - Throws: `ArchiveError.damaged` or `damagedEntry`.
  package func read(countMax: Int) throws(ArchiveError) -> [UInt8] {
    var result = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: countMax) { buffer, count in
      repeat {
        result = archive_read_data(archive, buffer.baseAddress, countMax)
      } while result == Int(ARCHIVE_RETRY)
      count = max(result, 0)
    }
    dataBytes += bytes.count
    if result >= 0 { return bytes }
    if result == Int(ARCHIVE_FATAL) { throw .damaged(file: name, entry: newest, detail: message) }
    throw .damagedEntry(detail: message)
  }

  private static func entry(_ entry: OpaquePointer) -> ArchiveEntry {
    let path = archive_entry_pathname(entry).map {
      Array(UnsafeRawBufferPointer(start: $0, count: strlen($0)))
    }
    let kind: ArchiveEntry.Kind
    if archive_entry_hardlink(entry) != nil {
      kind = .hardLink
    } else {
      switch archive_entry_filetype(entry) {
      case 0o100000: kind = .file
      case 0o040000: kind = .folder
      case 0o120000: kind = .symbolicLink
      default: kind = .special
      }
    }
    return ArchiveEntry(path: path, kind: kind, isEncrypted: archive_entry_is_encrypted(entry) != 0)
  }

  /// What libarchive says of its last failure.
  private var message: String {
    archive_error_string(archive).map { String(cString: $0) } ?? "error \(archive_errno(archive))"
  }

  private func inLocale<Result>(_ body: () -> Result) -> Result {
    guard let locale else { return body() }
    let before = uselocale(locale)
    defer { _ = uselocale(before) }
    return body()
  }
}
