import Foundation
import JSONText
import NeuralNet
import Recipe
import Testing
import Text

@testable import Training

/// The rule held to trainings that this program has run: `Golden/make_health_runs.py` has recorded them.
@Suite struct `The health of a training` {
  /// A recorded run.
  private struct Recording {
    let rule: HealthRule
    let lines: [HealthRule.Figures]

    init(_ name: String) throws {
      let file = Bundle.module.url(forResource: name, withExtension: "jsonl", subdirectory: "Golden/health")
      let text = try String(contentsOf: #require(file), encoding: .utf8)
      let lines = try text.split(separator: "\n").map { try JSON.parse(String($0)) }
      let head = try #require(lines.first)
      let images = try #require(head["batch_size"]?.int)
      rule = HealthRule(
        HealthScale(spread: try #require(head["gamma"]?.double)), width: try #require(head["width"]?.int)
      ) { _ in images }
      self.lines = try lines.dropFirst().map { line in
        HealthRule.Figures(step: try #require(line["step"]?.int)) { name in
          line[ByteString(name)].map { $0.double ?? .nan }
        }
      }
    }

    /// What the rule says after each line.
    var verdicts: [JobHealth] {
      lines.indices.map { index in
        let window = lines[max(0, index + 1 - HealthRule.windowLines)...index]
        return rule.judge(Array(window), firstLoss: lines[0].loss)
      }
    }

    /// From a step on, or at the end.
    func states(fromStep step: Int) -> Set<HealthState> {
      Set(verdicts.filter { $0.step ?? 0 >= step }.map(\.state))
    }
  }

  @Test(arguments: [
    "healthy-synthetic", "healthy-fashion", "healthy-slow", "healthy-wide", "healthy-sparse-lines",
    "healthy-sgd", "healthy-lars",
  ])
  func `is good from its first sign to its end where it goes well`(name: String) throws {
    let recording = try Recording(name)
    #expect(recording.states(fromStep: 0) == [.unknown, .good])
    #expect(recording.states(fromStep: 60) == [.good])
    let last = try #require(recording.verdicts.last)
    #expect(last.message?.contains("effective rank") == true)
    #expect(last.step == recording.lines.last?.step)
  }

  @Test(arguments: ["point-without-variance", "point-without-both", "point-fashion"])
  func `is collapsed where all images go to one point, though the loss falls`(name: String) throws {
    let recording = try Recording(name)
    #expect(recording.states(fromStep: 40) == [.collapsed])
    #expect(
      !recording.states(fromStep: 0).contains(.good) || recording.states(fromStep: 14).contains(.warning))
    #expect(recording.verdicts.last?.message?.contains("one point") == true)
  }

  @Test(arguments: ["rank-without-covariance", "rank-fashion"])
  func `is collapsed where all images go to few axes, though the spread is right`(name: String) throws {
    let recording = try Recording(name)
    #expect(recording.verdicts.last?.state == .collapsed)
    #expect(recording.states(fromStep: 110).isSubset(of: [.warning, .collapsed]))
    #expect(recording.verdicts.last?.message?.contains("few axes") == true)
  }

