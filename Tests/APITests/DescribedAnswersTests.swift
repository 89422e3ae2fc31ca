import HTTP
import JSONText
import Recipe
import Testing
import Text

@testable import API

/// The API held to its own description: what it answers, and what it takes and refuses.
@Suite struct `The API and its description` {
  private let fixture: APIFixture
  private let document: JSON
  private let schemas: JSON

  init() throws {
    fixture = try APIFixture()
    document = fixture.send(.get, "/openapi.json").json
    schemas = try #require(document["components"]?["schemas"])
  }

  /// Sends a request and holds status and body to what is described under the path.
  @discardableResult
  private func send(
    _ method: HTTP.Method, _ target: String, as path: String, _ body: String = "",
    headers: [(String, String)] = []
  ) throws -> Response {
    let response = fixture.send(method, target, body, headers: headers)
    let operation = try #require(document["paths"]?[ByteString(path)]?[method.rawValue.lowercasedASCII])
    let described = try #require(
      operation["responses"]?[ByteString("\(response.status)")], "\(response.status)")
    if response.status == 204 || response.status == 304 { return response }
    let type = (response.headers["Content-Type"] ?? "").divided(at: 0x3B).before
    let schema = try #require(described["content"]?[type]?["schema"], "\(type)")
    if type.hasSuffix("json") && !type.hasSuffix("ndjson") {
      #expect(JSONSchema(schema, in: schemas).problems(with: response.json) == [], "\(method) \(target)")
    }
    return response
  }

  @Test func `answers are as they are described`() throws {
    let created = try send(.post, "/jobs", as: "/jobs", #"{"kind":"train","labels":{"a":"b"}}"#)
    let id = try #require(created.json["id"]?.string?.string)
    try send(.post, "/jobs?dry_run=true", as: "/jobs", #"{"kind":"train","max_duration":60}"#)
    let batch = """
      {"jobs":[{"kind":"train","ref":"t"},{"kind":"evaluate","spec":{"checkpoint":{"job":"t"}}}]}
      """
    try send(.post, "/jobs", as: "/jobs", batch)
    try send(.post, "/jobs?dry_run=true", as: "/jobs", batch)
    for (body, status) in [("{", 400), ("[]", 422), (#"{"kind":"x"}"#, 422)] {
      #expect(try send(.post, "/jobs", as: "/jobs", body).status == status)
    }
    #expect(
      try send(.post, "/jobs", as: "/jobs", "{}", headers: [("Content-Type", "image/png")]).status == 415)
    let attempt = try #require(try fixture.store.claimNext(bootID: "boot")).attempt
    try fixture.tell(
      #require(JobID(id)), attempt: attempt,
      [
        #"{"event":"started","attempt":1,"step":0,"steps":9,"epochs":1,"threads":2,"isa":"avx2"}"#,
        #"{"event":"metric","step":1,"epoch":0,"time":"2026-11-24T02:29:00.123Z","loss":null,"inv":0.5}"#,
      ])
    _ = try fixture.checkpoint(#require(JobID(id)), step: 1, "content")
    let targets = [
      "", "/transitions", "/checkpoints", "/metrics?points=4", "/metrics?keys=inv", "/metrics?x=time,epoch",
      "/log",
    ]
    for target in targets {
      let path = target.prefix { $0 != "?" }
      #expect(try send(.get, "/jobs/\(id)\(target)", as: "/jobs/{id}\(path)").status == 200)
      let missing = try send(.get, "/jobs/0000000000000000\(target)", as: "/jobs/{id}\(path)")
      #expect(missing.status == 404)
    }
    let others = [
      "/jobs", "/jobs?limit=1", "/jobs?sort=loss", "/datasets", "/healthz", "/readyz", "/version", "/system",
      "/openapi.json",
    ]
    for target in others {
      #expect(try send(.get, target, as: String(target.prefix { $0 != "?" })).status == 200)
    }
    #expect(try send(.get, "/jobs?limit=0", as: "/jobs").status == 422)
    #expect(try send(.get, "/curves?jobs=\(id)&x=time", as: "/curves").status == 200)
    #expect(try send(.get, "/curves?jobs=x", as: "/curves").status == 422)
    #expect(try send(.get, "/datasets/synthetic", as: "/datasets/{name}").status == 200)
    #expect(try send(.patch, "/jobs/\(id)", as: "/jobs/{id}", #"{"notes":"n"}"#).status == 200)
    #expect(try send(.delete, "/jobs/\(id)", as: "/jobs/{id}").status == 409)
    for change in ["retry", "pause", "resume", "cancel"] {
      let path = "/jobs/{id}/\(change)"
      #expect([202, 409].contains(try send(.post, "/jobs/\(id)/\(change)", as: path).status), "\(change)")
      #expect(try send(.post, "/jobs/\(id)/\(change)", as: path, #"{"x":1}"#).status == 422)
    }
  }

  /// A property of a schema some levels down, which has no properties of its own.
  private struct Leaf {
    var path: [ByteString]
    var schema: JSON
  }

  private func leaves(_ schema: JSON, _ path: [ByteString] = []) -> [Leaf] {
    let schema = JSONSchema.resolve(schema, in: schemas)
    guard let properties = schema["properties"]?.object else { return [Leaf(path: path, schema: schema)] }
    return properties.sorted { $0.key < $1.key }.flatMap { leaves($0.value, path + [$0.key]) }
  }

  /// Whether a specification with this value at that place is refused for it.
  ///
  /// - Parameter method: what the member is described to belong to, if not to every specification.
  private func isRefused(
    _ value: JSON, at path: [ByteString], of kind: String, method: String? = nil
  ) -> Bool {
    var members = path.reversed().reduce(value) { .object([$1: $0]) }.object ?? [:]
    if let method { members["method"] = .string(ByteString(method)) }
    var spec = JSON.object(members)
    // A warm-up is no longer than the training.
    if path.last == "warmup_epochs" { spec = ["schedule": spec["schedule"] ?? .null, "epochs": 1_000_000] }
    let body: JSON = ["kind": .string(kind), "spec": spec]
    let response = fixture.send(.post, "/jobs?dry_run=true", body.text)
    let pointer = "/spec/\(path.joined(separator: "/"))"
    return response.errors.keys.contains { $0 == pointer || $0.hasPrefix(pointer + "/") }
  }

  /// The method that the description of a member of `loss` names.
  private static func method(of leaf: Leaf) -> String? {
    let description = leaf.schema["description"]?.string?.string ?? ""
    guard leaf.path.first == "loss", let place = description.range(of: "Only where method is \"") else {
      return nil
    }
    return String(description[place.upperBound...].prefix { $0 != "\"" })
  }

  @Test func `every limit of a training is the one that is described`() throws {
    var limits = 0
    for leaf in leaves(["$ref": "#/components/schemas/TrainSpecification"]) {
      let method = Self.method(of: leaf)
      func refuses(_ value: JSON, _ method: String? = method) -> Bool {
        isRefused(value, at: leaf.path, of: "train", method: method)
      }
      let allowsNull = JSONSchema(leaf.schema, in: schemas).problems(with: .null).isEmpty
      #expect(refuses(.null) != allowsNull, "\(leaf.path) null")
      for wrong: JSON in [["x": 1], [[:]]] { #expect(refuses(wrong), "\(leaf.path) \(wrong.text)") }
      for choice in leaf.schema["enum"]?.array ?? [] where choice != "absent" {
        #expect(!refuses(choice), "\(leaf.path) \(choice.text)")
      }
      if leaf.schema["enum"] != nil { #expect(refuses("nothing"), "\(leaf.path)") }
      let ends: [(ByteString, Int)] = [("minimum", -1), ("maximum", 1)]
      for (key, outside) in ends {
        guard let limit = leaf.schema[key] else { continue }
        limits += 1
        // So large a batch is refused for another reason: the dataset has not so many images.
        if leaf.path != ["batch_size"] || key == "minimum" {
          // One view is what one method takes.
          let taker = leaf.path == ["views"] && key == "minimum" ? "supervised" : method
          #expect(!refuses(limit, taker), "\(leaf.path) \(limit.text)")
        }
        let beyond =
          limit.int.map { JSON.integer($0 + outside) } ?? .number((limit.double ?? 0) + Double(outside))
        #expect(refuses(beyond), "\(leaf.path) \(beyond.text)")
      }
    }
    #expect(limits > 30)
  }
}
