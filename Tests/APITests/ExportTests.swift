import HTTP
import JSONText
import JobModel
import Recipe
import RunFolder
import Testing

@testable import API

@Suite struct `Export of a model` {
  private let fixture: APIFixture
  private let id: JobID

  init() throws {
    fixture = try APIFixture()
    id = try fixture.post(#"{"kind":"train"}"#)
  }

  private func export(_ query: String = "") -> Response { fixture.send(.get, "/jobs/\(id)/export\(query)") }

  /// The name under which an answer is saved.
  private static func name(of answer: Response) -> String? {
    let parts = answer.headers["Content-Disposition"]?.split(0x22) ?? []
    return parts.count == 2 && parts[0] == "attachment; filename=" ? parts[1].string : nil
  }

  @Test func `is a file with a name, an entity tag and ranges`() throws {
    _ = try fixture.checkpoint(id, step: 8, "content")
    let answer = export()
    #expect(answer.status == 200 && answer.text == "safetensors encoder")
    #expect(Self.name(of: answer) == "\(id)-step-00000008.safetensors")
    #expect(answer.headers["Accept-Ranges"] == "bytes")
    let tag = try #require(answer.headers["ETag"])
    #expect(
      fixture.send(
        .get, "/jobs/\(id)/export", headers: [("If-None-Match", tag.string)]
      ).status == 304)
    let other = export("?format=onnx&part=all&checkpoint=last")
    #expect(other.status == 200 && other.text == "onnx all" && other.headers["ETag"] != tag)
    #expect(Self.name(of: other) == "\(id)-step-00000008-all.onnx")
  }

  @Test func `knows the dataset, the checkpoint and the machine`() throws {
    let manifest = try fixture.checkpoint(id, step: 8, "content")
    _ = export("?checkpoint=\(manifest.name)")
    let order = try #require(fixture.exports.orders.last)
    #expect(order.mean == [0.1, 0.2, 0.3] && order.std == [0.4, 0.5, 0.6] && order.imageSide == 32)
    #expect(order.checkpointPath.hasSuffix("\(id)/checkpoints/\(manifest.name)"))
    #expect(order.metadata["checkpoint_sha256"] == manifest.sha256)
    #expect(order.metadata["job"] == id.text && order.metadata["version"] == "1.2.3")
    #expect(order.metadata["digest"]?.count == 64)
    #expect(ExportOrder(json: order.json) == order)
  }

  @Test func `waits for a checkpoint, and names what a parameter may be`() throws {
    #expect(export().status == 409)
    _ = try fixture.checkpoint(id, step: 8, "content")
    let wrong = export("?format=pickle&part=head&checkpoint=best&x=1")
    #expect(wrong.status == 422)
    #expect(
      wrong.errors == [
        "/format": "must be one of safetensors, onnx, got \"pickle\"",
        "/part": "must be one of encoder, all, got \"head\"",
        "/checkpoint": "must be one of last, step-00000008.safetensors.gz, got \"best\"",
        "/x": "is unknown; known here: checkpoint, format, part",
      ])
    #expect(fixture.send(.get, "/jobs/0000000000000000/export").status == 404)
    #expect(fixture.exports.orders.isEmpty)
  }

  @Test func `goes with its job`() throws {
    try fixture.finish(.succeeded)
    #expect(fixture.send(.delete, "/jobs/\(id)").status == 204)
    #expect(fixture.exports.forgotten == [id])
  }

  @Test func `of an evaluation is refused`() throws {
    let evaluation = try fixture.post(#"{"kind":"evaluate","spec":{"checkpoint":{"job":"\#(id)"}}}"#)
    let answer = fixture.send(.get, "/jobs/\(evaluation)/export")
    #expect(answer.status == 409 && answer.text.contains("only a train job has"))
  }

  @Test(arguments: [
    (OrderProblem.Kind.impossible, 409), (.unreadable, 500), (.full, 507), (.failed, 500),
  ])
  func `says why there is none`(kind: OrderProblem.Kind, status: Int) throws {
    _ = try fixture.checkpoint(id, step: 8, "content")
    fixture.exports.refuse(OrderProblem(kind, "this is why"))
    let answer = export()
    #expect(answer.status == status && answer.text.contains("this is why"), "\(answer.text)")
  }
}
