import HTTP
import JSONText

/// One route, said once: the router, the OpenAPI document and the admission of bodies are made of it.
struct Endpoint: Sendable {
  let method: Method
  let pattern: String
  /// What `/openapi.json` says of it.
  let operation: OpenAPIDocument.Operation
  var weight = RouteWeight.light
  /// How much content a request may have; nil: as much as the router says.
  var bodyLimit: BodyLimit?
  /// Takes the content as it comes, and refuses a request by its head.
  var sink: SinkMaker?
  let handler: Handler

  /// By which the document finds it.
  var key: String { "\(method.rawValue) \(pattern)" }

  /// Adds the route; safe methods need the right to read, others to write.
  func add(to router: inout Router) {
    let weight = weight
    router.on(method, pattern, weight: { _ in weight }, bodyLimit: bodyLimit, sink: sink, handler)
  }
}
