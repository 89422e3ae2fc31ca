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
