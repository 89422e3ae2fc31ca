/// Keeps text from outside from being compared as Swift strings in the folders that read it.
///
/// `String` compares by canonical equivalence, which costs time quadratic in the number of combining marks
/// and takes different bytes for equal; `ByteString` compares bytes. A search cannot see types, so the rule
/// forbids what only a `String` can do, what is done with a name that the file declares as a `String`, and
/// `String` where a type keeps what a request says.
struct OutsideTextRules {
  /// Where text from outside is read.
  static let folders = [
    "Sources/Web", "Sources/Jobs/JobModel", "Sources/Engine/Recipe", "Sources/System/JSON",
  ]

  /// Types that hold requests, by their file, with the stored members that may be a `String`, each because
  /// the daemon has made or checked it.
  static let holders: [String: Set<String>] = [
    "Sources/Web/HTTP/Headers.swift": [],
    "Sources/Web/HTTP/Method.swift": [],
    "Sources/Web/HTTP/EntityTag.swift": [],
    // From the socket, the identifiers' rule and the token file.
    "Sources/Web/HTTP/Request.swift": ["peer", "id", "principal", "role"],
    "Sources/Web/HTTP/RequestHead.swift": [],
    "Sources/Web/HTTP/RequestTarget.swift": [],
    "Sources/System/JSON/JSON.swift": [],
    "Sources/Jobs/JobModel/JobSubmission.swift": [],
    "Sources/Engine/Recipe/EvaluateSpecification.swift": [],
    "Sources/Engine/Recipe/TrainSpecification.swift": [],
    "Sources/Engine/Recipe/DatasetSelection.swift": [],
  ]

  /// Files in which strings that the daemon has made or checked are compared, and why they cannot be long or
  /// from outside.
  static let exceptions: [String: String] = [
    "Sources/Web/Access/AccessToken.swift": "lines of the token file, which its owner writes",
    "Sources/Web/Access/TokenFile.swift": "lines of the token file, which its owner writes",
    "Sources/Web/Access/LoginLimiter.swift": "addresses as the kernel gives them",
    "Sources/Web/HTTPServer/AccessLog.swift": "the log's path, a setting",
    "Sources/Web/HTTPServer/ServerConfiguration.swift": "settings",
    "Sources/Web/API/OpenAPIDocument.swift": "the description is made of the program's own words",
    "Sources/Web/API/OpenAPIOperations.swift": "the description is made of the program's own words",
    "Sources/Web/HTTP/ServerSentEvent.swift": "events are made here",
  ]

  /// What only a `String` has, or what reads an enumeration by canonical equivalence.
  private static let calls = [
    ".lowercased()", ".uppercased()", "split(separator: \"", "split(whereSeparator", ".contains(\"",
    ".firstRange(of: \"", "components(separatedBy", "(rawValue:", "Set<String>", "[String: ",
  ]

  /// Places in a file that break the rule.
  static func problems(in file: SourceFile) -> [String] {
    guard folders.contains(where: { file.path.hasPrefix("\($0)/") }), exceptions[file.path] == nil else {
      return []
    }
    let lines = SwiftText(file.text).lines
    let names = Set(lines.flatMap(declaredStrings))
    return lines.enumerated().flatMap { index, line in
      let place = "\(file.path):\(index + 1)"
      let used = calls.filter { line.contains($0) && !isAllowed($0, in: line) }
      let compared = names.sorted().filter { compares($0, in: line) }
      return used.map { "\(place): \($0) on text that may come from outside; use ByteString" }
        + compared.map { "\(place): compares the String \($0); use ByteString" }
        + stored(in: line, of: file).map { "\(place): keeps \($0) as a String; use ByteString" }
    }
  }

  /// A method is a `ByteString` inside, and tables of the program's own words are no text from outside.
  private static func isAllowed(_ call: String, in line: String) -> Bool {
    switch call {
    case "(rawValue:":
      line.contains("Method(rawValue:") || line.contains("init?(rawValue: ")
        || line.contains("init(rawValue: ByteString)")
    case "[String: ":
      line.contains("[String: Int]") || line.contains("func object(_ members: [String: JSON])")
    default: false
    }
  }

  /// The names of constants, variables and parameters that a line declares as strings.
  private static func declaredStrings(_ line: String) -> [String] {
    line.matches(of: /(\w+): (?:String|Substring)\b/).map { String($0.1) }
  }

  private static func compares(_ name: String, in line: String) -> Bool {
    let words = [
      "\(name) == ", "\(name) != ", "== \(name)", "!= \(name)", "\(name).hasPrefix(", "\(name).hasSuffix(",
      "\(name).split(", ".contains(\(name))",
    ]
    return words.contains { word in
      line.ranges(of: word).contains { range in
        let before = line[..<range.lowerBound].last
        let after = line[range.upperBound...].first
        // `== nil` asks whether it is there; a longer word is another name.
        let isWhole = word.first == "." || !isOfWord(before) && before != "."
        return isWhole && !line[range.upperBound...].hasPrefix("nil")
          && (!word.hasSuffix(name) || !isOfWord(after) && after != ".")
      }
    }
  }

  private static func isOfWord(_ character: Character?) -> Bool {
    character.map { $0.isLetter || $0.isNumber || $0 == "_" } ?? false
  }

  /// Stored members that are strings; a brace behind the type makes them computed.
  private static func stored(in line: String, of file: SourceFile) -> [String] {
    guard let allowed = holders[file.path] else { return [] }
    let members = line.matches(of: /(?:let|var) `?(\w+)`?: \[?(?:\w+: )?String\b[^{]*$/).map {
      String($0.1)
    }
    let implied = line.matches(of: /(?:let|var) (\w+) = "/).map { String($0.1) }
    return (members + implied).filter { !allowed.contains($0) }
  }
}
