import JSONText
import JobModel
import Recipe
import SQLite
import Text

/// The registry of imported datasets. The state of a dataset follows that of its import job by a trigger.
extension JobStore {
  /// Every imported dataset, the oldest first.
  package func datasets() throws -> [DatasetRecord] {
    try read {
      try $0.rows(
        "SELECT \(DatasetRecord.columns) FROM datasets ORDER BY sequence", [], DatasetRecord.init)
    }
  }

  /// The imported dataset of that name; nil: there is none.
  package func dataset(named name: ByteString) throws -> DatasetRecord? {
    try read { try dataset(named: name, $0) }
  }

  private func dataset(named name: ByteString, _ connection: Connection) throws -> DatasetRecord? {
    try connection.first(
      "SELECT \(DatasetRecord.columns) FROM datasets WHERE name = ?", [.text(name)], DatasetRecord.init)
  }

  /// Queues an import and registers its dataset, both or neither.
  ///
  /// - Parameters:
  ///   - source: what people are told that it is imported from.
  ///   - describe: makes the answer, which is kept under the key.
  /// - Returns: the answer, and whether it is that of an earlier request with the key.
  /// - Throws: `JobStoreError.datasetExists` if the name is in use.
  package func enqueueImport(
    _ job: NewJob, name: ByteString, source: ByteString, under key: IdempotencyKey? = nil,
    describe: (DatasetRecord) -> StoredAnswer
  ) throws -> (answer: StoredAnswer, isRepeated: Bool) {
    try write { connection in
      if let key, let known = try answer(to: key, connection) { return (known, true) }
      if let other = try dataset(named: name, connection) {
        throw JobStoreError.datasetExists(name, state: other.state)
      }
      _ = try insert([job], connection)
      try connection.execute(
        "INSERT INTO datasets (id, name, job, source, created_at_ms) VALUES (?, ?, ?, ?, ?)",
        [.text(job.id.text), .text(name), .text(job.id.text), .text(source), .integer(clock())])
      guard let record = try dataset(named: name, connection) else {
        throw JobStoreError.noSuchDataset(name)
      }
      let answer = describe(record)
      if let key { try keep(answer, under: key, connection) }
      return (answer, false)
    }
  }

  /// Removes a dataset from the registry. Its files have to go after that; a daemon that starts removes those
  /// of which no row knows.
  ///
  /// - Parameter check: refuses the request by throwing, in the same transaction.
  /// - Throws: `JobStoreError`: `noSuchDataset`, `datasetIsNeeded`.
  package func deleteDataset(
    named name: ByteString, if check: (DatasetRecord) throws -> Void = { _ in }
  ) throws -> DatasetRecord {
    try write { connection in
      guard let record = try dataset(named: name, connection) else {
        throw JobStoreError.noSuchDataset(name)
      }
      try check(record)
      let needing = try connection.rows(
        """
        SELECT id FROM jobs WHERE state <> 'succeeded' AND state <> 'failed' AND state <> 'cancelled'
          AND (id = ?1 OR spec ->> '$.dataset.name' = ?2)
        ORDER BY sequence LIMIT \(Self.needingMax)
        """, [.text(record.id.text), .text(name)]
      ) { JobID($0.text("id")) }.compactMap(\.self)
      if !needing.isEmpty { throw JobStoreError.datasetIsNeeded(name, by: needing) }
      try connection.execute("DELETE FROM datasets WHERE id = ?", [.text(record.id.text)])
      return record
    }
  }

  /// Jobs that an error names.
  static let needingMax = 20

  /// Makes sure that the datasets that a new job reads can be used, in the transaction that queues it.
  func checkDataset(of job: NewJob, _ connection: Connection) throws {
    guard job.readsImported, let name = job.specification.work.datasetUse?.name else { return }
    guard let record = try dataset(named: name, connection) else { throw JobStoreError.noSuchDataset(name) }
    if record.state != .ready { throw JobStoreError.datasetIsNotReady(name, state: record.state) }
  }
}
