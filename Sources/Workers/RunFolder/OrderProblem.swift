import JSONText
import Platform
import Text

/// Why a process of its own could not do what the daemon had ordered from it: to export a checkpoint, to
/// embed images, or to compute the features of a dataset.
package struct OrderProblem: Error, Equatable, CustomStringConvertible {
  /// What kind of answer it deserves.
  package enum Kind: String, Sendable, CaseIterable {
    /// The format of the file cannot hold the model.
    case impossible
    /// Some of the images cannot be decoded.
    case images
    /// The checkpoint cannot be read.
    case unreadable
    /// It takes more memory than there is for it.
    case memory
    /// There is no space for a file.
    case full
    /// The dataset is not what it was, or cannot be read.
    case dataset
    /// What was asked for has been removed meanwhile: ask again.
    case gone
    /// It took longer than it may.
    case overTime
    /// The process ended without an answer.
    case failed
  }

  package let kind: Kind
  package let description: String
  /// Of each image that cannot be decoded its number, from 1, and why.
  package let parts: [Part]

  /// An image that cannot be decoded.
  package struct Part: Sendable, Equatable {
    package let number: Int
    package let message: String

    package init(number: Int, message: String) {
      self.number = number
      self.message = message
    }
  }

  /// Characters of a description, and of what is said of an image.
  private static let charactersMax = 1_000
  private static let partCharactersMax = 300

  package init(_ kind: Kind, _ description: String, parts: [Part] = []) {
    self.kind = kind
    self.description = description
    self.parts = parts
  }

  /// The problem of an error of the system that ended the work.
  package init(behind error: SystemError) {
    let kind: Kind =
      error.isDiskFull ? .full : error.isOutOfMemory ? .memory : error.isNotFound ? .gone : .failed
    self.init(kind, "\(error)")
  }

  /// The answer of the process.
  package var json: JSON {
    [
      "problem": .string(kind.rawValue), "message": .string(description),
      "parts": .array(parts.map { [.integer($0.number), .string($0.message)] }),
    ]
  }

  /// Reads an answer; `nil`: it tells of no problem. The process reads what comes from outside, so its texts
  /// are shown, not believed.
  package init?(json: JSON) {
    guard let kind = json["problem"]?.string.flatMap(Kind.init(bytes:)) else { return nil }
    let parts = (json["parts"]?.array ?? []).compactMap { part -> Part? in
      guard let members = part.array, members.count == 2, let number = members[0].int,
        let message = members[1].string
      else { return nil }
      return Part(number: number, message: message.shown(charactersMax: Self.partCharactersMax))
    }
    let message = json["message"]?.string ?? ""
    self.init(kind, message.shown(charactersMax: Self.charactersMax), parts: parts)
  }
}
