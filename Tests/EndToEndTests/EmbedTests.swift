import JSONText
import Platform
import Support
import Testing

/// Embeddings of datasets, and of images that requests bring (issue 17).
@Suite(.serialized) struct `Embeddings` {
  /// A daemon with a dataset of 24 and 8 images of 16 × 16, and a training on it.
  private func prepared(_ arguments: [String] = []) throws -> (daemon: Daemon, training: String) {
    let daemon = try Daemon(arguments: ["--workers", "1", "--threads-per-worker", "2"] + arguments)
    let entries = (0..<32).map { index in
      ArchiveBuilder.Entry(
        "\(index < 24 ? "train" : "test")/\(["cat", "dog"][index % 2])/\(10 + index).png",
        PNGBuilder.png(index, width: 16, height: 16))
    }
    let archive = ArchiveBuilder.tar(entries)
    let answer = try Answer(
      port: daemon.port, method: "PUT", path: "/datasets/pets?side=16", content: archive,
      type: "application/x-tar")
    try #require(answer.status == 202, "\(answer.text)")
    try eventually { try daemon.get("/datasets/pets")["state"] == "ready" ? true : nil }
    let training = try daemon.queue(SmallRun.job(epochs: 2, dataset: "pets"))
    try #require(try daemon.finishedJob(training)["state"] == "succeeded")
    return (daemon, training)
  }

  private func post(
    _ daemon: Daemon, _ path: String, _ content: [UInt8], type: String = "image/png",
    accept: String = "application/x-npy"
  ) throws -> Answer {
    try Answer(
      port: daemon.port, method: "POST", path: path, content: content, type: type,
      fields: [("Accept", accept)])
  }

  private func form(_ images: [[UInt8]]) -> [UInt8] {
    let head = Array("\r\nContent-Disposition: form-data; name=\"i\"; filename=\"i.png\"\r\n\r\n".utf8)
    return images.flatMap { Array("--b".utf8) + head + $0 + Array("\r\n".utf8) } + Array("--b--\r\n".utf8)
  }
  private let formType = "multipart/form-data; boundary=b"

