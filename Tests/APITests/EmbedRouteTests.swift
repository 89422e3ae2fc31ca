import API
import HTTP
import JSONText
import JobModel
import Platform
import Recipe
import RunFolder
import Testing
import Text

@Suite struct `Embeddings of images that a request brings` {
  private let fixture: APIFixture
  private let id: JobID

  init() throws {
    fixture = try APIFixture(limits: ["embed_pixels_max": 1_000])
    id = try fixture.post(#"{"kind":"train","spec":{"encoder":{"fc":null}}}"#)
  }

  private func send(
    _ route: String = "embed", _ query: String = "", _ body: String = "pixels", type: String? = "image/png",
    accept: String? = nil
  ) -> Response {
    let fields = [("Content-Type", type), ("Accept", accept)].compactMap { name, value in
      value.map { (name, $0) }
    }
    return fixture.upload(.post, "/jobs/\(id)/\(route)\(query)", body.isEmpty ? [] : [body], headers: fields)
  }

  private func form(_ parts: [(type: String, content: String)]) -> String {
    parts.map {
      "--b\r\nContent-Disposition: form-data; name=i; filename=x\r\nContent-Type: \($0.type)\r\n\r\n"
        + "\($0.content)\r\n"
    }.joined() + "--b--\r\n"
  }
  private let formType = "multipart/form-data; boundary=b"

  @Test func `are JSON, or an array of NumPy`() throws {
    let manifest = try fixture.checkpoint(id, step: 8, "content")
    let answer = send()
    #expect(answer.status == 200, "\(answer.text)")
    #expect(answer.text == #"{"layer":"pooled","dimension":2,"embeddings":[[6.0,0.1]]}"# + "\n")
    let array = send(
      "embed", "", form([("image/png", "a"), ("image/webp", "")]), type: formType,
      accept: "application/x-npy")
    #expect(array.headers["Content-Type"] == "application/x-npy")
    #expect(
      array.bytes == NumPyHeader.bytes(.float32, shape: [2, 2])
        + [0, 0, 128, 63, 205, 204, 204, 61, 0, 0, 0, 0, 205, 204, 204, 61])
    let order = try #require(fixture.embedder.orders.first)
    #expect(order.encoder.checkpointSHA256 == manifest.sha256 && order.encoder.storedSide == 32)
    #expect(order.mean == [0.1, 0.2, 0.3] && order.std == [0.4, 0.5, 0.6] && order.side == nil)
    #expect(order.pixelsMax == 1_000 && order.search == nil)
    #expect(EmbedOrder(json: order.json, encoder: order.encoder)?.parts == order.parts)
    #expect(EncoderOrder(json: order.encoder.json) == order.encoder)
    #expect(fixture.embedder.contents == [[Array("pixels".utf8)], [Array("a".utf8), []]])
    // The bodies are gone with their requests.
    #expect(try FileSystem.list(API.embedFolder(in: fixture.data)).isEmpty)
  }

