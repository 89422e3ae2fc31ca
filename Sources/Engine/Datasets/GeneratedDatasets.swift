import Synchronization

/// Descriptions of generated datasets by name: they follow from the name alone, and every request that names
/// one asks for them.
final class GeneratedDatasets: Sendable {
  private let known = Mutex<[String: DatasetDescription]>([:])

  /// Descriptions that are kept; beyond that all are forgotten.
  private static let keptMax = 100
  /// Bytes of the longest name that is kept. The bounds keep the classes of all under 10 MB.
  private static let nameBytesMax = 256

  /// The description that was kept under a name.
  func description(of name: String) -> DatasetDescription? { known.withLock { $0[name] } }

  /// Keeps a description under its name.
  func keep(_ description: DatasetDescription) {
    guard description.name.utf8.count <= Self.nameBytesMax else { return }
    known.withLock { known in
      if known.count >= Self.keptMax { known = [:] }
      known[description.name] = description
    }
  }
}
