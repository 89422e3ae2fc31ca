import JSONText
import Testing

@Suite struct `The contract of a running daemon` {
  @Test func `its description names every method of every path, and the limits in force`() throws {
    let daemon = try Daemon(arguments: ["--body-bytes-max", "2048"])
    let document = try daemon.get("/openapi.json")
    let paths = try #require(document["paths"]?.object)
    #expect(paths.count >= 20)
    for (path, methods) in paths {
      let target = path.string.replacing("{id}", with: "0000000000000000").replacing("{name}", with: "x")
        .replacing("{index}", with: "0.png")
      let answer = try daemon.request("OPTIONS", target)
      let allowed = Set((answer.fields["allow"] ?? "").split(separator: ", ").map { $0.lowercased() })
      #expect(allowed == Set(methods.object?.keys.map(\.string) ?? []).union(["options"]), "\(path)")
    }
    #expect(paths["/session"]?["post"] != nil)
    #expect(document["x-limits"]?["body_bytes_max"] == 2048)
    let refusal = try daemon.request("POST", "/jobs", String(repeating: " ", count: 2_049))
    #expect(refusal.status == 413)
    #expect(refusal.text.contains("body_bytes_max, which is 2048"))
  }

  @Test func `streams end where a setting says how long they last`() throws {
    let daemon = try Daemon(arguments: ["--stream-seconds", "1", "--workers", "1"])
    let training: JSON = ["preset": "small", "dataset": ["name": "synthetic"], "epochs": 500]
    let id = try daemon.queue(["kind": "train", "spec": training])
    for path in ["/events", "/jobs/\(id)/events"] {
      let answer = try daemon.request("GET", path)
      // The last chunk has come, or this would not be read.
      #expect(answer.status == 200 && answer.text.hasPrefix("retry: "), "\(path)")
    }
    #expect(try daemon.request("GET", "/jobs/\(id)/metrics?follow=true").status == 200)
    #expect(!["succeeded", "failed"].contains(try daemon.get("/jobs/\(id)")["state"]?.string))
  }
}
