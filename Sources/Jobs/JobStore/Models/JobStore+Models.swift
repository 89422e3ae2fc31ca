import JSONText
import JobModel
import Recipe
import SQLite
import Text

/// The registry of uploaded models.
extension JobStore {
  /// Every model, the oldest first.
  package func models() throws -> [ModelRecord] {
    try read {
      try $0.rows("SELECT \(ModelRecord.columns) FROM models ORDER BY sequence", [], ModelRecord.init)
    }
  }

  /// The model of that name; nil: there is none.
  package func model(named name: ByteString) throws -> ModelRecord? {
    try read { try model(named: name, $0) }
  }

  /// The same in a read or write that is under way.
  func model(named name: ByteString, _ connection: Connection) throws -> ModelRecord? {
    try connection.first(
      "SELECT \(ModelRecord.columns) FROM models WHERE name = ?", [.text(name)], ModelRecord.init)
  }

  /// Registers a model, whose file must be durable by now.
  ///
  /// - Throws: `JobStoreError.modelExists` if the name is in use.
  package func add(_ model: ModelRecord) throws {
    try write { connection in
      if try self.model(named: model.name, connection) != nil { throw JobStoreError.modelExists(model.name) }
      try connection.execute(
        """
        INSERT INTO models (id, name, description, parameters, digest, bytes, created_at_ms)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """,
        [
          .text(model.id.text), .text(model.name), .text(model.description.jsonText),
          .integer(model.parameterCount), .text(model.digest), .integer(model.bytes),
          .integer(model.createdAtMilliseconds),
        ])
    }
  }

  /// Removes a model from the registry.
  ///
  /// - Parameter prepare: refuses the request by throwing, or makes the model's file ready to go, in the same
  ///   transaction and after everything else that could refuse it.
  /// - Throws: `JobStoreError`: `noSuchModel`, `modelIsNeeded`.
  package func deleteModel(
    named name: ByteString, prepare: (ModelRecord) throws -> Void
  ) throws -> ModelRecord {
    try write { connection in
      guard let record = try model(named: name, connection) else { throw JobStoreError.noSuchModel(name) }
      let needing = try connection.rows(
        """
        SELECT id FROM jobs WHERE state <> 'succeeded' AND state <> 'failed' AND state <> 'cancelled'
          AND (spec ->> '$.checkpoint.model' = ?1 OR spec ->> '$.init_from.model' = ?1)
        ORDER BY sequence LIMIT \(Self.needingMax)
        """, [.text(name)]
      ) { JobID($0.text("id")) }.compactMap(\.self)
      if !needing.isEmpty { throw JobStoreError.modelIsNeeded(name, by: needing) }
      try prepare(record)
      try connection.execute("DELETE FROM models WHERE id = ?", [.text(record.id.text)])
      return record
    }
  }

  /// Makes sure that the model whose weights a new job takes is there and is the one that it was read with,
  /// in the transaction that queues it.
  func checkModel(of job: NewJob, _ connection: Connection) throws {
    guard let name = job.specification.work.checkpointUse?.model else { return }
    let record = try model(named: name, connection)
    guard let record, job.model == nil || job.model == record.id else {
      throw JobStoreError.noSuchModel(name)
    }
  }
}
