import Recipe
import Testing

@testable import Datasets

/// The parameters drawn for many views against the ranges and probabilities that torchvision documents.
@Suite struct AugmentationDrawTests {
  private static let count = 20_000

  private func draws(_ recipe: AugmentationRecipe, height: Int = 32, width: Int = 32) -> [AugmentationDraw] {
    (0..<Self.count).map {
      AugmentationDraw(
        recipe: recipe, height: height, width: width,
        key: ViewKey(seed: 11, epoch: $0 % 7, sample: $0 / 7, view: $0 % 2))
    }
  }

  /// Whether a share seen in `count` trials is within five standard deviations of `probability`.
  private func isLikely(_ hits: Int, of count: Int, _ probability: Double) -> Bool {
    let deviation = (probability * (1 - probability) / Double(count)).squareRoot()
    return abs(Double(hits) / Double(count) - probability) <= 5 * deviation
  }

  /// Whether values look uniform in `range`: all inside, and a likely number in each of ten equal parts.
  private func isUniform(_ values: [Float], _ range: ClosedRange<Double>) -> Bool {
    var parts = [Int](repeating: 0, count: 10)
    for value in values {
      let share = (Double(value) - range.lowerBound) / (range.upperBound - range.lowerBound)
      guard share >= -1e-6, share <= 1 + 1e-6 else { return false }
      parts[min(max(Int(share * 10), 0), 9)] += 1
    }
    return !values.isEmpty && parts.allSatisfy { isLikely($0, of: values.count, 0.1) }
  }

  @Test func `each operation happens as often as its probability says`() {
    let draws = draws(.seed)
    #expect(isLikely(draws.count { $0.flips }, of: draws.count, 0.5))
    #expect(isLikely(draws.count { $0.color != nil }, of: draws.count, 0.8))
    #expect(isLikely(draws.count { $0.isGray }, of: draws.count, 0.2))
    #expect(isLikely(draws.count { $0.blurSigma != nil }, of: draws.count, 0.5))
    #expect(isLikely(draws.count { $0.solarizes }, of: draws.count, 0.2))
    let both = draws.count { $0.isGray && $0.solarizes }
    #expect(isLikely(both, of: draws.count, 0.04))
  }

  @Test func `factors are uniform in their ranges`() {
    let draws = draws(.seed)
    let colors = draws.compactMap { $0.color }
    #expect(isUniform(colors.compactMap { $0.brightness }, 0.6...1.4))
    #expect(isUniform(colors.compactMap { $0.contrast }, 0.6...1.4))
    #expect(isUniform(colors.compactMap { $0.saturation }, 0.8...1.2))
    #expect(isUniform(colors.compactMap { $0.hue }, -0.1...0.1))
    #expect(isUniform(draws.compactMap { $0.blurSigma }, 0.1...2))
  }

  @Test func `the four colour changes come in each of the 24 orders equally often`() {
    var seen: [SIMD4<UInt8>: Int] = [:]
    let colors = draws(.seed).compactMap { $0.color }
    for color in colors { seen[color.order, default: 0] += 1 }
    #expect(seen.count == 24)
    #expect(seen.values.allSatisfy { isLikely($0, of: colors.count, 1 / 24) })
    #expect(seen.keys.allSatisfy { order in Set((0..<4).map { order[$0] }) == [0, 1, 2, 3] })
  }

  @Test func `a strength of zero leaves its operation out, a large one never goes below zero`() {
    var recipe = AugmentationRecipe.seed
    (recipe.brightness, recipe.hue, recipe.contrast) = (0, 0, 3)
    let colors = draws(recipe).compactMap { $0.color }
    #expect(colors.allSatisfy { $0.brightness == nil && $0.hue == nil })
    #expect(isUniform(colors.compactMap { $0.contrast }, 0...4))
  }

  /// On large images rounding does not blur area and ratio.
  @Test func `crops have the areas, ratios and places that torchvision documents`() {
    let side = 1000
    let boxes = draws(.seed, height: side, width: side).map { $0.crop }
    var places: [Float] = []
    for box in boxes {
      let area = Double(box.width * box.height) / Double(side * side)
      let ratio = Double(box.width) / Double(box.height)
      #expect(area > 0.199 && area <= 1 && ratio > 0.745 && ratio < 1.34)
      #expect(box.top >= 0 && box.left >= 0 && box.top + box.height <= side && box.left + box.width <= side)
      if box.width < 800 { places.append(Float(box.left) / Float(side - box.width)) }
    }
    #expect(isUniform(places, 0...1))
    // Up to an area of 3/4 no try is refused, so there the area is uniform.
    let small = boxes.map { Float($0.width * $0.height) / Float(side * side) }.filter { $0 < 0.7 }
    #expect(isUniform(small.filter { $0 >= 0.2 }, 0.2...0.7))
  }

  @Test func `takes the largest central crop where ten tries cannot fit`() {
    var recipe = AugmentationRecipe.seed
    recipe.cropScale = 1...1
    let key = ViewKey(seed: 0, epoch: 0, sample: 0, view: 0)
    let wide = AugmentationDraw(recipe: recipe, height: 30, width: 90, key: key).crop
    #expect(wide == AugmentationDraw.Box(top: 0, left: 25, height: 30, width: 40))
    let tall = AugmentationDraw(recipe: recipe, height: 90, width: 30, key: key).crop
    #expect(tall == AugmentationDraw.Box(top: 25, left: 0, height: 40, width: 30))
  }

  @Test func `depends on each part of the key and on nothing else`() {
    func draw(_ seed: UInt64, _ epoch: Int, _ sample: Int, _ view: Int) -> AugmentationDraw {
      let key = ViewKey(seed: seed, epoch: epoch, sample: sample, view: view)
      return AugmentationDraw(recipe: .seed, height: 1000, width: 1000, key: key)
    }
    let all = [draw(1, 2, 3, 0), draw(2, 2, 3, 0), draw(1, 3, 3, 0), draw(1, 2, 4, 0), draw(1, 2, 3, 1)]
    for (index, one) in all.enumerated() { #expect(!all[(index + 1)...].contains(one)) }
    #expect(draw(1, 2, 3, 0) == all[0])
  }
}
