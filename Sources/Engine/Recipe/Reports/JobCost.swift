/// What a job will take, as far as it can be known before it begins.
package struct JobCost: Sendable, Equatable {
  /// Bytes of memory that its process takes at most; `nil`: unknown.
  package var memoryBytes: Int?
  /// Bytes that its files and rows take at most; `nil`: unknown.
  package var diskBytes: Int?
  /// What it has to compute; `nil`: unknown.
  package var work: Work?
  /// Epochs that its steps begin; `nil`: unknown, or its steps are not parts of epochs.
  package var epochs: Int?
  /// Images of one step; `nil`: unknown, or steps are stages of different lengths.
  package var stepImages: Int?

  package init(
    memoryBytes: Int? = nil, diskBytes: Int? = nil, work: Work? = nil, epochs: Int? = nil,
    stepImages: Int? = nil
  ) {
    self.memoryBytes = memoryBytes
    self.diskBytes = diskBytes
    self.work = work
    self.epochs = epochs
    self.stepImages = stepImages
  }
}

extension JobCost {
  /// What a run takes that has so many of its steps behind it when it begins.
  package func remaining(after done: Int, of steps: Int?) -> JobCost {
    guard let steps, steps > 0, done > 0 else { return self }
    var cost = self
    cost.work?.share = Double(max(0, steps - done)) / Double(steps)
    return cost
  }
}

/// How much a job has to compute: by the rate at which a machine has done such work, it is a time.
package struct Work: Sendable, Equatable {
  /// Only rates of one kind of work can be compared, such as `train` or `evaluate logistic`.
  package var kind: String
  /// Multiply-adds of all steps; other operations count as as many as take the same time.
  package var amount: Double
  /// Those that are done once, before the first step and after the last one.
  package var once: Double
  /// Those of a single image. Narrow networks are computed at other rates than wide ones.
  package var perImage: Double
  /// Share of `amount` that is to be done: less than 1 where steps of the run are done already.
  package var share = 1.0

  package init(kind: String, amount: Double, once: Double = 0, perImage: Double) {
    self.kind = kind
    self.amount = amount
    self.once = once
    self.perImage = perImage
  }

  /// Work of the same size is done at about the same rate: half octaves of `perImage`, from 0.
  package var size: Int {
    guard perImage.isFinite, perImage >= 1 else { return 0 }
    return 2 * Int(perImage.exponent) + (perImage.significand * perImage.significand >= 2 ? 1 : 0)
  }
}
