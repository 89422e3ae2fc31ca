import JSONText
import RunFolder
import Text

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
  init(_ problem: EmbedProblem) {
    self.init(json: [
      "problem": .string(problem.kind.rawValue), "message": .string(problem.description),
      "parts": .array(problem.parts.map { [.integer($0.number), .string($0.message)] }),
    ])
  }

  /// What an answer to an order says; `nil`: it is none.
  ///
  /// - Parameter count: of the images that were asked for.
  func finding(images count: Int, isSearch: Bool) -> EmbedFinding? {
    if let problem { return .failure(problem) }
    guard let dimension = json["dimension"]?.int(in: 1...1 << 20), let lists = json["neighbours"]?.array
    else {
      return nil
    }
    let neighbours = lists.map { list in (list.array ?? []).compactMap(Self.neighbour) }
    guard payload.count == (isSearch ? 0 : count * dimension * MemoryLayout<Float>.stride),
      neighbours.count == (isSearch ? count : 0)
    else { return nil }
    return .success(ImageEmbeddings(dimension: dimension, rows: payload, neighbours: neighbours))
  }

  private static func neighbour(_ json: JSON) -> ImageEmbeddings.Neighbour? {
    guard let members = json.array, members.count == 3, let index = members[0].int(in: 0...1 << 40) else {
      return nil
    }
    return ImageEmbeddings.Neighbour(
      index: index, label: members[1].int(in: 0...1 << 31), similarity: members[2].double ?? .nan)
  }

  /// What it says is wrong; `nil`: nothing.
  var problem: EmbedProblem? {
    guard let kind = json["problem"]?.string.flatMap(EmbedProblem.Kind.init(bytes:)) else { return nil }
    let parts = (json["parts"]?.array ?? []).compactMap { part -> EmbedProblem.Part? in
      guard let members = part.array, members.count == 2, let number = members[0].int,
        let message = members[1].string
      else { return nil }
      return EmbedProblem.Part(number: number, message: message.shown(charactersMax: 300))
    }
    let message = json["message"]?.string ?? ""
    return EmbedProblem(kind, message.shown(charactersMax: 1_000), parts: parts)
  }
}
