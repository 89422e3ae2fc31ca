import HTTP
import JSONText
import JobModel
import Recipe
import Testing

@testable import API

@Suite struct `A training that evaluates itself` {
  private let fixture: APIFixture

  init() throws { fixture = try APIFixture() }

  private func submit(_ spec: String) -> Response {
    fixture.send(.post, "/jobs", "{\"kind\":\"train\",\"spec\":{\(spec)}}")
  }

  @Test func `is the default of the small preset with enough images, and nothing else`() {
    let standard = OnlineSpecification().json
    #expect(submit("").json["spec"]?["online"] == standard)
    #expect(submit("\"method\":\"simclr\"").json["spec"]?["online"] == standard)
    #expect(submit("\"batch_size\":256").json["progress"]?["steps"] == 920)
    for spec in [
      "\"preset\":\"seed\"", "\"augmentation\":\"mirror\"", "\"online\":null",
      "\"dataset\":{\"name\":\"fashion-mnist\",\"limit\":4000}", "\"dataset\":{\"name\":\"tiny\"}",
    ] {
      let answer = submit(spec)
      #expect(answer.status == 201 && answer.json["spec"]?["online"] == JSON.null, "\(answer.text)")
    }
  }

  @Test func `can be asked for with any preset, mode and number of images`() {
    for spec in [
      "\"preset\":\"seed\",\"online\":{}", "\"augmentation\":\"mirror\",\"online\":{}",
      "\"dataset\":{\"name\":\"tiny\"},\"online\":{}",
    ] {
      let answer = submit(spec)
      #expect(answer.status == 201 && answer.json["spec"]?["online"]?["holdout"] == 0.02, "\(answer.text)")
    }
    let few = submit("\"dataset\":{\"name\":\"tiny\"},\"online\":{\"holdout\":0.002}")
    #expect(
      few.errors == [
        "/spec/online/holdout":
          "must hold back at least 2 images, got 0.002, which is 1 of 512 images; null trains on all"
      ])
  }

  @Test func `keeps the best checkpoints by what it finds`() {
    func best(_ metric: String, _ rest: String = "") -> Response {
      submit("\"checkpoint\":{\"keep_best\":{\"metric\":\"\(metric)\"}}\(rest)")
    }
    for metric in Metric.online.map(\.name) { #expect(best(metric).status == 201, "\(metric)") }
    let pointer = "/spec/checkpoint/keep_best/metric"
    #expect(best("knn_top1", ",\"online\":null").errors.keys.map { $0 } == [pointer])
    #expect(best("knn_top1", ",\"online\":{\"knn\":false}").errors.keys.map { $0 } == [pointer])
    let unlabelled = ",\"online\":{},\"dataset\":{\"name\":\"unlabelled\"}"
    #expect(best("probe_top1", unlabelled).errors.keys.map { $0 } == [pointer])
    #expect(best("holdout_loss", unlabelled).status == 201)
  }

  @Test func `goes on as the training that it goes on with`() throws {
    let source = try fixture.post(#"{"kind":"train","spec":{"online":{"knn":false,"holdout":0.1}}}"#)
    let answer = submit("\"init_from\":{\"job\":\"\(source)\",\"optimizer\":true},\"epochs\":9")
    #expect(answer.status == 201, "\(answer.text)")
    #expect(answer.json["spec"]?["online"]?["holdout"] == 0.1)
    #expect(answer.json["spec"]?["online"]?["knn"] == false)
    let other = submit("\"init_from\":{\"job\":\"\(source)\",\"optimizer\":true},\"online\":null")
    #expect(other.errors.keys.map { $0 } == ["/spec/online"])
  }
}
