import API
import Datasets
import Inspector
import JobStore
import Platform
import Recipe
import SharedWork
import Synchronization
import Text

/// The datasets of this machine, as the API and the estimates of memory ask for them.
final class CatalogDirectory: Sendable {
  private let catalog: DatasetCatalog
  let inspector: DatasetInspector
  /// The imported dataset of a name; nil: there is none.
  private let imported: @Sendable (ByteString) throws -> DatasetRecord?
  /// The sizes that were found last, by name.
  private let lastExtents = Mutex<[ByteString: DatasetExtent]>([:])

  /// Processes that look at datasets at the same time: for layouts, and for contents.
  static let inspectorsMax = 2

  /// Names that are kept; beyond that all are forgotten.
  private static let namesMax = 1_000
  /// Bytes of the longest name that is kept.
  private static let nameBytesMax = 512

  /// - Parameters:
  ///   - settings: where datasets lie, and what a process that looks at one may take.
  ///   - imported: finds an imported dataset by its name.
  init(
    _ settings: ServeSettings, program: String,
    imported: @escaping @Sendable (ByteString) throws -> DatasetRecord?
  ) {
    self.imported = imported
    catalog = DatasetCatalog(fashionMNISTRoot: settings.fashionMNIST, roots: settings.datasetRoots)
    inspector = DatasetInspector(
      DatasetInspector.Configuration(
        program: program, arguments: [DescribeDataset.name],
        environment: settings.workerEnvironment(Environment.all), seconds: settings.inspectionSeconds,
        memoryBytes: settings.inspectionBytes), catalog: catalog)
  }

  /// The sizes that were found last, or that a built-in dataset has; opens no file. `nil`: unknown.
  func lastKnownExtent(_ name: ByteString) -> DatasetExtent? {
    if let record = record(name) { return record.extent }
    return catalog.knownExtent(name.string) ?? lastExtents.withLock { $0[name] }
  }

  /// The imported dataset of a name. A store that cannot be read knows of none; a job is refused later then.
  private func record(_ name: ByteString) -> DatasetRecord? {
    guard ImportSpecification.isName(name), !names().contains(where: { ByteString($0) == name }) else {
      return nil
    }
    return try? imported(name)
  }

  /// Has a dataset looked at whose sizes are not known, unless that is under way; whether they will be known
  /// soon. Opens no file here.
  func beginLook(_ name: ByteString) -> Bool {
    switch look(name.string, .layout) {
    // Of a name that is too long to be kept, the sizes never are.
    case .known: return lastKnownExtent(name) != nil
    case .coming(let ticket):
      // The value is taken so that the sizes are kept.
      ticket.attach {
        _ = ticket.value()
        ticket.close()
      }
      return true
    case .busy: return true
    }
  }

  private func summary(_ report: DatasetReport, of name: String) -> DatasetSummary {
    let counts = report.counts.map { ($0.key, $0.value) }
    if name.utf8.count <= Self.nameBytesMax {
      lastExtents.withLock { known in
        if known.count >= Self.namesMax { known = [:] }
        known[ByteString(name)] = report.extent
      }
    }
    var summary = DatasetSummary(
      name: name, classes: report.classes, counts: Dictionary(uniqueKeysWithValues: counts),
      shape: report.shape, fingerprint: report.fingerprint)
    summary.classCounts = report.classCounts
    return summary
  }
}

extension CatalogDirectory: DatasetDirectory {
  func names() -> [String] { catalog.list() }

  func look(_ name: String, _ depth: DatasetDepth) -> Asked<DatasetLook> {
    if let record = record(ByteString(name)) {
      if let summary = record.summary { return .known(.success(summary)) }
      return .known(.failure(DatasetRefusal(isAbsent: false, record.problem)))
    }
    return inspector.look(name, depth).map { [self] finding in
      switch finding {
      case .success(let report): .success(summary(report, of: name))
      case .failure(let problem): .failure(problem.refusal)
      }
    }
  }
}
