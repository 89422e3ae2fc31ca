import HTTP
import JobModel
import Testing
import Text

@testable import API

@Suite struct `OpenAPI document` {
  private let document: JSON
  private let routes: [String]

  init() throws {
    let fixture = try APIFixture()
    document = fixture.send(.get, "/openapi.json").json
    routes = fixture.routes.map { "\($0.method.rawValue) \($0.pattern)" }
  }

  @Test func `describes every route, and nothing else`() {
    let described = Set(OpenAPIDocument.operations.keys).union(["GET /openapi.json"])
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

  @Test func `has the limits of the readers themselves`() {
    let train = TrainSpecification.schema
    let encoder = train["properties"]?["encoder"]
    #expect(
      encoder?["properties"]?["width"]
        == ["type": "integer", "minimum": 16, "maximum": 512, "multipleOf": 16])
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
