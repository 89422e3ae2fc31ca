import JSONText
import JobStore
import Recipe
import Synchronization
import Text

/// Which dataset each training has, as far as that was asked for: it never changes, and stands in a large
/// text.
final class TrainingDatasets: Sendable {
  private let names = Mutex<[JobID: ByteString]>([:])

  /// Trainings that are kept; beyond that all are forgotten.
  private static let namesMax = 10_000
  /// Bytes of the longest name that is kept; longer ones are read from the store each time.
  private static let nameBytesMax = 512

  /// The name of a training's dataset; nil where the store has none.
  func name(of id: JobID, in store: JobStore) -> ByteString? {
    if let known = names.withLock({ $0[id] }) { return known }
    // A specification of an older program has at least the name in the same place.
    guard let text = (try? store.job(id))?.specificationText,
      let name = (try? JSON.parse(text))?["dataset"]?["name"]?.string
    else { return nil }
    guard name.count <= TrainingDatasets.nameBytesMax else { return name }
    names.withLock { names in
      if names.count >= TrainingDatasets.namesMax { names = [:] }
      names[id] = name
    }
    return name
  }
}
