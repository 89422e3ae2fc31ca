import Glibc

/// Folders below which paths from outside may lead, after every link has been followed.
///
/// A path is followed one name at a time, and nothing outside the roots is ever looked at: so the answer is
/// the same, and takes as long, whether or not something is there.
package struct RootFolders: Sendable, Equatable {
  /// Where a path leads.
  package enum Place: Sendable, Equatable {
    /// Below a root; the path has no links and no dots.
    case inside(String)
    /// Below a root, and there is nothing.
    case missing
    /// Somewhere else, whatever there is.
    case outside
  }

  /// The roots as absolute paths without links.
  package let paths: [String]
  private let roots: [[Name]]

  private typealias Name = [UInt8]

  /// No path is below a root.
  package static let empty = RootFolders(resolved: [])

  /// Links that are followed on one path, as the kernel does.
  private static let linksMax = 40
  /// `PATH_MAX` of Linux.
  private static let pathBytesMax = 4_096

  /// - Throws: `SystemError` for a root that is not there.
  package init(_ folders: [String]) throws(SystemError) {
    var paths: [String] = []
    for folder in folders { paths.append(try FileSystem.resolve(folder)) }
    self.init(resolved: paths)
  }

  private init(resolved paths: [String]) {
    self.paths = paths
    roots = paths.map { RootFolders.names(of: Array($0.utf8)) }
  }

  /// Where an absolute path leads now.
  package func place(of path: String) -> Place {
    let bytes = Array(path.utf8)
    guard bytes.first == UInt8(ascii: "/"), bytes.count < Self.pathBytesMax, !bytes.contains(0) else {
      return .outside
    }
    /// Names that are still to be followed, the next one last.
    var ahead: [Name] = Self.names(of: bytes).reversed()
    /// Names without links from the root of the file system.
    var here: [Name] = []
    var links = 0
    while let name = ahead.popLast() {
      if name == Array("..".utf8) {
        _ = here.popLast()
        continue
      }
      here.append(name)
      // The folders above a root are there and no links.
      if roots.contains(where: { $0.starts(with: here) }) { continue }
      guard isBelowRoot(here) else { return .outside }
      switch Self.target(of: Self.path(of: here)) {
      case .missing: return .missing
      case .noLink: continue
      case .link(let target):
        links += 1
        guard links <= Self.linksMax, target.count < Self.pathBytesMax else { return .outside }
        here = target.first == UInt8(ascii: "/") ? [] : here.dropLast()
        ahead += Self.names(of: target).reversed()
      }
    }
    return isBelowRoot(here) ? .inside(Self.path(of: here)) : .outside
  }

  /// Whether an open file lies below a root, whatever has become of the links that led to it.
  package func hold(descriptor: Int32) -> Bool {
    // A file that has no name any more lies nowhere.
    guard let path = try? FileSystem.resolve("/proc/self/fd/\(descriptor)") else { return false }
    return isBelowRoot(Self.names(of: Array(path.utf8)))
  }

  private func isBelowRoot(_ names: [Name]) -> Bool { roots.contains { names.starts(with: $0) } }

  private enum Link {
    case missing, noLink
    case link([UInt8])
  }

  private static func target(of path: String) -> Link {
    var buffer = [CChar](repeating: 0, count: pathBytesMax)
    let count = readlink(path, &buffer, buffer.count)
    if count >= 0 { return .link(buffer[..<count].map { UInt8(bitPattern: $0) }) }
    return errno == EINVAL ? .noLink : .missing
  }

  /// The names between the slashes, without dots that mean "here".
  private static func names(of path: [UInt8]) -> [Name] {
    path.split(separator: UInt8(ascii: "/")).map { Array($0) }.filter { $0 != [UInt8(ascii: ".")] }
  }

  private static func path(of names: [Name]) -> String {
    "/" + names.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/")
  }
}
