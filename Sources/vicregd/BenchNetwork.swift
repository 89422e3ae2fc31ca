import Benchmarks
import JSONText
import Kernels
import Platform
import Recipe
import Text

/// The network that a benchmark measures, as flags name it.
enum BenchNetwork {
  /// The flags that name it.
  static let flags = [
    Setting(
      name: "spec", kind: .text("JSON"), standard: nil,
      help: "a spec as POST /jobs takes it; the flags below replace its members [{}]"),
    Setting(
      name: "preset", kind: .choice(Preset.allCases.map(\.rawValue)), standard: nil,
      help: "network, loss and optimiser [that of the spec, or seed]"),
    Setting(
      name: "batch", kind: .number(2...65536), standard: nil,
      help: "images; in a step each gives several views [that of the spec, or 256]"),
    Setting(name: "threads", kind: .number(0...1024), standard: "0", help: "0: one per core"),
    Setting(
      name: "convolution", kind: .choice(ConvolutionChoice.allCases.map(\.rawValue)), standard: nil,
      help: "how convolutions are computed [that of the spec, or auto]"),
    Setting(
      name: "side", kind: .number(4...1024), standard: nil,
      help: "side of the images in pixels [image_size of the spec, or 32]"),
  ]

  /// Reads the flags. Throws for a specification that is wrong.
  static func read(_ settings: Settings) throws -> BenchmarkNetwork {
    let asked = settings.number("threads")
    let specification = try specification(settings)
    return BenchmarkNetwork(
      specification,
      imageSide: settings.optionalText("side").flatMap { Int($0) } ?? specification.imageSize ?? 32,
      threads: asked > 0 ? asked : CPU.availableCores)
  }

  private static func specification(_ settings: Settings) throws -> TrainSpecification {
    var members: [ByteString: JSON] = [:]
    do {
      guard let given = try JSON.parse(settings.optionalText("spec") ?? "{}").object else {
        throw UsageError("--spec must be a JSON object")
      }
      members = given
    } catch let error as JSONError {
      throw UsageError("--spec is not valid JSON: \(error)")
    }
    members["preset"] =
      settings.optionalText("preset").map { .string(ByteString($0)) } ?? members["preset"]
      ?? .string(ByteString(Preset.seed.rawValue))
    members["batch_size"] =
      settings.optionalText("batch").flatMap { Int($0) }.map(JSON.integer) ?? members["batch_size"] ?? 256
    if let convolution = settings.optionalText("convolution") {
      members["convolution"] = .string(ByteString(convolution))
    }
    do {
      return try TrainSpecification.parse(.object(members))
    } catch {
      throw UsageError("--spec: \(error)")
    }
  }

  /// What is measured.
  static func figures(_ network: BenchmarkNetwork) throws -> [(String, JSON)] {
    let specification = network.specification
    return [
      ("preset", .string(ByteString(specification.preset.rawValue))),
      ("method", .string(ByteString(specification.loss.method.rawValue))),
      ("arch", .string(ByteString(specification.encoder.architecture.rawValue))),
      ("batch", .integer(network.batch)), ("threads", .integer(network.threads)),
      ("isa", .string(ByteString(try InstructionSet.fromEnvironment().rawValue))),
      ("convolution", .string(ByteString(specification.convolution.rawValue))),
      ("side", .integer(network.imageSide)),
    ]
  }
}
