import JSONText
import Recipe
import Testing

@Suite struct `Fingerprints of datasets` {
  private static let one = DatasetFingerprint(
    classes: 4, classNames: "n", shape: [3, 32, 32], planes: 1, mean: [0.1, 0.1, 0.1], std: [0.2, 0.2, 0.2],
    splits: [
      .train: .init(images: 256, pixels: "p", labels: "l"), .test: .init(images: 8, pixels: "q", labels: "m"),
    ])

  private func difference(_ change: (inout DatasetFingerprint) -> Void) -> String {
    var other = Self.one
    change(&other)
    return Self.one.differences(from: other, then: "then").joined(separator: "; ")
  }

  @Test func `say what is different, sizes first`() {
    #expect(difference { _ in }.isEmpty)
    #expect(difference { $0.splits[.train]?.images = 512 } == "train images: 256 then, 512 now")
    #expect(difference { $0.splits[.test]?.pixels = "x" } == "the pixels of the test images differ")
    #expect(difference { $0.splits[.train]?.labels = "x" } == "the labels of the train images differ")
    #expect(difference { $0.classes = 5 } == "classes: 4 then, 5 now")
    #expect(difference { $0.classNames = "x" } == "the names of the classes differ")
    #expect(difference { $0.shape = [3, 40, 40] } == "shape: 3 × 32 × 32 then, 3 × 40 × 40 now")
    #expect(difference { $0.planes = 3 } == "planes: 1 then, 3 now")
    #expect(difference { $0.mean[1] = 0.11 } == "mean and standard deviation of the train images differ")
  }

  @Test func `do not compare what only one of them knows`() {
    #expect(difference { $0.splits[.test] = nil }.isEmpty)
    #expect(difference { ($0.mean, $0.std) = ([], []) }.isEmpty)
    #expect(difference { $0.mean[0] += 1e-12 }.isEmpty, "another version sums in another order")
  }

  @Test func `are read as they were written, and not with numbers out of range`() throws {
    #expect(DatasetFingerprint(json: try JSON.parse(Self.one.json.text)) == Self.one)
    var members = try #require(Self.one.json.object)
    members["classes"] = -1
    #expect(DatasetFingerprint(json: .object(members)) == nil)
    members["classes"] = 4
    members["splits"] = ["train": ["images": 1e300, "pixels_sha256": "p", "labels_sha256": "l"]]
    #expect(DatasetFingerprint(json: .object(members)) == nil)
    members["splits"] = nil
    #expect(DatasetFingerprint(json: .object(members)) == nil)
  }
}
