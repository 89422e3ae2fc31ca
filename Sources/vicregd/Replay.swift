import JSONText
import Kernels
import NeuralNet
import Platform
import RunFolder
import Training

/// `vicregd replay RUN_DIR`: repeats the step that was not finite and names the first layer that left the
/// finite numbers.
enum Replay {
  /// The exit code of a step that gave other bits.
  private static let notReproducedCode: Int32 = 3
  private static let table = [
    Setting(name: "threads", kind: .number(0...1024), standard: "0", help: "0: one per core"), Bench.json,
  ]

  private static let about = """
    Repeats the step at which a training diverged and names the first layer with a value that is not finite.
    The file in RUN_DIR/captures has all that this needs; the dataset is not read, and nothing is changed.
    Figures and gradients are compared with those of the training bit by bit; every NaN counts as the same.
    Exit code: 0 reproduced, \(notReproducedCode) other bits, 1 the step cannot be repeated here.


    """

  /// Runs the subcommand; the exit code is 0 if every figure has the bits that were recorded, 3 if not.
  static func run(_ arguments: [String]) throws -> Int32 {
    let usage = "usage: vicregd replay RUN_DIR [FLAGS]\n\n"
    if arguments.contains("--help") {
      StandardStream.output.write(usage + about + Settings.help(table))
      return 0
    }
    let settings = try Settings(
      table, arguments: arguments, environment: Environment.all,
      foreign: ServeSettings.table.map(\.variable), operandsMax: 1)
    guard let folder = settings.operands.first, !folder.isEmpty else { throw UsageError(usage) }
    guard FileSystem.isDirectory(folder) else {
      throw RunFolderError(operation: "replay", subject: folder, cause: "it is not a folder")
    }
    let captures = RunFolder(folder).captures
    guard let path = try captures.kept() else {
      throw RunFolderError(
        operation: "replay", subject: folder,
        cause: "there is no file in \(captures.path); a training writes one when a step is not finite")
    }
    let captured = try CapturedStep(path: path)
    let asked = settings.number("threads")
    let replay = try StepReplay(captured, threads: asked > 0 ? asked : CPU.availableCores)
    StandardStream.output.write(
      settings.isSet("json") ? "\(json(captured, replay, path).text)\n" : text(captured, replay, path))
    return replay.isReproduced ? 0 : notReproducedCode
  }

  // MARK: For people

  private static func text(_ captured: CapturedStep, _ replay: StepReplay, _ path: String) -> String {
    let before = captured.before
    var lines = [
      "\(path)",
      "step \(captured.step), epoch \(before.epoch), batch \(before.position) of the epoch, "
        + "\(captured.count) images, seed \(before.specification.seed), \(before.instructionSet)",
    ]
    for figure in captured.figures {
      let now = replay.figures[figure.name]
      let verdict =
        replay.differing.contains(figure.name)
        ? "now \(now.map { "\(shown($0)) \(bits($0))" } ?? "missing")" : "same"
      lines.append(row(figure.name, shown(figure.value), bits(figure.value), verdict))
    }
    lines.append(
      row(
        "gradients", "digest of their bits", hexadecimal(captured.gradients),
        replay.hasSameGradients ? "same" : "now \(hexadecimal(replay.gradients.value))"))
    lines.append(
      replay.isReproduced
        ? "reproduced: all figures and gradients have the same bits"
        : "not reproduced: another version of vicregd or of the C library may round differently")
    lines += stateBefore(replay.notFiniteBefore) + found(replay.first)
    return lines.joined(separator: "\n") + "\n"
  }

  private static func row(_ name: String, _ value: String, _ bits: String, _ verdict: String) -> String {
    "  \(name.padded(to: 12))\(value.padded(to: 26))\(bits)  \(verdict)"
  }

  private static func stateBefore(_ names: [String]) -> [String] {
    guard let first = names.first else { return ["state before the step: every value is finite"] }
    let others = names.count > 1 ? " and in \(names.count - 1) other tensors" : ""
    return ["state before the step: not finite in \(first)\(others)"]
  }

  private static func found(_ finding: FiniteCheck.Finding?) -> [String] {
    guard let finding else { return ["every value of the step was finite this time"] }
    var lines = [
      "first value that is not finite: \(finding.layer), \(finding.pass.rawValue): "
        + "\(finding.quantity.rawValue), \(finding.values.notFinite) of \(finding.values.count) values"
    ]
    if let input = finding.input {
      let name = inputName(finding)
      lines.append("  \(name): \(magnitude(input))")
    }
    if let weight = finding.weight { lines.append("  weight: \(magnitude(weight))") }
    return lines
  }

  private static func inputName(_ finding: FiniteCheck.Finding) -> String {
    switch finding.quantity {
    case .squaredGradient: "gradient"
    case .output, .loss: "input"
    case .inputGradient where finding.layer == "loss": "input"
    case .weightGradient, .biasGradient, .inputGradient: "gradient of its output"
    }
  }

  private static func magnitude(_ values: Finiteness) -> String {
    let largest = "largest finite magnitude \(values.largest)"
    return values.notFinite == 0 ? largest : "\(largest), \(values.notFinite) of \(values.count) not finite"
  }

  private static func shown(_ value: Double) -> String { value.isNaN ? "NaN" : "\(value)" }

  private static func bits(_ value: Double) -> String { hexadecimal(value.bitPattern) }

  private static func hexadecimal(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return "0x" + String(repeating: "0", count: 16 - digits.count) + digits
  }

  // MARK: For programs

  private static func json(_ captured: CapturedStep, _ replay: StepReplay, _ path: String) -> JSON {
    [
      "file": .string(path), "step": .integer(captured.step), "epoch": .integer(captured.before.epoch),
      "position": .integer(captured.before.position), "images": .integer(captured.count),
      "isa": .string(captured.before.instructionSet), "reproduced": .bool(replay.isReproduced),
      "figures": .array(
        captured.figures.map { figure in
          [
            "name": .string(figure.name), "value": .number(figure.value), "bits": .string(bits(figure.value)),
            "replayed_bits": .optional(replay.figures[figure.name].map(bits)),
          ]
        }),
      "gradients": .string(hexadecimal(captured.gradients)),
      "replayed_gradients": .string(hexadecimal(replay.gradients.value)),
      "not_finite_before": .array(replay.notFiniteBefore.map { .string($0) }),
      "first": replay.first.map(json) ?? .null,
    ]
  }

  private static func json(_ finding: FiniteCheck.Finding) -> JSON {
    [
      "layer": .string(finding.layer), "pass": .string(finding.pass.rawValue),
      "quantity": .string(finding.quantity.rawValue), "values": json(finding.values),
      "input": finding.input.map(json) ?? .null, "weight": finding.weight.map(json) ?? .null,
    ]
  }

  private static func json(_ values: Finiteness) -> JSON {
    [
      "count": .integer(values.count), "not_finite": .integer(values.notFinite),
      "largest_finite_magnitude": .number(Double(values.largest)),
    ]
  }
}
