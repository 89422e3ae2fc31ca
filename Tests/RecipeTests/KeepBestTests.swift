import JSONText
import Recipe
import Testing
import Text

@Suite struct `The best checkpoints` {
  @Test(arguments: [
    ("loss", false), ("corr", false), ("grad_norm", false), ("rankme", true), ("std_mean", true),
    ("std_min", true), ("top1", true), ("similarity", true), ("los", false),
  ])
  func `keep_best without a mode follows the metric's own direction`(metric: String, isHighest: Bool) throws {
    for mode: JSON? in [nil, .null] {
      var members: [ByteString: JSON] = ["metric": .string(metric)]
      members["mode"] = mode
      let best = try TrainSpecification.parse(["checkpoint": ["keep_best": .object(members)]]).checkpoint
        .keepBest
      #expect(best?.mode == nil)
      #expect(best?.isHighestBest == isHighest)
    }
    for mode in [KeepBest.Mode.min, .max] {
      #expect(KeepBest(metric: ByteString(metric), mode: mode).isHighestBest == (mode == .max))
    }
  }
}
