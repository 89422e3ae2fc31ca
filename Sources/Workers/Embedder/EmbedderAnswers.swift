import JSONText
import RunFolder

// Answers of a process that keeps an encoder, as messages and back. What such a process sends is checked, as
// it decodes what comes from outside.

extension EmbedderMessage {
  /// The answer with what an encoder says of images.
  init(_ embeddings: ImageEmbeddings) {
    let lists = embeddings.neighbours.map { list -> JSON in
      .array(list.map { [.integer($0.index), .optional($0.label), .number($0.similarity)] })
    }
    self.init(
      json: ["dimension": .integer(embeddings.dimension), "neighbours": .array(lists)],
      payload: embeddings.rows)
  }

  /// The answer that says what is wrong.
  init(_ problem: OrderProblem) { self.init(json: problem.json) }

  /// What an answer to an order says; `nil`: it is none.
  ///
  /// - Parameter count: of the images that were asked for.
  func finding(images count: Int, isSearch: Bool) -> EmbedFinding? {
    if let problem { return .failure(problem) }
    guard let dimension = json["dimension"]?.int(in: 1...1 << 20), let lists = json["neighbours"]?.array
    else {
      return nil
    }
    guard payload.count == (isSearch ? 0 : count * dimension * MemoryLayout<Float>.stride),
      lists.count == (isSearch ? count : 0)
    else { return nil }
    let neighbours = lists.compactMap(Self.neighbours)
    guard neighbours.count == lists.count else { return nil }
    return .success(ImageEmbeddings(dimension: dimension, rows: payload, neighbours: neighbours))
  }

  private static func neighbours(_ json: JSON) -> [ImageEmbeddings.Neighbour]? {
    guard let list = json.array else { return nil }
    let neighbours = list.compactMap(neighbour)
    return neighbours.count == list.count ? neighbours : nil
  }

  private static func neighbour(_ json: JSON) -> ImageEmbeddings.Neighbour? {
    guard let members = json.array, members.count == 3, let index = members[0].int(in: 0...1 << 40) else {
      return nil
    }
    return ImageEmbeddings.Neighbour(
      index: index, label: members[1].int(in: 0...1 << 31), similarity: members[2].double ?? .nan)
  }

  /// What it says is wrong; `nil`: nothing.
  var problem: OrderProblem? { OrderProblem(json: json) }
}
