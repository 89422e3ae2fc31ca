import Platform

/// Bayesian optimisation: fits a Gaussian process to the trials' losses and takes the configuration with the
/// largest expected improvement.
///
/// Trials that are still running are given the loss that the process expects of them (kriging believer), so
/// that trials side by side are different.
/// Source: Ginsbourger, Le Riche and Carraro, "Kriging is well-suited to parallelize optimization" (2010).
package struct GaussianSearcher {
  private let space: SearchSpace
  private let observations: Observations
  private let used: UsedConfigurations
  private let encoding: GaussianEncoding

  /// Trials with a loss before the process is used; until then, points of a scrambled Sobol sequence.
  package static let startupTrials = 10
  private static let scatteredPoints = 1_024
  /// Best trials around which points are scattered as well, and points around each.
  private static let (nearTrials, nearPoints) = (5, 48)
  /// Climbs from the most promising points near the best trials, from the most promising of the others, and
  /// from others that are drawn by how promising they are.
  private static let (nearClimbs, farClimbs, drawnClimbs) = (3, 3, 4)

  init(_ space: SearchSpace, _ observations: Observations, used: UsedConfigurations) {
    self.space = space
    self.observations = observations
    self.used = used
    encoding = GaussianEncoding(space)
  }

  /// The configuration of a trial; nil: there is none that is not used.
  func next(_ place: SearchPlace) -> Configuration? {
    let known = observations.known
    guard known.count >= Self.startupTrials, let search = search() else {
      return SobolSearcher(space).next(place, used: used)
    }
    let starts = starts(search, place)
    let candidates = starts.map(search.climb) + starts
    for index in Self.order(candidates) {
      let candidate = candidates[index]
      let configuration = encoding.configuration(candidate.coordinates)
      if !used.contains(configuration) { return configuration }
    }
    var random = place.random(.configuration)
    return used.unused(&random) { space.configuration(atUnits: space.point(&$0)) }
  }

  /// The process after all trials, ready to be searched.
  private func search() -> AcquisitionSearch? {
    let features = observations.known.map { encoding.features(encoding.coordinates($0.configuration)) }
    let values = Self.standardised(observations.finiteLosses.map { -$0 })
    let parametersCount = space.parameters.count
    let hyper = GaussianFit(
      features: features, groups: encoding.groups, parametersCount: parametersCount, values: values
    ).hyperparameters()
    guard
      let process = GaussianProcess(
        features: features, groups: encoding.groups, values: values, hyper: hyper)
    else { return nil }
    // What the process makes of the observed points: with noise, the best value seen is too good to be true.
    let threshold = features.map { process.posterior($0).mean }.max() ?? 0
    guard !observations.running.isEmpty else {
      return AcquisitionSearch(encoding, process, above: threshold)
    }
    let running = observations.running.map { encoding.features(encoding.coordinates($0)) }
    let believed = running.map { process.posterior($0).mean }
    let all = GaussianProcess(
      features: features + running, groups: encoding.groups, values: values + believed, hyper: hyper)
    return AcquisitionSearch(encoding, all ?? process, above: max(threshold, believed.max() ?? threshold))
  }

  /// Values moved and scaled to mean 0 and variance 1.
  private static func standardised(_ values: [Double]) -> [Double] {
    let count = Double(max(1, values.count))
    let mean = values.reduce(0, +) / count
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
    let scale = variance > 0 ? 1 / variance.squareRoot() : 1
    return values.map { ($0 - mean) * scale }
  }

  /// Points to climb from. Those near the best trials do not crowd out the others, or the search would never
  /// leave the first good place.
  private func starts(
    _ search: AcquisitionSearch, _ place: SearchPlace
  ) -> [AcquisitionSearch.Candidate] {
    var random = place.random(.candidates)
    let sequence = SobolSequence(dimensions: space.parameters.count, scrambledBy: random.next())
    let far = (0..<Self.scatteredPoints).map { search.candidate(encoding.snapped(sequence.point($0))) }
    let known = observations.known
    let best = known.indices.sorted { (known[$0].loss, $0) < (known[$1].loss, $1) }.prefix(Self.nearTrials)
    var near: [AcquisitionSearch.Candidate] = []
    for index in best {
      let centre = encoding.coordinates(known[index].configuration)
      near.append(search.candidate(centre))
      for point in 0..<Self.nearPoints {
        near.append(search.candidate(self.near(centre, reach: [0.1, 0.03, 0.01][point % 3], &random)))
      }
    }
    let order = Self.order(far)
    let weights = far.map { Mathematics.exponential($0.gain - far[order[0]].gain) }
    let drawn = (0..<Self.drawnClimbs).map { _ in random.place(weights: weights) }
    return Self.order(near).prefix(Self.nearClimbs).map { near[$0] }
      + (order.prefix(Self.farClimbs) + drawn).map { far[$0] }
  }

  /// The places of candidates, the most promising first.
  private static func order(_ candidates: [AcquisitionSearch.Candidate]) -> [Int] {
    candidates.indices.sorted { (-candidates[$0].gain, $0) < (-candidates[$1].gain, $1) }
  }

  /// A point near another one: numbers move a little, single values change now and then.
  private func near(_ centre: [Double], reach: Double, _ random: inout SweepRandom) -> [Double] {
    let moved = zip(encoding.axes, centre).map { axis, coordinate in
      guard let count = axis.count else {
        return min(1, max(0, coordinate + reach * random.normal()))
      }
      if random.uniform() > 0.3 { return coordinate }
      if axis.isChoice { return axis.coordinate(random.below(count)) }
      let step = max(1, reach * Double(count)) * random.normal()
      return min(1, max(0, coordinate + step / Double(count)))
    }
    return encoding.snapped(moved)
  }
}
