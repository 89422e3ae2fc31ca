import JSONText
import Platform
import Testing
import Text

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
    (["serve", "--port", "x"], "--port must be a whole number from 0 to 65535, got \"x\""),
    (["serve", "--port"], "--port needs a value"),
    (["serve", "--port=1", "--port", "2"], "--port may be given only once"),
    (["serve", "now"], "\"now\" is not a flag"),
    (["serve", "--isa", "mmx"], "must be one of auto, baseline, avx2, avx512"),
    (["serve", "--public", "/no/such/folder"], "there is no folder /no/such/folder"),
    (["serve", "--host", "0.0.0.0"], "--insecure-no-auth"),
    (["serve", "--host", "::"], "--insecure-no-auth"),
    (["serve", "--host", "[::]"], "--host :: can be reached by others"),
    (["serve", "--host", ""], "--host must be an IPv4 address such as 127.0.0.1"),
    (["serve", "--host", "no.such.name"], "or localhost, got \"no.such.name\""),
    (["serve", "--host", "unix:/tmp/socket"], "only TCP is supported"),
    (["serve", "--host", "127.0.0.1:8080"], "the port is given by --port"),
    (["serve", "--host", "[::1]:8080"], "the port is given by --port"),
    (["serve", "--host", "fe80::1%eth0"], "with a zone (%) is not supported"),
    (["serve", "--host", "*"], "0.0.0.0 or :: listens on every address"),
    (["serve", "--host", "0"], "0.0.0.0 or :: listens on every address"),
    (["serve", "--host", "[127.0.0.1]"], "or localhost, got \"[127.0.0.1]\""),
    (["backup"], "the file to write is missing"),
    (["work"], "usage: vicregd work RUN_DIR"),
    (["bench"], "what to measure is missing"),
    (["bench", "stpe"], "did you mean step?"),
    (["bench", "forward", "--bacth", "2"], "did you mean --batch?"),
    (["bench", "step", "--preset", "tiny"], "--preset must be one of seed"),
    (["bench", "layers", "--batch", "1"], "--batch must be a whole number from 2"),
    (["bench", "checkpoint", "--steps", "1"], "there is no flag --steps"),
  ])
  func `that cannot be followed is refused with what helps`(arguments: [String], hint: String) throws {
    let output = try run(arguments)
    #expect(output.code == .exited(code: 2))
    #expect(output.text.contains(hint), "\(output.text)")
  }

  @Test(arguments: [
    ("VICREGD_PROT", "1", "did you mean VICREGD_PORT?"),
    ("VICREGD_WORKERS", "none", "VICREGD_WORKERS must be auto or a whole number"),
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

  private static let tiny = ["--preset", "small", "--batch", "2", "--threads", "1"]

  @Test(arguments: [
    ("step", tiny + ["--steps", "2"], ["median_seconds", "images_per_second", "parameters"]),
    ("step", tiny + ["--steps", "2", "--images", "augmented"], ["median_seconds", "median_wait_seconds"]),
    ("augmentation", ["--limit", "64", "--rounds", "1"], ["count", "side"]),
    ("regions", ["--threads", "2", "--regions", "10"], ["threads", "microseconds_1_a_thread"]),
    ("forward", tiny + ["--steps", "1"], ["median_seconds", "images_per_second", "parameters"]),
    ("memory", tiny, ["peak_resident_bytes"]),
    ("layers", tiny + ["--rounds", "1"], ["peak_gigaflops", "layers_seconds", "step_seconds"]),
    (
      "checkpoint", ["--preset", "small", "--rounds", "1"],
      ["tensor_bytes", "file_bytes", "copy_seconds", "write_megabytes_per_second", "read_seconds"]
    ),
  ])
  func `measures with positive figures, for people and as JSON`(
    what: String, flags: [String], figures: [String]
  ) throws {
    let object = try run(["bench", what] + flags + ["--json"])
    #expect(object.code == .exited(code: 0), "\(object.text)")
    let json = try JSON.parse(object.text)
    for figure in figures {
      #expect(try #require(json[ByteString(figure)]?.double, "\(figure) in \(object.text)") > 0, "\(figure)")
    }
    let table = try run(["bench", what] + flags)
    #expect(table.code == .exited(code: 0))
    #expect(table.text.split(separator: "\n").count > 5)
    #expect(try run(["bench", what, "--help"]).text.contains("--json"))
  }

  @Test func `measures every layer once, and nothing of the memory twice`() throws {
    let layers = try JSON.parse(run(["bench", "layers"] + Self.tiny + ["--rounds", "1", "--json"]).text)
    let forward = try #require(layers["layers"]?.array).filter { $0["operation"] == "forward" }
    // Stem, 19 convolutions, fc and three linear layers; two covariances.
    let counts = forward.compactMap { $0["count"]?.int }
    #expect(counts.reduce(0, +) == 26)
    let memory = try JSON.parse(run(["bench", "memory"] + Self.tiny + ["--json"]).text)
    let bytes = try #require(memory["bytes"]?.object).compactMapValues(\.int)
    let parts = bytes.filter { $0.key != "total" }.map(\.value)
    #expect(parts.allSatisfy { $0 > 0 })
    #expect(parts.reduce(0, +) == bytes["total"])
    // What the recipe has in its encoder and its projector; Adam keeps two numbers for each.
    let parameters = 964_368 + 657_152
    #expect(bytes["parameters"] == 4 * parameters)
    #expect(bytes["gradients"] == 4 * parameters)
    #expect(bytes["optimizer_state"] == 8 * parameters)
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
