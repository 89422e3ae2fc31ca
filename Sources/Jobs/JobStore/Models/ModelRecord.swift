import JSONText
import Recipe
import SQLite
import Text

/// An uploaded model as the store has it. It never changes.
package struct ModelRecord: Sendable, Equatable {
  /// Names its file; another one for each upload.
  package let id: JobID
  package let name: ByteString
  /// Its network and its images.
  package let description: ModelDescription
  /// Numbers that training changes.
  package let parameterCount: Int
  /// SHA-256 of its file, in hexadecimal.
  package let digest: String
  /// Bytes of its file.
  package let bytes: Int
  package let createdAtMilliseconds: Int

  package init(
    id: JobID, name: ByteString, description: ModelDescription, parameterCount: Int, digest: String,
    bytes: Int, createdAtMilliseconds: Int
  ) {
    self.id = id
    self.name = name
    self.description = description
    self.parameterCount = parameterCount
    self.digest = digest
    self.bytes = bytes
    self.createdAtMilliseconds = createdAtMilliseconds
  }

  static let columns = "id, sequence, name, description, parameters, digest, bytes, created_at_ms"

  /// Reads a row that has `columns`.
  ///
  /// - Throws: `JobStoreError.unreadableRow`.
  init(_ row: Row) throws {
    // What is not JSON is not a description either.
    let json = (try? JSON.parse(row.text("description"))) ?? .null
    guard let id = JobID(row.text("id")), let description = ModelDescription(json: json) else {
      throw JobStoreError.unreadableRow(sequence: row.integer("sequence"))
    }
    self.init(
      id: id, name: ByteString(row.text("name")), description: description,
      parameterCount: row.integer("parameters"), digest: row.text("digest"), bytes: row.integer("bytes"),
      createdAtMilliseconds: row.integer("created_at_ms"))
  }
}
