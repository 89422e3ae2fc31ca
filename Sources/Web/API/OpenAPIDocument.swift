import HTTP
import JobModel

/// The description of the API as OpenAPI 3.1, made of the routes that there are, what `operations` says of
/// them, and the schemas that the readers of requests give of themselves.
struct OpenAPIDocument {
  let routes: [(method: Method, pattern: String, access: RouteAccess)]
  /// Names of data sets, for the schema of a specification.
  let datasets: [String]
  let version: String

  /// The whole document.
  var json: JSON {
    [
      "openapi": "3.1.0",
      "info": [
        "title": "vicregd", "version": .string(version),
        "description": """
        VICReg training as a service. Errors are problem+json (RFC 9457). Where access tokens are used, \
        `Authorization: Bearer TOKEN` is needed; every answer has an `X-Request-Id`.
        """,
      ],
      "security": [[:], ["token": []]],
      "paths": .object(paths),
      "components": [
        "schemas": .object(Self.schemas(datasets: datasets)),
        "securitySchemes": ["token": ["type": "http", "scheme": "bearer"]],
      ],
    ]
  }

  private var paths: [String: JSON] {
    var paths: [String: [String: JSON]] = ["/openapi.json": methods(.get, Self.own, access: .open)]
    for (method, pattern, access) in routes {
      guard let operation = Self.operations["\(method.rawValue) \(pattern)"] else { continue }
      paths[pattern, default: [:]].merge(methods(method, operation, access: access)) { $1 }
    }
    return paths.mapValues(JSON.object)
  }

  private static let own = Operation("This document.", answers: [.json(200, ["type": "object"])])

  /// The operation under its method, and `HEAD` beside `GET`.
  private func methods(_ method: Method, _ operation: Operation, access: RouteAccess) -> [String: JSON] {
    var methods = [method.rawValue.lowercased(): operation.json(access: access, isHead: false)]
    if method == .get { methods["head"] = operation.json(access: access, isHead: true) }
    return methods
  }

  /// What is said of one route.
  struct Operation: Sendable {
    var summary: String
    var parameters: [Parameter]
    /// The schema of a JSON body, and whether there must be one.
    var body: (schema: JSON, isRequired: Bool)?
    var answers: [Answer]
    /// Statuses of problems beside those that any request may meet.
    var problems: [Int]

    init(
      _ summary: String, _ parameters: [Parameter] = [], body: (schema: JSON, isRequired: Bool)? = nil,
      answers: [Answer], problems: [Int] = []
    ) {
      self.summary = summary
      self.parameters = parameters
      self.body = body
      self.answers = answers
      self.problems = problems
    }

    /// Statuses that the server itself, or who stands before the routes, may answer with.
    private static let common = [400, 401, 403, 408, 413, 414, 417, 421, 429, 431, 500, 503, 507]

    fileprivate func json(access: RouteAccess, isHead: Bool) -> JSON {
      var responses: [String: JSON] = [:]
      for answer in answers { responses["\(answer.status)"] = answer.json(isHead: isHead) }
      for status in Self.common + problems {
        var response: [String: JSON] = ["description": .string(reasonPhrase(of: status))]
        if !isHead {
          response["content"] = [
            "application/problem+json": ["schema": ["$ref": "#/components/schemas/Problem"]]
          ]
        }
        responses["\(status)"] = .object(response)
      }
      var members: [String: JSON] = [
        "summary": .string(summary), "responses": .object(responses),
        "parameters": .array(parameters.map(\.json)),
      ]
      if access == .open { members["security"] = [] }
      if let body, !isHead {
        members["requestBody"] = [
          "required": .bool(body.isRequired), "content": ["application/json": ["schema": body.schema]],
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
    var description = ""

    fileprivate var json: JSON {
      var members: [String: JSON] = [
        "name": .string(name), "in": .string(place), "required": .bool(place == "path"), "schema": schema,
      ]
      if !description.isEmpty { members["description"] = .string(description) }
      return .object(members)
    }

    /// A part of the path, which is always there.
    static func path(_ name: String, _ schema: JSON) -> Parameter {
      Parameter(name: name, place: "path", schema: schema)
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
    var content: [String: JSON]

    /// One JSON value.
    static func json(_ status: Int, _ schema: JSON) -> Answer {
      Answer(status: status, content: ["application/json": schema])
    }

    /// Bytes of some type.
    static func text(_ status: Int, _ type: String) -> Answer {
      Answer(status: status, content: [type: ["type": "string"]])
    }

    /// No content.
    static func empty(_ status: Int) -> Answer { Answer(status: status, content: [:]) }

    fileprivate func json(isHead: Bool) -> JSON {
      var members: [String: JSON] = ["description": .string(reasonPhrase(of: status))]
      if !isHead, !content.isEmpty { members["content"] = .object(content.mapValues { ["schema": $0] }) }
      return .object(members)
    }
  }
}
