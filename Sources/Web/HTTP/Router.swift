import Text

/// Finds the handler of a request by its path and method.
///
/// A pattern is literal segments and `{name}` for any one segment that is not empty; a literal wins over
/// a name. A slash at the end of a path changes nothing: `/jobs/` is answered as `/jobs` is.
/// `HEAD` is answered by the handler of `GET`, whose body the server leaves out (RFC 9110, section 9.3.2);
/// `OPTIONS` by the list of methods, and `OPTIONS *` by those of the whole server (section 9.3.7). What no
/// pattern matches goes to the fallback, such as static files.
package struct Router: Sendable {
  private var root = Node()
  /// Every route in the order in which they were added.
  package private(set) var routes: [(method: Method, pattern: String, access: RouteAccess)] = []
  private let bodyLimit: BodyLimit?
  private let fallback: Handler
  private let instantFallback: InstantHandler
  private let problem: @Sendable (any Error) -> Problem

  /// - Parameters:
  ///   - problem: what an error thrown by a handler becomes, unless it is a `Problem` already.
  ///   - bodyLimit: how much content a request may have whose route does not say.
  ///   - fallback: answers requests whose path has no route. Other methods than GET and HEAD are asked before
  ///     the content is there.
  ///   - instantFallback: answers some of them from memory.
  package init(
    bodyLimit: BodyLimit? = nil,
    problem: @escaping @Sendable (any Error) -> Problem = { _ in Problem(status: 500) },
    fallback: @escaping Handler = { _ in throw Problem(status: 404) },
    instantFallback: @escaping InstantHandler = { _ in nil }
  ) {
    self.bodyLimit = bodyLimit
    self.problem = problem
    self.instantFallback = instantFallback
    self.fallback = fallback
  }

  /// Adds a route. A pattern begins with `/`; the same method and pattern twice, or two names for
  /// the same segment, are a wrong program.
  ///
  /// - Parameters:
  ///   - access: whom it answers; by default, safe methods need the right to read, others to write.
  ///   - weight: how much work a request is; called on a loop's thread like an instant handler, without
  ///     parameters from the path.
  ///   - bodyLimit: how much content a request may have; by default what the router says.
  ///   - sink: takes the content as it comes; the body limit must be a spooled one.
  ///   - instant: answers some of the requests from memory; for GET alone.
  package mutating func on(
    _ method: Method, _ pattern: String, access: RouteAccess? = nil,
    weight: @escaping @Sendable (Request) -> RouteWeight = { _ in .light }, bodyLimit: BodyLimit? = nil,
    sink: SinkMaker? = nil, instant: InstantHandler? = nil, _ handler: @escaping Handler
  ) {
    precondition(pattern.utf8.first == 0x2F, "The pattern \(pattern) does not begin with a slash.")
    let access = access ?? (method.isSafe ? .read : .write)
    routes.append((method, pattern, access))
    let route = Route(
      handler: handler, instant: instant, access: access, weight: weight, bodyLimit: bodyLimit, sink: sink)
    root.insert(Router.parts(of: pattern)[...], method, route, pattern)
  }

  /// Whom the route of a request answers. The fallback and `OPTIONS` are open.
  package func access(of request: Request) -> RouteAccess {
    var parameters: [ByteString: ByteString] = [:]
    guard request.method != .options, let node = find(request.segments, &parameters) else { return .open }
    return node.route(for: request.method)?.access ?? .read
  }

  /// What a request may take of the server, known by its head alone.
  package func limits(of request: Request) -> RouteLimits {
    var parameters: [ByteString: ByteString] = [:]
    guard let route = find(request.segments, &parameters)?.route(for: request.method) else {
      return RouteLimits(body: bodyLimit)
    }
    return RouteLimits(weight: route.weight(request), body: route.bodyLimit ?? bodyLimit)
  }

  /// Why a request is refused whatever its content is: the method is not known or not possible, nothing has
  /// this path, or the content is in a coding that is not read. An `Admission`.
  package func admission(of request: Request) -> Problem? {
    var parameters: [ByteString: ByteString] = [:]
    do {
      try checkMethod(request)
      guard request.method != .options else { return nil }
      if let node = find(request.segments, &parameters) {
        if node.route(for: request.method) != nil { return request.contentCodingProblem }
        return .methodNotAllowed(request.method, allow: node.allow)
      }
      if request.method != .get, request.method != .head { _ = try askFallback(request) }
      return nil
    } catch let failure as Problem {
      return failure
    } catch {
      return problem(error)
    }
  }

  /// What takes the content of an admitted request as it comes; nil: it is held in memory.
  ///
  /// - Throws: `Problem`.
  package func sink(for request: Request) throws(Problem) -> (any BodySink)? {
    var request = request
    guard let route = find(request.segments, &request.parameters)?.route(for: request.method),
      let make = route.sink
    else { return nil }
    request.dropSlashAtEnd()
    do {
      return try make(request)
    } catch let failure as Problem {
      throw failure
    } catch {
      throw problem(error)
    }
  }

  /// The answer to a request; thrown errors are turned into problems here.
  package func respond(to request: Request) -> Response {
    do {
      return try route(request)
    } catch let failure as Problem {
      return failure.response
    } catch {
      return problem(error).response
    }
  }

  /// The answer to a GET or HEAD that is at hand in memory.
  package func instantResponse(to request: Request) -> InstantResponse? {
    guard request.method == .get || request.method == .head else { return nil }
    var request = request
    guard let node = find(request.segments, &request.parameters) else { return instantFallback(request) }
    request.dropSlashAtEnd()
    return node.routes[.get]?.instant?(request)
  }

  private func route(_ request: Request) throws -> Response {
    var request = request
    try checkMethod(request)
    if request.method == .options, request.segments == ["*"] {
      return Router.methods(
        Method.known.subtracting([.trace, .query]).map(\.rawValue).sorted()
          .joined(separator: ", ").string)
    }
    guard let node = find(request.segments, &request.parameters) else { return try askFallback(request) }
    if let route = node.route(for: request.method) {
      if let problem = request.contentCodingProblem { throw problem }
      request.dropSlashAtEnd()
      return try route.handler(request)
    }
    if request.method == .options { return Router.methods(node.allow) }
    throw Problem.methodNotAllowed(request.method, allow: node.allow)
  }

  /// The place of a path among the patterns, with or without a slash at its end.
  private func find(_ segments: [ByteString], _ parameters: inout [ByteString: ByteString]) -> Node? {
    if let node = root.find(segments[...], &parameters) { return node }
    guard segments.count > 1, segments.last == "" else { return nil }
    return root.find(segments.dropLast(), &parameters)
  }

  /// The answer to a path that has no route.
  private func askFallback(_ request: Request) throws -> Response {
    do {
      return try fallback(request)
    } catch let failure as Problem where failure.status == 404 {
      throw unknownPath(request.segments)
    }
  }

  /// 404 with the route that may have been meant.
  private func unknownPath(_ segments: [ByteString]) -> Problem {
    let patterns = routes.map { Router.parts(of: $0.pattern) }
    let meant = PathSuggestion(patterns: patterns).path(for: segments)
    let hint = meant.map { "; did you mean \($0)?" } ?? "."
    return Problem(
      status: 404,
      detail: "There is nothing at \(ByteString("/\(segments.joined(separator: "/"))").shown)\(hint)")
  }

  /// The segments of a pattern; `/` has none.
  private static func parts(of pattern: String) -> [ByteString] {
    let parts = ByteString(pattern).dropFirst(1).split(0x2F, omittingEmptySubsequences: false)
    return parts == [""] ? [] : parts
  }

  private func checkMethod(_ request: Request) throws(Problem) {
    guard !Method.known.contains(request.method) else { return }
    throw Problem(
      status: 501, detail: "This server does not know the method \(request.method.rawValue.shown).")
  }

  /// The answer to `OPTIONS`.
  package static func methods(_ allow: String) -> Response {
    var response = Response(status: 204)
    response.headers.add("Allow", allow)
    return response
  }

  private struct Route: Sendable {
    var handler: Handler
    var instant: InstantHandler?
    var access: RouteAccess
    var weight: @Sendable (Request) -> RouteWeight
    var bodyLimit: BodyLimit?
    var sink: SinkMaker?
  }

  /// One segment's place in the tree of patterns.
  private struct Node: Sendable {
    var literals: [ByteString: Node] = [:]
    /// The `{name}` branch; an array of at most one, as a struct cannot hold itself.
    var named: [(name: ByteString, node: Node)] = []
    var routes: [Method: Route] = [:]

    /// The route of a method; that of `GET` answers `HEAD` as well.
    func route(for method: Method) -> Route? {
      routes[method] ?? (method == .head ? routes[.get] : nil)
    }

    var allow: String {
      var methods = Set(routes.keys.map(\.rawValue))
      methods.insert(Method.options.rawValue)
      if methods.contains(Method.get.rawValue) { methods.insert(Method.head.rawValue) }
      return methods.sorted().joined(separator: ", ").string
    }

    mutating func insert(
      _ parts: ArraySlice<ByteString>, _ method: Method, _ route: Route, _ pattern: String
    ) {
      guard let part = parts.first else {
        precondition(routes[method] == nil, "\(method.rawValue) \(pattern) has two handlers.")
        routes[method] = route
        return
      }
      if part.hasPrefix("{"), part.hasSuffix("}") {
        let name = ByteString(decoding: part.bytes.dropFirst().dropLast())
        if named.isEmpty { named.append((name, Node())) }
        precondition(named[0].name == name, "\(pattern) calls {\(named[0].name)} by another name.")
        named[0].node.insert(parts.dropFirst(), method, route, pattern)
      } else {
        literals[part, default: Node()].insert(parts.dropFirst(), method, route, pattern)
      }
    }

    func find(_ segments: ArraySlice<ByteString>, _ parameters: inout [ByteString: ByteString]) -> Node? {
      guard let segment = segments.first else { return routes.isEmpty ? nil : self }
      if let next = literals[segment], let found = next.find(segments.dropFirst(), &parameters) {
        return found
      }
      guard let (name, next) = named.first, !segment.isEmpty,
        let found = next.find(segments.dropFirst(), &parameters)
      else { return nil }
      parameters[name] = segment
      return found
    }
  }
}

/// Whom a route answers.
package enum RouteAccess: Sendable {
  /// Everybody.
  case open
  /// Everybody with the right to read.
  case read
  /// Everybody with the right to write.
  case write
}
