import JSONText
import Platform
import Testing

/// A training's model as files of other programs, made by a process of their own (issue 17).
@Suite(.serialized) struct `An exported model` {
  @Test func `is the checkpoint's encoder, is made once, and is gone with a restart`() throws {
    let daemon = try Daemon()
    let training = try daemon.queue(SmallRun.lightJob(maxSteps: 4))
    #expect(try daemon.finishedJob(training)["state"] == "succeeded")
    let path = "/jobs/\(training)/export"
    let answer = try daemon.request("GET", path)
    #expect(answer.status == 200, "\(answer.text.prefix(500))")
    let length = answer.body.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    let header = try JSON.parse(Array(answer.body[8..<(8 + length)]))
    #expect(header["conv1.weight"]?["shape"] == [16, 3, 3, 3])
    #expect(header["__metadata__"]?["job"]?.string?.string == training)
    #expect(header["__metadata__"]?["host"] != nil && header["__metadata__"]?["digest"] != nil)

    let onnx = try daemon.request("GET", "\(path)?format=onnx&part=all")
    #expect(onnx.status == 200 && onnx.body.count > answer.body.count / 2)
    #expect(onnx.fields["content-disposition"]?.contains("-all.onnx\"") == true)
    let folder = "\(daemon.data)/exports"
    #expect(try FileSystem.list(folder).count == 2)
    let again = try daemon.request("GET", path)
    #expect(again.body == answer.body && again.fields["etag"] == answer.fields["etag"])
    #expect(try FileSystem.list(folder).count == 2)
    #expect(try daemon.request("GET", "\(path)?format=zip").status == 422)

    #expect(try FileSystem.list(folder).allSatisfy { $0.hasPrefix("\(training)-") })

    try daemon.kill()
    try daemon.start()
    #expect(try FileSystem.list(folder).isEmpty)
    let rebuilt = try daemon.request("GET", path)
    #expect(rebuilt.body == answer.body && rebuilt.fields["etag"] == answer.fields["etag"])
    #expect(try daemon.request("DELETE", "/jobs/\(training)").status == 204)
    #expect(try FileSystem.list(folder).isEmpty)
  }

  @Test func `of a damaged checkpoint is an error, and leaves nothing`() throws {
    let daemon = try Daemon()
    let training = try daemon.queue(SmallRun.lightJob(maxSteps: 4))
    #expect(try daemon.finishedJob(training)["state"] == "succeeded")
    let list = try daemon.get("/jobs/\(training)/checkpoints")
    let name = try #require(list["checkpoints"]?.array?.last?["name"]?.string?.string)
    let path = "\(daemon.data)/runs/\(training)/checkpoints/\(name)"
    var bytes = try File(path, .read).readAll()
    bytes[bytes.count / 2] ^= 0x55
    try AtomicFile.write(bytes, to: path)
    let answer = try daemon.request("GET", "/jobs/\(training)/export")
    #expect(answer.status == 500 && answer.text.contains("cannot use the checkpoint"), "\(answer.text)")
    #expect(try FileSystem.list("\(daemon.data)/exports").isEmpty)
  }
}
