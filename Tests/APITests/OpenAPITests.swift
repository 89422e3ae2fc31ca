import HTTP
import JSONText
import Recipe
import Testing
import Text

@testable import API

@Suite struct `OpenAPI document` {
  private let document: JSON
  private let routes: [String]
  private let endpoints: [String]

  init() throws {
    let fixture = try APIFixture()
    document = fixture.send(.get, "/openapi.json").json
    endpoints = fixture.api.endpoints.map(\.key)
    routes = fixture.routes.map { "\($0.method.rawValue) \($0.pattern)" }
  }

  @Test func `describes every route, and nothing else`() {
    let described = Set(OpenAPIDocument.operations.keys).union(["GET /openapi.json"]).union(endpoints)
    // Those of the session are not the API's own; a test of the daemon asks for them.
    #expect(described == Set(routes).union(["GET /session", "POST /session", "DELETE /session"]))
    let paths = document["paths"]?.object ?? [:]
    for route in routes {
      let parts = route.split(separator: " ").map(String.init)
      #expect(paths[ByteString(parts[1])]?[ByteString(parts[0].lowercased())] != nil, "\(route)")
    }
  }

  @Test func `refers only to schemas that it has, and names every parameter of a path`() {
    let schemas = document["components"]?["schemas"]?.object ?? [:]
    func check(_ value: JSON) {
      switch value {
      case .object(let members):
        if let reference = members["$ref"]?.string {
          let name = reference.dropFirst("#/components/schemas/".count)
          #expect(schemas[name] != nil, "\(reference)")
        }
        for member in members.values { check(member) }
      case .array(let elements): for element in elements { check(element) }
      default: break
      }
    }
    check(document)
    for (path, methods) in document["paths"]?.object ?? [:] {
      let names = path.string.split(separator: "/").filter { $0.hasPrefix("{") }.map {
        $0.dropFirst().dropLast()
      }
      for operation in methods.object?.values.map({ $0 }) ?? [] {
        let given = (operation["parameters"]?.array ?? []).filter { $0["in"] == "path" }.compactMap {
          $0["name"]?.string?.string
        }
        #expect(Set(given) == Set(names.map(String.init)), "\(path)")
      }
    }
  }

  /// Calls `visit` with every object of the document, its name, and the path to it.
  private func walk(_ value: JSON, _ path: String = "", _ visit: (JSON, String) -> Void) {
    if value.object != nil { visit(value, path) }
    for (key, member) in value.object ?? [:] { walk(member, "\(path)/\(key)", visit) }
    for (index, element) in (value.array ?? []).enumerated() { walk(element, "\(path)/\(index)", visit) }
  }

  @Test func `says of every property and parameter what it means`() {
    var described = 0
    walk(document) { schema, path in
      for (name, property) in schema["properties"]?.object ?? [:] {
        #expect(property["description"]?.string?.isEmpty == false, "\(path) \(name)")
        described += 1
      }
      for parameter in schema["parameters"]?.array ?? [] {
        #expect(
          parameter["description"]?.string?.isEmpty == false, "\(path) \(parameter["name"]?.text ?? "")")
      }
    }
    #expect(described > 200)
  }

  @Test func `says of every number in a request how large it may be`() {
    let requests: [ByteString] = [
      "TrainSpecification", "EvaluateSpecification", "TrainJob", "EvaluateJob", "Batch", "Labelling",
      "Cancellation",
    ]
    var numbers = 0
    func check(_ schema: JSON, _ path: String) {
      let types = schema["type"]?.array ?? [schema["type"]].compactMap(\.self)
      guard types.contains("integer") || types.contains("number") else { return }
      numbers += 1
      #expect(schema["minimum"] != nil || schema["exclusiveMinimum"] != nil, "\(path)")
      #expect(schema["maximum"] != nil || schema["exclusiveMaximum"] != nil, "\(path)")
    }
    for name in requests {
      walk(document["components"]?["schemas"]?[name] ?? .null, name.string, check)
    }
    for (path, methods) in document["paths"]?.object ?? [:] {
      for operation in (methods.object ?? [:]).values {
        for parameter in operation["parameters"]?.array ?? [] { walk(parameter, path.string, check) }
      }
    }
    #expect(numbers > 60)
  }

  /// Texts at and over the length that is described, in characters of one, two, three and four bytes.
  @Test(arguments: ["a", "\u{E9}", "\u{20AC}", "\u{1F600}"])
  func `counts the characters that a text may have as it says`(character: String) throws {
    let fixture = try APIFixture()
    let job = document["components"]?["schemas"]?["TrainJob"]?["properties"]
    let label = job?["labels"]
    let fields: [(JSON?, (String) -> String)] = [
      (job?["name"]?["anyOf"]?.array?.last, { "{\"kind\":\"train\",\"name\":\"\($0)\"}" }),
      (job?["notes"], { "{\"kind\":\"train\",\"notes\":\"\($0)\"}" }),
      (label?["propertyNames"], { "{\"kind\":\"train\",\"labels\":{\"\($0)\":\"\"}}" }),
      (label?["additionalProperties"], { "{\"kind\":\"train\",\"labels\":{\"a\":\"\($0)\"}}" }),
    ]
    for (schema, body) in fields {
      let most = try #require(schema?["maxLength"]?.int)
      for (count, status) in [(most, 200), (most + 1, 422)] {
        let text = String(repeating: character, count: count)
        #expect(fixture.send(.post, "/jobs?dry_run=1", body(text)).status == status, "\(body("")) \(count)")
      }
    }
  }

  @Test func `has the limits of the readers themselves`() {
    let train = TrainSpecification.schema
    let encoder = train["properties"]?["encoder"]
    var width = encoder?["properties"]?["width"]?.object ?? [:]
    width["description"] = nil
    #expect(
      JSON.object(width) == [
        "type": "integer", "minimum": 16, "maximum": 512, "multipleOf": 16, "default": 16,
      ])
    #expect(encoder?["additionalProperties"] == false)
    #expect(train["properties"]?["optimizer"]?["properties"]?["lr"]?["exclusiveMinimum"] == 0)
    // Every field that a resolved specification has is one that can be given.
    func compare(_ value: JSON, _ schema: JSON?, _ path: String) {
      for (key, member) in value.object ?? [:] {
        let known = schema?["properties"]?[key] ?? schema?["anyOf"]?.array?.last?["properties"]?[key]
        #expect(known != nil, "\(path)/\(key)")
        compare(member, known, "\(path)/\(key)")
      }
    }
    compare(TrainSpecification.preset(.paper).json, train, "")
    #expect(EvaluateSpecification.schema["required"] == ["checkpoint"])
  }
}
