import JobModel
import Platform
import Testing

@Suite struct `Access to the daemon` {
  private func run(_ arguments: [String]) throws -> (code: ChildProcess.Ending, text: String) {
    let path = "\(FileSystem.temporaryDirectory)/vicregd-cli-\(UInt64.random(in: 0 ... .max))"
    let code = try ChildProcess(try Daemon.program(), arguments, environment: [:], logPath: path).wait()
    defer { try? FileSystem.remove(path) }
    return (code, String(decoding: try File(path, .read).readAll(), as: UTF8.self))
  }

  @Test func `tokens are made, listed and revoked`() throws {
    let data = "\(FileSystem.temporaryDirectory)/vicregd-token-\(UInt64.random(in: 0 ... .max))"
    defer { try? FileSystem.removeTree(data) }
    let made = try run(["token", "create", "--name", "ci", "--role", "read", "--data", data])
    #expect(made.code == .exited(code: 0))
    #expect(made.text.hasPrefix("vicregd_") && made.text.utf8.count == 73)
    #expect(try run(["token", "list", "--data", data]).text.hasPrefix("ci\tread\t"))
    #expect(try run(["token", "create", "--name", "ci", "--data", data]).text.contains("already"))
    #expect(try run(["token", "revoke", "--name", "cy", "--data", data]).text.contains("there are ci"))
    #expect(try run(["token", "revoke", "--name", "ci", "--data", data]).code == .exited(code: 0))
    #expect(try run(["token", "list", "--data", data]).text.isEmpty)
    #expect(try run(["token", "create", "--data", data]).text.contains("--name is missing"))
    #expect(try run(["token", "creat"]).text.contains("usage: vicregd token"))
    #expect(try run(["serve", "--tls-cert", "x"]).text.contains("go together"))
  }

  @Test func `a daemon with tokens answers only who has one`() throws {
    let daemon = try Daemon()
    let secret = try run(["token", "create", "--name", "a", "--data", daemon.data]).text.dropLast()
    // It was started without tokens on this machine alone, and goes on to ask nobody.
    #expect(try daemon.request("GET", "/jobs").status == 200)
    daemon.send(.terminate)
    _ = try daemon.ending()
    try daemon.start()
    let refusal = try daemon.request("GET", "/jobs")
    #expect(refusal.status == 401)
    #expect(refusal.fields["www-authenticate"] == "Bearer realm=\"vicregd\"")
    #expect(try daemon.request("GET", "/healthz").status == 200)
    #expect(try daemon.request("GET", "/").status == 200)
    let path = "\(daemon.data)/curl.txt"
    let curl = try ChildProcess(
      "/usr/bin/curl",
      ["-sS", "-H", "Authorization: Bearer \(secret)", "http://127.0.0.1:\(daemon.port)/jobs"], logPath: path)
    #expect(try curl.wait() == .exited(code: 0))
    #expect(try JSON.parse(File(path, .read).readAll())["jobs"] == [])
  }
}
