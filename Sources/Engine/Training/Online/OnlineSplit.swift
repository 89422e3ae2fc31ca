import Recipe
import Tensors

/// Which images of a training's dataset it trains on, and which it holds back: drawn by the seed.
struct OnlineSplit: Sendable, Equatable {
  /// Positions in the dataset of the images that are never trained on, in order.
  let heldBack: [Int]
  /// Those of all others, in order.
  let trained: [Int]
  /// Those of the trained images among which neighbours are searched, in order.
  let bank: [Int]

  /// "holdout" in ASCII: the draw's own stream of random numbers.
  private static let purpose: UInt64 = 0x68_6f6c_646f_7574
  /// Images of the bank: a sixteenth of those that are trained on, as their features take a hundredth of the
  /// time of an epoch then; but not fewer than the one, nor more than the other.
  private static let bankShare = 16
  private static let bankMin = 500
  private static let bankMax = 10_000

  /// Of `count` images.
  init(_ specification: OnlineSpecification, count: Int, seed: UInt64) {
    var random = CounterRandom(seed: seed, Self.purpose)
    let order = random.permutation(count)
    let heldBackCount = min(specification.heldBackCount(of: count), count)
    let rest = order[heldBackCount...]
    heldBack = order[..<heldBackCount].sorted()
    trained = rest.sorted()
    bank = rest.prefix(Self.bankCount(specification, trained: rest.count)).sorted()
  }

  /// How many of that many trained images neighbours are searched among.
  static func bankCount(_ specification: OnlineSpecification, trained: Int) -> Int {
    specification.knn ? min(trained, bankMax, max(bankMin, trained / bankShare)) : 0
  }
}
