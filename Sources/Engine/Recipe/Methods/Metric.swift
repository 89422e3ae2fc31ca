/// A number of the metric lines: its name there, and what people read about it.
///
/// Said once for all: the lines' names, the description of the API, the titles of the dashboard's charts, and
/// which value counts as the best in `summary` and for `keep_best` come from here. A method has its own in
/// `figures`.
package struct Metric: Sendable, Equatable {
  /// Which of its values is the best.
  package enum Best: Sendable { case lowest, highest }

  /// Its name in metric lines, such as `loss`.
  package let name: String
  /// What a chart is called.
  package let title: String
  /// What it measures, as one sentence.
  package let meaning: String
  package let best: Best

  /// See the properties.
  package init(_ name: String, _ title: String, _ meaning: String, best: Best = .lowest) {
    self.name = name
    self.title = title
    self.meaning = meaning
    self.best = best
  }

  /// The metrics that lines of trainings have, whatever the method.
  static let common = [
    Metric("loss", "Loss", "What the training minimises, made of the parts of its method."),
    Metric(
      "std_mean", "Mean spread", "Mean standard deviation of the embedding's dimensions.", best: .highest),
    Metric(
      "std_min", "Smallest spread", "Smallest standard deviation of the embedding's dimensions.",
      best: .highest),
    Metric("corr", "Correlation", "Mean absolute correlation of two different dimensions."),
    Metric(
      "rankme", "Effective rank", "Dimensions that the embedding really uses (RankMe).", best: .highest),
    Metric("grad_norm", "Gradient norm", "Norm of the gradient of all parameters."),
    Metric("lr", "Learning rate", "The learning rate."),
    Metric("images_per_second", "Speed", "Speed in images per second.", best: .highest),
  ]

  /// The metrics that lines of trainings have, of every method and of online evaluations, each once.
  package static let all: [Metric] =
    MethodName.allCases.reduce(into: []) { metrics, method in
      metrics += method.figures.filter { figure in !metrics.contains { $0.name == figure.name } }
    } + common + online

  /// The names of those whose highest value is the best.
  package static let highestBest = Set(all.filter { $0.best == .highest }.map(\.name))
}

extension MethodName {
  /// The parts of the method's loss, as metric lines have them.
  package var figures: [Metric] { type.figures }

  /// Whether the method can take local views.
  package var takesLocalViews: Bool { type.takesLocalViews }
}
