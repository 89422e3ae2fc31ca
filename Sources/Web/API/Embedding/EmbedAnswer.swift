import HTTP
import JSONText
import Recipe
import RunFolder
import Text

// What the daemon answers when an encoder has described images.

extension ImageEmbeddings {
  /// The features as an array of NumPy, float32 `[n][D]`.
  var array: Response {
    let count = rows.count / (dimension * MemoryLayout<Float>.stride)
    var response = Response(
      contentType: NumPyHeader.mediaType,
      bytes: NumPyHeader.bytes(.float32, shape: [count, dimension]) + rows)
    response.headers.add("Cache-Control", "no-store")
    return response
  }

  /// The features as JSON: each number with the fewest digits that give its bits again.
  func json(_ layer: EvaluationLayer) -> Response {
    var text = Array("{\"layer\":\"\(layer.rawValue)\",\"dimension\":\(dimension),\"embeddings\":[".utf8)
    let rowBytes = dimension * MemoryLayout<Float>.stride
    for start in stride(from: 0, to: rows.count, by: rowBytes) {
      text += Array((start == 0 ? "[" : ",[").utf8)
      for offset in stride(from: start, to: start + rowBytes, by: MemoryLayout<Float>.stride) {
        if offset > start { text.append(UInt8(ascii: ",")) }
        let value = float(at: offset)
        text += Array((value.isFinite ? "\(value)" : "null").utf8)
      }
      text.append(UInt8(ascii: "]"))
    }
    return .json(bytes: text + Array("]}".utf8))
  }

  private func float(at offset: Int) -> Float {
    let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(rows[offset + $1]) << UInt32(8 * $1) }
    return Float(bitPattern: bits)
  }

  /// The neighbours of one image, or of each image of a form.
  func json(
    _ search: EmbedRequest.Search, classes: [String], layer: EvaluationLayer, content: ImageContent
  ) -> Response {
    let path = "/datasets/\(percentEncoded(search.dataset))/images"
    let lists = neighbours.map { list -> JSON in
      .array(
        list.map { neighbour in
          let label = neighbour.label.flatMap { classes.indices.contains($0) ? classes[$0] : nil }
          return [
            "index": .integer(neighbour.index), "label": .optional(neighbour.label),
            "class": .optional(label),
            "similarity": neighbour.similarity.isFinite ? .number(neighbour.similarity) : .null,
            "image": .string("\(path)/\(neighbour.index).png?split=\(search.split.rawValue)"),
          ]
        })
    }
    var members: [ByteString: JSON] = [
      "layer": .string(layer.rawValue), "dataset": .string(search.dataset),
      "split": .string(search.split.rawValue),
    ]
    switch content {
    case .image: members["neighbours"] = lists.first ?? []
    case .form: members["images"] = .array(lists.map { ["neighbours": $0] })
    }
    return .json(.object(members))
  }
}
