import HTTP
import JSONText
import Text

/// The description of the API as OpenAPI 3.1, made of the routes that there are, what `operations` says of
/// them, and the schemas that the readers of requests give of themselves.
struct OpenAPIDocument {
  let routes: [(method: Method, pattern: String, access: RouteAccess)]
  /// The routes that describe themselves.
  let endpoints: [Endpoint]
  /// Names of datasets, for the schema of a specification.
  let datasets: [String]
  /// The server's limits by the names that answers use for them.
  let limits: [String: Int]
  let version: String

  /// The whole document.
  var json: JSON {
    [
      "openapi": "3.1.0",
      "info": [
        "title": "vicregd", "version": .string(version),
        "description": """
        Training of image encoders as a service. Errors are problem+json (RFC 9457). Where access tokens are \
        used, `Authorization: Bearer TOKEN` or the cookie of `POST /session` is needed. Every answer has an \
        `X-Request-Id`, which is the request's own where that has one. A request over one of `x-limits` is \
        answered 400, 408, 413, 414, 431 or 503, and the answer names the limit. A slash at the end of a \
        path changes nothing. Lengths of texts are in characters (Unicode code points).
        """,
      ],
      "x-limits": .object(limits.mapValues(JSON.integer)),
      "security": [[:], ["token": []], ["cookie": []]],
      "paths": .object(paths),
      "components": [
        "schemas": .object(Self.schemas(datasets: datasets)),
        "securitySchemes": [
          "token": ["type": "http", "scheme": "bearer"],
          "cookie": ["type": "apiKey", "in": "cookie", "name": "vicregd_session"],
        ],
      ],
    ]
  }

  private var paths: [ByteString: JSON] {
    var paths: [ByteString: [ByteString: JSON]] = ["/openapi.json": methods(.get, Self.own, access: .read)]
    let described = Dictionary(endpoints.map { ($0.key, $0.operation) }, uniquingKeysWith: { $1 })
    for (method, pattern, access) in routes {
      let key = "\(method.rawValue) \(pattern)"
      guard let operation = described[key] ?? Self.operations[key] else { continue }
      paths[ByteString(pattern), default: [:]].merge(methods(method, operation, access: access)) { $1 }
    }
    return paths.mapValues(JSON.object)
  }

  private static let own = Operation("This document.", answers: [.json(200, ["type": "object"])])

  /// The operation under its method, and `HEAD` next to `GET`.
  private func methods(_ method: Method, _ operation: Operation, access: RouteAccess) -> [ByteString: JSON] {
    var methods = [method.rawValue.lowercasedASCII: operation.json(access: access, isHead: false)]
    if method == .get { methods["head"] = operation.json(access: access, isHead: true) }
    return methods
  }

  /// What is said of one route.
  struct Operation: Sendable {
    var summary: String
    var parameters: [Parameter]
    /// The schema of a JSON body, and whether there must be one.
    var body: (schema: JSON, isRequired: Bool)?
    /// The media types of the body.
    var bodyTypes: [String]
    var answers: [Answer]
    /// Statuses of problems in addition to those that any request may meet.
    var problems: [Int]

    init(
      _ summary: String, _ parameters: [Parameter] = [], body: (schema: JSON, isRequired: Bool)? = nil,
      bodyTypes: [String] = ["application/json"], answers: [Answer], problems: [Int] = []
    ) {
      self.summary = summary
      self.parameters = parameters
      self.body = body
      self.bodyTypes = bodyTypes
      self.answers = answers
      self.problems = problems
    }

    /// Header fields of problems.
    private static let fields: [Int: [String: String]] = [
      401: ["WWW-Authenticate": "Bearer, and what is wrong with the token (RFC 6750)"],
      415: ["Accept-Encoding": "identity, where the content was encoded"],
      416: ["Content-Range": "the size of the whole"],
      429: ["Retry-After": "seconds"], 503: ["Retry-After": "seconds"],
    ]

    /// Statuses that the server itself, or who stands before the routes, may answer with.
    private static let common = [400, 401, 403, 408, 413, 414, 415, 417, 421, 422, 429, 431, 500, 503, 507]

