/// Which images of a split are shown.
package enum PictureChoice: Sendable, Hashable {
  /// A single image by its place in the split, from 0.
  case one(index: Int)
  /// At most `count` of the whole split at equal distances, of one class or of all.
  case sample(count: Int, label: Int?)

  /// The places of the chosen images in a split.
  ///
  /// - Parameters:
  ///   - imageCount: images of the split.
  ///   - labels: of all images of the split; asked for only where one class is shown. Images without labels
  ///     belong to no class.
  package func indices<Failure: Error>(
    imageCount: Int, labels: () throws(Failure) -> [Int]
  ) throws(Failure) -> [Int] {
    switch self {
    case .one(let index): return index >= 0 && index < imageCount ? [index] : []
    case .sample(let count, nil):
      let shown = min(count, imageCount)
      return (0..<shown).map { $0 * imageCount / shown }
    case .sample(let count, let label?):
      let known = try labels()
      let all = known.indices.filter { known[$0] == label }
      let shown = min(count, all.count)
      return (0..<shown).map { all[$0 * all.count / shown] }
    }
  }
}
