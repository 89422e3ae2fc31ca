import Datasets
import Foundation
import Importing
import Recipe
import Support
import Text

/// A temporary folder with the source, the work folder and the result of imports; removed with the value.
final class ImportFolder {
  let folder = FileManager.default.temporaryDirectory.appending(path: "import-\(UUID().uuidString)")

  init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

  // A folder that stays behind in the temporary folder harms nobody.
  deinit { try? FileManager.default.removeItem(at: folder) }

  var result: String { folder.appending(path: "datasets/pets").path }
  var work: String { folder.appending(path: "tmp").path }
  var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()) ?? [] }

  func write(_ bytes: [UInt8], _ name: String) throws -> String {
    let url = folder.appending(path: name)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
    return url.path
  }

  /// Writes files below a folder, whose path is given back.
  func write(_ entries: [ArchiveBuilder.Entry], below name: String) throws -> String {
    for entry in entries {
      _ = try write(entry.content, "\(name)/\(String(decoding: entry.name, as: UTF8.self))")
    }
    return folder.appending(path: name).path
  }

  func read(_ name: String) throws -> [UInt8] {
    try Array(Data(contentsOf: URL(filePath: "\(result)/\(name)")))
  }

  /// Takes progress, and stops after a number of questions.
  final class Observer: ImportObserver {
    var progress: [ImportProgress] = []
    var questionsLeft: Int
    var skipped: [SkippedFile] = []
    var skippedCount = 0

    init(stopsAfter questions: Int = .max) { questionsLeft = questions }

    func record(_ progress: ImportProgress) { self.progress.append(progress) }

    func finish(skipped: [SkippedFile], count: Int) { (self.skipped, skippedCount) = (skipped, count) }

    var isStopRequested: Bool {
      questionsLeft -= 1
      return questionsLeft < 0
    }
  }

  /// Imports a file or folder at 16 pixels.
  func run(
    _ source: String, threads: Int = 2, observer: Observer = Observer(),
    _ change: (inout ImportSpecification) -> Void = { _ in }
  ) throws -> ImportOutcome {
    var specification = ImportSpecification(name: "pets", path: ByteString(source), side: 16)
    change(&specification)
    return try DatasetImport(specification, source: source, work: work, result: result, threads: threads)
      .run(observer)
  }

  /// As `run`, for an import that ends with a dataset.
  func dataset(
    _ source: String, threads: Int = 2, _ change: (inout ImportSpecification) -> Void = { _ in }
  ) throws -> PackedDataset {
    guard case .finished(let dataset) = try run(source, threads: threads, change) else { throw Stopped() }
    return dataset
  }

  struct Stopped: Error {}
}
