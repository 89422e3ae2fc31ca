/// Writes small archives by hand, also ones that no tool would write.
public struct ArchiveBuilder: Sendable {
  /// One entry.
  public struct Entry: Sendable {
    public var name: [UInt8]
    public var content: [UInt8]
    /// The type of tar's header: `0` file, `1` hard link, `2` symbolic link, `3` device, `5` folder.
    public var type: Character
    public var target: String

    public init(_ name: String, _ content: [UInt8] = [], type: Character = "0", target: String = "") {
      self.init(Array(name.utf8), content, type: type, target: target)
    }

    public init(_ name: [UInt8], _ content: [UInt8] = [], type: Character = "0", target: String = "") {
      self.name = name
      self.content = content
      self.type = type
      self.target = target
    }
  }

  /// A tar archive (POSIX.1-1988, ustar).
  public static func tar(_ entries: [Entry]) -> [UInt8] {
    var bytes: [UInt8] = []
    for entry in entries {
      bytes += header(entry)
      bytes += entry.content
      bytes += [UInt8](repeating: 0, count: (512 - entry.content.count % 512) % 512)
    }
    return bytes + [UInt8](repeating: 0, count: 1024)
  }

  private static func header(_ entry: Entry) -> [UInt8] {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ bytes: [UInt8], at place: Int) {
      header.replaceSubrange(place..<(place + bytes.count), with: bytes)
    }
    func octal(_ value: Int, _ digits: Int) -> [UInt8] {
      let text = String(value, radix: 8)
      return Array((String(repeating: "0", count: digits - text.count) + text).utf8)
    }
    put(Array(entry.name.prefix(100)), at: 0)
    put(octal(0o644, 7), at: 100)
    put(octal(0, 7), at: 108)
    put(octal(0, 7), at: 116)
    put(octal(entry.content.count, 11), at: 124)
    put(octal(0, 11), at: 136)
    put([UInt8](repeating: 0x20, count: 8), at: 148)
    put(Array(String(entry.type).utf8), at: 156)
    put(Array(entry.target.utf8.prefix(100)), at: 157)
    put(Array("ustar".utf8) + [0] + Array("00".utf8), at: 257)
    put(octal(header.reduce(0) { $0 + Int($1) }, 6) + [0, 0x20], at: 148)
    return header
  }

  /// A zip archive whose entries are stored as they are.
  public static func zip(_ entries: [Entry]) -> [UInt8] {
    var bytes: [UInt8] = []
    var directory: [UInt8] = []
    for entry in entries {
      let sizes = number(Int(crc32(entry.content)), 4) + number(entry.content.count, 4) * 2
      let name = entry.name
      // Version, UTF-8 names, stored, no time.
      let common =
        number(20, 2) + number(0x800, 2) + number(0, 2) + number(0, 4) + sizes
        + number(name.count, 2) + number(0, 2)
      let isLink = entry.type == "2"
      directory +=
        [0x50, 0x4B, 1, 2] + number(0x031E, 2) + common + number(0, 6)
        + number(isLink ? 0o120777 << 16 : 0o100644 << 16, 4) + number(bytes.count, 4) + name
      bytes += [0x50, 0x4B, 3, 4] + common + name + entry.content
    }
    let start = bytes.count
    bytes += directory
    return bytes + [0x50, 0x4B, 5, 6] + number(0, 4) + number(entries.count, 2) * 2
      + number(directory.count, 4) + number(start, 4) + number(0, 2)
  }

  private static func number(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  /// The checksum of zip and PNG.
  public static func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
    var value: UInt32 = 0xFFFF_FFFF
    for byte in bytes { value = table[Int((value ^ UInt32(byte)) & 255)] ^ (value >> 8) }
    return ~value
  }

  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
  }
}

private func * (bytes: [UInt8], count: Int) -> [UInt8] {
  (0..<count).flatMap { _ in bytes }
}
