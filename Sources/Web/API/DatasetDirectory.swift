import HTTP
import JobModel
import Text

/// What the API has to know of the data sets.
package protocol DatasetDirectory: Sendable {
  /// The names that stand in lists.
  func names() -> [String]
  /// Classes, sizes and statistics; may read a whole split.
  ///
  /// - Throws: an error whose text says why the data set cannot be used, and what helps.
  func summary(_ name: String) throws -> DatasetSummary
  /// Number of images of each split; reads headers only.
  ///
  /// - Throws: as `summary`.
  func imageCounts(_ name: String) throws -> [DatasetSelection.Split: Int]
}

/// One data set, as `GET /datasets/{name}` shows it.
package struct DatasetSummary: Sendable {
  package var name: String
  package var classes: [String]
  package var counts: [DatasetSelection.Split: Int]
  /// A view's channels, height and width.
  package var shape: [Int]
  /// Of the training split, one number a channel, as used by the normalisation.
  package var mean: [Double]
  package var std: [Double]

  package init(
    name: String, classes: [String], counts: [DatasetSelection.Split: Int], shape: [Int], mean: [Double],
    std: [Double]
  ) {
    self.name = name
    self.classes = classes
    self.counts = counts
    self.shape = shape
    self.mean = mean
    self.std = std
  }
}

extension API {
  /// `GET /datasets`
  @Sendable
  func listDatasets(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    try query.finish()
    let list = datasets.names().map { name -> JSON in
      do {
        let counts = try datasets.imageCounts(name)
        return ["name": .string(name), "available": true, "counts": Self.json(counts), "problem": nil]
      } catch {
        return ["name": .string(name), "available": false, "counts": nil, "problem": .string("\(error)")]
      }
    }
    return .json(["datasets": .array(list)])
  }

  /// `GET /datasets/{name}`
  @Sendable
  func getDataset(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    try query.finish()
    let summary: DatasetSummary
    do {
      summary = try datasets.summary((request.parameters["name"] ?? "").string)
    } catch {
      // It repeats the name.
      throw Problem(status: 404, detail: ByteString("\(error)").shown(charactersMax: 1_000))
    }
    return .json([
      "name": .string(summary.name), "classes": .array(summary.classes.map(JSON.string)),
      "counts": Self.json(summary.counts), "shape": .array(summary.shape.map(JSON.integer)),
      "mean": .array(summary.mean.map(JSON.number)), "std": .array(summary.std.map(JSON.number)),
    ])
  }

  private static func json(_ counts: [DatasetSelection.Split: Int]) -> JSON {
    .object(Dictionary(uniqueKeysWithValues: counts.map { ($0.key.rawValue, .integer($0.value)) }))
  }
}
