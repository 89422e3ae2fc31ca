import Platform
import Testing

@Suite struct `Folders below which paths may lead` {
  /// A folder with `below/` and `secret/` in it, which goes with the value.
  private final class Place {
    let path: String
    let roots: RootFolders

    init() throws {
      path =
        try FileSystem.resolve(FileSystem.temporaryDirectory)
        + "/vicregd-roots-\(UInt64.random(in: 0 ... .max))"
      try FileSystem.makeDirectories("\(path)/below/data")
      try FileSystem.makeDirectories("\(path)/secret/there")
      try AtomicFile.write([1], to: "\(path)/below/data/file")
      try AtomicFile.write([1], to: "\(path)/secret/there/file")
      roots = try RootFolders(["\(path)/below"])
    }

    func link(_ name: String, to target: String) throws {
      let log = "\(path)/ln.txt"
      let child = try ChildProcess("/bin/ln", ["-s", target, "\(path)/below/\(name)"], logPath: log)
      try #require(try child.wait() == .exited(code: 0))
    }

    // A folder that stays behind in the temporary directory harms no test.
    deinit { try? FileSystem.removeTree(path) }
  }

  @Test func `a path below a root is given without links, dots and slashes`() throws {
    let place = try Place()
    try place.link("inner", to: "data")
    try place.link("absolute", to: "\(place.path)/below/data")
    try place.link("around", to: "../below/../below/data")
    for name in [
      "data", "data/", "./data//", "data/../data", "inner", "absolute", "around", "absolute/../data",
    ] {
      #expect(place.roots.place(of: "\(place.path)/below/\(name)") == .inside("\(place.path)/below/data"))
    }
    #expect(place.roots.place(of: "\(place.path)/below") == .inside("\(place.path)/below"))
    #expect(place.roots.place(of: "\(place.path)/below/absent") == .missing)
    #expect(place.roots.place(of: "\(place.path)/below/data/file/x") == .missing)
  }

  @Test func `what leads elsewhere is outside, whether or not something is there`() throws {
    let place = try Place()
    try place.link("out", to: "\(place.path)/secret")
    try place.link("relative", to: "../secret")
    try place.link("top", to: "/")
    try place.link("loop", to: "loop")
    let path = place.path
    for there in ["there", "absent", "there/file", "absent/../there", "there/../absent"] {
      for start in [
        "\(path)/secret", "\(path)/below/../secret", "\(path)/below/out", "\(path)/below/relative",
        "\(path)/below/top\(path)/secret", "\(path)/below/data/../../secret", "\(path)/./secret/",
      ] {
        #expect(place.roots.place(of: "\(start)/\(there)") == .outside, "\(start)/\(there)")
      }
    }
    for wrong in [
      "", "below/data", "./root", "\(path)/below/data\0", "\(path)", "/", "\(path)/belowless",
      "\(path)/below/loop",
      "\(path)/below/" + String(repeating: "a/", count: 4_096),
    ] {
      #expect(place.roots.place(of: wrong) == .outside, "\(wrong.prefix(200))")
    }
    #expect(RootFolders.empty.place(of: "\(path)/below") == .outside)
  }

  @Test func `an open file is where it was found, whatever its path has become`() throws {
    let place = try Place()
    let inside = try File("\(place.path)/below/data/file", .read)
    let outside = try File("\(place.path)/secret/there/file", .read)
    #expect(place.roots.hold(descriptor: inside.descriptor))
    #expect(!place.roots.hold(descriptor: outside.descriptor))
    try FileSystem.rename("\(place.path)/below/data", to: "\(place.path)/below/other")
    try place.link("data", to: "\(place.path)/secret/there")
    let swapped = try File("\(place.path)/below/data/file", .read)
    #expect(!place.roots.hold(descriptor: swapped.descriptor))
  }
}

@Suite struct `The output of a program` {
  private func run(_ script: String, milliseconds: Int = 60_000, bytesMax: Int = 1_000) throws
    -> ProcessOutput
  {
    try ProcessOutput(
      of: "/bin/bash", ["-c", script], environment: ["WORD": "set"], milliseconds: milliseconds,
      bytesMax: bytesMax)
  }

  @Test func `is what it has written, with how it ended`() throws {
    let output = try run("echo \"$WORD\"; echo lost >&2; exit 3")
    #expect(String(decoding: output.bytes, as: UTF8.self) == "set\n")
    #expect(output.ending == .ended(.exited(code: 3)))
    #expect(try run("kill -SEGV $$").ending == .ended(.killed(signal: 11)))
  }

  @Test func `ends at its limits of bytes and time`() throws {
    let long = try run("while true; do echo 0123456789; done")
    #expect(long.ending == .overSize && long.bytes.count == 1_000)
    #expect(try run("exec sleep 1000", milliseconds: 50).ending == .overTime)
  }
}
