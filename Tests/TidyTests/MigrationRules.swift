/// Migrations are forward-only and numbered from 0001 without a gap.
enum MigrationRules {
  static func problems(names: [String]) -> [String] {
    names.sorted().enumerated().compactMap { index, name in
      let digits = String(index + 1)
      let number = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
      let isWord = name.dropFirst(5).dropLast(4).allSatisfy { $0.isLowercase || $0.isNumber || $0 == "_" }
      guard name.hasPrefix("\(number)_"), name.hasSuffix(".sql"), name.utf8.count > 9, isWord else {
        return "migrations/\(name): expected \(number)_<lower_case_words>.sql here"
      }
      return nil
    }
  }
}
