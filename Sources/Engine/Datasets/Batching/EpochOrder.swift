import Tensors

/// Which images each batch of one epoch holds: a function of the seed and the epoch alone.
package struct EpochOrder: Sendable {
  private let order: [Int]
  private let batchSize: Int
  /// Batches of the epoch.
  package let batches: Int

  /// Of all `count` images of a dataset. `shuffle` false keeps their order; `dropLast` leaves a short last
  /// batch out.
  package init(count: Int, batchSize: Int, shuffle: Bool, dropLast: Bool, seed: UInt64, epoch: Int) {
    precondition(count >= 0, "a dataset has images or none")
    self.init(
      images: nil, count: count, batchSize: batchSize, shuffle: shuffle, dropLast: dropLast, seed: seed,
      epoch: epoch)
  }

  /// The same of the images at some positions in the dataset.
  package init(
    images: [Int], batchSize: Int, shuffle: Bool, dropLast: Bool, seed: UInt64, epoch: Int
  ) {
    self.init(
      images: images, count: images.count, batchSize: batchSize, shuffle: shuffle, dropLast: dropLast,
      seed: seed, epoch: epoch)
  }

  private init(
    images: [Int]?, count: Int, batchSize: Int, shuffle: Bool, dropLast: Bool, seed: UInt64, epoch: Int
  ) {
    precondition(batchSize >= 1, "a batch has at least one image")
    if shuffle {
      var random = CounterRandom(seed: seed, RandomPurpose.order.rawValue, UInt64(epoch))
      let permutation = random.permutation(count)
      order = images.map { images in permutation.map { images[$0] } } ?? permutation
    } else {
      order = images ?? Array(0..<count)
    }
    self.batchSize = batchSize
    batches = Self.batches(count: count, batchSize: batchSize, dropLast: dropLast)
  }

  /// Batches of an epoch. A last batch of a single image is always left out: it has no variance to train on.
  package static func batches(count: Int, batchSize: Int, dropLast: Bool) -> Int {
    let rest = count % batchSize
    let keepsRest = !dropLast && (rest > 1 || (rest == 1 && batchSize == 1))
    return count / batchSize + (keepsRest ? 1 : 0)
  }

  /// Positions in the dataset of the images of batch `index`, `0 ≤ index < batches`.
  package func batch(_ index: Int) -> ArraySlice<Int> {
    precondition(index >= 0 && index < batches, "batch out of range")
    return order[(index * batchSize)..<min((index + 1) * batchSize, order.count)]
  }
}

/// What a stream of random numbers is for, the first word of its key: streams never overlap.
enum RandomPurpose: UInt64 {
  // The letters of the words in ASCII.
  case order = 0x6f72_6465_72
  case view = 0x7669_6577
  case synthetic = 0x7379_6e74
}
