import Foundation

/// One text file of the repository.
struct SourceFile {
  /// Path from the root of the repository.
  let path: String
  let text: String

  /// The lines without their line feeds; a trailing line feed opens no further line.
  var lines: [Substring] {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    if lines.last == "" { lines.removeLast() }
    return lines
  }
}

/// The repository that this test was compiled from.
struct SourceTree {
  let root: URL

  /// The tree around this file: `Tests/TidyTests/SourceTree.swift` is three steps below its root.
  init(thisFile: String = #filePath) {
    root = URL(fileURLWithPath: thisFile)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  }

  /// Every text file below `folders` with one of `extensions`, sorted by path. Links to folders are not
  /// followed, so shared kernel sources are seen once.
  func files(below folders: [String], extensions: Set<String>) throws -> [SourceFile] {
    var files: [SourceFile] = []
    for folder in folders {
      let paths = FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path)
      while let path = paths?.nextObject() as? String {
        guard extensions.contains((path as NSString).pathExtension) else { continue }
        files.append(try file("\(folder)/\(path)"))
      }
    }
    return files.sorted { $0.path < $1.path }
  }

  /// The file at `path`, which must be UTF-8.
  func file(_ path: String) throws -> SourceFile {
    let text = try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    return SourceFile(path: path, text: text)
  }

  /// The names in `folder`; none if there is no such folder.
  func names(in folder: String) -> [String] {
    let path = root.appendingPathComponent(folder).path
    return ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
  }

  /// All Swift files of the product and its tests.
  func swiftFiles(below folders: [String] = ["Sources", "Tests"]) throws -> [SourceFile] {
    try files(below: folders, extensions: ["swift"])
  }

  /// Everything that people wrote: sources, scripts, pages, migrations, the texts at the root.
  func writtenFiles() throws -> [SourceFile] {
    let folders = ["Sources", "Tests", "Scripts", "Public", "migrations", ".ci"]
    let extensions: Set = ["swift", "h", "c", "modulemap", "py", "sh", "js", "css", "html", "svg", "sql", ""]
    let atRoot = ["Package.swift", "README.md", "Dockerfile", ".dockerignore", ".gitignore"]
    let present = Set(names(in: "."))
    return try files(below: folders, extensions: extensions.subtracting([""]))
      + [".ci/run"].filter { _ in present.contains(".ci") }.map(file)
      + atRoot.filter(present.contains).map(file)
  }
}
