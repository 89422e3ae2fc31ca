import HTTP
import Platform

/// Serves the files below one folder, and nothing else.
package struct StaticFiles: Sendable {
  private let root: String
  private let cacheControl: String

  /// - Parameters:
  ///   - root: the folder; links inside it may point below it only.
  ///   - cacheControl: by default clients ask each time whether their copy still is the newest.
  /// - Throws: `SystemError` when the folder is not there.
  package init(root: String, cacheControl: String = "no-cache") throws(SystemError) {
    self.root = try FileSystem.resolve(root)
    self.cacheControl = cacheControl
  }

  /// The file that the request's path names; `index.html` for a folder.
  ///
  /// - Parameter prefixSegments: segments at the front of the path that only say where this is mounted.
  /// - Throws: `Problem` 404 for what is not there or lies outside, 405 for methods other than GET and HEAD.
  package func respond(to request: Request, droppingFirst prefixSegments: Int = 0) throws -> Response {
    guard request.method == .get || request.method == .head else {
      var refusal = Problem(status: 405, detail: "Files can be read only.")
      refusal.headers.add("Allow", "GET, HEAD")
      throw refusal
    }
    guard let path = relativePath(request.segments.dropFirst(prefixSegments)),
      let file = ConfinedFile(root: root, relativePath: path)
    else { throw Problem(status: 404, detail: "There is no such file.") }
    var response = Response(body: .file(path: "\(root)/\(path)", offset: 0, count: file.bytes))
    response.headers.add("Content-Type", ContentType.of(fileName: path))
    response.headers.add("ETag", entityTag(file).text)
    response.headers.add("Cache-Control", cacheControl)
    response.headers.add("Accept-Ranges", "bytes")
    response.headers.add("X-Content-Type-Options", "nosniff")
    return response
  }

  /// The segments as a path; nil if one could lead elsewhere or is hidden. Each has been decoded once, so a slash or
  /// a dot in it was written as `%2F` or `%2E`; it is not decoded again.
  private func relativePath(_ segments: ArraySlice<String>) -> String? {
    var names = Array(segments)
    let asksForFolder = names.last == ""
    if asksForFolder { names.removeLast() }
    for name in names {
      if name.isEmpty || name.hasPrefix(".") || name.utf8.contains(where: { $0 == 0x2F || $0 == 0 }) {
        return nil
      }
    }
    let path = names.joined(separator: "/")
    let isFolder = path.isEmpty || FileSystem.isDirectory("\(root)/\(path)")
    if isFolder { return (names + ["index.html"]).joined(separator: "/") }
    return asksForFolder ? nil : path
  }

  /// Changes whenever the file is written or replaced.
  private func entityTag(_ file: ConfinedFile) -> EntityTag {
    let parts = [Int(truncatingIfNeeded: file.inode), file.bytes, file.modifiedNanoseconds]
    return EntityTag(parts.map { String(UInt(bitPattern: $0), radix: 36) }.joined(separator: "-"))
  }
}
