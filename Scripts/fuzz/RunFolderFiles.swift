// sources: System/Text/*.swift System/Platform/*.swift Jobs/JobModel/*.swift Workers/RunFolder/*.swift
// sources: System/JSON/*.swift System/JSON/Fields/*.swift Engine/Recipe/*.swift Engine/Recipe/*/*.swift
// sources: System/Logging/*.swift System/Crypto/SHA256.swift System/Crypto/CryptoError.swift

/// The small files of a run folder: the first byte says which one the rest is. It stops the run when reading
/// traps, or when what was read is out of range or is not read back as it was.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRunFolderFiles(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = Array(UnsafeBufferPointer(start: start, count: count))
  guard let first = input.first else { return 0 }
  let bytes = Array(input.dropFirst())
  do {
    switch first % 5 {
    case 0: try checkLock(bytes)
    case 1: try checkManifest(bytes)
    case 2: try checkSpecification(bytes)
    case 3: try checkConvolutions(bytes)
    default: try checkTail(bytes)
    }
  } catch {
    preconditionFailure("The scratch folder cannot be used: \(error)")
  }
  return 0
}

private let scratch: RunFolder = {
  let path = "/dev/shm/vicregd-fuzz-\(ProcessID.own)"
  let folder = RunFolder(path)
  do {
    try folder.create()
  } catch {
    preconditionFailure("\(error)")
  }
  return folder
}()

private func write(_ bytes: [UInt8], to path: String) throws {
  let file = try File(path, .readWrite)
  try file.truncate(to: 0)
  try file.write(bytes)
}

private func checkLock(_ bytes: [UInt8]) throws {
  try write(bytes, to: scratch.lockPath)
  for attempt in [1, 2, Int.max, 0] {
    guard let age = scratch.ageMilliseconds(ofAttempt: attempt) else { continue }
    precondition(RecordedRange.ageMilliseconds.contains(age), "An age is out of range.")
    precondition(RecordedRange.attempts.contains(attempt), "An attempt is out of range.")
  }
  let isAlive = try scratch.isAlive()
  precondition(!isAlive, "A lock that nobody holds is held.")
  _ = scratch.workerID
}

private func checkManifest(_ bytes: [UInt8]) throws {
  let name = CheckpointFolder.name(step: 1)
  let folder = scratch.checkpoints
  try write([1, 2, 3], to: folder.path(of: name))
  try write(bytes, to: "\(folder.path)/step-00000001.json")
  guard let manifest = folder.manifest(of: name) else { return }
  precondition(manifest.step == 1 && manifest.bytes == 3 && manifest.name == name, "A manifest lies.")
  precondition(RecordedRange.epochs.contains(manifest.epoch), "An epoch is out of range.")
  precondition(manifest.sha256.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }, "A digest holds a control byte.")
  precondition(CheckpointManifest(json: manifest.json) == manifest, "A manifest changes on its way.")
  _ = try folder.list()
  _ = try folder.retain(.init(newest: 1, everySteps: 3, best: (2, true)))
}

private func checkSpecification(_ bytes: [UInt8]) throws {
  try write(bytes, to: scratch.specPath)
  guard let spec = try? scratch.readSpec() else { return }
  precondition(RecordedRange.attempts.contains(spec.attempt), "An attempt is out of range.")
  precondition(RecordedRange.threads.contains(spec.threads), "A number of threads is out of range.")
  try scratch.writeSpec(spec)
  let again = try scratch.readSpec()
  precondition(again == spec, "A specification changes on its way.")
}

private func checkConvolutions(_ bytes: [UInt8]) throws {
  try write(bytes, to: scratch.convolutionsPath)
  _ = try? scratch.readConvolutions()
}

private func checkTail(_ bytes: [UInt8]) throws {
  try write(bytes, to: scratch.eventsPath)
  var tail = EventTail(path: scratch.eventsPath)
  var total = 0
  while let lines = try? tail.next(), !lines.isEmpty { total += lines.reduce(0) { $0 + $1.bytes.count + 1 } }
  let end = try EventTail.end(of: scratch.eventsPath)
  precondition(total == end && tail.offset == end, "The tail ends elsewhere than the lines do.")
  let last = bytes[..<end].dropLast().split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    .last
  let found = try EventTail.lastLine(of: scratch.eventsPath)
  precondition(found == (end == 0 ? nil : last.map(Array.init) ?? []), "The last line is another one.")
}
