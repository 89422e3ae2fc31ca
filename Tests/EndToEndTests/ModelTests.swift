import JSONText
import Platform
import Testing

/// Models that are uploaded, begun with and evaluated (issue 17).
@Suite(.serialized) struct `Models` {
  private func upload(_ daemon: Daemon, _ target: String, _ content: [UInt8]) throws -> JSON {
    let path = "\(daemon.data)/upload-\(UInt64.random(in: 0 ... .max))"
    try AtomicFile.write(content, to: path)
    let log = "\(path).txt"
    let child = try ChildProcess(
      "/usr/bin/curl",
      ["--silent", "--show-error", "-T", path, "http://127.0.0.1:\(daemon.port)\(target)"], logPath: log)
    #expect(try child.wait() == .exited(code: 0))
    return try JSON.parse(File.content(of: log, .other))
  }

  /// The light training of one step with step 0 kept; changed.
  private func job(_ changes: [String: JSON]) -> JSON {
    var job = SmallRun.lightJob(maxSteps: 1).object ?? [:]
    var spec = job["spec"]?.object ?? [:]
    spec["checkpoint"] = ["initial": true, "every_epochs": 100]
    for (key, value) in changes { spec[.init(key)] = value }
    job["spec"] = .object(spec)
    return .object(job)
  }

  private func export(_ daemon: Daemon, _ path: String) throws -> [UInt8] {
    let answer = try daemon.request("GET", path)
    try #require(answer.status == 200, "\(answer.text.prefix(500))")
    return answer.body
  }

  /// What is behind the header of a safetensors file.
  private func data(_ file: [UInt8]) -> ArraySlice<UInt8> {
    file.dropFirst(8 + file.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) })
  }

  @Test func `come in as they went out, give a training its first bits, and are evaluated`() throws {
    let daemon = try Daemon()
    let source = try daemon.queue(job([:]))
    #expect(try daemon.finishedJob(source)["state"] == "succeeded")
    let file = try export(daemon, "/jobs/\(source)/export")
    let whole = try export(daemon, "/jobs/\(source)/export?part=all")
    let model = try upload(daemon, "/models/mine?arch=resnet18&width=16", file)
    #expect(model["name"] == "mine" && model["stem"] == "cifar" && model["image_size"] == 32, "\(model.text)")
    #expect(try upload(daemon, "/models/whole", whole)["parameters"] == model["parameters"])
    #expect(try export(daemon, "/models/mine/export") == file)
    try daemon.kill()
    try AtomicFile.write([1], to: "\(daemon.data)/models/\(source).upload")
    try daemon.start()
    #expect(try FileSystem.list("\(daemon.data)/models").count == 2)
    #expect(try daemon.get("/models")["models"]?.array?.first == model)

    for name in ["mine", "whole"] {
      let begun = try daemon.queue(job(["init_from": ["model": .string(.init(name))], "seed": 9]))
      let ended = try daemon.finishedJob(begun)
      #expect(ended["state"] == "succeeded", "\(ended.text)")
      let initial = try export(daemon, "/jobs/\(begun)/export?checkpoint=step-00000000.safetensors.gz")
      #expect(data(initial) == data(file))
    }
    let evaluation = try daemon.queue([
      "kind": "evaluate",
      "spec": [
        "checkpoint": ["model": "mine"], "protocol": "knn",
        "dataset": ["name": "synthetic:count=64,classes=4,seed=1"],
      ],
    ])
    #expect(try daemon.get("/jobs/\(evaluation)")["estimate"]?["memory_bytes"]?.int ?? 0 > 0)
    let evaluated = try daemon.finishedJob(evaluation)
    #expect(evaluated["state"] == "succeeded", "\(evaluated.text)")
    #expect(evaluated["result"]?["model"] == "mine" && evaluated["result"]?["preset"] == nil)
    #expect(evaluated["result"]?["checkpoint_sha256"] == model["digest"])
    let byJob = try daemon.finishedJob(
      try daemon.queue([
        "kind": "evaluate",
        "spec": [
          "checkpoint": ["job": .string(.init(source))], "protocol": "knn",
          "dataset": ["name": "synthetic:count=64,classes=4,seed=1"],
        ],
      ]))
    #expect(byJob["result"]?["top1"] == evaluated["result"]?["top1"])
    #expect(try daemon.request("DELETE", "/models/mine").status == 204)
    #expect(try FileSystem.list("\(daemon.data)/models").count == 1)
  }

  @Test func `whose file is damaged fail the job that takes it, with the reason`() throws {
    let daemon = try Daemon()
    let source = try daemon.queue(job([:]))
    #expect(try daemon.finishedJob(source)["state"] == "succeeded")
    let file = try export(daemon, "/jobs/\(source)/export")
    let broken = try upload(daemon, "/models/broken", Array(file.dropLast(9)))
    #expect(
      broken["status"] == 422 && broken["errors"]?.array?.first?["pointer"] == "/body", "\(broken.text)")
    #expect(try FileSystem.list("\(daemon.data)/models").isEmpty)
    _ = try upload(daemon, "/models/mine", file)
    let name = try #require(try FileSystem.list("\(daemon.data)/models").first)
    var bytes = file
    bytes[bytes.count - 5] ^= 1
    #expect(try daemon.check() == .exited(code: 0))
    try AtomicFile.write(bytes, to: "\(daemon.data)/models/\(name)")
    #expect(try daemon.check() == .exited(code: 1))
    let found = String(decoding: try File.content(of: "\(daemon.data)/check.txt", .other), as: UTF8.self)
    #expect(found.contains(name) && found.contains("models (1)"), "\(found)")
    let begun = try daemon.finishedJob(try daemon.queue(job(["init_from": ["model": "mine"]])))
    #expect(begun["state"] == "failed" && begun["reason"] == "bad_input", "\(begun.text)")
    #expect(begun["message"]?.string?.string.contains("is missing or damaged") == true)
  }
}
