/// What every declaration of the product must have: a documentation comment, and a body that fits a screen.
enum DeclarationRules {
  static let functionLinesMax = 70

  static func problems(in files: [SourceFile]) -> [String] {
    let declarations = files.map { Declarations($0).all }
    let requirements = Set(declarations.joined().filter { $0.owner?.isProtocol == true }.map(\.name))
    return zip(files, declarations).flatMap { problems(in: $0, $1, requirements: requirements) }
  }

  private static func problems(
    in file: SourceFile, _ declarations: [Declarations.Declaration], requirements: Set<String>
  ) -> [String] {
    declarations.compactMap { declaration in
      let place = "\(file.path):\(declaration.line)"
      let lines = declaration.lastLine - declaration.line + 1
      if ["func", "init", "subscript"].contains(declaration.keyword), lines > functionLinesMax {
        return "\(place): \(declaration.name) has \(lines) lines, at most \(functionLinesMax)"
      }
      let isWitness = declaration.owner?.conforms == true && requirements.contains(declaration.name)
      return !isWitness && needsDocumentation(declaration) && !declaration.isDocumented
        ? "\(place): \(declaration.keyword) \(declaration.name) has no `///`" : nil
    }
  }

  /// Stored properties and cases may be said by their type's comment; initialisers that only take fields say
  /// themselves; what a protocol of the standard library asks for is documented there.
  private static func needsDocumentation(_ declaration: Declarations.Declaration) -> Bool {
    let owner = declaration.owner
    let isWitness = owner?.isExtension == true && owner?.conforms == true
    if declaration.isPrivate || declaration.isOverride || isWitness { return false }
    switch declaration.keyword {
    case "extension": return false
    case "var", "let", "case":
      if witnesses.contains(declaration.name) { return false }
      return owner?.isExtension ?? true
    case "init": return declaration.canFail && declaration.isPackage
    case "typealias", "associatedtype": return owner == nil
    default: return !witnesses.contains(declaration.name)
    }
  }

  private static let witnesses: Set<String> = [
    "description", "debugDescription", "errorDescription", "hash", "encode", "=", "<", "main", "CodingKeys",
    "next", "makeIterator", "rawValue", "allCases", "run", "id",
  ]
}
