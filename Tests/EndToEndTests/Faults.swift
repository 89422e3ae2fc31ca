import Platform
import Testing

/// The library of `Scripts/faults/`, which makes file operations of a daemon and its workers fail.
enum Faults {
  /// Built once, by the C compiler that the Swift toolchain needs as well.
  static let library = Result {
    let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    let path = "\(FileSystem.temporaryDirectory)/vicregd-faults-\(ProcessID.own).so"
    let log = "\(path).log"
    let compiler = try ChildProcess(
      "/usr/bin/env",
      ["cc", "-shared", "-fPIC", "-O1", "-o", path, "\(root)/Scripts/faults/faults.c", "-ldl"], logPath: log)
    let ending = try compiler.wait()
    let output = try text(of: log)
    try #require(ending == .exited(code: 0), "\(output)")
    return path
  }

  /// The variables that have a program load the library.
  ///
  /// - Parameters:
  ///   - role: `serve` or `work`: which processes are meant.
  ///   - settings: the library's own, without `FAULT_`.
  static func environment(
    data: String, role: String, _ settings: [String: String]
  ) throws -> [String: String] {
    var environment = Environment.all
    environment["LD_PRELOAD"] = try library.get()
    environment["FAULT_FOLDER"] = data
    environment["FAULT_ROLE"] = role
    for (name, value) in settings { environment["FAULT_\(name)"] = value }
    return environment
  }

  /// What stands in a file; nothing if it is not there.
  static func text(of path: String) throws -> String {
    FileSystem.exists(path) ? String(decoding: try File(path, .read).readAll(), as: UTF8.self) : ""
  }
}
