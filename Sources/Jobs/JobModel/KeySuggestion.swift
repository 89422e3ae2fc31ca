import Text

/// Where the keys of a specification belong, for messages about keys in a wrong place.
package struct KeyPlaces: Sendable {
  private var phrases: [ByteString: [String]] = [:]
  /// Places of one key that a message names.
  private static let placesMax = 3

  /// - Parameters:
  ///   - schema: a JSON Schema of objects, whose keys are named by their paths: `"optimizer.lr"`.
  ///   - outside: keys that stand next to the object.
  ///   - name: what the object is called there.
  package init(_ schema: JSON, outside: [ByteString] = [], name: String = "") {
    for key in outside { phrases[key, default: []].append("\"\(key)\" next to \"\(name)\"") }
    add(schema, prefix: "")
  }

  private mutating func add(_ schema: JSON, prefix: String) {
    for (key, member) in (schema["properties"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
      let path = "\(prefix)\(key)"
      let phrase = "\"\(path)\""
      if phrases[key]?.contains(phrase) != true { phrases[key, default: []].append(phrase) }
      add(member, prefix: "\(path).")
    }
    for alternative in schema["anyOf"]?.array ?? [] { add(alternative, prefix: prefix) }
  }

  /// The places that a key has, as they follow "did you mean"; nil if it has none.
  func phrase(for key: ByteString) -> String? {
    guard let places = phrases[key]?.prefix(Self.placesMax), let last = places.last else { return nil }
    return places.count == 1 ? last : "\(places.dropLast().joined(separator: ", ")) or \(last)"
  }
}

/// The word that is near enough to be meant, the nearest if there are several; nil if none is.
///
/// Near is a word that goes on from at least three bytes (`prio`: `priority`), or one that differs by at most
/// a third of its bytes, counting insertions, deletions, replacements and exchanges of neighbours (optimal
/// string alignment). Longer texts than any word has are near to none.
package func nearestWord(to word: ByteString, in words: [ByteString]) -> ByteString? {
  guard word.count <= comparedBytesMax else { return nil }
  var nearest: (word: ByteString, distance: Int)?
  for candidate in words where candidate.count <= comparedBytesMax {
    let isBeginning = word.count >= 3 && candidate.hasPrefix(word)
    let distance = isBeginning ? 1 : alignmentDistance(Array(word.bytes), Array(candidate.bytes))
    guard isBeginning || distance <= (max(word.count, candidate.count) + 1) / 3 else { continue }
    if nearest.map({ distance < $0.distance }) ?? true { nearest = (candidate, distance) }
  }
  return nearest?.word
}

/// Longer texts are not compared: the cost grows with the product of the lengths.
private let comparedBytesMax = 64

private func alignmentDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
  var before: [Int] = []
  var row = Array(0...b.count)
  for i in a.indices {
    var next = [i + 1]
    for j in b.indices {
      var least = min(row[j] + (a[i] == b[j] ? 0 : 1), row[j + 1] + 1, next[j] + 1)
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, before[j - 1] + 1) }
      next.append(least)
    }
    (before, row) = (row, next)
  }
  return row[b.count]
}
