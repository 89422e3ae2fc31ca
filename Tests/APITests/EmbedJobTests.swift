import HTTP
import JSONText
import JobModel
import Recipe
import Testing

@Suite struct EmbedJobTests {
  private let fixture: APIFixture
  private let training: JobID

  init() throws {
    fixture = try APIFixture()
    training = try fixture.post(
      #"{"kind":"train","spec":{"dataset":{"name":"synthetic"},"batch_size":100,"encoder":{"fc":null}}}"#)
  }

  private func submit(_ spec: String) -> Response {
    fixture.send(.post, "/jobs", #"{"kind":"embed","spec":{"checkpoint":{"job":"\#(training)"}\#(spec)}}"#)
  }

  @Test func `takes the training's dataset and waits for the training`() throws {
    let answer = submit("")
    #expect(answer.status == 201, "\(answer.text)")
    #expect(
      answer.json["spec"] == [
        "checkpoint": ["job": .string(training.text), "which": "last"],
        "dataset": ["name": "synthetic", "limit": nil], "split": "test", "layer": "pooled",
      ])
    #expect(answer.json["state"] == "blocked" || answer.json["state"] == "queued", "\(answer.text)")
    #expect(answer.json["progress"]?["steps"] == 1 && answer.json["result"] == .null)
    let list = fixture.send(.get, "/jobs?kind=embed")
    #expect(list.json["total"] == 1)
  }

  @Test(arguments: [
    (#","split":"val""#, "/spec/split", "must be one of \"train\", \"test\", got \"val\""),
    (#","layer":"fc""#, "/spec/layer", "as encoder.fc of the training is null"),
    (#","layer":"last""#, "/spec/layer", "must be one of \"pooled\", \"fc\", \"embedding\""),
    (#","dataset":{"name":"single"}"#, "/spec/split", "split \"test\" of \"single\" has none"),
    (#","dataset":{"name":"nope"}"#, "/spec/dataset/name", "there are fashion-mnist"),
    (#","protocol":"knn""#, "/spec/protocol", "unknown key"),
  ])
  func `says what is wrong`(spec: String, pointer: String, message: String) throws {
    let answer = submit(spec)
    #expect(answer.status == 422)
    #expect(answer.errors[pointer]?.contains(message) == true, "\(answer.text)")
    #expect(answer.errors.count == 1, "\(answer.text)")
  }

  @Test func `needs a training`() throws {
    #expect(fixture.send(.post, "/jobs", #"{"kind":"embed"}"#).errors["/spec/checkpoint"] != nil)
    let other = try fixture.post(#"{"kind":"embed","spec":{"checkpoint":{"job":"\#(training)"}}}"#)
    let answer = fixture.send(
      .post, "/jobs", #"{"kind":"embed","spec":{"checkpoint":{"job":"\#(other)"}}}"#)
    #expect(answer.errors["/spec/checkpoint/job"]?.contains("is an embed job") == true, "\(answer.text)")
  }
}
