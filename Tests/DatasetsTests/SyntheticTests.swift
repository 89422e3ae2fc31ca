import Testing

@testable import Datasets

@Suite struct SyntheticTests {
  private let catalog = DatasetCatalog()

  @Test func `makes as many images of as many classes and pixels as the name says`() throws {
    let name = "synthetic:classes=23,side=20,count=50,test=7,seed=3"
    let train = try catalog.open(name, split: .train)
    #expect(train.count == 50 && train.side == 20 && train.planes == 3 && train.classes.count == 23)
    #expect(Set(train.classes).count == 23)
    #expect(try Set(train.requireLabels()) == Set(0..<23))
    #expect(try catalog.open(name, split: .test).count == 7)
    #expect(try catalog.describe("synthetic").counts == [.train: 2000, .test: 400])
  }

  @Test func `single images and those of a class are the ones of the whole split`() throws {
    let name = "synthetic:classes=3,side=8,count=11,test=5"
    let whole = try catalog.open(name, split: .train)
    let area = 3 * 64
    func image(_ index: Int) -> [UInt8] { Array(whole.pixels[(index * area)..<((index + 1) * area)]) }
    #expect(try catalog.images(name, .train, .one(index: 10)).images == [image(10)])
    #expect(try catalog.images(name, .train, .one(index: 11)).images.isEmpty)
    #expect(
      try catalog.images(name, .train, .sample(count: 4, label: nil)).images == [0, 2, 5, 8].map(image))
    #expect(
      try catalog.images(name, .train, .sample(count: 2, label: 1)).images == [1, 7].map(image))
    #expect(try catalog.images(name, .test, .sample(count: 400, label: nil)).images.count == 5)
    #expect(try catalog.describe(name).classCounts == [.train: [4, 4, 3], .test: [2, 2, 1]])
    #expect(try catalog.describe(name, withContents: false).classCounts.isEmpty)
  }

  @Test func `gives the same images for the same seed, others for another seed or split`() throws {
    let one = try catalog.open("synthetic:count=20,seed=5", split: .train)
    #expect(try catalog.open("synthetic:count=20,seed=5", split: .train).pixels == one.pixels)
    #expect(try catalog.open("synthetic:count=40,seed=5", split: .train, limit: 20).pixels == one.pixels)
    #expect(try catalog.open("synthetic:count=20,seed=6", split: .train).pixels != one.pixels)
    #expect(try catalog.open("synthetic:count=20,test=20,seed=5", split: .test).pixels != one.pixels)
  }

  @Test func `mean images of two classes are alike: single pixels say little`() throws {
    let dataset = try catalog.open("synthetic:classes=2,count=1000", split: .train)
    var means = [[Double]](repeating: [Double](repeating: 0, count: 3072), count: 2)
    for image in 0..<1000 {
      for index in 0..<3072 {
        means[image % 2][index] += Double(dataset.pixels[image * 3072 + index]) / 255 / 500
      }
    }
    let difference = zip(means[0], means[1]).map { abs($0 - $1) }.reduce(0, +) / 3072
    // Chance alone makes 0.8 · 0.28 · √(2 / 500) ≈ 0.015.
    #expect(difference < 0.03)
  }

  @Test(arguments: [
    ("synthetic:colour=3", "\"colour\" is none of classes, side, count, test, seed"),
    ("synthetic:side=4", "\"side=4\": side must be a number from 8 to 512"),
    ("synthetic:count=many", "\"count=many\": count must be a number from 1 to 10000000"),
    ("synthetic:classes", "\"classes\": classes must be a number from 2 to 1000"),
  ])
  func `refuses parameters that it does not know or that are out of range`(name: String, problem: String) {
    #expect(throws: DatasetError.wrongParameter(name: name, problem: problem)) { try catalog.check(name) }
  }
}
