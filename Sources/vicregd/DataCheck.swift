import Datasets
import JobStore
import Platform
import Recipe
import RunFolder

/// A look at everything that a data folder keeps: the database, and every file that has a digest, from its
/// first byte to its last.
///
/// A daemon may use the folder meanwhile: what it has removed or replaced in between is not a problem.
struct DataCheck {
  private let data: String
  private let database: String
  /// What is wrong, a sentence for each file.
  private(set) var problems: [String] = []
  /// What was looked at besides the database, each kind with its number.
  private(set) var counts: [(kind: String, count: Int)] = []

  /// Checks a data folder.
  ///
  /// - Throws: `SQLiteError` for a database that cannot be read, `SystemError`.
  init(data: String) throws {
    self.data = data
    database = DataFolder.databasePath(in: data)
    problems = try JobStore.problems(of: database).map { "\(database): \($0)" }
    try checkRuns()
    try checkModels()
    try checkDatasets()
  }

  private mutating func checkRuns() throws {
    let root = RunFolder.root(data: data)
    var (checkpoints, artifacts) = (0, 0)
    for name in FileSystem.isDirectory(root) ? try FileSystem.list(root) : [] {
      let run = RunFolder("\(root)/\(name)")
      for path in try run.checkpoints.strayManifests() + run.artifacts.strayManifests() {
        problems.append("\(path): it does not fit the file that it describes, or that file is missing")
      }
      for manifest in try run.checkpoints.list() {
        checkpoints += 1
        let path = run.checkpoints.path(of: manifest.name)
        try check(path, manifest.sha256) { run.checkpoints.manifest(of: manifest.name) == manifest }
      }
      for manifest in try run.artifacts.list() {
        artifacts += 1
        let path = run.artifacts.path(of: manifest.name)
        try check(path, manifest.sha256) { run.artifacts.manifest(of: manifest.name) == manifest }
      }
    }
    counts += [("checkpoints", checkpoints), ("artifacts", artifacts)]
  }

  /// Notes a file that has another content than it had.
  ///
  /// - Parameter isKept: whether it still is what it was when its digest was read.
  private mutating func check(_ path: String, _ sha256: String, _ isKept: () throws -> Bool) throws {
    // One that cannot be read, or has been removed, has no digest.
    if (try? RunFolder.sha256(of: path)) == sha256 { return }
    guard try isKept() else { return }
    problems.append("\(path): it is missing, or does not have the SHA-256 that is recorded")
  }

  private mutating func checkModels() throws {
    let models = try JobStore.models(in: database)
    counts.append(("models", models.count))
    for model in models {
      try check(ModelFolder(data: data).path(of: model.id), model.digest) { [database] in
        try JobStore.models(in: database).contains(model)
      }
    }
  }

  private mutating func checkDatasets() throws {
    let datasets = try JobStore.datasets(in: database).filter { $0.state == .ready }
    counts.append(("datasets", datasets.count))
    for dataset in datasets {
      let folder = DatasetFolders(data: data).path(of: dataset.id)
      var problem: String?
      do {
        let digest = try PackedDataset.verified(folder: folder).fingerprint.digest
        if digest != dataset.digest { problem = "\(folder): it is not the dataset that was imported" }
      } catch {
        problem = "\(error)"
      }
      guard let problem, try JobStore.datasets(in: database).contains(dataset) else { continue }
      problems.append(problem)
    }
  }
}
