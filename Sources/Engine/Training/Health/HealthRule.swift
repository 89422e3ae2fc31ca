import NeuralNet
import Recipe

/// Judges how well a training goes by the figures of its last metric lines. A pure function of them, so that
/// it can be held to recorded runs, and a run that goes on judges as an undisturbed one.
///
/// What is looked at, in this order; the first that holds decides:
/// 1. *diverging*: a loss or a gradient that is not finite; a loss (median of the last `recentLines`) of
///    more than `lossGrowthMax` times the loss of the untrained network, or any loss of `lossExplosion` times
///    that; a loss that has risen within the window by more than `lossRiseMax` of it; an embedding that
///    spreads to more than `spreadMax` times its target.
/// 2. *unknown*: fewer than `linesMin` lines or `stepsMin` steps.
/// 3. *collapsed*: a mean standard deviation below `pointSpread` of its target (all images in one point); an
///    effective rank below the scale's `rankCollapsed` of what is possible, or below its `rankLow` where
///    dimensions repeat each other (mean correlation over `correlationHigh`): all images on few axes.
/// 4. *warning*: what comes half as far, or a dimension that is dead (`deadSpread`).
/// 5. *good*.
///
/// The method's `HealthScale` says what target the spread has (γ of VICReg, 1/√d of losses that see only
/// directions) and how much rank is asked for. Without a target (`supervised`) only divergence is looked for.
/// Losses count from the least value that they can have.
package struct HealthRule: Sendable {
  /// One metric line as far as it is judged; a figure that the line does not have is `nil`.
  package struct Figures: Sendable, Equatable {
    package var step: Int
    package var loss: Double?
    package var stdMean: Double?
    package var stdMin: Double?
    package var corr: Double?
    package var rankMe: Double?
    package var gradNorm: Double?

    /// Takes them by their names in the stream.
    package init(step: Int, _ figure: (String) -> Double?) {
      self.step = step
      (loss, stdMean, stdMin) = (figure("loss"), figure("std_mean"), figure("std_min"))
      (corr, rankMe, gradNorm) = (figure("corr"), figure("rankme"), figure("grad_norm"))
    }
  }

  /// Lines that are judged together.
  package static let windowLines = 40
  /// Lines whose median counts as "now": one odd batch is no state.
  static let recentLines = 5
  /// Lines and steps before which nothing is called good or bad.
  static let linesMin = 3
  static let stepsMin = 10
  /// Of the loss of the untrained network.
  static let lossGrowthMax = 2.0
  static let lossExplosion = 100.0
  static let lossRiseMax = 0.5
  static let lossRiseNotable = 0.25
  /// Of the method's target for the standard deviation.
  static let spreadMax = 10.0
  static let pointSpread = 0.1
  static let lowSpread = 0.25
  static let deadSpread = 0.01
  /// A rank of so few dimensions or images says nothing.
  static let rankPossibleMin = 8
  static let correlationHigh = 0.9
  static let correlationNotable = 0.8

  /// What the method's figures are when it goes well.
  let scale: HealthScale
  /// Dimensions of the embedding.
  let width: Int
  /// Images of the batch of a step: with fewer than `width` the rank cannot be higher.
  let imagesOfStep: @Sendable (Int) -> Int

  /// See the properties.
  package init(_ scale: HealthScale, width: Int, imagesOfStep: @escaping @Sendable (Int) -> Int) {
    self.scale = scale
    self.width = width
    self.imagesOfStep = imagesOfStep
  }

  /// Judges the last lines, oldest first.
  ///
  /// - Parameter firstLoss: the loss of the run's first line, that of the untrained network.
  package func judge(_ window: [Figures], firstLoss: Double?) -> JobHealth {
    guard let last = window.last else { return JobHealth() }
    let found =
      divergence(window, last, firstLoss) ?? (isTooEarly(window, last) ? tooEarly : nil)
      ?? collapse(window) ?? concern(window, firstLoss) ?? good(window)
    return JobHealth(found.state, message: found.message, step: last.step)
  }

  private typealias Finding = (state: HealthState, message: String)

  private func isTooEarly(_ window: [Figures], _ last: Figures) -> Bool {
    window.count < Self.linesMin || last.step < Self.stepsMin
  }

  private var tooEarly: Finding { (.unknown, "it is too early to say") }

  private func divergence(_ window: [Figures], _ last: Figures, _ firstLoss: Double?) -> Finding? {
    if let loss = last.loss, !loss.isFinite { return (.diverging, "the loss is not finite") }
    if let norm = last.gradNorm, !norm.isFinite { return (.diverging, "the gradient is not finite") }
    if let first = firstLoss, let height = height(of: firstLoss) {
      if let loss = last.loss, loss - scale.lossMin > Self.lossExplosion * height {
        return explosion(loss, first)
      }
      if let loss = recent(window, \.loss), loss - scale.lossMin > Self.lossGrowthMax * height {
        return explosion(loss, first)
      }
      if let rise = rise(window), rise.to - rise.from > Self.lossRiseMax * height {
        return (.diverging, "the loss has risen from \(text(rise.from)) to \(text(rise.to))")
      }
    }
    if let spread = recent(window, \.stdMean), let target = scale.spread, spread > Self.spreadMax * target {
      return (.diverging, "the embedding spreads to \(text(spread)), its target is \(text(target))")
    }
    return nil
  }

  /// How far a loss lies above the least that it can be; `nil` where that is no measure.
  private func height(of loss: Double?) -> Double? {
    guard let loss, loss.isFinite, loss > scale.lossMin else { return nil }
    return loss - scale.lossMin
  }

  private func explosion(_ loss: Double, _ first: Double) -> Finding {
    (.diverging, "the loss is \(text(loss)), that of the untrained network was \(text(first))")
  }

  private func collapse(_ window: [Figures]) -> Finding? {
    guard let target = scale.spread else { return nil }
    if let spread = recent(window, \.stdMean), spread < Self.pointSpread * target {
      return (
        .collapsed,
        "all images lie almost in one point: the mean standard deviation is \(text(spread)), "
          + "its target is \(text(target))"
      )
    }
    guard let rank = rank(window) else { return nil }
    let repeats = recent(window, \.corr).map { $0 > Self.correlationHigh } ?? false
    if rank.share < scale.rankCollapsed || rank.share < scale.rankLow && repeats {
      return (.collapsed, "all images lie on few axes: the effective rank is \(rank.text)")
    }
    return nil
  }

  private func concern(_ window: [Figures], _ firstLoss: Double?) -> Finding? {
    if let target = scale.spread, let concern = concern(window, target: target) { return concern }
    if let height = height(of: firstLoss), let rise = rise(window),
      rise.to - rise.from > Self.lossRiseNotable * height
    {
      return (.warning, "the loss has risen from \(text(rise.from)) to \(text(rise.to))")
    }
    return nil
  }

  /// What of the embedding comes near to a collapse.
  private func concern(_ window: [Figures], target: Double) -> Finding? {
    if let spread = recent(window, \.stdMean), spread < Self.lowSpread * target {
      return (
        .warning,
        "the images lie close together: the mean standard deviation is \(text(spread)), its target is "
          + text(target)
      )
    }
    if let rank = rank(window), rank.share < scale.rankLow {
      return (.warning, "the effective rank is only \(rank.text)")
    }
    if let corr = recent(window, \.corr), corr > Self.correlationNotable {
      return (.warning, "dimensions repeat each other: their mean correlation is \(text(corr))")
    }
    if let least = recent(window, \.stdMin), least < Self.deadSpread * target {
      return (.warning, "a dimension is dead: its standard deviation is \(text(least))")
    }
    return nil
  }

  private func good(_ window: [Figures]) -> Finding {
    guard let target = scale.spread else {
      // Only divergence is looked for.
      return recent(window, \.loss).map { (.good, "the loss is \(text($0))") }
        ?? (.unknown, "the lines have no figures that health can be evaluated by")
    }
    var parts: [String] = []
    if let rank = rank(window) { parts.append("effective rank \(rank.text)") }
    if let spread = recent(window, \.stdMean) {
      parts.append("mean standard deviation \(text(spread)), target \(text(target))")
    }
    // Nothing that tells a collapse from health was measured.
    if parts.isEmpty { return (.unknown, "the lines have no figures that health can be evaluated by") }
    return (.good, parts.joined(separator: "; "))
  }

  /// The effective rank as a share of the highest that the batch allows; `nil` where that says nothing.
  private func rank(_ window: [Figures]) -> (share: Double, text: String)? {
    let ranks = window.compactMap { figures -> (rank: Double, possible: Int)? in
      let possible = min(width, imagesOfStep(figures.step))
      guard let rank = figures.rankMe, rank.isFinite, possible >= Self.rankPossibleMin else { return nil }
      return (rank, possible)
    }.suffix(Self.recentLines).sorted { $0.rank / Double($0.possible) < $1.rank / Double($1.possible) }
    guard !ranks.isEmpty else { return nil }
    let middle = ranks[ranks.count / 2]
    return (middle.rank / Double(middle.possible), "\(text(middle.rank)) of \(middle.possible)")
  }

  /// The median loss at the beginning and at the end of the window.
  private func rise(_ window: [Figures]) -> (from: Double, to: Double)? {
    let losses = window.compactMap(\.loss).filter(\.isFinite)
    guard losses.count >= 2 * Self.recentLines else { return nil }
    guard let from = Self.median(losses.prefix(Self.recentLines)),
      let to = Self.median(losses.suffix(Self.recentLines))
    else { return nil }
    return (from, to)
  }

  /// The median of the last lines that have the figure.
  private func recent(_ window: [Figures], _ figure: KeyPath<Figures, Double?>) -> Double? {
    Self.median(window.compactMap { $0[keyPath: figure] }.filter(\.isFinite).suffix(Self.recentLines))
  }

  private static func median(_ values: ArraySlice<Double>) -> Double? {
    values.isEmpty ? nil : values.sorted()[values.count / 2]
  }

  /// Three significant digits.
  private func text(_ value: Double) -> String {
    guard value.isFinite, value != 0 else { return "\(value)" }
    // Only powers of ten that are whole numbers: those have exact doubles, their inverses have not.
    var (divisor, factor) = (1.0, 1.0)
    while abs(value) / divisor >= 1_000 { divisor *= 10 }
    while abs(value) * factor < 100 { factor *= 10 }
    let rounded = (value / divisor * factor).rounded() * divisor / factor
    return rounded == rounded.rounded() && abs(rounded) < 1e7 ? "\(Int(rounded))" : "\(rounded)"
  }
}
