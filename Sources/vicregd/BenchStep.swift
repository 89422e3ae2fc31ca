import JobModel
import Kernels
import NeuralNet
import Parallel
import Platform
import Tensors
import Training

/// `vicregd bench step`: times the training steps of a preset's network on random images.
///
/// A step is forward, loss, backward and the optimiser's update; no images are read or augmented.
enum BenchStep {
  static let table: [Setting] = [
    Setting(
      name: "preset", kind: .choice(Preset.allCases.map(\.rawValue)), standard: Preset.seed.rawValue,
      help: "network, loss and optimiser"),
    Setting(
      name: "batch", kind: .number(2...65536), standard: "256", help: "images a step; each gives two views"),
    Setting(name: "threads", kind: .number(0...1024), standard: "0", help: "0: one a core"),
    Setting(name: "steps", kind: .number(1...100_000), standard: "5", help: "timed steps, after one untimed"),
    Setting(
      name: "convolution", kind: .choice(ConvolutionChoice.allCases.map(\.rawValue)),
      standard: ConvolutionChoice.automatic.rawValue, help: "how convolutions are computed"),
    Setting(name: "side", kind: .number(4...1024), standard: "32", help: "side of the images in pixels"),
    Setting(name: "json", kind: .flag, standard: "false", help: "one line of JSON instead of a table"),
  ]

  /// Runs the benchmark and prints the median.
  static func run(_ arguments: [String]) throws -> Int32 {
    if arguments == ["--help"] {
      StandardStream.output.write("usage: vicregd bench step [FLAGS]\n\n\(Settings.help(table))")
      return 0
    }
    let settings = try Settings(
      table, arguments: arguments, environment: Environment.all,
      foreign: ServeSettings.table.map(\.variable))
    guard let preset = Preset(rawValue: settings.text("preset")),
      let convolution = ConvolutionChoice(rawValue: settings.text("convolution"))
    else { preconditionFailure("the table offers presets and choices only") }
    let instructionSet = try InstructionSet.fromEnvironment()
    let asked = settings.number("threads")
    let threads = asked > 0 ? asked : CPU.availableCores
    let batch = settings.number("batch")
    let seconds = try time(
      .preset(preset), batch: batch, side: settings.number("side"), threads: threads,
      convolution: convolution, steps: settings.number("steps"))
    let median = seconds.sorted()[seconds.count / 2]
    let figures: [(String, JSON)] = [
      ("preset", .string(preset.rawValue)), ("batch", .integer(batch)), ("threads", .integer(threads)),
      ("isa", .string(instructionSet.rawValue)),
      ("convolution", .string(convolution.rawValue)),
      ("seconds", .array(seconds.map { JSON.number($0) })),
      ("median_seconds", .number(median)), ("images_per_second", .number(Double(batch) / median)),
    ]
    if settings.isSet("json") {
      let object = JSON.object(Dictionary(uniqueKeysWithValues: figures))
      StandardStream.output.write("\(object.text)\n")
    } else {
      for (name, value) in figures {
        StandardStream.output.write("\(name.padded(to: 20))\(value.text)\n")
      }
    }
    return 0
  }

  /// Seconds of each step.
  private static func time(
    _ specification: TrainSpecification, batch: Int, side: Int, threads: Int,
    convolution: ConvolutionChoice, steps: Int
  ) throws -> [Double] {
    let model = try VICRegModel(
      encoder: EncoderConfiguration(specification.encoder),
      projector: ProjectorConfiguration(specification.projector), loss: LossConfiguration(specification.loss),
      imageSide: side, batchSize: batch, team: try ThreadTeam(threads: threads),
      convolutions: convolution)
    let optimizer = try Optimizer(
      OptimizerConfiguration(specification.optimizer), parameters: model.parameters, compute: model.compute,
      arena: model.arena)
    model.initialize(seed: 0)
    var random = CounterRandom(seed: 0)
    for index in 0..<model.input.count { model.input[index] = random.uniform(-2, 2) }
    return (0...steps).map { _ in
      let start = SystemClock.monotonicNanoseconds
      _ = model.step(count: batch)
      optimizer.step(learningRate: specification.optimizer.learningRate)
      return Double(SystemClock.monotonicNanoseconds - start) / 1e9
    }.dropFirst().map { $0 }
  }
}