    fileprivate func json(access: RouteAccess, isHead: Bool) -> JSON {
      var responses: [ByteString: JSON] = [:]
      for answer in answers { responses[ByteString("\(answer.status)")] = answer.json(isHead: isHead) }
      for status in Self.common + problems {
        var response: [ByteString: JSON] = ["description": .string(reasonPhrase(of: status))]
        if !isHead {
          response["content"] = [
            "application/problem+json": ["schema": ["$ref": "#/components/schemas/Problem"]]
          ]
        }
        if let fields = Self.fields[status] { response["headers"] = OpenAPIDocument.described(fields) }
        responses[ByteString("\(status)")] = .object(response)
      }
      var members: [ByteString: JSON] = [
        "summary": .string(summary), "responses": .object(responses),
        "parameters": .array(parameters.map(\.json)),
      ]
      if access == .open { members["security"] = [] }
      if let body, !isHead {
        let content = bodyTypes.map { (ByteString($0), ["schema": body.schema] as JSON) }
        members["requestBody"] = [
          "required": .bool(body.isRequired), "content": .object(Dictionary(uniqueKeysWithValues: content)),
        ]
      }
      return .object(members)
    }
  }

  /// A parameter in path, query or header.
  struct Parameter: Sendable {
    var name: String
    var place: String
    var schema: JSON
    var description: String

    fileprivate var json: JSON {
      [
        "name": .string(name), "in": .string(place), "required": .bool(place == "path"), "schema": schema,
        "description": .string(description),
      ]
    }

    /// A part of the path, which is always there.
    static func path(_ name: String, _ schema: JSON, _ description: String) -> Parameter {
      Parameter(name: name, place: "path", schema: schema, description: description)
    }

    /// A parameter of the query.
    static func query(_ name: String, _ schema: JSON, _ description: String) -> Parameter {
      Parameter(name: name, place: "query", schema: schema, description: description)
    }

    /// A header field.
    static func header(_ name: String, _ schema: JSON, _ description: String) -> Parameter {
      Parameter(name: name, place: "header", schema: schema, description: description)
    }
  }

  /// A successful answer.
  struct Answer: Sendable {
    var status: Int
    /// By media type.
    var content: [ByteString: JSON]
    /// Header fields that say something of the answer, and what.
    var fields: [String: String] = [:]

    /// One JSON value.
    static func json(_ status: Int, _ schema: JSON, fields: [String: String] = [:]) -> Answer {
      Answer(status: status, content: ["application/json": schema], fields: fields)
    }

    /// Server-Sent Events; the schema is that of each one.
    static func events(_ names: [String], data: String) -> Answer {
      let event: JSON = [
        "type": "object", "required": ["data"],
        "properties": [
          "id": ["type": "string", "pattern": "^[0-9]+$", "description": "what Last-Event-ID resumes from"],
          "event": ["enum": .array(names.map(JSON.string)), "description": "what kind of event it is"],
          "data": ["type": "string", "contentMediaType": "application/json", "description": .string(data)],
          "retry": [
            "type": "integer", "minimum": 0,
            "description": "milliseconds after which a client whose stream broke asks again",
          ],
        ],
      ]
      return Answer(
        status: 200, content: ["text/event-stream": event], fields: ["X-Accel-Buffering": "no"])
    }

    /// Bytes of some type.
    static func text(_ status: Int, _ type: ByteString) -> Answer {
      Answer(status: status, content: [type: ["type": "string"]])
    }

    /// No content.
    static func empty(_ status: Int) -> Answer { Answer(status: status, content: [:]) }

    fileprivate func json(isHead: Bool) -> JSON {
      var members: [ByteString: JSON] = ["description": .string(reasonPhrase(of: status))]
      if !isHead, !content.isEmpty { members["content"] = .object(content.mapValues { ["schema": $0] }) }
      if !fields.isEmpty { members["headers"] = OpenAPIDocument.described(fields) }
      return .object(members)
    }
  }

  /// Header fields of an answer, none of which has to be there.
  fileprivate static func described(_ fields: [String: String]) -> JSON {
    .object(fields.mapValues { ["schema": ["type": "string"], "description": .string($0)] })
  }
}
