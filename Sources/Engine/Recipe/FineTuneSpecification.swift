import JSONText

/// How a whole network is trained with one Linear on top: protocol `finetune`.
///
/// SGD; both rates fall by a cosine that is stepped once an epoch. The default rates are those of
/// facebookresearch/vicreg's semi-supervised evaluation.
package struct FineTuneSpecification: JSONRecord, Hashable {
  /// Learning rate of the network.
  package var backboneRate: Double
  /// Learning rate of the Linear.
  package var headRate: Double
  package var momentum: Double
  package var weightDecay: Double
  /// Images per step, ≥ 2; all labelled ones, where there are fewer.
  package var batchSize: Int

  /// The values of version one for all labels.
  package init(
    backboneRate: Double = 0.01, headRate: Double = 0.1, momentum: Double = 0.9, weightDecay: Double = 0,
    batchSize: Int = 256
  ) {
    self.backboneRate = backboneRate
    self.headRate = headRate
    self.momentum = momentum
    self.weightDecay = weightDecay
    self.batchSize = batchSize
  }

  /// The share of labels below which the rates for 1 % are taken, and not those for 10 %.
  private static let fewLabels = 0.05

  /// Takes the rates that are published for 1 % or for 10 % of the labels.
  mutating func adopt(labelShare: Double) {
    (backboneRate, headRate) = labelShare < Self.fewLabels ? (0.03, 0.08) : (0.01, 0.1)
  }

  /// What `batchSize` can be.
  package static let batchSizes = 2...256

  package static let fields = Fields<Self> {
    Field(
      "backbone_lr", \.backboneRate, .number(.closed(0, 1000)),
      "Learning rate of the network in the first epoch: 0.03 for a label_share below 0.05, else 0.01. 0 "
        + "changes its running statistics alone."
    ).withoutDefault()
    Field(
      "head_lr", \.headRate, .number(.positive(1000)),
      "Learning rate of the Linear in the first epoch: 0.08 for a label_share below 0.05, else 0.1."
    ).withoutDefault()
    Field("momentum", \.momentum, .number(.halfOpen(0, 1)), "Momentum of SGD.")
    Field("weight_decay", \.weightDecay, .number(.closed(0, 100)), "Weight decay, as an L2 penalty.")
    Field(
      "batch_size", \.batchSize, .integer(batchSizes),
      "Images per step; all labelled ones, where there are fewer.")
  }
}
