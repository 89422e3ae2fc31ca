import Platform

/// Decoded images in the order in which they came, in one file: records of equal size that are read back in
/// another order.
///
/// A record is `[3][side][side]`, or `[1][side][side]` at its front for a grey image.
final class Spool {
  private let file: File
  private let side: Int
  private var pending: [UInt8] = []
  private(set) var count = 0

  private static let pieceBytes = 4 << 20

  /// Starts an empty file, which must not be there.
  init(path: String, side: Int) throws(SystemError) {
    // Written once and read back: both by this process.
    file = try File(path, .readWrite, links: .refused)
    try file.truncate(to: 0)
    self.side = side
  }

  private var recordBytes: Int { 3 * side * side }

  /// Adds an image of 1 or 3 planes.
  func append(_ planes: [UInt8]) throws(SystemError) {
    precondition(planes.count == recordBytes || 3 * planes.count == recordBytes, "an image has 1 or 3 planes")
    pending += planes
    if planes.count < recordBytes { pending += [UInt8](repeating: 0, count: recordBytes - planes.count) }
    count += 1
    if pending.count >= Self.pieceBytes { try flush() }
  }

  /// Writes what is pending.
  func flush() throws(SystemError) {
    try file.write(pending, at: count * recordBytes - pending.count)
    pending.removeAll(keepingCapacity: true)
  }

  /// An image as it was appended: `[storedPlanes][side][side]`, a grey one repeated for three `planes`.
  ///
  /// - Precondition: everything was flushed.
  func read(_ index: Int, storedPlanes: Int, planes: Int) throws(SystemError) -> [UInt8] {
    let bytes = try file.read(at: index * recordBytes, countMax: storedPlanes * side * side)
    guard bytes.count == storedPlanes * side * side else {
      throw SystemError(operation: "read", subject: file.path, errno: 0, detail: "it has become shorter")
    }
    return storedPlanes == planes ? bytes : bytes + bytes + bytes
  }
}