  /// The floats of an array of NumPy.
  private func floats(_ bytes: [UInt8]) throws -> [Float] {
    try #require(bytes.count > 10 && bytes.starts(with: [0x93] + Array("NUMPY".utf8)))
    let data = Array(bytes[(10 + Int(bytes[8]) + Int(bytes[9]) << 8)...])
    return stride(from: 0, to: data.count - 3, by: 4).map { place in
      Float(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(data[place + $1]) << UInt32(8 * $1) })
    }
  }

  /// The process that keeps an encoder for the daemon with these data; nil: there is none.
  private static func embedder(_ data: String) throws -> Int32? {
    for name in try FileSystem.list("/proc") {
      guard let id = Int32(name), let command = try? File.content(of: "/proc/\(id)/cmdline", .kernel) else {
        continue
      }
      let text = String(decoding: command, as: UTF8.self)
      if text.contains("embed-images"), text.contains(data) { return id }
    }
    return nil
  }

  private func embed(_ training: String, _ split: String = "train") -> JSON {
    [
      "kind": "embed",
      "spec": ["checkpoint": ["job": .string(training)], "split": .string(split)],
    ]
  }

  @Test func `of a dataset and of its images are the same, and find the images themselves`() throws {
    let (daemon, training) = try prepared()
    let job = try daemon.queue(embed(training))
    let finished = try daemon.finishedJob(job)
    #expect(finished["state"] == "succeeded", "\(finished.text)")
    #expect(finished["result"]?["images"] == 24 && finished["result"]?["classes"] == ["cat", "dog"])
    #expect(finished["progress"]?["step"] == 1 && finished["progress"]?["steps"] == 1)
    let rows = try floats(daemon.request("GET", "/jobs/\(job)/artifacts/embeddings.npy").body)
    let dimension = try #require(finished["result"]?["dimension"]?.int)
    #expect(rows.count == 24 * dimension)
    let labels = try daemon.request("GET", "/jobs/\(job)/artifacts/labels.npy").body
    #expect(labels.suffix(24 * 8).filter { $0 != 0 }.count == 12)
    let index = try daemon.get("/jobs/\(job)/artifacts/index.json").array ?? []
    #expect(index.count == 24 && index.first?.string?.string.hasSuffix(".png") == true, "\(index)")

    let images = try (0..<24).map { try daemon.request("GET", "/datasets/pets/images/\($0).png").body }
    let single = try post(daemon, "/jobs/\(training)/embed", images[5])
    #expect(single.status == 200 && single.fields["content-type"] == "application/x-npy", "\(single.text)")
    #expect(try floats(single.body) == Array(rows[(5 * dimension)..<(6 * dimension)]))
    let all = try post(daemon, "/jobs/\(training)/embed", form(images), type: formType)
    #expect(try floats(all.body) == rows)
    let json = try JSON.parse(post(daemon, "/jobs/\(training)/embed", images[5], accept: "*/*").body)
    #expect(json["dimension"]?.int == dimension && json["layer"] == "pooled")
    #expect(
      json["embeddings"]?.array?.first?.array?.compactMap(\.double).map { Float($0) }
        == Array(rows[(5 * dimension)..<(6 * dimension)]))

    let path = "/jobs/\(training)/neighbours?dataset=pets&k=3"
    let found = try post(daemon, path, images[7])
    let nearest = try JSON.parse(found.body)["neighbours"]?.array ?? []
    #expect(nearest.count == 3 && nearest.first?["index"] == 7, "\(found.text)")
    #expect(abs((nearest.first?["similarity"]?.double ?? 0) - 1) < 1e-5)
    let shown = try #require(nearest.first?["image"]?.string?.string)
    #expect(try daemon.request("GET", shown).body == images[7])
    #expect(try FileSystem.list("\(daemon.data)/features").count == 1)
    try eventually { try FileSystem.list("\(daemon.data)/embeds").isEmpty ? true : nil }
    // Features that were computed are there after a restart.
    try daemon.kill()
    try daemon.start()
    let again = try post(daemon, path, form([images[7], images[3]]), type: formType)
    let lists = try JSON.parse(again.body)["images"]?.array ?? []
    #expect(lists.map { $0["neighbours"]?.array?.first?["index"] } == [7, 3], "\(again.text)")
  }

  @Test func `of images that are none name the part, and the next ones are described`() throws {
    let (daemon, training) = try prepared()
    let path = "/jobs/\(training)/embed"
    let good = PNGBuilder.png(3)
    var huge = PNGBuilder.png(1)
    // The header says 30,000 × 30,000; its checksum is repaired.
    huge.replaceSubrange(16..<24, with: [0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30])
    let sum = ArchiveBuilder.crc32(huge[12..<29])
    huge.replaceSubrange(29..<33, with: (0..<4).map { UInt8(truncatingIfNeeded: sum >> (24 - 8 * $0)) })
    let tiny = PNGBuilder.png(width: 1, height: 1, channels: 1, [7])
    let bad = try post(
      daemon, path, form([good, [], huge, Array(good.dropLast(200)), tiny, Array("no image".utf8)]),
      type: formType)
    #expect(bad.status == 422)
    let messages =
      try JSON.parse(bad.body)["errors"]?.array?.compactMap { $0["message"]?.string?.string } ?? []
    #expect(
      messages.map { String($0.prefix(7)) } == ["part 2:", "part 3:", "part 4:", "part 6:"], "\(messages)")
    #expect(messages.first?.contains("empty") == true && messages.last?.contains("PNG, JPEG or WebP") == true)
    #expect(messages.dropFirst().first?.contains("30000") == true, "\(messages)")
    #expect(try post(daemon, path, form([good, tiny]), type: formType).status == 200)
    let empty = try post(daemon, path, [])
    #expect(empty.status == 400, "\(empty.text)")
  }

  @Test func `survive the end of the process that makes them`() throws {
    let (daemon, training) = try prepared(["--embed-seconds", "20"])
    let path = "/jobs/\(training)/embed"
    let image = PNGBuilder.png(3)
    let expected = try post(daemon, path, image)
    #expect(expected.status == 200, "\(expected.text)")
    // While nobody asks it.
    let idle = try #require(try Self.embedder(daemon.data))
    ProcessID.send(.kill, to: idle)
    #expect(try post(daemon, path, image).body == expected.body)
    // With images that it has not answered.
    let busy = try eventually { try Self.embedder(daemon.data) }
    #expect(busy != idle)
    let stop = try ChildProcess("/bin/sh", ["-c", "kill -STOP \(busy)"], logPath: "\(daemon.data)/stop.txt")
    #expect(try stop.wait() == .exited(code: 0))
    let killer = try Thread(name: "kill") {
      SystemClock.sleep(milliseconds: 300)
      ProcessID.send(.kill, to: busy)
    }
    #expect(try post(daemon, path, image).body == expected.body)
    killer.join()
    // As often as it is asked. One that answers before it is found must be met again.
    let data = daemon.data
    let failed = try eventually {
      let killer = try Thread(name: "kill all") {
        let deadline = SystemClock.monotonicNanoseconds + 1_000_000_000
        while SystemClock.monotonicNanoseconds < deadline {
          if let id = try? Self.embedder(data) { ProcessID.send(.kill, to: id) }
        }
      }
      defer { killer.join() }
      let answer = try post(daemon, path, image)
      return answer.status == 200 ? nil : answer
    }
    #expect(failed.status == 500 && failed.text.contains("killed by signal 9"), "\(failed.text)")
    #expect(try post(daemon, path, image).body == expected.body)
    try eventually { try FileSystem.list("\(daemon.data)/embeds").isEmpty ? true : nil }
  }

  @Test func `drop an encoder that nobody uses, and leave with the daemon`() throws {
    let (daemon, training) = try prepared(["--embedder-idle-seconds", "1"])
    let image = PNGBuilder.png(3)
    #expect(try post(daemon, "/jobs/\(training)/embed", image).status == 200)
    let idle = try #require(try Self.embedder(daemon.data))
    try eventually { ProcessID.isAlive(idle) ? nil : true }
    #expect(try post(daemon, "/jobs/\(training)/embed", image).status == 200)
    let orphan = try #require(try Self.embedder(daemon.data))
    try daemon.kill()
    try eventually { ProcessID.isAlive(orphan) ? nil : true }
    try daemon.start()
  }

  @Test func `of a dataset are the same after a worker was killed`() throws {
    let daemon = try Daemon()
    let training = try daemon.queue(SmallRun.lightJob(maxSteps: 4))
    #expect(try daemon.finishedJob(training)["state"] == "succeeded")
    let spec: JSON = [
      "checkpoint": ["job": .string(training)], "split": "train",
      "dataset": ["name": "synthetic:count=5000,classes=4,seed=2"],
    ]
    var digests: [JSON] = []
    for isDisturbed in [true, false] {
      let job = try daemon.queue(["kind": "embed", "spec": spec])
      if isDisturbed {
        try daemon.job(job) { ($0["progress"]?["step"]?.int ?? 0) > 0 }
        try daemon.killWorker(of: job)
      }
      let finished = try daemon.finishedJob(job)
      #expect(finished["state"] == "succeeded", "\(finished.text)")
      if isDisturbed { #expect(finished["attempt"]?.int ?? 0 > 1) }
      let list = try daemon.get("/jobs/\(job)/artifacts")["artifacts"]?.array ?? []
      #expect(
        list.compactMap { $0["name"]?.string?.string } == ["embeddings.npy", "index.json", "labels.npy"])
      #expect(finished["artifacts"]?.array == list)
      digests.append(.array(list.compactMap { $0["sha256"] }))
      #expect(!FileSystem.exists("\(daemon.data)/runs/\(job)/embed"))
    }
    #expect(digests[0] == digests[1])
  }
}
