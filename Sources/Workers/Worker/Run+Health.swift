import JSONText
import Platform
import Recipe
import RunFolder
import Training

extension Run {
  /// Bytes at the end of the stream that are looked through for the lines before a resume: some thousand
  /// lines, of which a few dozen are needed.
  private static let rememberedBytesMax = 1 << 20
  /// Bytes at its beginning, among which is the first line.
  private static let firstBytesMax = 1 << 16

  /// Judges a training that goes on at a step, and has seen the lines before that step: what an undisturbed
  /// run is said to be, this one is as well.
  func healthMonitor(
    _ specification: TrainSpecification, imageCount: Int, step: Int
  ) throws -> HealthMonitor {
    var monitor = HealthMonitor(specification, imageCount: imageCount)
    if step == 0 { return monitor }
    let file = try File(folder.eventsPath, .read)
    let bytes = try file.size()
    let first = events(in: try file.read(at: 0, countMax: Self.firstBytesMax)).first { $0.isMetric }
    let start = max(0, bytes - Self.rememberedBytesMax)
    var lines: [MetricLine] = []
    for event in events(in: try file.read(at: start, countMax: Self.rememberedBytesMax)) {
      switch event {
      case .metric(let line): lines.append(line)
      case .started(let attempt): lines.removeAll { $0.step > attempt.step }
      default: break
      }
    }
    if case .metric(let line) = first { monitor.remember(firstLoss: line.figures.loss) }
    for line in lines.suffix(HealthRule.windowLines) where line.step <= step {
      monitor.remember(line.figures)
    }
    return monitor
  }

  /// The events of whole lines; what is cut off at either end is no line.
  private func events(in bytes: [UInt8]) -> [WorkerEvent] {
    bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
      guard
        line.starts(with: Array("{\"event\":\"metric\"".utf8))
          || line.starts(with: Array("{\"event\":\"started\"".utf8))
      else { return nil }
      return (try? JSON.parse(Array(line))).flatMap(WorkerEvent.init(json:))
    }
  }
}

extension WorkerEvent {
  fileprivate var isMetric: Bool { if case .metric = self { true } else { false } }
}

extension MetricLine {
  fileprivate var figures: HealthRule.Figures {
    HealthRule.Figures(step: step) { name in values.first { $0.name == name }?.value }
  }
}
