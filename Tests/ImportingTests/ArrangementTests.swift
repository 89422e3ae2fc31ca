import Recipe
import Testing
import Text

@testable import Importing

@Suite struct ArrangementTests {
  private func path(_ text: String) throws -> EntryPath {
    guard case .path(let path) = EntryPath.read(Array(text.utf8), nestingMax: 32) else {
      throw Unreadable(text: text)
    }
    return path
  }

  private struct Unreadable: Error {
    let text: String
  }

  /// `split/label: path` of each place, and the classes.
  private func arranged(
    _ texts: [String], share: Double? = 0, seed: UInt64 = 0
  ) throws -> (places: [String], classes: [String]?, strays: Int) {
    let paths = try texts.map(path)
    let result = Arrangement(paths, testShare: share, seed: seed)
    let places = result.places.map { place in
      "\(place.split.rawValue)/\(place.label.map { "\($0)" } ?? "-") \(paths[place.index].text.string)"
    }
    return (places, result.classes?.map(\.string), result.strays.count)
  }

  @Test func `class folders are classes, whatever they lie in and whatever lies in them`() throws {
    let result = try arranged(["x/y/dog/b.png", "x/y/cat/10.png", "x/y/cat/9.png", "x/y/cat/old/1.png"])
    #expect(result.classes == ["cat", "dog"])
    #expect(
      result.places == [
        "train/0 x/y/cat/9.png", "train/0 x/y/cat/10.png", "train/0 x/y/cat/old/1.png",
        "train/1 x/y/dog/b.png",
      ])
  }

  @Test func `images in one folder have no class`() throws {
    let result = try arranged(["set/2.png", "set/1.png"])
    #expect(result.classes == nil)
    #expect(result.places == ["train/- set/1.png", "train/- set/2.png"])
  }

  @Test(arguments: ["test", "Test", "testing", "val", "valid", "validation"])
  func `train and another part are splits`(name: String) throws {
    let result = try arranged(["d/train/b/1.png", "d/\(name)/a/2.png", "d/train/a/3.png"], share: 0.9)
    #expect(result.classes == ["a", "b"])
    #expect(
      result.places == ["train/0 d/train/a/3.png", "train/1 d/train/b/1.png", "test/0 d/\(name)/a/2.png"])
    let flat = try arranged(["train/1.png", "\(name)/2.png"])
    #expect(flat.classes == nil)
    #expect(flat.places == ["train/- train/1.png", "test/- \(name)/2.png"])
  }

  @Test func `a validation part beside a test part is left out`() throws {
    let result = try arranged(["train/a/1.png", "val/a/2.png", "test/a/3.png"])
    #expect(result.places == ["train/0 train/a/1.png", "test/0 test/a/3.png"])
    #expect(result.strays == 1)
  }

  @Test func `train may be a class among others, and a part alone`() throws {
    #expect(try arranged(["bus/1.png", "train/1.png"]).classes == ["bus", "train"])
    let alone = try arranged(["train/a/1.png", "train/a/2.png", "train/b/3.png"], share: 0.5)
    #expect(alone.classes == ["a", "b"])
    #expect(alone.places.filter { $0.hasPrefix("test") }.count == 1)
  }

  @Test func `an image without a class is left out where others have one`() throws {
    let result = try arranged(["cat/1.png", "cover.png", "dog/2.png"])
    #expect(result.places.count == 2)
    #expect(result.strays == 1)
  }

  @Test func `the order of the images changes nothing`() throws {
    let texts = (0..<60).map { "c\($0 % 3)/\($0).png" }
    let first = try arranged(texts, share: 0.2, seed: 5)
    for other in [Array(texts.reversed()), texts.shuffled()] {
      #expect(try arranged(other, share: 0.2, seed: 5) == first)
    }
    #expect(try arranged(texts, share: 0.2, seed: 6).places != first.places)
    for label in 0..<3 {
      #expect(first.places.filter { $0.hasPrefix("test/\(label)") }.count == 4)
    }
  }

  @Test func `of each class with two images or more one is a test image at least, and never all`() {
    let labels: [Int?] = [0, 1, 1, 2, 2, 2]
    for share in [0.01, 0.5, 0.9] {
      let chosen = TestShare.chosen(labels: labels, share: share, seed: 1)
      #expect(!chosen.contains(0))
      #expect(chosen.intersection([1, 2]).count == 1)
      #expect((1...2).contains(chosen.intersection([3, 4, 5]).count))
    }
    #expect(TestShare.chosen(labels: [nil, nil, nil], share: nil, seed: 1).isEmpty)
    #expect(TestShare.chosen(labels: [nil, nil, nil], share: 0.3, seed: 1).count == 1)
    #expect(TestShare.chosen(labels: labels, share: nil, seed: 1).count == 2)
    #expect(TestShare.chosen(labels: labels, share: 0, seed: 1).isEmpty)
  }

  @Test func `a path that comes twice is the later one`() throws {
    let result = Arrangement([try path("a/1.png"), try path("./a//1.png")], testShare: 0, seed: 0)
    #expect(result.places.map(\.index) == [1])
    #expect(result.strays.map(\.index) == [0])
  }

  @Test func `numbers are ordered by their value`() {
    let sorted: [ByteString] = [
      "a", "a/2", "a/10", "a/10b", "a-1", "a1", "a01", "a2", "a10", "b", "é",
    ]
    for (index, one) in sorted.enumerated() {
      for (place, other) in sorted.enumerated() {
        #expect(NaturalOrder.isBefore(one, other) == (index < place) || "\(one)\(other)".contains("01"))
      }
    }
    #expect(NaturalOrder.isBefore("a01", "a1") != NaturalOrder.isBefore("a1", "a01"))
  }

  @Test func `paths that are not to be believed are refused, hidden ones ignored`() {
    func reading(_ bytes: [UInt8]?) -> EntryPath.Reading { EntryPath.read(bytes, nestingMax: 3) }
    for text in ["/etc/passwd", "../a.png", "a/../../b.png", "a/..", "a\nb.png", "a/b/c/d.png"] {
      guard case .refused = reading(Array(text.utf8)) else {
        Issue.record("\(text) is not refused")
        continue
      }
    }
    guard case .refused = reading([0x61, 0xFF]), case .refused = reading(nil) else {
      Issue.record("a name that is not UTF-8 is not refused")
      return
    }
    for text in [".DS_Store", "a/.hidden/1.png", "__MACOSX/._1.png", "Thumbs.db", "", "./"] {
      #expect(reading(Array(text.utf8)) == .ignored, "\(text)")
    }
    #expect(reading(Array("a//./b.png".utf8)) == .path(EntryPath(text: "a/b.png")))
  }
}
