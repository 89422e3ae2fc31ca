import Platform
import Recipe
import RunFolder
import Testing

@Suite struct `Pins of checkpoints` {
  private let scratch = ScratchRun()
  private let job = JobID(unixMilliseconds: 1, random: 2)
  private var checkpoints: CheckpointFolder { scratch.folder.checkpoints }

  init() throws { try scratch.folder.create() }

  private func store(_ step: Int, _ byte: UInt8 = 7) throws -> CheckpointManifest {
    try checkpoints.store(step: step, epoch: 0) { try $0([byte]) }
  }

  @Test func `keep a checkpoint that retention removes, until their job has finished`() throws {
    let pins = CheckpointPins(data: scratch.folder.path)
    let first = try store(1)
    #expect(try pins.pin(first.name, of: checkpoints, for: job) == first)
    _ = try store(2)
    #expect(try checkpoints.retain(.init(newest: 1)) == [first.name])
    let pinned = try #require(try pins.pinned(for: job))
    #expect(try pinned.manifest == first && pins.isIntact(first, for: job))
    #expect(try pins.pin(first.name, of: checkpoints, for: job) == first, "it is pinned already")
    try pins.sweep { Set($0) }
    #expect(FileSystem.exists(pinned.path))
    pins.hold([job])
    try pins.sweep { _ in [] }
    #expect(FileSystem.exists(pinned.path), "a request is about to store the job")
    pins.letGo([job])
    try pins.sweep { _ in [] }
    #expect(try pins.pinned(for: job) == nil)
    #expect(try pins.pin(first.name, of: checkpoints, for: job) == nil, "it is gone everywhere")
  }

  @Test func `are whole after a death between their two names`() throws {
    let pins = CheckpointPins(data: scratch.folder.path)
    let old = try store(1, 7)
    _ = try pins.pin(old.name, of: checkpoints, for: job)
    // The manifest had no second name yet, and the checkpoint has been written again since.
    let folder = "\(scratch.folder.path)/pins/\(job)"
    try FileSystem.remove("\(folder)/step-00000001.json")
    let new = try store(1, 8)
    #expect(try pins.pinned(for: job) == nil)
    #expect(try pins.pin(new.name, of: checkpoints, for: job) == new)
    #expect(try pins.isIntact(new, for: job))
  }
}
