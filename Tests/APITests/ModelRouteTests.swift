import HTTP
import JSONText
import JobModel
import Platform
import Recipe
import RunFolder
import Testing
import Text

@testable import API

/// The routes of models, and jobs that take a model's weights (issue 17).
@Suite struct `Model routes` {
  private let fixture: APIFixture

  init() throws { fixture = try APIFixture() }

  private var files: [String] { (try? FileSystem.list("\(fixture.data)/models")) ?? [] }

  private func submit(_ kind: String, _ spec: String) -> Response {
    fixture.send(.post, "/jobs", "{\"kind\":\"\(kind)\",\"spec\":{\(spec)}}")
  }

  @Test func `an upload is checked, kept and listed, and its file comes back`() throws {
    let answer = fixture.upload("/models/mine?arch=resnet34&width=32&image_size=64", ["one", "two"])
    #expect(answer.status == 201, "\(answer.text)")
    #expect(answer.headers["Location"] == "/models/mine")
    let model = answer.json
    for (key, value): (ByteString, JSON) in [
      ("name", "mine"), ("arch", "resnet34"), ("stem", "imagenet"), ("width", 32), ("fc", nil),
      ("image_size", 64), ("bytes", 6), ("parameters", 7), ("stem_padding", nil),
      ("digest", "25b6746d5172ed6352966a013d93ac846e1110d5a25e8f183b5931f4688842a1"),
    ] {
      #expect(model[key] == value, "\(key) \(model.text)")
    }
    let shown = fixture.send(.get, "/models/mine")
    #expect(shown.json == model && shown.headers["ETag"] == answer.headers["ETag"])
    #expect(fixture.send(.get, "/models").json["models"] == [model])
    let export = fixture.send(.get, "/models/mine/export")
    #expect(export.text == "onetwo")
    #expect(export.headers["Content-Disposition"] == "attachment; filename=\"mine.safetensors\"")
    #expect(files.count == 1 && files.first?.hasSuffix(".safetensors") == true)
  }

  @Test(arguments: [
    ("/models/m?arch=vgg", "/arch"), ("/models/m?stem=patch", "/stem"), ("/models/m?width=8", "/width"),
    ("/models/m?image_size=15", "/image_size"), ("/models/m?stem_padding=3", "/stem_padding"),
    ("/models/-m", "/name"), ("/models/m?archs=resnet18", "/archs"),
    ("/models/m?arch=resnet18&arch=resnet18", "/arch"),
  ])
  func `wrong parameters are refused before the body, and leave nothing`(target: String, pointer: String) {
    let answer = fixture.upload(target, ["model"])
    #expect(answer.status == 422 && answer.errors.keys.map { $0 } == [pointer], "\(answer.text)")
    #expect(files.isEmpty)
  }

  @Test func `a name in use, a wrong or empty file and a full disk are refused, and leave nothing`() {
    #expect(fixture.upload("/models/mine", ["model"]).status == 201)
    #expect(fixture.upload("/models/mine", ["model"]).status == 409)
    let wrong = fixture.upload("/models/other", ["wrong"])
    #expect(wrong.status == 422 && wrong.errors == ["/body/conv1.weight": "must be right"])
    #expect(fixture.upload("/models/other", []).status == 400)
    #expect(fixture.upload("/models/other", [], length: 1 << 60).status == 507)
    fixture.control.refuse("the disk is full")
    #expect(fixture.upload("/models/other", ["model"]).status == 507)
    #expect(files.count == 1)
    #expect(fixture.send(.get, "/models/other").status == 404)
    #expect(fixture.send(.get, "/models/other/export").status == 404)
  }

  @Test func `a training takes a model of its encoder's shape, which stays as long as it is needed`() throws {
    #expect(fixture.upload("/models/mine?width=32", ["fc"]).status == 201)
    let wrong = submit(
      "train", #""init_from":{"model":"mine"},"encoder":{"width":16,"arch":"resnet50","stem":"imagenet"}"#)
    #expect(
      wrong.status == 422
        && wrong.errors == [
          "/spec/encoder/width":
            "must be 32, as in the model \"mine\", whose weights init_from takes, got 16",
          "/spec/encoder/arch":
            "must be \"resnet18\", as in the model \"mine\", whose weights init_from takes, got \"resnet50\"",
        ], "\(wrong.text)")
    let encoder = #""encoder":{"width":32,"stem":"imagenet","fc":null}"#
    let answer = submit("train", "\"init_from\":{\"model\":\"mine\"},\(encoder)")
    #expect(answer.status == 201 && answer.json["state"] == "queued", "\(answer.text)")
    #expect(answer.json["spec"]?["init_from"] == ["model": "mine", "optimizer": false])
    #expect(fixture.send(.delete, "/models/mine").status == 409)
    let id = answer.json["id"]?.string?.string ?? ""
    #expect(fixture.send(.post, "/jobs/\(id)/cancel").status == 202)
    #expect(fixture.send(.delete, "/models/mine", headers: [("If-Match", "\"x\"")]).status == 412)
    #expect(files.count == 1)
    #expect(fixture.send(.delete, "/models/mine").status == 204)
    #expect(files.isEmpty)
    #expect(fixture.send(.delete, "/models/mine").status == 404)
    let retry = fixture.send(.post, "/jobs/\(id)/retry")
    #expect(retry.status == 409 && retry.text.contains("there is no model"), "\(retry.text)")
  }

