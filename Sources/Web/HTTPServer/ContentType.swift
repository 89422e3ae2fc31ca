import Text

/// Media types of the files that the server sends.
enum ContentType {
  /// By the ending of a file's name; `application/octet-stream` for one that is not known.
  static func of(fileName: String) -> String {
    guard let ending = ByteString(fileName).split(0x2E, omittingEmptySubsequences: false).dropFirst().last
    else { return "application/octet-stream" }
    return types[ending.lowercasedASCII] ?? "application/octet-stream"
  }

  /// Whether text that compresses well has this type.
  static func isCompressible(_ type: ByteString) -> Bool {
    let name = type.bytes.prefix { $0 != UInt8(ascii: ";") }
    func ends(_ text: String) -> Bool { name.suffix(text.utf8.count).elementsEqual(text.utf8) }
    return name.starts(with: "text/".utf8) && !name.elementsEqual("text/event-stream".utf8)
      || ends("json") || ends("+xml") || name.elementsEqual("application/javascript".utf8)
  }

  private static let types: [ByteString: String] = [
    "css": "text/css; charset=utf-8",
    "gz": "application/gzip",
    "html": "text/html; charset=utf-8",
    "ico": "image/x-icon",
    "jpg": "image/jpeg",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "map": "application/json",
    "md": "text/markdown; charset=utf-8",
    "mjs": "text/javascript; charset=utf-8",
    "png": "image/png",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
    "wasm": "application/wasm",
    "webp": "image/webp",
    "woff2": "font/woff2",
  ]
}
