import Parallel
import Recipe
import Tensors
import Testing

@testable import Datasets

@Suite struct BatchTests {
  private func images(_ name: String = "synthetic:side=16,count=40") throws -> ImageDataset {
    try DatasetCatalog().open(name, split: .train)
  }

  private func batch(
    _ dataset: ImageDataset, _ views: [ViewMaker], _ indices: [Int], epoch: Int = 0, threads: Int = 1,
    normalizes: Bool = true
  ) throws -> [Float] {
    let loader = try BatchLoader(
      dataset: dataset, views: views, normalizes: normalizes, seed: 9, team: ThreadTeam(threads: threads))
    let count = views.count * indices.count * 3 * dataset.side * dataset.side
    let output = try Arena(reservedBytes: 4 * count).allocate(count)
    loader.load(indices[...], epoch: epoch, into: output)
    return output.array
  }

  @Test func `views do not depend on the number of threads`() throws {
    let dataset = try images()
    let views: [ViewMaker] = [.random(.seed), .random(.seed)]
    let one = try batch(dataset, views, Array(0..<33))
    for threads in [2, 5] { #expect(try batch(dataset, views, Array(0..<33), threads: threads) == one) }
    #expect(try batch(dataset, views, Array(0..<33), epoch: 1) != one)
  }

  @Test func `a view depends on its image, not on its place in the batch, and view one comes first`() throws {
    let dataset = try images()
    let views: [ViewMaker] = [.random(.seed), .random(.seed)]
    let size = 3 * 16 * 16
    let pair = try batch(dataset, views, [7, 21])
    let other = try batch(dataset, views, [21, 3, 7])
    for view in 0..<2 {
      let seven = (view * 2) * size
      let same = (view * 3 + 2) * size
      #expect(pair[seven..<(seven + size)] == other[same..<(same + size)])
    }
    #expect(pair[0..<size] != pair[(2 * size)..<(3 * size)])
  }

  @Test func `mirror gives the normalised image and its mirror image`() throws {
    let dataset = try images()
    let size = 3 * 16 * 16
    let views = try batch(dataset, [.plain, .mirrored], [5])
    for index in 0..<size {
      let channel = index / 256
      let value = Float(dataset.pixels[5 * size + index]) / 255
      let mean = Float(dataset.statistics.mean[channel])
      let std = Float(dataset.statistics.std[channel])
      #expect(views[index] == (value - mean) / std)
      let mirrored = index / 16 * 16 + 15 - index % 16
      #expect(views[size + mirrored] == views[index])
    }
    let raw = try batch(dataset, [.plain], [5], normalizes: false)
    #expect(raw == dataset.pixels[(5 * size)..<(6 * size)].map { Float($0) / 255 })
  }

  @Test func `a grey image gives the same views as three equal planes`() throws {
    let grey = (0..<(40 * 256)).map { DatasetFiles.pixel($0) }
    let colored = (0..<40).flatMap { image in
      (0..<3).flatMap { _ in grey[(image * 256)..<(image * 256 + 256)] }
    }
    let statistics = ChannelStatistics(mean: [0.1, 0.2, 0.3], std: [0.4, 0.5, 0.6])
    let batches = try [(1, grey), (3, colored)].map { planes, pixels in
      let dataset = ImageDataset(
        name: "any", split: .train, classes: ["any"], side: 16, planes: planes, pixels: pixels,
        labels: [Int](repeating: 0, count: 40), statistics: statistics)
      return try batch(dataset, [.random(.seed), .random(.cropAndFlip(antialias: true))], Array(0..<40))
    }
    #expect(zip(batches[0], batches[1]).allSatisfy { abs($0 - $1) < 1e-4 })
  }

  @Test func `refuses a blur that is wider than the images`() throws {
    var recipe = AugmentationRecipe.seed
    recipe.blurKernel = 33
    #expect(throws: DatasetError.blurTooWide(kernel: 33, side: 16)) {
      try BatchLoader(dataset: images(), views: [.random(recipe)], seed: 0, team: ThreadTeam(threads: 1))
    }
  }

  @Test(arguments: [
    (10, 4, false, [4, 4, 2]), (10, 4, true, [4, 4]), (9, 4, false, [4, 4]), (8, 4, false, [4, 4]),
  ])
  func `cuts an epoch into batches, a rest of one left out`(
    count: Int, size: Int, dropLast: Bool, expected: [Int]
  ) {
    let order = EpochOrder(
      count: count, batchSize: size, shuffle: false, dropLast: dropLast, seed: 0, epoch: 0)
    #expect((0..<order.batches).map { order.batch($0).count } == expected)
    #expect((0..<order.batches).flatMap { order.batch($0) } == Array(0..<expected.reduce(0, +)))
  }

  @Test func `shuffles every epoch anew, each image once`() {
    func epoch(_ epoch: Int, seed: UInt64 = 0) -> [Int] {
      let order = EpochOrder(
        count: 1000, batchSize: 64, shuffle: true, dropLast: false, seed: seed, epoch: epoch)
      return (0..<order.batches).flatMap { order.batch($0) }
    }
    #expect(epoch(0).sorted() == Array(0..<1000))
    #expect(epoch(0) == epoch(0))
    #expect(Set([epoch(0), epoch(1), epoch(0, seed: 1), Array(0..<1000)]).count == 4)
  }
}
