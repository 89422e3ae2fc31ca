import HTTP
import JSONText
import JobModel
import JobStore
import Platform
import Recipe
import RunFolder
import Testing
import Text

@testable import API

/// The routes of imported datasets.
@Suite struct `Dataset registry routes` {
  private let fixture: APIFixture
  private let uploads: String

  init() throws {
    fixture = try APIFixture()
    uploads = "\(fixture.data)/uploads"
  }

  private var uploaded: [String] { (try? FileSystem.list(uploads)) ?? [] }

  private func end(_ lines: [String]) throws {
    let job = try #require(try fixture.store.claimNext(bootID: "b"))
    try fixture.tell(job.id, attempt: job.attempt, lines)
  }

  private func ready(classes: String = #"["cat","dog"]"#) throws {
    try end([
      """
      {"event":"result","result":{"digest":"ab","bytes":12,"classes":\(classes),"shape":[3,64,64],\
      "counts":{"train":1025,"test":100},"channels":3,"mean":[0.1,0.2,0.3],"std":[1,1,1],\
      "class_counts":null,"skipped":[{"path":"a.txt","reason":"is not an image"}],"skipped_count":1}}
      """, #"{"event":"end","state":"succeeded"}"#,
    ])
  }

  @Test func `an upload is kept, queued and registered`() throws {
    let answer = fixture.upload("/datasets/pets?side=32&fit=contain&test_share=0.2", ["PK", "zip"])
    #expect(answer.status == 202, "\(answer.text)")
    #expect(answer.headers["Location"] == "/datasets/pets")
    #expect(answer.json["state"] == "importing")
    #expect(answer.json["classes"] == .null)
    let job = try #require(answer.json["job"]?.string.flatMap { JobID($0) })
    #expect(try File.content(of: "\(uploads)/\(job)", .other) == Array("PKzip".utf8))
    let record = fixture.send(.get, "/jobs/\(job)").json
    #expect(record["kind"] == "import")
    #expect(record["spec"]?["side"] == 32)
    #expect(record["spec"]?["test_share"] == 0.2)
    #expect(fixture.send(.get, "/datasets/pets").headers["ETag"] == answer.headers["ETag"])
    try ready()
    let shown = fixture.send(.get, "/datasets/pets").json
    #expect(shown["state"] == "ready")
    #expect(shown["skipped"]?.array?.first?["reason"] == "is not an image")
    #expect(shown["counts"] == ["train": 1025, "test": 100])
    let listed = fixture.send(.get, "/datasets").json["datasets"]?.array?.last
    #expect(listed?["name"] == "pets")
    #expect(listed?["available"] == true)
  }

  @Test(arguments: [
    ("/datasets/pets?side=8", "/side"), ("/datasets/pets?side=x", "/side"),
    ("/datasets/pets?fit=crop", "/fit"), ("/datasets/pets?test_share=2", "/test_share"),
    ("/datasets/pets?on_bad_image=no", "/on_bad_image"), ("/datasets/pets?seed=-1", "/seed"),
    ("/datasets/-pets", "/name"), ("/datasets/pets?sides=8", "/sides"),
  ])
  func `wrong parameters are refused before the body, and leave nothing`(target: String, pointer: String) {
    let answer = fixture.upload(target, ["zip"])
    #expect(answer.status == 422)
    #expect(answer.errors[pointer] != nil, "\(answer.text)")
    #expect(uploaded.isEmpty)
  }

  @Test func `a name that is in use or built in is refused, and so are empty and too large archives`() {
    #expect(fixture.upload("/datasets/pets", ["zip"]).status == 202)
    #expect(fixture.upload("/datasets/pets", ["zip"]).status == 409)
    #expect(fixture.upload("/datasets/synthetic", ["zip"]).status == 409)
    #expect(fixture.upload("/datasets/empty", []).status == 400)
    #expect(fixture.upload("/datasets/huge", [], length: 1 << 60).status == 507)
    fixture.control.refuse("the disk is full")
    #expect(fixture.upload("/datasets/other", ["zip"]).status == 507)
    #expect(uploaded.count == 1)
  }

