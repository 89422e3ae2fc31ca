// sources: System/Text/*.swift System/Platform/*.swift Jobs/JobModel/*.swift Workers/RunFolder/*.swift
// sources: System/JSON/*.swift System/JSON/Fields/*.swift Engine/Recipe/*.swift Engine/Recipe/*/*.swift
// sources: System/Logging/*.swift System/Crypto/SHA256.swift System/Crypto/CryptoError.swift

/// Lines of `events.jsonl`. It stops the run when reading traps, or when an event that was read
/// - holds a number outside its range,
/// - or is not read back from its own line as it was.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzEventLines(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = Array(UnsafeBufferPointer(start: start, count: count))
  for line in input.split(separator: UInt8(ascii: "\n")).prefix(100) {
    guard let json = try? JSON.parse(Array(line)), let event = WorkerEvent(json: json) else { continue }
    check(event)
    let text = event.line(time: "2026-11-24T02:29:00.123Z")
    precondition(!text.utf8.contains(UInt8(ascii: "\n")), "A line holds a newline.")
    guard let again = try? JSON.parse(text) else { preconditionFailure("A line is not valid JSON.") }
    let back = WorkerEvent(json: again)
    // NaN does not equal itself, so lines are compared instead of events.
    precondition(back?.line(time: "2026-11-24T02:29:00.123Z") == text, "An event changes on its way.")
  }
  return 0
}

private func check(_ event: WorkerEvent) {
  switch event {
  case .started(let run):
    precondition(RecordedRange.attempts.contains(run.attempt), "attempt")
    precondition(RecordedRange.steps.contains(run.step) && RecordedRange.steps.contains(run.steps), "steps")
    precondition(RecordedRange.epochs.contains(run.epochs), "epochs")
    precondition(RecordedRange.threads.contains(run.host.threads), "threads")
  case .metric(let line):
    precondition(RecordedRange.steps.contains(line.step), "step")
    precondition(RecordedRange.epochs.contains(line.epoch), "epoch")
  case .checkpoint(let manifest):
    precondition(RecordedRange.steps.contains(manifest.step), "step")
    precondition(RecordedRange.bytes.contains(manifest.bytes), "bytes")
    precondition(manifest.sha256.utf8.count == 64, "sha256")
  case .artifact(let manifest):
    precondition(RecordedRange.bytes.contains(manifest.bytes), "bytes")
    precondition(manifest.sha256.utf8.count == 64 && !manifest.name.contains("/"), "sha256, name")
  case .health(let health): precondition(RecordedRange.steps.contains(health.step ?? 0), "step")
  case .yielded(let step, _, _): precondition(RecordedRange.steps.contains(step), "step")
  case .warning, .result, .end: break
  }
}
