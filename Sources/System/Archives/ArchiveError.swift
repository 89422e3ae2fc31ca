import Platform

/// Why an archive cannot be read. Texts come from libarchive where it knows more.
package enum ArchiveError: Error, Equatable, CustomStringConvertible {
  /// The file cannot be opened, or is not a regular one.
  case cannotOpen(SystemError)
  /// The file is not an archive of a kind that is read.
  case unknownFormat(file: String)
  /// The archive contradicts itself or is cut off: nothing after that can be read. `entry` is the path of the
  /// newest one that was found; nil: there was none.
  case damaged(file: String, entry: String?, detail: String)
  /// The data of one entry is damaged; the next entry can be read.
  case damagedEntry(detail: String)

  package var description: String {
    switch self {
    case .cannotOpen(let error): error.description
    case .unknownFormat(let file): "\(file) must be a tar, tar.gz, tar.xz or zip archive"
    case .damaged(let file, nil, let detail): "\(file) is damaged or cut off: \(detail)"
    case .damaged(let file, let entry?, let detail):
      "\(file) is damaged or cut off in or after its entry \"\(entry)\": \(detail)"
    case .damagedEntry(let detail): "its data in the archive is damaged: \(detail)"
    }
  }
}

/// What an archive says of one of its entries.
package struct ArchiveEntry: Sendable, Equatable {
  /// What the entry would be on a disk.
  package enum Kind: String, Sendable {
    case file = "a file"
    case folder = "a folder"
    case symbolicLink = "a symbolic link"
    case hardLink = "a hard link"
    case special = "a device, pipe or socket"
  }

  /// The bytes of its path as the archive has them; nil: they could not be decoded.
  package let path: [UInt8]?
  package let kind: Kind
  /// Whether its data needs a password.
  package let isEncrypted: Bool
}
