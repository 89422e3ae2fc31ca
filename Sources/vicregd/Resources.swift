import Platform

/// Finds the folders that come with the program.
enum Resources {
  /// The folder that a setting names; without one, the folder of that name beside the binary or in a folder
  /// above it (the source tree of a build), or in `/usr/share/vicregd`.
  ///
  /// - Throws: `UsageError` that names the flag.
  static func find(_ name: String, setting: String?) throws -> String {
    if let setting {
      guard FileSystem.isDirectory(setting) else {
        throw UsageError("--\(name.lowercased()): there is no folder \(setting)")
      }
      return setting
    }
    var folder = FileSystem.parent(of: try FileSystem.executablePath())
    while folder != "/" {
      if FileSystem.isDirectory("\(folder)/\(name)") { return "\(folder)/\(name)" }
      folder = FileSystem.parent(of: folder)
    }
    let installed = "/usr/share/vicregd/\(name)"
    guard FileSystem.isDirectory(installed) else {
      throw UsageError(
        "the folder \(name) is neither near the binary nor \(installed); name it by --\(name.lowercased())")
    }
    return installed
  }
}
