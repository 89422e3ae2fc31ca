/// What every declaration of the product must have: a documentation comment, and a body that fits a screen.
enum DeclarationRules {
  static let functionLinesMax = 70

  static func problems(in file: SourceFile) -> [String] {
    Declarations(file).all.compactMap { declaration in
      let place = "\(file.path):\(declaration.line)"
      let lines = declaration.lastLine - declaration.line + 1
      if ["func", "init", "subscript"].contains(declaration.keyword), lines > functionLinesMax {
        return "\(place): \(declaration.name) has \(lines) lines, at most \(functionLinesMax)"
      }
      return needsDocumentation(declaration) && !declaration.isDocumented
        ? "\(place): \(declaration.keyword) \(declaration.name) has no `///`" : nil
    }
  }

  /// Stored properties and cases may be said by their type's comment; initialisers that only take fields say
  /// themselves; what a protocol of the standard library asks for is documented there.
  private static func needsDocumentation(_ declaration: Declarations.Declaration) -> Bool {
    if declaration.isPrivate || declaration.isOverride || declaration.owner?.conforms == true { return false }
    switch declaration.keyword {
    case "extension": return false
    case "var", "let", "case":
      if witnesses.contains(declaration.name) { return false }
      return declaration.owner?.isExtension ?? true
    case "init": return declaration.canFail
    case "typealias", "associatedtype": return declaration.owner == nil
    default: return !witnesses.contains(declaration.name)
    }
  }

  private static let witnesses: Set<String> = [
    "description", "debugDescription", "errorDescription", "hash", "encode", "=", "<", "main", "CodingKeys",
    "next", "makeIterator", "rawValue", "allCases", "run", "id",
  ]
}
