import Platform
import Testing

/// Runs `AllocationProbe`, a program in which every allocation of every thread is counted.
@Suite struct AllocationTests {
  /// The probe's lines of one kind: name, counts.
  private func lines(_ kind: String) throws -> [(name: String, counts: [Int])] {
    let folder = FileSystem.parent(of: try FileSystem.executablePath())
    let log = "\(FileSystem.temporaryDirectory)/vicregd-allocations-\(UInt64.random(in: 0 ... .max))"
    defer { try? FileSystem.removeTree(log) }  // a file left in the temporary folder harms nobody
    let probe = try ChildProcess("\(folder)/AllocationProbe", [], logPath: log)
    let ending = try probe.wait()
    let text = String(decoding: try File(log, .read).readAll(), as: UTF8.self)
    #expect(ending == .exited(code: 0), "\(text)")
    let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
    return lines.filter { $0[0] == kind }.map { words in
      (String(words[1]), words.dropFirst(2).compactMap { Int($0) })
    }
  }

  @Test func `the counter sees arrays, aligned memory and other threads`() throws {
    let counts = try lines("deliberate")
    #expect(counts.map(\.name) == ["array", "growth", "aligned", "threads"])
    for (name, count) in counts { #expect((count.first ?? 0) >= (name == "threads" ? 64 : 1), "\(name)") }
  }

  @Test func `a training step allocates nothing`() throws {
    let trainings = try lines("training")
    #expect(trainings.count == 32)
    for (name, counts) in trainings { #expect(counts == [0, 0, 0, 0, 0, 0, 0], "\(name)") }
  }
}
