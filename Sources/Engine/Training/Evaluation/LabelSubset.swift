import Tensors

/// The training images whose labels an evaluation uses: as many of each class as possible, drawn by a seed.
enum LabelSubset {
  /// "labels" in ASCII: this purpose's own stream of random numbers.
  private static let purpose: UInt64 = 0x6c61_6265_6c73

  /// Positions of `count` of the labels, in order.
  ///
  /// Every class gives equally many, as far as it has them; what remains over goes to the first classes. A
  /// smaller subset by the same seed is a part of a larger one.
  static func positions(_ count: Int, of labels: [Int], classes: Int, seed: UInt64) -> [Int] {
    if count >= labels.count { return Array(labels.indices) }
    var members = Array(repeating: [Int](), count: classes)
    for (position, label) in labels.enumerated() { members[label].append(position) }
    let quotas = quotas(count, sizes: members.map(\.count))
    var chosen: [Int] = []
    for (label, positions) in members.enumerated() {
      var random = CounterRandom(seed: seed, purpose, UInt64(label))
      let order = random.permutation(positions.count)
      chosen += order.prefix(quotas[label]).map { positions[$0] }
    }
    return chosen.sorted()
  }

  /// How many of `count` come from each class: equal numbers, except where a class has fewer.
  static func quotas(_ count: Int, sizes: [Int]) -> [Int] {
    var quotas = Array(repeating: 0, count: sizes.count)
    var left = min(count, sizes.reduce(0, +))
    while left > 0 {
      let open = sizes.indices.filter { quotas[$0] < sizes[$0] }
      let share = left / open.count
      if share == 0 {
        for label in open.prefix(left) { quotas[label] += 1 }
        break
      }
      for label in open {
        let taken = min(share, sizes[label] - quotas[label])
        quotas[label] += taken
        left -= taken
      }
    }
    return quotas
  }
}
