import JSONText
import Platform
import Testing

/// Datasets that are uploaded, imported by a worker and trained on.
@Suite(.serialized) struct `Imports` {
  /// A tar archive of the four files of a small labelled dataset, 24 and 8 images of 16×16.
  private var archive: [UInt8] {
    var bytes: [UInt8] = []
    for (prefix, count) in [("train", 24), ("t10k", 8)] {
      let header: [UInt8] = [0, 0, 8, 3, 0, 0, 0, UInt8(count), 0, 0, 0, 16, 0, 0, 0, 16]
      let pixels = (0..<256 * count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 / 256) }
      bytes += entry("\(prefix)-images-idx3-ubyte", header + pixels)
      let labels = (0..<count).map { UInt8($0 % 4) }
      bytes += entry("\(prefix)-labels-idx1-ubyte", [0, 0, 8, 1, 0, 0, 0, UInt8(count)] + labels)
    }
    return bytes + [UInt8](repeating: 0, count: 1_024)
  }

  /// A file in the format of POSIX.1-1988 (ustar).
  private func entry(_ name: String, _ content: [UInt8]) -> [UInt8] {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at place: Int) {
      for (offset, byte) in text.utf8.enumerated() { header[place + offset] = byte }
    }
    func octal(_ value: Int, digits: Int) -> String {
      let text = String(value, radix: 8)
      return String(repeating: "0", count: digits - text.utf8.count) + text
    }
    put(name, at: 0)
    put("0000644", at: 100)
    put(octal(content.count, digits: 11), at: 124)
    put(octal(0, digits: 11), at: 136)
    put("        ", at: 148)
    put("0", at: 156)
    put("ustar", at: 257)
    put("00", at: 263)
    put(octal(header.reduce(0) { $0 + Int($1) }, digits: 6), at: 148)
    header[154] = 0
    return header + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
  }

  /// Uploads by the program that the documentation names.
  private func curl(_ daemon: Daemon, _ target: String, _ content: [UInt8]) throws -> JSON {
    let path = "\(daemon.data)/upload-\(UInt64.random(in: 0 ... .max)).tar"
    try AtomicFile.write(content, to: path)
    let log = "\(path).txt"
    let child = try ChildProcess(
      "/usr/bin/curl",
      ["--silent", "--show-error", "-T", path, "http://127.0.0.1:\(daemon.port)\(target)"], logPath: log)
    #expect(try child.wait() == .exited(code: 0))
    return try JSON.parse(File.content(of: log, .other))
  }

  private func finished(_ daemon: Daemon, _ name: String) throws -> JSON {
    try eventually {
      try daemon.startAgainIfGone()
      guard let dataset = try? daemon.get("/datasets/\(name)") else { return nil }
      return dataset["state"] == "importing" ? .none : .some(dataset)
    }
  }

  @Test func `an uploaded archive is imported, trained on, evaluated, shown and deleted`() throws {
    let daemon = try Daemon()
    let answer = try curl(daemon, "/datasets/digits?side=16", archive)
    #expect(answer["state"] == "importing", "\(answer.text)")
    let dataset = try finished(daemon, "digits")
    #expect(dataset["state"] == "ready", "\(dataset.text)")
    #expect(dataset["counts"] == ["train": 24, "test": 8])
    #expect(dataset["shape"] == [3, 16, 16])
    #expect(dataset["class_counts"]?["test"]?.object?.values.map(\.int) == [2, 2, 2, 2])
    let job = try #require(dataset["job"]?.string?.string)
    #expect(try daemon.get("/jobs/\(job)")["state"] == "succeeded")
    #expect(try FileSystem.list("\(daemon.data)/uploads").isEmpty)

    let training = try daemon.queue(SmallRun.job(epochs: 2, dataset: "digits"))
    let trained = try daemon.finishedJob(training)
    #expect(trained["state"] == "succeeded", "\(trained.text)")
    let picture = try daemon.request("GET", "/datasets/digits/sample.png?count=4")
    #expect(picture.status == 200)
    #expect(picture.body.starts(with: [0x89, 0x50, 0x4E, 0x47]))
    #expect(try daemon.request("GET", "/datasets/digits/images/23.png").status == 200)
    #expect(try daemon.request("GET", "/datasets/digits/images/24.png").status == 404)
    #expect(try daemon.request("DELETE", "/datasets/digits").status == 204)
    #expect(try FileSystem.list("\(daemon.data)/datasets").isEmpty)
    for name in ["synthetic", "fashion-mnist"] {
      let shown = try daemon.get("/datasets/\(name)")
      let count = shown["class_counts"]?["train"]?.object?.values.compactMap(\.int).reduce(0, +)
      #expect(count == shown["counts"]?["train"]?.int, "\(shown.text)")
      let sheet = try daemon.request("GET", "/datasets/\(name)/sample.png?split=test&count=9")
      #expect(sheet.status == 200 && sheet.body.starts(with: [0x89, 0x50, 0x4E, 0x47]))
      #expect(try daemon.request("GET", "/datasets/\(name)/images/399.png?split=test").status == 200)
      #expect(try daemon.request("GET", "/datasets/\(name)/images/1000000.png").status == 404)
    }
  }

  @Test func `all files that were left out are an artifact of the import`() throws {
    let daemon = try Daemon()
    let texts = (0..<150).map { entry("\($0).txt", [65]) }.joined()
    let answer = try curl(daemon, "/datasets/digits?side=16", texts + archive)
    let dataset = try finished(daemon, "digits")
    #expect(dataset["skipped"]?.array?.count == 100 && dataset["skipped_count"] == 150)
    let job = try #require(answer["job"]?.string?.string)
    let list = try daemon.get("/jobs/\(job)/artifacts/skipped.json")
    #expect(list["skipped_count"] == 150 && list["skipped"]?.array?.count == 150, "\(list.text)")
    #expect(list["skipped"]?.array?.last?["path"] == "149.txt")
    #expect(try daemon.get("/jobs/\(job)")["artifacts"]?.array?.first?["name"] == "skipped.json")
  }

  @Test func `a dataset with a damaged file is found by a check`() throws {
    let daemon = try Daemon()
    _ = try curl(daemon, "/datasets/digits?side=16", archive)
    #expect(try finished(daemon, "digits")["state"] == "ready")
    #expect(try daemon.check() == .exited(code: 0))
    let id = try #require(try FileSystem.list("\(daemon.data)/datasets").first)
    for name in try FileSystem.list("\(daemon.data)/datasets/\(id)").sorted() {
      let path = "\(daemon.data)/datasets/\(id)/\(name)"
      let content = try File(path, .read).readAll()
      try AtomicFile.write(content.dropLast() + [content[content.count - 1] ^ 1], to: path)
      #expect(try daemon.check() == .exited(code: 1), "\(name)")
      let text = String(decoding: try File.content(of: "\(daemon.data)/check.txt", .other), as: UTF8.self)
      #expect(text.contains(name) && text.contains("damaged: 1"), "\(text)")
      try AtomicFile.write(content, to: path)
    }
  }

  @Test func `what is not an archive fails with a reason, and the name is free after a deletion`() throws {
    let daemon = try Daemon()
    _ = try curl(daemon, "/datasets/digits", Array("this is no archive".utf8))
    let failed = try finished(daemon, "digits")
    #expect(failed["state"] == "failed")
    let message = failed["message"]?.string?.string ?? ""
    #expect(
      message.contains("uploaded for dataset \"digits\"") && !message.contains(daemon.data), "\(message)")
    #expect(try FileSystem.list("\(daemon.data)/datasets").isEmpty)
    let refused = try daemon.request("POST", "/jobs", SmallRun.job(dataset: "digits").text)
    #expect(refused.status == 422)
    #expect(refused.text.contains("digits"))
    #expect(try daemon.request("DELETE", "/datasets/digits").status == 204)
    #expect(try FileSystem.list("\(daemon.data)/uploads").isEmpty)
  }

  @Test func `a kill of daemon and worker leaves a whole dataset or none, and the import goes on`() throws {
    let daemon = try Daemon()
    for round in 0..<4 {
      let name = "digits\(round)"
      let answer = try curl(daemon, "/datasets/\(name)?side=64", archive)
      let job = try #require(answer["job"]?.string?.string)
      SystemClock.sleep(milliseconds: 40 * round)
      try daemon.killWorker(of: job)
      if round % 2 == 1 {
        try daemon.kill()
        try daemon.start()
      }
      let dataset = try finished(daemon, name)
      #expect(dataset["state"] == "ready", "\(dataset.text)")
      #expect(dataset["counts"] == ["train": 24, "test": 8])
    }
    let digests = try (0..<4).map { try daemon.get("/datasets/digits\($0)")["digest"] }
    #expect(Set(digests.map { $0?.text }).count == 1)
    // What was being deleted is swept away, and a dataset that only an older database does not know stays.
    try daemon.kill()
    for folder in [
      "datasets/0123456789abcdef.deleted", "datasets/0123456789abcdeg", "uploads/0123456789abcdef",
    ] {
      try FileSystem.makeDirectories("\(daemon.data)/\(folder)")
    }
    try daemon.start()
    #expect(try FileSystem.list("\(daemon.data)/datasets").count == 5)
    #expect(try FileSystem.list("\(daemon.data)/uploads").isEmpty)
  }
}