  @Test func `an evaluation names a model and a layer that it has`() throws {
    #expect(fixture.upload("/models/plain", ["model"]).status == 201)
    #expect(fixture.upload("/models/headed", ["fc"]).status == 201)
    func evaluate(_ model: String, _ layer: String) -> Response {
      submit(
        "evaluate",
        #""checkpoint":{"model":"\#(model)"},"dataset":{"name":"synthetic"},"layer":"\#(layer)""#)
    }
    for (model, layer) in [("plain", "pooled"), ("headed", "pooled"), ("headed", "fc")] {
      let answer = evaluate(model, layer)
      #expect(answer.status == 201 && answer.json["state"] == "queued", "\(answer.text)")
      #expect(answer.json["spec"]?["checkpoint"] == ["model": .string(.init(model))])
    }
    #expect(
      evaluate("plain", "fc").errors
        == ["/spec/layer": "must be \"pooled\", as the model has no fc, got \"fc\""])
    #expect(
      evaluate("headed", "embedding").errors == [
        "/spec/layer": "must be \"pooled\" or \"fc\", as the model has no projector, got \"embedding\""
      ])
    #expect(
      evaluate("absent", "pooled").errors == [
        "/spec/checkpoint/model":
          "must be a model of GET /models (such as \"plain\", \"headed\"), got \"absent\""
      ])
  }

  @Test func `an embedding names a model and a layer that it has`() throws {
    #expect(fixture.upload("/models/mine", ["model"]).status == 201)
    let spec = #""checkpoint":{"model":"mine"},"dataset":{"name":"synthetic"}"#
    let answer = submit("embed", spec)
    #expect(answer.status == 201 && answer.json["state"] == "queued", "\(answer.text)")
    #expect(fixture.send(.delete, "/models/mine").status == 409)
    #expect(
      submit("embed", spec + #","layer":"fc""#).errors
        == ["/spec/layer": "must be \"pooled\", as the model has no fc, got \"fc\""])
    let absent = submit("embed", #""checkpoint":{"model":"absent"},"dataset":{"name":"synthetic"}"#)
    #expect(absent.errors.keys.map { $0 } == ["/spec/checkpoint/model"], "\(absent.text)")
  }

  @Test(arguments: ["evaluate", "embed"])
  func `what is done with a model must name the dataset that it is done on`(kind: String) {
    #expect(fixture.upload("/models/mine", ["model"]).status == 201)
    let checkpoint = #""checkpoint":{"model":"mine"}"#
    for rest in ["", #","dataset":{}"#, #","dataset":{"limit":9}"#] {
      let answer = submit(kind, checkpoint + rest)
      #expect(answer.status == 422 && answer.errors.keys.map { $0 } == ["/spec/dataset/name"])
      #expect(answer.text.contains("must be a dataset of GET /datasets"), "\(answer.text)")
    }
    let wrong = submit(kind, checkpoint + #","dataset":"synthetic""#)
    #expect(wrong.errors.keys.map { $0 } == ["/spec/dataset"], "\(wrong.text)")
  }

  @Test(arguments: [
    (#"{"model":"mine","job":"01m8f5zsg5cj8b9r"}"#, ["/spec/init_from/job"]),
    (#"{"model":"mine","which":"last"}"#, ["/spec/init_from/which"]),
    (#"{"model":"mine","optimizer":true}"#, ["/spec/init_from/optimizer"]),
    (#"{"model":7}"#, ["/spec/init_from/model", "/spec/init_from/job"]),
    (#"{"model":null}"#, ["/spec/init_from/job"]), (#"{}"#, ["/spec/init_from/job"]),
    (#"{"model":"absent"}"#, ["/spec/init_from/model"]),
  ])
  func `a model stands alone`(reference: String, pointers: [String]) {
    #expect(fixture.upload("/models/mine", ["model"]).status == 201)
    let answer = submit(
      "train", "\"init_from\":\(reference),\"encoder\":{\"width\":16,\"stem\":\"imagenet\"}")
    #expect(answer.status == 422 && Set(answer.errors.keys) == Set(pointers), "\(answer.text)")
  }
}
