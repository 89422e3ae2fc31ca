import HTTP
import Platform

/// Serves the files below one folder, and nothing else.
package struct StaticFiles: Sendable {
  private let root: String
  private let cacheControl: String
  private let cache: StaticCache

  /// - Parameters:
  ///   - root: the folder; links inside it may point below it only.
  ///   - cacheControl: by default clients ask each time whether their copy still is the newest.
  ///   - freshSeconds: how long `instantResponse` may give a file that has been looked at without looking
  ///     again.
  /// - Throws: `SystemError` when the folder is not there.
  package init(
    root: String, cacheControl: String = "no-cache", freshSeconds: Double = 1
  ) throws(SystemError) {
    self.root = try FileSystem.resolve(root)
    self.cacheControl = cacheControl
    cache = StaticCache(freshNanoseconds: UInt64(freshSeconds * 1e9))
  }

  /// A file that has been served and looked at a moment ago.
  ///
  /// - Parameter prefixSegments: segments at the front of the path that only say where this is mounted.
  package func instantResponse(to request: Request, droppingFirst prefixSegments: Int = 0) -> InstantResponse?
  {
    guard let names = fileNames(request.segments.dropFirst(prefixSegments)) else { return nil }
    let path = "\(root)/\(names.joined(separator: "/"))"
    return cache.freshResponse(for: path.hasSuffix("/") ? path + "index.html" : path)
  }

  /// The file that the request's path names; `index.html` for a folder.
  ///
  /// - Parameter prefixSegments: segments at the front of the path that only say where this is mounted.
  /// - Throws: `Problem` 404 for what is not there or lies outside, 405 for methods other than GET, HEAD and
  ///   OPTIONS.
  package func respond(to request: Request, droppingFirst prefixSegments: Int = 0) throws -> Response {
    guard let names = fileNames(request.segments.dropFirst(prefixSegments)), let response = try find(names)
    else { throw Problem(status: 404, detail: "There is no such file.") }
    let allow = "GET, HEAD, OPTIONS"
    switch request.method {
    case .get, .head: return response
    case .options: return Router.methods(allow)
    default: throw Problem.methodNotAllowed(request.method, allow: allow)
    }
  }

  /// The segments as names of folders and a file, the last empty for a folder; nil if one could lead
  /// elsewhere or is hidden. Each has been decoded once, so a slash or a dot in it was written as `%2F` or
  /// `%2E`; it is not decoded again.
  private func fileNames(_ segments: ArraySlice<String>) -> ArraySlice<String>? {
    let names = segments.last == "" ? segments.dropLast() : segments
    let areSafe = names.allSatisfy { name in
      !name.isEmpty && !name.hasPrefix(".") && !name.utf8.contains { $0 == 0x2F || $0 == 0 }
    }
    return areSafe ? segments : nil
  }

  /// The answer with the file of that name, or with `index.html` in the folder of that name.
  private func find(_ names: ArraySlice<String>) throws(SystemError) -> Response? {
    var path = "\(root)/\(names.joined(separator: "/"))"
    if let cached = cache.response(for: path) { return cached }
    if FileSystem.isDirectory(path) {
      path += path.hasSuffix("/") ? "index.html" : "/index.html"
      if let cached = cache.response(for: path) { return cached }
    }
    let now = SystemClock.monotonicNanoseconds
    guard let found = ConfinedFile(root: root, relativePath: String(path.dropFirst(root.count + 1))) else {
      return nil
    }
    let identity = found.identity
    var response = Response(body: .file(path: path, offset: 0, count: identity.bytes))
    response.headers.add("Content-Type", ContentType.of(fileName: path))
    response.headers.add("ETag", entityTag(identity).text)
    let modified = lastModified(
      unixSeconds: identity.modified.unixSeconds, nowUnixSeconds: SystemClock.unixMilliseconds / 1_000)
    if let modified { response.headers.add("Last-Modified", modified) }
    response.headers.add("Cache-Control", cacheControl)
    response.headers.add("Accept-Ranges", "bytes")
    let type = response.headers["Content-Type"] ?? ""
    if ContentType.isCompressible(type), identity.bytes <= StaticCache.compressedFileBytesMax {
      response.compressedForm = CompressedForm()
    }
    if identity.bytes <= StaticCache.fileBytesMax {
      // A file that is being written is told by the next request's look at it.
      response.body = .bytes(try found.file.read(at: 0, countMax: identity.bytes))
    }
    if identity.bytes <= StaticCache.fileBytesMax || response.compressedForm != nil {
      return cache.keep(response, for: path, identity: identity, now: now)
    }
    return response
  }

  /// Changes whenever the file is written or replaced.
  private func entityTag(_ identity: FileIdentity) -> EntityTag {
    let modified = identity.modified
    let parts = [
      Int(truncatingIfNeeded: identity.inode), identity.bytes, modified.unixSeconds, modified.nanoseconds,
    ]
    return EntityTag(parts.map { String(UInt(bitPattern: $0), radix: 36) }.joined(separator: "-"))
  }
}
