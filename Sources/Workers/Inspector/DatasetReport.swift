import Datasets
import JSONText
import Recipe
import Text

/// What a look at a dataset has found.
package struct DatasetReport: Sendable, Equatable {
  package let classes: [String]
  /// Images of each split.
  package let counts: [DatasetSelection.Split: Int]
  /// A view's channels, height and width.
  package let shape: [Int]
  /// Planes of a stored image: 1 or 3.
  package let planes: Int
  /// Of each labelled split, the images of each class; empty where they were not asked for.
  package let classCounts: [DatasetSelection.Split: [Int]]
  /// Whether a split that is large stays in its file.
  package let isPacked: Bool
  /// What a job depends on; its mean and deviation are empty where they were not asked for.
  package let fingerprint: DatasetFingerprint?

  /// The same of a description.
  package init(_ description: DatasetDescription) {
    classes = description.classes
    counts = description.counts
    shape = description.shape
    planes = description.planes
    classCounts = description.classCounts
    isPacked = description.isPacked
    fingerprint = description.fingerprint
  }

  /// The sizes alone.
  package var extent: DatasetExtent {
    DatasetExtent(
      counts: counts, classCount: classes.count, side: shape[1], planes: planes, isPacked: isPacked)
  }
}

/// Why a dataset cannot be used.
package struct DatasetProblem: Error, Equatable, CustomStringConvertible {
  /// What kind of answer it deserves.
  package enum Kind: String, Sendable, CaseIterable {
    /// There is no such dataset, or its files are not there.
    case absent
    /// It is there and is not what it should be, or it may not be used.
    case unusable
  }

  package let kind: Kind
  package let description: String

  package init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }

  /// The same of an error of the catalog.
  package init(_ error: DatasetError) {
    switch error {
    case .unknown, .missingFile: kind = .absent
    case .wrongParameter, .outsideRoots, .malformed, .tooLarge, .unreadable, .blurTooWide, .pythonVersion,
      .unlabelled:
      kind = .unusable
    }
    description = error.description
  }
}

/// What came of a look at a dataset.
package typealias DatasetFinding = Result<DatasetReport, DatasetProblem>

/// What came of drawing images of a dataset: a PNG; `nil`: there is no such image.
package typealias PictureFinding = Result<[UInt8]?, DatasetProblem>

// The one value that an inspecting process prints: `{"classes": …}` or `{"problem": …}`.

/// The value of a finding.
package func json(of finding: DatasetFinding) -> JSON {
  switch finding {
  case .failure(let problem):
    return ["problem": .string(problem.kind.rawValue), "message": .string(problem.description)]
  case .success(let report):
    return [
      "classes": .array(report.classes.map(JSON.string)),
      "counts": .object(
        Dictionary(
          uniqueKeysWithValues: report.counts.map { (ByteString($0.key.rawValue), .integer($0.value)) })),
      "shape": .array(report.shape.map(JSON.integer)), "planes": .integer(report.planes),
      "is_packed": .bool(report.isPacked),
      "class_counts": .object(
        Dictionary(
          uniqueKeysWithValues: report.classCounts.map {
            (ByteString($0.key.rawValue), .array($0.value.map(JSON.integer)))
          })),
      "fingerprint": report.fingerprint?.json ?? .null,
    ]
  }
}

/// Reads the value of a finding; `nil`: it is none.
package func finding(of json: JSON) -> DatasetFinding? {
  if let text = json["problem"]?.string {
    guard let kind = DatasetProblem.Kind(bytes: text), let message = json["message"]?.string else {
      return nil
    }
    return .failure(DatasetProblem(kind, message.string))
  }
  return DatasetReport(json: json).map(DatasetFinding.success)
}

extension DatasetReport {
  fileprivate init?(json: JSON) {
    guard let classes = json["classes"]?.array, let shape = json["shape"]?.array,
      let planes = json["planes"]?.int, let counts = json["counts"]?.object,
      let isPacked = json["is_packed"]?.bool, let classCounts = json["class_counts"]?.object
    else { return nil }
    self.planes = planes
    self.isPacked = isPacked
    self.classCounts = classCounts.reduce(into: [:]) { counts, pair in
      if let split = DatasetSelection.Split(bytes: pair.key) {
        counts[split] = pair.value.array?.compactMap(\.int)
      }
    }
    self.classes = classes.compactMap { $0.string?.string }
    self.shape = shape.compactMap(\.int)
    let pairs = counts.compactMap { name, count -> (DatasetSelection.Split, Int)? in
      guard let split = DatasetSelection.Split(bytes: name), let count = count.int, count >= 0 else {
        return nil
      }
      return (split, count)
    }
    self.counts = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    fingerprint = json["fingerprint"].flatMap(DatasetFingerprint.init(json:))
    guard self.shape.count == 3, planes == 1 || planes == 3,
      self.counts.count == DatasetSelection.Split.allCases.count
    else { return nil }
  }
}
