import JSONText
import SQLite
import Text

/// A request that shall have its effect once, however often it is sent.
package struct IdempotencyKey: Sendable, Equatable {
  /// Who asks: keys of different owners do not meet.
  package let owner: String
  /// The client's word for the request.
  package let key: ByteString
  /// SHA-256 of everything that the request asks for, in hexadecimal digits.
  package let requestSHA256: String

  package init(owner: String, key: ByteString, requestSHA256: String) {
    self.owner = owner
    self.key = key
    self.requestSHA256 = requestSHA256
  }
}

/// An answer that is kept for whoever sends the same request again.
package struct StoredAnswer: Sendable, Equatable {
  package var status: Int
  package var headers: [String: String]
  package var body: String

  package init(status: Int, headers: [String: String], body: String) {
    self.status = status
    self.headers = headers
    self.body = body
  }
}

extension JobStore {
  /// How long an answer is kept.
  static let keyDaysMax = 7

  /// The answer that a request under this key got before; `nil` if there was none.
  ///
  /// - Throws: `JobStoreError.keyReused` if the key stands for another request.
  package func answer(to key: IdempotencyKey) throws -> StoredAnswer? {
    try read { try answer(to: key, $0) }
  }

  /// What became of jobs that were to be queued: the answer, and whether it is that of an earlier request.
  package typealias Enqueued = Result<(answer: StoredAnswer, isRepeated: Bool), any Error>

  /// Queues jobs as `enqueue` does, without waiting for the disk, and keeps the answer under the key, both or
  /// neither. If another request has used the key meanwhile, nothing is queued and its answer is given.
  ///
  /// - Parameters:
  ///   - describe: makes the answer of the queued jobs.
  ///   - settled: is called when they are on the disk or nothing is, on the writing thread, which it must not
  ///     hold up.
  package func enqueue(
    _ jobs: [NewJob], under key: IdempotencyKey?,
    describe: @escaping @Sendable ([JobRecord]) -> StoredAnswer,
    settled: @escaping @Sendable (Enqueued) -> Void
  ) {
    let body = { [self] (connection: Connection) throws -> (answer: StoredAnswer, isRepeated: Bool) in
      if let key, let known = try answer(to: key, connection) { return (known, true) }
      let answer = describe(try insert(jobs, connection))
      if let key { try keep(answer, under: key, connection) }
      return (answer, false)
    }
    write(body, settled: settled)
  }

  /// Keeps an answer for whoever sends the same request again.
  func keep(_ answer: StoredAnswer, under key: IdempotencyKey, _ connection: Connection) throws {
    let now = clock()
    try connection.execute(
      "DELETE FROM idempotency_keys WHERE created_at_ms < ?", [.integer(now - Self.keyDaysMax * 86_400_000)])
    try connection.execute(
      """
      INSERT INTO idempotency_keys (owner, key, request_sha256, status, headers, body, created_at_ms)
      VALUES (?, ?, ?, ?, ?, ?, ?)
      """,
      [
        .text(key.owner), .text(key.key), .text(key.requestSHA256), .integer(answer.status),
        .text(JSON.object(answer.headers.mapValues { .string($0) }).text), .text(answer.body), .integer(now),
      ])
  }

  private func headers(_ text: String) throws -> [String: String] {
    let members = try JSON.parse(text).object ?? [:]
    return Dictionary(
      members.compactMap { name, value in value.string.map { (name.string, $0.string) } },
      uniquingKeysWith: { $1 })
  }

  /// As `answer(to:)`, in a write that is under way.
  func answer(to key: IdempotencyKey, _ connection: Connection) throws -> StoredAnswer? {
    let found = try connection.first(
      """
      SELECT request_sha256, status, headers, body FROM idempotency_keys
      WHERE owner = ? AND key = ? AND created_at_ms >= ?
      """,
      [.text(key.owner), .text(key.key), .integer(clock() - Self.keyDaysMax * 86_400_000)]
    ) {
      (
        request: $0.text("request_sha256"),
        answer: StoredAnswer(
          status: $0.integer("status"),
          headers: try headers($0.text("headers")),
          body: $0.text("body"))
      )
    }
    guard let found else { return nil }
    if found.request != key.requestSHA256 { throw JobStoreError.keyReused(key.key) }
    return found.answer
  }
}
