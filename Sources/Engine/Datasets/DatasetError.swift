import Gzip
import Platform
import Recipe

/// Why a dataset cannot be used. Texts name the dataset or file, what is wrong and what helps.
package enum DatasetError: Error, Equatable, CustomStringConvertible {
  /// No dataset of that name; `known` are the names and patterns that there are.
  case unknown(name: String, known: [String])
  /// The name's part after the colon is wrong.
  case wrongParameter(name: String, problem: String)
  /// A path leads outside the folders that datasets may lie in, whatever there is.
  case outsideRoots(areSet: Bool)
  /// A file of the dataset is not there; the hint says what to do.
  case missingFile(file: String, hint: String)
  /// The folder has the version of CIFAR that only Python reads; `needed` are the files looked for.
  case pythonVersion(title: String, found: String, archive: String, needed: String)
  /// A file holds something else than its format asks for at this byte (of the unpacked content).
  case malformed(file: String, offset: Int, expected: String, found: String)
  /// There are more images than `DatasetLimit` allows in memory.
  case tooLarge(name: String, what: String)
  /// A file could not be read or unpacked.
  case unreadable(GzipError)
  /// Something needs labels, and the split has none.
  case unlabelled(name: String, split: DatasetSelection.Split)
  /// The blur's reflected border would be wider than the image.
  case blurTooWide(kernel: Int, side: Int)

  package var description: String {
    switch self {
    case .unknown(let name, let known):
      "there is no dataset \"\(Self.short(name))\"; there are \(known.joined(separator: ", ")). Archives, "
        + "folders of images, STL-10, .npy and .npz are imported first: POST /datasets {\"name\", \"path\"}"
    case .wrongParameter(let name, let problem): "dataset \"\(Self.short(name))\": \(problem)"
    case .outsideRoots(let areSet):
      "the folder of a dataset must lie below one of the roots set by --dataset-root"
        + (areSet ? "" : "; none is set")
    case .missingFile(let file, let hint): "\(file) is not there: \(hint)"
    case .pythonVersion(let title, let found, let archive, let needed):
      "\(found) belongs to the Python version of \(title); the binary version is needed: \(needed), from "
        + "\(archive) at https://www.cs.toronto.edu/~kriz/cifar.html"
    case .malformed(let file, let offset, let expected, let found):
      "\(file) at offset \(offset): expected \(expected), found \(found)"
    case .tooLarge(let name, let what):
      "dataset \"\(name)\": \(what) need more than the \(DatasetLimit.pixelBytesMax >> 30) GiB allowed in "
        + "memory; use a limit"
    case .unreadable(let error): error.description
    case .unlabelled(let name, let split):
      "dataset \"\(Self.short(name))\": the images of split \"\(split.rawValue)\" have no labels, which are "
        + "needed here"
    case .blurTooWide(let kernel, let side):
      "a blur kernel of \(kernel) pixels needs images wider than \(kernel / 2) pixels, these have \(side)"
    }
  }

  /// The failed system call behind it; `nil`: there is none.
  package var system: SystemError? {
    switch self {
    case .unreadable(.cannotOpen(let error)), .unreadable(.cannotRead(let error, _)): error
    default: nil
    }
  }

  /// The first bytes of a name that may be of any length.
  private static func short(_ name: String) -> String {
    name.utf8.count <= shownBytesMax
      ? name : String(decoding: name.utf8.prefix(shownBytesMax), as: UTF8.self) + "…"
  }

  private static let shownBytesMax = 200
}
