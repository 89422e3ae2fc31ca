import JSONText
import Testing

@testable import Recipe

@Suite("The online evaluation in a specification")
struct OnlineSpecificationTests {
  private func problems(_ spec: JSON, imageCount: Int = 60_000, classCount: Int = 10) -> [String] {
    let list = ProblemList()
    let specification = TrainSpecification.read(spec, at: "/spec", list)
    specification.check(imageCount: imageCount, at: "/spec", list)
    specification.check(classCount: classCount, at: "/spec", list)
    do {
      try list.check()
      return []
    } catch {
      return error.problems.map { "\($0.pointer): \($0.message)" }
    }
  }

  @Test func `a specification without the member trains on all images`() throws {
    let specification = try TrainSpecification.parse(["preset": "small"])
    #expect(specification.online == nil)
    #expect(specification.trainedCount(of: 60_000) == 60_000)
    #expect(try TrainSpecification.parse(specification.json).online == nil)
  }

  @Test func `what is left out of the object is the standard, and reads back`() throws {
    let specification = try TrainSpecification.parse(["online": ["knn": false]])
    var expected = OnlineSpecification()
    expected.knn = false
    #expect(specification.online == expected)
    #expect(
      specification.json["online"] == ["probe": true, "knn": false, "every_epochs": 1, "holdout": 0.02])
    #expect(try TrainSpecification.parse(specification.json) == specification)
    #expect(try TrainSpecification.parse(["online": nil]).online == nil)
  }

  @Test func `new trainings hold images back where the recipe is not a published one`() {
    func adopted(
      _ preset: Preset, imageCount: Int = 60_000, _ change: (inout TrainSpecification) -> Void = { _ in }
    )
      -> OnlineSpecification?
    {
      var specification = TrainSpecification.preset(preset)
      change(&specification)
      specification.adoptOnline(imageCount: imageCount)
      return specification.online
    }
    #expect(adopted(.small) == OnlineSpecification())
    #expect(adopted(.small) { $0.adopt(.byol) } == OnlineSpecification())
    #expect(adopted(.fashionHour) == OnlineSpecification())
    for preset in Preset.allCases where ![.small, .fashionHour].contains(preset) {
      #expect(adopted(preset) == nil, "\(preset)")
    }
    #expect(adopted(.small) { $0.augmentation = .mirror } == nil)
    // 2% of 4,974 images are 99, of 4,975 they are 100.
    #expect(adopted(.small, imageCount: 4_974) == nil)
    #expect(adopted(.small, imageCount: 4_975) != nil)
    #expect(adopted(.small) { $0.dataset.limit = 4_974 } == nil)
  }

  @Test func `steps are those of the images that are not held back`() throws {
    let specification = try TrainSpecification.parse([
      "online": ["holdout": 0.1], "dataset": ["limit": 1_000], "batch_size": 100, "epochs": 3,
    ])
    #expect(specification.trainedCount(of: 60_000) == 900)
    #expect(specification.stepsPerEpoch(imageCount: 60_000) == 9)
    #expect(specification.stepCount(imageCount: 60_000) == 27)
    #expect(
      specification.metricNames.suffix(4) == ["probe_top1", "knn_top1", "holdout_loss", "holdout_rankme"])
  }

  @Test(
    arguments: [
      (["online": ["holdout": 0]], "/spec/online/holdout: must be > 0, got 0"),
      (["online": ["holdout": 0.6]], "/spec/online/holdout: must be > 0 and ≤ 0.5, got 0.6"),
      (
        ["online": ["every_epochs": 0]],
        "/spec/online/every_epochs: must be a whole number from 1 to 1000000, got 0"
      ),
      (["online": ["probe": 1]], "/spec/online/probe: must be true or false, got 1"),
      (
        ["online": ["holdout": 0.01], "dataset": ["limit": 100], "batch_size": 10],
        "/spec/online/holdout: must hold back at least 2 images, got 0.01, which is 1 of 100 images; "
          + "null trains on all"
      ),
      (
        ["online": ["holdout": 0.5], "dataset": ["limit": 3], "batch_size": 2],
        "/spec/online/holdout: must leave at least 2 images to train on, got 0.5, which is 2 of 3 images"
      ),
      (
        ["online": ["holdout": 0.1], "dataset": ["limit": 100], "batch_size": 89],
        "/spec/batch_size: must not leave a last batch of one image, whose variance is undefined: 90 images "
          + "that are not held back, got 89; choose another size or drop_last"
      ),
    ] as [(JSON, String)])
  func `what cannot be held back is refused`(spec: JSON, message: String) {
    #expect(problems(spec) == [message])
  }

  @Test func `the best by an accuracy needs labels`() {
    let spec: JSON = [
      "online": [:], "checkpoint": ["keep_best": ["metric": "knn_top1"]], "dataset": ["name": "mine"],
    ]
    #expect(problems(spec).isEmpty)
    #expect(
      problems(spec, classCount: 0) == [
        "/spec/checkpoint/keep_best/metric: must be a metric that needs no labels, as \"mine\" has 0 "
          + "classes, got \"knn_top1\""
      ])
  }
}
