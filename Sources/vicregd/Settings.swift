import Platform
import Text

/// One setting of a command: flag, environment variable and default are the same thing said three ways.
struct Setting: Sendable {
  /// What a value may be.
  enum Kind: Sendable {
    /// `--name`, or the variable with `true` or `false`.
    case flag
    /// `--name VALUE` or `--name=VALUE`.
    case text(String)
    /// As `text`, and may be empty.
    case list(String)
    /// Paths of folders: the flag may be repeated, and the variable has them with colons in between.
    case folders(String)
    /// A whole number within limits.
    case number(ClosedRange<Int>)
    /// `auto`, or a whole number within limits.
    case numberOrAuto(ClosedRange<Int>)
    /// One of some words.
    case choice([String])
    /// Where to listen (`HostAddress`).
    case host(String)
  }

  /// The flag without its dashes.
  let name: String
  let kind: Kind
  /// The value where neither flag nor variable gives one; `nil`: there is none.
  let standard: String?
  let help: String

  /// `VICREGD_THREADS_PER_WORKER`.
  var variable: String { Setting.prefix + name.uppercased().map { $0 == "-" ? "_" : String($0) }.joined() }

  /// What keeps a value from being taken; `nil`: nothing.
  func problem(with value: String) -> String? {
    switch kind {
    case .flag: ["true", "false"].contains(value) ? nil : "must be true or false"
    case .list: nil
    case .folders: value.utf8.contains(0) ? "must not contain a NUL" : nil
    case .text: value.isEmpty ? "must not be empty" : nil
    case .number(let range):
      Int(value).map(range.contains) == true
        ? nil : "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .numberOrAuto(let range):
      value == Self.auto || Int(value).map(range.contains) == true
        ? nil : "must be \(Self.auto) or a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .choice(let words): words.contains(value) ? nil : "must be one of \(words.joined(separator: ", "))"
    case .host: HostAddress(value) == nil ? "must be \(HostAddress.allowed)" : nil
    }
  }

  /// What may have been meant by a value that is not taken; empty: nothing is known.
  func hint(for value: String) -> String {
    if case .host = kind { HostAddress.hint(for: value) } else { "" }
  }

  /// Whether the flag may be given more than once.
  var isRepeatable: Bool { if case .folders = kind { true } else { false } }

  static let prefix = "VICREGD_"
  /// The value that leaves a number to the daemon.
  static let auto = "auto"
}

/// The values of a command's settings: flags before environment before defaults, each checked once.
struct Settings: Sendable {
  private let values: [String: String]
  /// The arguments that are not flags, in their order.
  let operands: [String]

  /// - Parameters:
  ///   - foreign: variables with our prefix that something else reads.
  ///   - operandsMax: arguments that need not be flags.
  /// - Throws: `UsageError` for an unknown or repeated flag, an unknown variable of ours, a missing or wrong
  ///   value.
  init(
    _ table: [Setting], arguments: [String], environment: [String: String], foreign: [String] = [],
    operandsMax: Int = 0
  ) throws(UsageError) {
    var values: [String: String] = [:]
    for setting in table { values[setting.name] = setting.standard }
    for (variable, value) in environment.sorted(by: { $0.key < $1.key })
    where variable.hasPrefix(Setting.prefix) && !foreign.contains(variable) {
      guard let setting = table.first(where: { $0.variable == variable }) else {
        let near = suggestion(for: variable, in: table.map(\.variable))
        throw UsageError("there is no setting for the environment variable \(variable)\(near)")
      }
      values[setting.name] = try Settings.check(value, of: setting, as: variable)
    }
    let (flags, operands) = try Settings.flags(table, arguments, operandsMax: operandsMax)
    for (name, value) in flags { values[name] = value }
    self.values = values
    self.operands = operands
  }

  /// The value of a setting that has a default.
  func text(_ name: String) -> String {
    guard let value = values[name] else { preconditionFailure("the setting \(name) has no default") }
    return value
  }

  /// The values of a setting that has several.
  ///
  /// - Parameter separator: what stands between them.
  func values(_ name: String, separator: Character) -> [String] {
    text(name).split(separator: separator).map(String.init)
  }

  /// The value of a setting that may have none.
  func optionalText(_ name: String) -> String? { values[name] }

  /// The value of a `number`.
  func number(_ name: String) -> Int {
    guard let number = Int(text(name)) else { preconditionFailure("the setting \(name) is not a number") }
    return number
  }

  /// The value of a `numberOrAuto`; nil: `auto`.
  func numberUnlessAuto(_ name: String) -> Int? { text(name) == Setting.auto ? nil : number(name) }

  /// The value of a `flag`.
  func isSet(_ name: String) -> Bool { text(name) == "true" }

  private static func flags(
    _ table: [Setting], _ arguments: [String], operandsMax: Int
  ) throws(UsageError) -> (flags: [String: String], operands: [String]) {
    var found: [String: String] = [:]
    var operands: [String] = []
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      if !argument.hasPrefix("-"), operands.count < operandsMax {
        operands.append(argument)
        continue
      }
      guard argument.hasPrefix("--") else { throw UsageError("\"\(argument)\" is not a flag") }
      let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      guard let setting = table.first(where: { $0.name == name }) else {
        let near = suggestion(for: argument, in: table.map { "--\($0.name)" })
        throw UsageError("there is no flag --\(name)\(near)")
      }
      guard found[name] == nil || setting.isRepeatable else {
        throw UsageError("--\(name) may be given only once")
      }
      let value: String
      if parts.count == 2 {
        value = String(parts[1])
      } else if case .flag = setting.kind {
        value = "true"
      } else if let next = rest.popFirst() {
        value = next
      } else {
        throw UsageError("--\(name) needs a value")
      }
      let checked = try check(value, of: setting, as: "--\(name)")
      guard setting.isRepeatable else {
        found[name] = checked
        continue
      }
      if checked.isEmpty || checked.utf8.contains(UInt8(ascii: ":")) {
        throw UsageError("--\(name) must be a path without a colon, got \"\(checked)\"")
      }
      found[name] = found[name].map { "\($0):\(checked)" } ?? checked
    }
    return (found, operands)
  }

  private static func check(
    _ value: String, of setting: Setting, as source: String
  ) throws(UsageError) -> String {
    if let problem = setting.problem(with: value) {
      throw UsageError("\(source) \(problem), got \"\(value)\"\(setting.hint(for: value))")
    }
    return value
  }

  /// What `--help` prints of a table.
  static func help(_ table: [Setting]) -> String {
    let lines = table.map { setting in
      let value =
        switch setting.kind {
        case .flag: ""
        case .text(let name), .list(let name), .folders(let name), .host(let name): " \(name)"
        case .number: " N"
        case .numberOrAuto: " N|\(Setting.auto)"
        case .choice(let words): " \(words.joined(separator: "|"))"
        }
      let standard = setting.standard.map { $0 == "false" ? "" : " [\($0)]" } ?? ""
      return "  --\(setting.name)\(value)\n      \(setting.help)\(standard)  (\(setting.variable))\n"
    }
    return lines.joined()
  }
}

/// `; did you mean …?`, if something is near enough.
func suggestion(for word: String, in words: [String]) -> String {
  nearestWord(to: ByteString(word), in: words.map { ByteString($0) }).map { "; did you mean \($0)?" } ?? ""
}

extension String {
  /// The text with spaces behind it up to a width in characters.
  func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
