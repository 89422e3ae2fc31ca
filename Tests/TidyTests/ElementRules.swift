/// Which files of `NeuralNet` work on numbers on the host instead of calling operations of `Compute`.
///
/// The compiler enforces most of it: access to elements is in the module `TensorElements`, and a file of
/// `NeuralNet` sees only members of modules that it imports itself. These rules guard the imports, the
/// setting, and the two ways around it: pointers and arrays of numbers.
enum ElementRules {
  static let folder = "Sources/Engine/NeuralNet/"
  static let module = "TensorElements"
  static let setting = "ownImports"

  /// The only files that may, each with its reason.
  static let onHost = [
    folder + "Initializers/Initializer.swift":
      "writes the weights once, before the first step, as a function of the seed alone",
    folder + "Objectives/SymmetricEigenvalues.swift":
      "diagonalises a small matrix in double precision for a diagnostic",
    folder + "Objectives/EmbeddingDiagnostics.swift":
      "hands the Gram matrix to SymmetricEigenvalues",
  ]

  /// Files of `NeuralNet` that reach elements and are not in the list.
  static func problems(in file: SourceFile) -> [String] {
    guard file.path.hasPrefix(folder), onHost[file.path] == nil else { return [] }
    let text = SwiftText(file.text)
    let imports = text.imports.filter { $0.module == module }.map {
      "\(file.path):\($0.line): imports \(module); an element loop is an operation of Compute"
    }
    let others = text.lines.enumerated().flatMap { index, line in
      [".pointer", "[Double]", "[Float]"].filter { line.contains($0) }.map {
        "\(file.path):\(index + 1): has \($0); an element loop is an operation of Compute"
      }
    }
    return imports + others
  }

  /// The setting by which the compiler looks at each file's own imports.
  static func problems(manifest: String) -> [String] {
    let code = SwiftText(manifest).lines.joined(separator: "\n")
    let settings = manifest.split(separator: "room(").first { $0.contains("\"NeuralNet\", in: \"Engine\"") }
    let isDefined = manifest.contains(
      "let \(setting): SwiftSetting = .enableUpcomingFeature(\"MemberImportVisibility\")")
    let isUsed = settings?.contains(", \(setting)]") == true && code.contains("\(setting)]")
    return isDefined && isUsed ? [] : ["Package.swift: NeuralNet must be compiled with \(setting)"]
  }
}