  @Test(arguments: ["exploding-adam", "exploding-sgd", "exploding-fashion", "diverged"])
  func `is diverging as soon as the loss explodes, and never good after it`(name: String) throws {
    let recording = try Recording(name)
    let verdicts = recording.verdicts
    #expect(verdicts[1].state == .diverging, "at step 2")
    #expect(verdicts.allSatisfy { $0.state != .good })
    let isHigh = recording.lines.map { $0.loss.map { !($0 < 5e7) } ?? false }
    for (verdict, isHigh) in zip(verdicts, isHigh) where isHigh { #expect(verdict.state == .diverging) }
  }

  @Test func `is unknown in the first steps`() throws {
    let recording = try Recording("first-steps")
    #expect(recording.states(fromStep: 0) == [.unknown])
    #expect(recording.rule.judge([], firstLoss: nil) == JobHealth())
  }

  /// Lines of a run that stands still.
  private func lines(_ count: Int, _ figures: [String: Double]) -> [HealthRule.Figures] {
    (1...count).map { step in HealthRule.Figures(step: step) { figures[$0] } }
  }

  private func state(
    _ figures: [String: Double], count: Int = 20, firstLoss: Double? = 40, width: Int = 32, images: Int = 64
  ) -> HealthState {
    HealthRule(HealthScale(spread: 1), width: width) { _ in images }
      .judge(lines(count, figures), firstLoss: firstLoss).state
  }

  private static let fine = [
    "loss": 30, "std_mean": 0.8, "std_min": 0.6, "corr": 0.3, "rankme": 14, "grad_norm": 5,
  ]

  private func fine(but changes: [String: Double]) -> [String: Double] {
    Self.fine.merging(changes) { $1 }
  }

  @Test func `is never good at an effective rank of 1.12 of 32, or a loss of 5e7`() {
    #expect(state(Self.fine) == .good)
    #expect(state(fine(but: ["rankme": 1.12])) == .collapsed)
    #expect(state(fine(but: ["loss": 5e7])) == .diverging)
    #expect(state(fine(but: ["loss": 5e7]), count: 1) == .diverging)
    #expect(state(fine(but: ["loss": .infinity]), count: 1) == .diverging)
    #expect(state(fine(but: ["grad_norm": .nan])) == .diverging)
    #expect(state(fine(but: ["std_mean": 20])) == .diverging)
    #expect(state(fine(but: ["loss": 81])) == .diverging)
  }

  @Test func `warns of what may become a collapse`() {
    #expect(state(fine(but: ["std_mean": 0.2])) == .warning)
    #expect(state(fine(but: ["rankme": 4])) == .warning)
    #expect(state(fine(but: ["corr": 0.85])) == .warning)
    #expect(state(fine(but: ["std_min": 0.001])) == .warning)
    #expect(state(fine(but: ["rankme": 4, "corr": 0.95])) == .collapsed)
  }

  @Test func `measures the rank by what the batch allows`() {
    // Sixteen images cannot span more than sixteen axes, however wide the embedding is.
    #expect(state(fine(but: ["rankme": 14]), width: 2_048, images: 16) == .good)
    #expect(state(fine(but: ["rankme": 14]), width: 2_048, images: 1_024) == .collapsed)
    // The last batch of an epoch has two images: its rank says nothing.
    #expect(state(fine(but: ["rankme": 1]), images: 2) == .good)
  }

  @Test func `is unknown where nothing tells a collapse`() {
    #expect(state(["loss": 3]) == .unknown)
    #expect(state(fine(but: ["rankme": .nan])) == .good)
    #expect(state(["loss": 3, "std_mean": 0.01]) == .collapsed)
  }

  private func state(_ method: any Method, _ figures: [String: Double], firstLoss: Double) -> HealthState {
    HealthRule(method.health(dimension: 256), width: 256) { _ in 256 }
      .judge(lines(20, figures), firstLoss: firstLoss).state
  }

  @Test(arguments: [BarlowTwins(), SimCLR(), BYOL(), SimSiam()] as [any Method])
  func `asks of directions a spread of 1 over the root of the dimensions`(method: any Method) {
    // Rows that are spread evenly over the unit sphere of 256 dimensions deviate by 0.0625 in each.
    let good = ["loss": 0.5, "std_mean": 0.06, "std_min": 0.05, "corr": 0.1, "rankme": 90, "grad_norm": 1.0]
    func with(_ changes: [String: Double]) -> [String: Double] { good.merging(changes) { $1 } }
    #expect(state(method, good, firstLoss: 4) == .good)
    #expect(state(method, with(["std_mean": 0.005]), firstLoss: 4) == .collapsed)
    #expect(state(method, with(["std_mean": 0.012]), firstLoss: 4) == .warning)
    #expect(state(method, with(["rankme": 2]), firstLoss: 4) == .collapsed)
    #expect(state(method, with(["loss": .nan]), firstLoss: 4) == .diverging)
  }

  @Test func `takes a negative loss of SimSiam for what it is`() {
    let figures = ["loss": -0.6, "std_mean": 0.06, "std_min": 0.05, "corr": 0.1, "rankme": 90]
    #expect(state(SimSiam(), figures, firstLoss: 0.002) == .good)
    #expect(state(SimSiam(), figures.merging(["loss": 0.3]) { $1 }, firstLoss: 0.002) == .good)
  }

  @Test func `asks of SIGReg a deviation of 1, and of a supervised training that it does not diverge`() {
    let figures = ["loss": 0.5, "std_mean": 0.9, "std_min": 0.5, "corr": 0.1, "rankme": 90]
    #expect(state(SIGReg(), figures, firstLoss: 3) == .good)
    #expect(state(SIGReg(), figures.merging(["std_mean": 0.05]) { $1 }, firstLoss: 3) == .collapsed)
    let point = figures.merging(["std_mean": 0, "rankme": 1]) { $1 }
    #expect(state(Supervised(), point, firstLoss: 2.3) == .good)
    #expect(state(Supervised(), point.merging(["loss": 5]) { $1 }, firstLoss: 2.3) == .diverging)
  }

  @Test func `tells a loss that rises`() {
    let rule = HealthRule(HealthScale(spread: 1), width: 32) { _ in 64 }
    func state(to end: Double) -> HealthState {
      let window = (1...30).map { step in
        HealthRule.Figures(step: step) {
          $0 == "loss" ? (step <= 20 ? 20 : end) : Self.fine[$0]
        }
      }
      return rule.judge(window, firstLoss: 40).state
    }
    #expect(state(to: 25) == .good)
    #expect(state(to: 32) == .warning)
    #expect(state(to: 41) == .diverging)
  }

  @Test func `of a run that goes on is that of an undisturbed one`() throws {
    let recording = try Recording("healthy-synthetic")
    var specification = TrainSpecification.preset(.small)
    specification.batchSize = 64
    specification.projector.widths = [64, 64, 32]
    var whole = HealthMonitor(specification, imageCount: 512)
    let told = recording.lines.map { whole.take($0) }
    #expect(told.compactMap(\.self).map(\.state) == [.good])
    for cut in [1, 3, 60] {
      var resumed = HealthMonitor(specification, imageCount: 512)
      resumed.remember(firstLoss: recording.lines[0].loss)
      for line in recording.lines[..<cut].suffix(HealthRule.windowLines) { resumed.remember(line) }
      let rest = recording.lines[cut...].map { resumed.take($0) }
      #expect(rest == Array(told[cut...]))
      #expect(resumed.health == whole.health)
    }
  }
}
