import HTTP
import JSONText
import Recipe
import Testing
import Text

@testable import API

/// What the API takes, refuses and shows of methods and networks.
@Suite struct `Methods and networks` {
  private let fixture: APIFixture

  init() throws { fixture = try APIFixture() }

  /// The errors that a training of this specification gets.
  private func errors(_ spec: String) -> [String: String] {
    let response = fixture.send(.post, "/jobs", "{\"kind\":\"train\",\"spec\":\(spec)}")
    #expect(response.status == 422, "\(spec)")
    return response.errors
  }

  /// A specification, where it is wrong, and parts of what the answer says.
  @Test(arguments: [
    (#"{"method":"mocov3"}"#, "/spec/method", ["\"vicreg\"", "\"supervised\"", "got \"mocov3\""]),
    (#"{"method":"simclr","loss":{"cov":1}}"#, "/spec/loss/cov", ["\"vicreg\""]),
    (#"{"loss":{"temperature":0.1}}"#, "/spec/loss/temperature", ["\"simclr\""]),
    (#"{"image_size":15}"#, "/spec/image_size", ["from 16 to 256", "got 15"]),
    (#"{"image_size":257}"#, "/spec/image_size", ["from 16 to 256", "got 257"]),
    (#"{"method":"simclr","batch_size":1}"#, "/spec/batch_size", ["from 2 to", "got 1"]),
    (#"{"dataset":{"name":"tiny","limit":1}}"#, "/spec/dataset/limit", ["from 2 to", "got 1"]),
    (
      #"{"method":"supervised","dataset":{"name":"unlabelled"}}"#, "/spec/dataset/name",
      ["at least 2 classes", "\"unlabelled\" has 1"]
    ),
    (#"{"batch_size":2000}"#, "/spec/batch_size", ["must be ≤ 1000", "needs 2000 MiB", "got 2000"]),
    (#"{"encoder":{"arch":"resnet101"}}"#, "/spec/encoder/arch", ["\"resnet50\"", "got \"resnet101\""]),
  ])
  func `what a method or network cannot take is refused where it stands`(
    spec: String, pointer: String, parts: [String]
  ) {
    let found = errors(spec)
    #expect(Array(found.keys) == [pointer], "\(found)")
    for part in parts { #expect(found[pointer]?.contains(part) == true, "\(found)") }
  }

  @Test func `an image size that is left to the dataset is shown as its side`() throws {
    for (name, side) in [("fashion-mnist", 32 as JSON), ("tiny", .null)] {
      let body = #"{"kind":"train","spec":{"dataset":{"name":"\#(name)"}}}"#
      #expect(fixture.send(.post, "/jobs?dry_run=true", body).json["spec"]?["image_size"] == side)
      let id = try fixture.post(body)
      #expect(fixture.send(.get, "/jobs/\(id)").json["spec"]?["image_size"] == side)
    }
    let id = try fixture.post(#"{"kind":"train","spec":{"image_size":64}}"#)
    #expect(fixture.send(.get, "/jobs/\(id)").json["spec"]?["image_size"] == 64)
  }

  @Test(arguments: MethodName.allCases)
  func `curves and their names are those of the job's method`(method: MethodName) throws {
    let id = try fixture.post(#"{"kind":"train","spec":{"method":"\#(method.rawValue)"}}"#)
    let names = ["loss"] + method.figures.map(\.name)
    let early = fixture.send(.get, "/jobs/\(id)/metrics?points=4").json["series"]?.object
    #expect(early?.keys.map(\.string).sorted() == names.sorted())
    let unknown = fixture.send(.get, "/jobs/\(id)/metrics?keys=nothing")
    #expect(unknown.status == 422)
    let known = try #require(unknown.json["detail"]?.string?.string.split(separator: ": ").last)
    #expect(
      known.dropLast(known.hasSuffix(".") ? 1 : 0) == method.figures.map(\.name).joined(separator: ", ")
        + ", loss, std_mean, std_min, corr, rankme, grad_norm, lr, images_per_second, "
        + Metric.online.map(\.name).joined(separator: ", "))
    let attempt = try #require(try fixture.store.claimNext(bootID: "boot")).attempt
    let lines = (1...3).map { step in
      let values = (names + ["rankme", "lr"]).map { "\"\($0)\":\(step)" }.joined(separator: ",")
      return #"{"event":"metric","step":\#(step),"epoch":0,\#(values)}"#
    }
    try fixture.tell(id, attempt: attempt, lines)
    let late = fixture.send(.get, "/jobs/\(id)/metrics?points=4").json["series"]?.object
    #expect(late?.keys.map(\.string).sorted() == names.sorted())
    let summary = fixture.send(.get, "/jobs/\(id)").json["summary"]
    for figure in method.figures {
      let best: JSON = figure.best == .highest ? 3 : 1
      #expect(summary?[ByteString(figure.name)]?["best_step"] == best, "\(figure.name)")
    }
  }

  @Test func `what is best of each part is said`() {
    let highest = ["positive_similarity", "contrast_top1", "similarity", "top1", "rankme", "std_mean"]
    let lowest = ["inv", "var", "cov", "on_diagonal", "off_diagonal", "sigreg", "loss", "grad_norm"]
    for name in highest { #expect(Metric.highestBest.contains(name), "\(name)") }
    for name in lowest { #expect(!Metric.highestBest.contains(name), "\(name)") }
  }

  @Test func `the description names the parts of each method`() throws {
    let schemas = fixture.send(.get, "/openapi.json").json["components"]?["schemas"]
    for method in MethodName.allCases {
      let parts = schemas?["Line"]?["x-parts"]?[ByteString(method.rawValue)]?.array
      #expect(parts == method.figures.map { .string(ByteString($0.name)) })
      for figure in method.figures {
        let schema = schemas?["Line"]?["properties"]?[ByteString(figure.name)]
        #expect(schema?["title"]?.string?.isEmpty == false, "\(figure.name)")
      }
    }
  }
}
