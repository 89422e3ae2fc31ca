import Platform
import Testing

@Suite struct `The command line` {
  private struct Output {
    let code: ChildProcess.Ending
    let text: String
  }

  private func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Output {
    let path = "\(FileSystem.temporaryDirectory)/vicregd-cli-\(UInt64.random(in: 0 ... .max))"
    let process = try ChildProcess(
      try Daemon.program(), arguments, environment: environment, logPath: path)
    let code = try process.wait()
    let text = String(decoding: try File(path, .read).readAll(), as: UTF8.self)
    try FileSystem.remove(path)
    return Output(code: code, text: text)
  }

  @Test(arguments: [
    (["sevre"], "did you mean serve?"),
    ([], "a command is missing"),
    (["serve", "--prot", "1"], "did you mean --port?"),
    (["serve", "--port", "x"], "--port must be a whole number from 0 to 65535, is \"x\""),
    (["serve", "--port"], "--port needs a value"),
    (["serve", "--port=1", "--port", "2"], "--port is given twice"),
    (["serve", "now"], "\"now\" is no flag"),
    (["serve", "--isa", "mmx"], "must be one of auto, baseline, avx2, avx512"),
    (["serve", "--public", "/no/such/folder"], "there is no folder /no/such/folder"),
    (["serve", "--host", "0.0.0.0"], "--insecure-no-auth"),
    (["work"], "usage: vicregd work RUN_DIR"),
  ])
  func `that cannot be followed is refused with what helps`(arguments: [String], hint: String) throws {
    let output = try run(arguments)
    #expect(output.code == .exited(code: 2))
    #expect(output.text.contains(hint), "\(output.text)")
  }

  @Test(arguments: [
    ("VICREGD_PROT", "1", "did you mean VICREGD_PORT?"),
    ("VICREGD_WORKERS", "none", "VICREGD_WORKERS must be a whole number"),
    ("VICREGD_INSECURE_NO_AUTH", "yes", "must be true or false"),
  ])
  func `has an environment that is checked like it`(name: String, value: String, hint: String) throws {
    let output = try run(["serve"], environment: [name: value])
    #expect(output.code == .exited(code: 2))
    #expect(output.text.contains(hint), "\(output.text)")
  }

  @Test func `tells every setting with its variable and default`() throws {
    let output = try run(["serve", "--help"])
    #expect(output.code == .exited(code: 0))
    #expect(output.text.contains("--threads-per-worker N\n"))
    #expect(output.text.contains("[127.0.0.1]  (VICREGD_HOST)"))
  }

  @Test func `makes and migrates a database, twice without harm`() throws {
    let data = "\(FileSystem.temporaryDirectory)/vicregd-cli-\(UInt64.random(in: 0 ... .max))"
    for _ in 0..<2 {
      let output = try run(["migrate", "--data", data])
      #expect(output.code == .exited(code: 0))
      #expect(output.text.hasSuffix("vicregd.sqlite is up to date\n"))
    }
    try FileSystem.removeTree(data)
  }
}
