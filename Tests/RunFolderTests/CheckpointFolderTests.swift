import Foundation
import JSONText
import Platform
import RunFolder
import Testing
import Text

@Suite struct `Checkpoint folders` {
  let scratch = ScratchRun()
  var checkpoints: CheckpointFolder { scratch.folder.checkpoints }

  private func store(_ step: Int, _ text: String = "bytes") throws -> CheckpointManifest {
    try checkpoints.store(step: step, epoch: step / 10) { write in
      for byte in text.utf8 { try write([byte]) }
    }
  }

  private var steps: [Int] {
    get throws { try checkpoints.list().map(\.step) }
  }

  @Test func `a stored checkpoint is listed with its size and digest`() throws {
    let manifest = try store(1960, "abc")
    #expect(manifest.name == "step-00001960.safetensors.gz")
    #expect(manifest.epoch == 196)
    #expect(manifest.bytes == 3)
    #expect(manifest.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(try checkpoints.list() == [manifest])
    #expect(checkpoints.manifest(of: manifest.name) == manifest)
    #expect(try checkpoints.isIntact(manifest))
  }

  @Test func `a failed write leaves no checkpoint and no file`() throws {
    struct Failure: Error {}
    #expect(throws: Failure.self) {
      try checkpoints.store(step: 1, epoch: 0) { write in
        try write([1])
        throw Failure()
      }
    }
    #expect(try FileSystem.list(checkpoints.path).isEmpty)
  }

  @Test func `a file without its manifest, or a manifest without its file, is no checkpoint`() throws {
    let first = try store(1)
    let second = try store(2)
    try FileSystem.remove(checkpoints.path(of: first.name))
    try FileSystem.remove("\(checkpoints.path)/step-00000002.json")
    #expect(try checkpoints.list().isEmpty)
    #expect(checkpoints.manifest(of: second.name) == nil)
  }

  @Test(arguments: ["../x.safetensors.gz", "a/b.safetensors.gz", "step-00000001.json", ""])
  func `a name that leaves the folder or is no checkpoint's finds nothing`(name: String) throws {
    _ = try store(1)
    #expect(checkpoints.manifest(of: name) == nil)
  }

  @Test func `the newest are kept, and step 0 only if the job asked for it`() throws {
    for step in [0, 10, 20, 30] { _ = try store(step) }
    let removed = try checkpoints.retain(.init(newest: 2, keepsInitial: true))
    #expect(removed == ["step-00000010.safetensors.gz"])
    #expect(try steps == [0, 20, 30])
    try checkpoints.retain(.init(newest: 0))
    #expect(try steps == [30])
  }

  @Test func `every so many steps and the best by a metric are kept as well, and of equals the older`() throws
  {
    let values = [10: 3.0, 20: 1, 30: 2, 40: 1, 50: .nan, 60: 5]
    for step in values.keys.sorted() {
      _ = try checkpoints.store(step: step, epoch: 0, metric: values[step]) { try $0([1]) }
    }
    #expect(checkpoints.manifest(of: CheckpointFolder.name(step: 30))?.metric == 2)
    #expect(checkpoints.manifest(of: CheckpointFolder.name(step: 50))?.metric == nil)
    try checkpoints.retain(.init(newest: 1, everySteps: 30, best: (2, false)))
    #expect(try steps == [20, 30, 40, 60])
    try checkpoints.retain(.init(newest: 1, best: (1, false)))
    #expect(try steps == [20, 60])
    try checkpoints.retain(.init(newest: 1, best: (1, true)))
    #expect(try steps == [60])
  }

  @Test func `a damaged newest checkpoint is set aside and told, and the one before it is taken`() throws {
    let good = try store(10)
    let damaged = try store(20)
    let file = try File(checkpoints.path(of: damaged.name), .readWrite)
    try file.write([0])
    var told: [CheckpointManifest] = []
    #expect(try checkpoints.newestIntact { told.append($0) } == good)
    #expect(told == [damaged])
    #expect(try steps == [10])
    #expect(FileSystem.exists(checkpoints.path(of: damaged.name) + ".damaged"))
  }

  @Test func `a folder that is not there has no checkpoints`() throws {
    #expect(try CheckpointFolder("/no/such/folder").list().isEmpty)
  }

  @Test func `a manifest that lies or is no file is no checkpoint, and is told of no header field`() throws {
    let good = try store(1)
    let path = "\(checkpoints.path)/step-00000001.json"
    func write(_ change: (inout [ByteString: JSON]) -> Void) throws {
      var members = try #require(good.json.object)
      change(&members)
      try AtomicFile.write(JSON.object(members).utf8, to: path)
    }
    let lies: [(inout [ByteString: JSON]) -> Void] = [
      { $0["step"] = .integer(.max) }, { $0["step"] = -1 }, { $0["step"] = 2 },
      { $0["epoch"] = .integer(.min) },
      { $0["bytes"] = .integer(.max) }, { $0["bytes"] = -1 }, { $0["sha256"] = "ab" },
      { $0["sha256"] = .string("\r\nSet-Cookie: a=b" + String(repeating: "a", count: 47)) },
      { $0["name"] = "step-00000001.safetensors.gz\r\n" }, { $0["step"] = 1e300 },
    ]
    for (index, lie) in lies.enumerated() {
      try write(lie)
      #expect(checkpoints.manifest(of: good.name) == nil, "lie \(index)")
      #expect(try checkpoints.list().isEmpty)
    }
    try write { _ in }
    #expect(checkpoints.manifest(of: good.name) == good)
    try FileSystem.remove(path)
    #expect(mkfifo(path, 0o600) == 0)
    #expect(try checkpoints.list().isEmpty)
    try FileSystem.remove(path)
    try File(path, .createNew).truncate(to: 3 << 40)
    #expect(try checkpoints.list().isEmpty)
    try write { $0["bytes"] = 0 }
    try FileSystem.remove(checkpoints.path(of: good.name))
    #expect(mkfifo(checkpoints.path(of: good.name), 0o600) == 0)
    #expect(try checkpoints.newestIntact { _ in } == nil)
  }
}

