import HTTP
import JSONText
import Recipe
import RunFolder
import SharedWork
import Text

/// What the API has to know of the datasets.
package protocol DatasetDirectory: Sendable {
  /// The names that stand in lists.
  func names() -> [String]
  /// What is known of a dataset, or will be. Returns at once: no file of it is opened in this process.
  ///
  /// - Parameter depth: what is wanted; more than sizes may take long.
  func look(_ name: String, _ depth: DatasetDepth) -> Asked<DatasetLook>
  /// Images of a dataset that was not imported, as the other one shows them. Returns at once, as `look`.
  func picture(
    name: String, split: DatasetSelection.Split, _ choice: PictureChoice
  ) -> Asked<PictureLook>
  /// Images of an imported dataset side by side as a PNG, in rows of about as many as there are rows.
  ///
  /// - Parameters:
  ///   - folder: where the dataset lies.
  ///   - choice: which images.
  /// - Returns: nil: there is no such image.
  func picture(
    folder: String, split: DatasetSelection.Split, _ choice: PictureChoice
  ) throws -> [UInt8]?
}

/// What came of a look at a dataset.
package typealias DatasetLook = Result<DatasetSummary, DatasetRefusal>

/// What came of drawing images of a dataset: a PNG; nil: there is no such image.
package typealias PictureLook = Result<[UInt8]?, DatasetRefusal>

/// Why a dataset cannot be used.
package struct DatasetRefusal: Error, CustomStringConvertible {
  /// Whether there is none: it is unknown, or its files are not there.
  package let isAbsent: Bool
  /// Says what is wrong, and what helps.
  package let description: String

  package init(isAbsent: Bool, _ description: String) {
    self.isAbsent = isAbsent
    self.description = description
  }
}

/// One dataset, as `GET /datasets/{name}` shows it.
package struct DatasetSummary: Sendable {
  package var name: String
  package var classes: [String]
  package var counts: [DatasetSelection.Split: Int]
  /// A view's channels, height and width.
  package var shape: [Int]
  /// What a job depends on; `nil`: not asked for.
  package var fingerprint: DatasetFingerprint?
  /// Of each labelled split, the images of each class; empty: not asked for.
  package var classCounts: [DatasetSelection.Split: [Int]] = [:]
  /// Whether it was imported, so that it can be deleted.
  package var isImported = false

  package init(
    name: String, classes: [String], counts: [DatasetSelection.Split: Int], shape: [Int],
    fingerprint: DatasetFingerprint? = nil
  ) {
    self.name = name
    self.classes = classes
    self.counts = counts
    self.shape = shape
    self.fingerprint = fingerprint
  }
}

extension API {
  /// `GET /datasets`
  @Sendable
  func listDatasets(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    try query.finish()
    let names = datasets.names()
    let looks = DatasetLooks(datasets, .layout)
    return try waiting(for: looks) {
      let found = names.map { ($0, looks.look(ByteString($0))) }
      guard looks.isComplete else { return nil }
      let imported = try store.datasets().map { $0.listJSON() }
      return Response.json(["datasets": .array(found.map { Self.json($0, $1) } + imported)]).tagged
    }
  }

  private static func json(_ name: String, _ look: DatasetLook?) -> JSON {
    switch look {
    case .success(let summary)?:
      return [
        "name": .string(name), "available": true, "counts": json(summary.counts), "problem": nil,
        "state": "ready", "classes": .array(summary.classes.map(JSON.string)),
        "shape": .array(summary.shape.map(JSON.integer)), "source": "built in",
      ]
    case .failure(let refusal)?:
      return [
        "name": .string(name), "available": false, "counts": nil, "problem": .string(refusal.description),
        "state": "failed", "classes": nil, "shape": nil, "source": "built in",
      ]
    case nil: return .null
    }
  }

  /// `GET /datasets/{name}`
  @Sendable
  func getDataset(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    try query.finish()
    let name = request.parameters["name"] ?? ""
    if let record = try store.dataset(named: name) {
      var response = Response.json(record.json())
      response.headers.set("ETag", record.entityTag.text)
      return response
    }
    let looks = DatasetLooks(datasets, .statistics)
    return try waiting(for: looks) {
      guard let look = looks.look(name), looks.isComplete else { return nil }
      return Response.json(try Self.json(look)).tagged
    }
  }

  private static func json(_ look: DatasetLook) throws -> JSON {
    let summary = try found(look)
    return [
      "name": .string(summary.name), "classes": .array(summary.classes.map(JSON.string)),
      "counts": json(summary.counts), "shape": .array(summary.shape.map(JSON.integer)),
      "mean": .array((summary.fingerprint?.mean ?? []).map(JSON.number)),
      "std": .array((summary.fingerprint?.std ?? []).map(JSON.number)),
      "digest": .optional(summary.fingerprint?.digest), "state": "ready", "job": nil, "message": nil,
      "class_counts": classCounts(summary), "channels": .optional(summary.fingerprint?.planes),
      "bytes": nil, "skipped": [], "skipped_count": 0, "source": "built in", "created_at": nil,
    ]
  }

  /// The value of a look at a dataset that is not imported, or of drawing it.
  ///
  /// - Throws: 404 for what is not there, 422 for what cannot be used.
  static func found<Value>(_ look: Result<Value, DatasetRefusal>) throws(Problem) -> Value {
    switch look {
    case .success(let value): return value
    case .failure(let refusal):
      throw Problem(
        status: refusal.isAbsent ? 404 : 422,
        detail: ByteString(refusal.description).shown(charactersMax: 1_000))
    }
  }

  /// Of each labelled split, the images of each class by its name; null: there are no classes.
  private static func classCounts(_ summary: DatasetSummary) -> JSON {
    if summary.classes.isEmpty { return .null }
    let named = summary.classCounts.map { split, counts in
      let pairs = zip(summary.classes, counts).map { (ByteString($0), JSON.integer($1)) }
      return (ByteString(split.rawValue), JSON.object(Dictionary(pairs, uniquingKeysWith: { $1 })))
    }
    return .object(Dictionary(uniqueKeysWithValues: named))
  }

  private static func json(_ counts: [DatasetSelection.Split: Int]) -> JSON {
    .object(Dictionary(uniqueKeysWithValues: counts.map { ($0.key.rawValue, .integer($0.value)) }))
  }
}
