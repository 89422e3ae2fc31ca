// The rule for all text that people read: names, labels, notes, references, names of tokens and checkpoints.
//
// Text from outside that is to be stored must be plain; text from outside that is repeated in an error or a
// log line is shown with everything else escaped. So nobody's text can move the cursor of a terminal, end a
// line of a log early, or make text read in another order than it is stored in ("Trojan Source",
// CVE-2021-42574).

extension Unicode.Scalar {
  /// Whether a character is not to be seen by itself and changes what is seen around it:
  ///
  /// - control characters: U+0000–001F, U+007F, U+0080–009F;
  /// - line and paragraph separators: U+2028, U+2029;
  /// - controls of the direction of text (Unicode Standard Annex #9): U+061C, U+200E, U+200F, U+202A–202E,
  ///   U+2066–2069;
  /// - the byte order mark U+FEFF, and code points that are not characters: U+FDD0–FDEF, U+FFFE, U+FFFF.
  package var isHidden: Bool {
    switch value {
    case 0x20..<0x7F: false
    case 0..<0x20, 0x7F...0x9F: true
    case 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
    case 0xFDD0...0xFDEF, 0xFEFF, 0xFFFE, 0xFFFF: true
    default: false
    }
  }
}

extension ByteString {
  /// Whether the text has no hidden character.
  ///
  /// - Parameter allowsLines: whether it may have several lines: line feeds, carriage returns before them,
  ///   and tabs are taken as well.
  package func isPlain(allowsLines: Bool = false) -> Bool {
    withBytes { $0.allSatisfy { $0 >= 0x20 && $0 < 0x7F } }
      || string.unicodeScalars.allSatisfy {
        !$0.isHidden || allowsLines && ($0 == "\n" || $0 == "\r" || $0 == "\t")
      }
  }

  /// The rule as a regular expression of JSON Schema (ECMA-262) for texts of one line, or of several.
  package static func plainPattern(allowsLines: Bool = false, isEmptyAllowed: Bool = false) -> String {
    let controls = allowsLines ? #"\u0000-\u0008\u000b\u000c\u000e-\u001f"# : #"\u0000-\u001f"#
    let directions = #"\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"#
    let others = #"\u007f-\u009f\#(directions)\ufdd0-\ufdef\ufeff\ufffe\uffff"#
    return "^[^\(controls)\(others)]\(isEmptyAllowed ? "*" : "+")$"
  }

  /// What messages call a text that has to be plain.
  package static let plainPhrase = "without control characters and controls of text direction"

  /// Characters (Unicode scalars) of a text from outside that an error or a log line repeats.
  package static let shownCharactersMax = 80

  /// The text as an error or a log line repeats it: at most 80 characters, followed by `…` if any are
  /// missing, with hidden characters as `\u{202E}`.
  package var shown: String { shown(charactersMax: ByteString.shownCharactersMax) }

  /// As `shown`, with a limit of its own.
  package func shown(charactersMax: Int) -> String {
    var text = ""
    var count = 0
    for scalar in string.unicodeScalars {
      if count == charactersMax { return "\(text)…" }
      count += 1
      if scalar.isHidden {
        text += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
