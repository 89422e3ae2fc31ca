import Gzip
import Platform

/// Why a data set cannot be used. Texts name the data set or file, what is wrong and what helps.
package enum DatasetError: Error, Equatable, CustomStringConvertible {
  /// No data set of that name; `known` are the names and patterns that there are.
  case unknown(name: String, known: [String])
  /// The name's part after the colon is wrong.
  case wrongParameter(name: String, problem: String)
  /// A file of the data set is not there; the hint says what to do.
  case missingFile(file: String, hint: String)
  /// A file holds something else than its format asks for at this byte (of the unpacked content).
  case malformed(file: String, offset: Int, expected: String, found: String)
  /// There are more images than `DatasetLimit` allows in memory.
  case tooLarge(name: String, what: String)
  /// A file could not be read or unpacked.
  case unreadable(GzipError)
  /// The blur's reflected border would be wider than the image.
  case blurTooWide(kernel: Int, side: Int)

  package var description: String {
    switch self {
    case .unknown(let name, let known):
      "there is no data set \"\(name)\"; there are \(known.joined(separator: ", "))"
    case .wrongParameter(let name, let problem): "data set \"\(name)\": \(problem)"
    case .missingFile(let file, let hint): "\(file) is not there: \(hint)"
    case .malformed(let file, let offset, let expected, let found):
      "\(file) at offset \(offset): expected \(expected), found \(found)"
    case .tooLarge(let name, let what):
      "data set \"\(name)\": \(what) need more than the \(DatasetLimit.pixelBytesMax >> 30) GiB allowed in "
        + "memory; use a limit"
    case .unreadable(let error): error.description
    case .blurTooWide(let kernel, let side):
      "a blur kernel of \(kernel) pixels needs images wider than \(kernel / 2) pixels, these have \(side)"
    }
  }
}