  @Test func `a path must lie below a root, and limits are the daemon's`() {
    let answer = fixture.send(
      .post, "/datasets", #"{"name": "a b", "path": "/etc", "limits": {}, "side": "x"}"#)
    #expect(answer.status == 422)
    #expect(Set(answer.errors.keys) == ["/name", "/path", "/limits", "/side"])
  }

  @Test func `a dataset is deleted when no unfinished job needs it`() throws {
    #expect(fixture.upload("/datasets/pets", ["zip"]).status == 202)
    #expect(fixture.send(.delete, "/datasets/pets").status == 409)
    try end([#"{"event":"end","state":"failed","reason":"bad_input","message":"no images"}"#])
    let failed = fixture.send(.get, "/datasets/pets").json
    #expect(failed["state"] == "failed")
    #expect(failed["message"] == "no images")
    #expect(fixture.send(.delete, "/datasets/pets", headers: [("If-Match", "\"x\"")]).status == 412)
    #expect(fixture.send(.delete, "/datasets/pets").status == 204)
    #expect(fixture.send(.get, "/datasets/pets").status == 404)
    #expect(fixture.send(.delete, "/datasets/pets").status == 404)
    #expect(fixture.send(.delete, "/datasets/synthetic").status == 409)
    #expect(uploaded.isEmpty)
  }

  @Test func `pictures and class counts are those of built-in datasets as well`() {
    let shown = fixture.send(.get, "/datasets/synthetic").json
    #expect(shown["class_counts"] == ["train": ["a": 1000, "b": 25], "test": ["a": 60, "b": 40]])
    let sample = fixture.send(.get, "/datasets/synthetic/sample.png?split=test&count=9&class=b")
    #expect(sample.text == "test 9 1")
    #expect(sample.headers["Content-Type"] == "image/png")
    let image = fixture.send(.get, "/datasets/fashion-mnist/images/2.png")
    #expect(image.text == "train 2")
    let tag = image.headers["ETag"]?.string ?? ""
    #expect(
      fixture.send(.get, "/datasets/fashion-mnist/images/2.png", headers: [("If-None-Match", tag)]).status
        == 304)
    for (target, status) in [
      ("synthetic/sample.png?class=cow", 422), ("synthetic/sample.png?count=0", 422),
      ("synthetic/images/3.png", 404), ("synthetic/images/x.png", 404), ("absent/sample.png", 404),
      ("absent/images/0.png", 404), ("damaged/images/0.png", 422), ("nothing/sample.png", 404),
    ] {
      #expect(fixture.send(.get, "/datasets/\(target)").status == status, "\(target)")
    }
  }

  @Test func `pictures are shown of a dataset that is ready`() throws {
    #expect(fixture.send(.get, "/datasets/pets/sample.png").status == 404)
    #expect(fixture.upload("/datasets/pets", ["zip"]).status == 202)
    #expect(fixture.send(.get, "/datasets/pets/sample.png").status == 409)
    try ready()
    let sample = fixture.send(.get, "/datasets/pets/sample.png?split=test&count=9&class=dog")
    #expect(sample.text == "test 9 1")
    #expect(sample.headers["Content-Type"] == "image/png")
    #expect(fixture.send(.get, "/datasets/pets/images/2.png").text == "train 2")
    for (target, status) in [
      ("sample.png?class=cow", 422), ("sample.png?count=0", 422), ("sample.png?split=val", 422),
      ("images/3.png", 404), ("images/x.png", 404), ("images/-1.png", 404), ("images/1.jpg", 404),
    ] {
      #expect(fixture.send(.get, "/datasets/pets/\(target)").status == status, "\(target)")
    }
  }
}
