import Crypto
import JSONText
import Recipe
import Text

/// Which encoder describes images: what the daemon asks of a process that keeps one.
package struct EncoderOrder: Sendable, Hashable {
  /// Path of the checkpoint's file.
  package var checkpointPath: String
  package var checkpointSHA256: String
  /// Whose output describes an image.
  package var layer: EvaluationLayer
  /// Side in pixels of the images that the training took, where its specification does not say.
  package var storedSide: Int

  package init(checkpointPath: String, checkpointSHA256: String, layer: EvaluationLayer, storedSide: Int) {
    self.checkpointPath = checkpointPath
    self.checkpointSHA256 = checkpointSHA256
    self.layer = layer
    self.storedSide = storedSide
  }

  /// The order as the process reads it.
  package var json: JSON {
    [
      "checkpoint": .string(checkpointPath), "sha256": .string(checkpointSHA256),
      "layer": .string(layer.rawValue), "stored_side": .integer(storedSide),
    ]
  }

  /// Reads an order; `nil`: a member is missing or wrong.
  package init?(json: JSON) {
    guard let path = json["checkpoint"]?.string, let sha256 = json["sha256"]?.string,
      let layer = json["layer"]?.string.flatMap(EvaluationLayer.init(bytes:)),
      let side = json["stored_side"]?.int(in: 1...1 << 16)
    else { return nil }
    self.init(
      checkpointPath: path.string, checkpointSHA256: sha256.string, layer: layer, storedSide: side)
  }
}

/// Images that are to be described, as they came.
package struct EmbedOrder: Sendable {
  package var encoder: EncoderOrder
  /// The file that has them.
  package var path: String
  /// Where in the file each image lies.
  package var parts: [Range<Int>]
  /// Side in pixels that each image is brought to first; `nil`: that of the encoder's images.
  package var side: Int?
  /// Mean and deviation of each channel by which images are normalised.
  package var mean: [Double]
  package var std: [Double]
  /// Pixels that one image may have.
  package var pixelsMax: Int
  /// Where neighbours are looked for; `nil`: the features themselves are the answer.
  package var search: Search?

  /// A search for the nearest neighbours.
  package struct Search: Sendable, Equatable {
    /// The file of features that is searched.
    package var bankPath: String
    /// Neighbours of each image.
    package var k: Int

    package init(bankPath: String, k: Int) {
      self.bankPath = bankPath
      self.k = k
    }
  }

  package init(
    encoder: EncoderOrder, path: String, parts: [Range<Int>], side: Int? = nil, mean: [Double],
    std: [Double], pixelsMax: Int, search: Search? = nil
  ) {
    self.encoder = encoder
    self.path = path
    self.parts = parts
    self.side = side
    self.mean = mean
    self.std = std
    self.pixelsMax = pixelsMax
    self.search = search
  }

  /// The order as the process that keeps the encoder reads it.
  package var json: JSON {
    let search: JSON = search.map { ["bank": .string($0.bankPath), "k": .integer($0.k)] } ?? .null
    return [
      "path": .string(path), "side": .optional(side), "pixels_max": .integer(pixelsMax),
      "parts": .array(parts.map { [.integer($0.lowerBound), .integer($0.upperBound)] }),
      "mean": .array(mean.map(JSON.number)), "std": .array(std.map(JSON.number)), "search": search,
    ]
  }

  /// Reads an order for an encoder; `nil`: a member is missing or wrong.
  package init?(json: JSON, encoder: EncoderOrder) {
    guard let path = json["path"]?.string, let parts = json["parts"]?.array,
      let pixelsMax = json["pixels_max"]?.int, let mean = json["mean"]?.array?.compactMap(\.double),
      let std = json["std"]?.array?.compactMap(\.double), mean.count == 3, std.count == 3
    else { return nil }
    let ranges = parts.compactMap { part -> Range<Int>? in
      guard let ends = part.array?.compactMap(\.int), ends.count == 2, 0 <= ends[0], ends[0] <= ends[1] else {
        return nil
      }
      return ends[0]..<ends[1]
    }
    guard ranges.count == parts.count else { return nil }
    var search: Search?
    if let text = json["search"]?["bank"]?.string, let k = json["search"]?["k"]?.int {
      search = Search(bankPath: text.string, k: k)
    }
    self.init(
      encoder: encoder, path: path.string, parts: ranges, side: json["side"]?.int, mean: mean, std: std,
      pixelsMax: pixelsMax, search: search)
  }
}

/// What an encoder says of images.
package struct ImageEmbeddings: Sendable, Equatable {
  /// Numbers that describe an image, D.
  package var dimension: Int
  /// `[n][D]`, as bytes of little-endian floats; empty where neighbours were asked for.
  package var rows: [UInt8]
  /// Of each image, the most similar first; empty where features were asked for.
  package var neighbours: [[Neighbour]]

  /// An image of a dataset that is similar to another one.
  package struct Neighbour: Sendable, Equatable {
    /// Its place in the split.
    package var index: Int
    /// Its class; `nil`: it has no label.
    package var label: Int?
    /// The cosine of the angle between the features.
    package var similarity: Double

    package init(index: Int, label: Int?, similarity: Double) {
      self.index = index
      self.label = label
      self.similarity = similarity
    }
  }

  package init(dimension: Int, rows: [UInt8] = [], neighbours: [[Neighbour]] = []) {
    self.dimension = dimension
    self.rows = rows
    self.neighbours = neighbours
  }
}

/// What came of an order.
package typealias EmbedFinding = Result<ImageEmbeddings, OrderProblem>

/// The features of a whole split that neighbours are looked for in: a file that is to be made once.
package struct BankOrder: Sendable, Equatable {
  package var encoder: EncoderOrder
  package var dataset: ByteString
  package var split: DatasetSelection.Split
  /// Where the dataset lies that was imported; `nil`: the name says it.
  package var datasetFolder: String?
  /// Of the dataset, with the split alone.
  package var datasetDigest: String

  package init(
    encoder: EncoderOrder, dataset: ByteString, split: DatasetSelection.Split, datasetFolder: String?,
    datasetDigest: String
  ) {
    self.encoder = encoder
    self.dataset = dataset
    self.split = split
    self.datasetFolder = datasetFolder
    self.datasetDigest = datasetDigest
  }

  /// A SHA-256 in hexadecimal over everything that determines the file's content.
  package var digest: String {
    let identity = [
      encoder.checkpointSHA256, encoder.layer.rawValue, "\(encoder.storedSide)", datasetDigest,
      split.rawValue,
    ]
    return hexadecimal(SHA256.digest(of: Array(identity.joined(separator: " ").utf8)))
  }

  /// The order as the process reads it.
  package var json: JSON {
    [
      "encoder": encoder.json, "dataset": .string(dataset), "split": .string(split.rawValue),
      "folder": .optional(datasetFolder.map { ByteString($0) }), "digest": .string(datasetDigest),
    ]
  }

  /// Reads an order; `nil`: a member is missing or wrong.
  package init?(json: JSON) {
    guard let encoder = json["encoder"].flatMap(EncoderOrder.init(json:)),
      let dataset = json["dataset"]?.string, let digest = json["digest"]?.string,
      let split = json["split"]?.string.flatMap(DatasetSelection.Split.init(bytes:))
    else { return nil }
    self.init(
      encoder: encoder, dataset: dataset, split: split, datasetFolder: json["folder"]?.string?.string,
      datasetDigest: digest.string)
  }
}

/// What came of the wish for such a file: its path. It may be removed once newer ones have been made.
package typealias BankFinding = Result<String, OrderProblem>
