import Foundation
import Platform
import Testing

@Suite struct `Child processes` {
  let folder = TemporaryFolder()
  var log: String { folder.path + "/log" }

  @Test func `output goes to the log and the exit code comes back`() throws {
    let child = try ChildProcess("/bin/sh", ["-c", "echo out; echo err >&2; exit 3"], logPath: log)
    #expect(try child.wait() == .exited(code: 3))
    #expect(try File(log, .read).readAll() == Array("out\nerr\n".utf8))
  }

  @Test func `the log is appended to and the environment is the given one`() throws {
    for word in ["a", "b"] {
      let child = try ChildProcess(
        "/bin/sh", ["-c", "echo $WORD"], environment: ["WORD": word], logPath: log)
      #expect(try child.wait() == .exited(code: 0))
    }
    #expect(try File(log, .read).readAll() == Array("a\nb\n".utf8))
  }

  @Test func `the child has no variable but those given, and no descriptor but three`() throws {
    // Not closed on exec, as a library might leave one open.
    let stray = open("/dev/null", O_RDONLY)
    defer { close(stray) }
    let child = try ChildProcess(
      "/bin/sh", ["-c", "env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD=; ls -l /proc/self/fd"],
      environment: ["ONE": "1"], logPath: log)
    #expect(try child.wait() == .exited(code: 0))
    let lines = String(decoding: try File(log, .read).readAll(), as: UTF8.self).split(separator: "\n")
    #expect(lines.first == "ONE=1")
    #expect(!lines.dropFirst().contains { $0.contains("=") && !$0.contains("->") })
    // `ls` itself has the folder open, as its fourth.
    #expect(lines.count { $0.contains("->") } == 4)
  }

  @Test func `a signal ends the child and is reported, and a later one harms nobody`() throws {
    let child = try ChildProcess("/bin/sleep", ["60"], logPath: log)
    child.send(.terminate)
    #expect(try child.wait() == .killed(signal: Signal.terminate.rawValue))
    child.send(.kill)
  }

  @Test func `the child has none of the files that its parent opened`() throws {
    let open = try File(folder.path + "/data", .append)
    let lock = try FileLock.acquire(folder.path + "/lock")
    let script = "ls -l /proc/self/fd | grep -c -e \(folder.path)/data -e \(folder.path)/lock"
    let child = try ChildProcess("/bin/sh", ["-c", script], logPath: log)
    #expect(try child.wait() == .exited(code: 1))
    #expect(try File(log, .read).readAll() == Array("0\n".utf8))
    #expect(lock != nil)
    #expect(try open.size() == 0)
  }

  @Test func `a process has an age, and one that is gone has none`() throws {
    let begun = SystemClock.monotonicNanoseconds
    let child = try ChildProcess("/bin/sleep", ["60"], logPath: log)
    let age = try #require(ProcessID.ageMilliseconds(of: child.id))
    // The kernel tells in ticks of 10 ms.
    #expect(age <= Int((SystemClock.monotonicNanoseconds - begun) / 1_000_000) + 20)
    child.send(.kill)
    _ = try child.wait()
    #expect(ProcessID.ageMilliseconds(of: child.id) == nil)
    let own = try #require(ProcessID.ageMilliseconds(of: ProcessID.own))
    SystemClock.sleep(milliseconds: 50)
    #expect(try #require(ProcessID.ageMilliseconds(of: ProcessID.own)) >= own + 30)
  }

  @Test func `a program that is not there is an error that names it`() {
    let error = #expect(throws: SystemError.self) { try ChildProcess("/no/such/program", [], logPath: log) }
    #expect(error?.subject == "/no/such/program")
  }
}

@Suite struct `Signals` {
  @Test func `a flag is set by its signal`() {
    let flag = SignalFlag(.user1)
    #expect(!flag.isSet)
    ProcessID.send(.user1, to: ProcessID.own)
    while !flag.isSet { SystemClock.sleep(milliseconds: 1) }
    #expect(flag.isSet)
  }
}

@Suite struct `Inboxes` {
  @Test func `messages come in the order they were sent, all at once`() {
    let inbox = Inbox<Int>()
    for number in 1...3 { inbox.send(number) }
    #expect(inbox.receive(timeoutMilliseconds: nil) == [1, 2, 3])
    #expect(inbox.receive(timeoutMilliseconds: 1).isEmpty)
  }
}

@Suite struct `Clocks` {
  @Test(arguments: [
    (0, "1970-01-01T00:00:00.000Z"), (1_790_000_000_007, "2026-09-21T14:13:20.007Z"),
    (951_782_400_000, "2000-02-29T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
    (-2_177_452_800_000, "1901-01-01T00:00:00.000Z"), (10_413_792_000_000, "2300-01-01T00:00:00.000Z"),
    (253_402_300_799_999, "9999-12-31T23:59:59.999Z"), (253_402_300_800_000, "9999-12-31T23:59:59.999Z"),
    (.max, "9999-12-31T23:59:59.999Z"), (.min, "0000-01-01T00:00:00.000Z"),
  ])
  func `a time is written as RFC 3339 in UTC`(milliseconds: Int, text: String) {
    #expect(SystemClock.rfc3339(unixMilliseconds: milliseconds) == text)
  }

  @Test func `durations never run backwards`() {
    let before = SystemClock.monotonicNanoseconds
    SystemClock.sleep(milliseconds: 1)
    #expect(SystemClock.monotonicNanoseconds >= before + 1_000_000)
  }
}