  @Test func `are refused by the head, whatever the body is`() throws {
    #expect(send().status == 409)
    _ = try fixture.checkpoint(id, step: 8, "content")
    let wrong = send("embed", "?layer=fc&checkpoint=none&k=3")
    #expect(wrong.status == 422)
    #expect(wrong.errors.keys.sorted() == ["/checkpoint", "/k", "/layer"], "\(wrong.text)")
    #expect(send("embed", "?layer=stage4").errors["/layer"]?.contains("pooled, fc, embedding") == true)
    for type in ["text/plain", "application/json", "image/gif", nil] {
      let answer = send(type: type)
      #expect(answer.status == 415 && answer.headers["Accept"]?.string.contains("image/webp") == true)
    }
    #expect(send(type: "multipart/form-data").status == 400)
    #expect(send("embed", "", "").status == 400)
    #expect(fixture.upload(.post, "/jobs/0000000000000000/embed", ["x"]).status == 404)
    let evaluation = try fixture.post(#"{"kind":"evaluate","spec":{"checkpoint":{"job":"\#(id)"}}}"#)
    #expect(fixture.upload(.post, "/jobs/\(evaluation)/embed", ["x"]).status == 409)
    #expect(fixture.embedder.orders.isEmpty)
  }

  @Test func `of a form are refused with the number of the part`() throws {
    _ = try fixture.checkpoint(id, step: 8, "content")
    let text = send("embed", "", form([("image/png", "a"), ("text/plain", "b")]), type: formType)
    #expect(text.status == 415 && text.text.contains("part 2"), "\(text.text)")
    let cut = send("embed", "", String(form([("image/png", "a")]).dropLast(6)), type: formType)
    #expect(cut.status == 400 && cut.text.contains("part 1"), "\(cut.text)")
    let many = send(
      "embed", "", form(Array(repeating: ("image/png", "a"), count: 257)), type: formType)
    #expect(many.status == 413 && many.text.contains("embed_parts_max"), "\(many.text)")
    let most = send(
      "embed", "", form(Array(repeating: ("image/png", "a"), count: 256)), type: formType)
    #expect(most.status == 200)
    fixture.embedder.refuse(
      OrderProblem(.images, "bad", parts: [.init(number: 3, message: "the file is empty")]))
    let bad = send("embed", "", form(Array(repeating: ("image/png", ""), count: 3)), type: formType)
    #expect(bad.status == 422 && bad.errors[""] == "part 3: the file is empty", "\(bad.text)")
    #expect(send().errors[""] == "the image: the file is empty")
  }

  @Test(arguments: [
    (OrderProblem.Kind.failed, 500), (.memory, 500), (.unreadable, 500), (.full, 507), (.overTime, 503),
    (.gone, 503), (.dataset, 409),
  ])
  func `say why there are none`(kind: OrderProblem.Kind, status: Int) throws {
    _ = try fixture.checkpoint(id, step: 8, "content")
    fixture.embedder.refuse(OrderProblem(kind, "this is why"))
    let answer = send()
    #expect(answer.status == status && answer.text.contains("this is why"), "\(answer.text)")
    #expect((answer.headers["Retry-After"] != nil) == (status == 503))
  }

  @Test func `find neighbours in a dataset, by its own statistics`() throws {
    _ = try fixture.checkpoint(id, step: 8, "content")
    let answer = send("neighbours", "?dataset=synthetic&split=test&k=2")
    #expect(answer.status == 200, "\(answer.text)")
    #expect(
      answer.json == [
        "layer": "pooled", "dataset": "synthetic", "split": "test",
        "neighbours": [
          [
            "index": 0, "label": nil, "class": nil, "similarity": 1,
            "image": "/datasets/synthetic/images/0.png?split=test",
          ],
          [
            "index": 1, "label": 1, "class": "b", "similarity": 0.75,
            "image": "/datasets/synthetic/images/1.png?split=test",
          ],
        ],
      ])
    let order = try #require(fixture.embedder.orders.last)
    #expect(order.side == 32 && order.search == .init(bankPath: "/bank", k: 2))
    let bank = try #require(fixture.embedder.banks.last)
    #expect(bank.split == .test && bank.dataset == "synthetic" && bank.datasetFolder == nil)
    #expect(BankOrder(json: bank.json) == bank && bank.digest.count == 64)
    let many = send(
      "neighbours", "?dataset=synthetic", form([("image/png", "a"), ("image/png", "b")]), type: formType)
    #expect(many.json["images"]?.array?.map { $0["neighbours"]?.array?.count } == [10, 10])
  }

  @Test func `name what is wrong with a search`() throws {
    _ = try fixture.checkpoint(id, step: 8, "content")
    #expect(send("neighbours").errors["/dataset"]?.contains("missing") == true)
    let wrong = send("neighbours", "?dataset=synthetic&split=val&k=0")
    #expect(wrong.errors.keys.sorted() == ["/k", "/split"])
    #expect(send("neighbours", "?dataset=nope").errors["/dataset"]?.contains("there is no dataset") == true)
    #expect(send("neighbours", "?dataset=single&split=test").errors["/split"] != nil)
    fixture.embedder.refuseBank(OrderProblem(.failed, "it was killed by signal 9"))
    let failed = send("neighbours", "?dataset=synthetic")
    #expect(failed.status == 500 && failed.text.contains("signal 9"))
    #expect(fixture.embedder.orders.isEmpty)
  }
}