@Suite struct `Run locks` {
  let scratch = ScratchRun()

  @Test func `a worker is alive as long as its lock lives, and a second one is refused by name`() throws {
    #expect(try !scratch.folder.isAlive())
    var lock: RunLock? = try RunLock(scratch.folder)
    #expect(try scratch.folder.isAlive())
    #expect(scratch.folder.workerID == ProcessID.own)
    let error = #expect(throws: RunFolderError.self) { try RunLock(scratch.folder) }
    #expect(error?.cause.contains("process \(ProcessID.own)") == true)
    #expect(lock != nil)
    lock = nil
    #expect(try !scratch.folder.isAlive())
  }

  @Test func `a worker's last beat says how old its attempt was, and of no other attempt`() throws {
    #expect(scratch.folder.ageMilliseconds(ofAttempt: 12) == nil)
    var lock: RunLock? = try RunLock(scratch.folder)
    let begun = SystemClock.monotonicNanoseconds
    #expect(scratch.folder.ageMilliseconds(ofAttempt: 12) == nil)
    var ages: [Int] = []
    while ages.last ?? 0 < 12 {
      try lock?.beat(attempt: 12)
      ages.append(try #require(scratch.folder.ageMilliseconds(ofAttempt: 12)))
    }
    #expect(ages == ages.sorted())
    #expect((SystemClock.monotonicNanoseconds - begun) / 1_000_000 + 1 >= 12)
    lock = nil
    #expect(scratch.folder.ageMilliseconds(ofAttempt: 12) == ages.last)
    #expect(scratch.folder.ageMilliseconds(ofAttempt: 2) == nil)
  }
}
