import CSQLite

/// A prepared statement of one connection.
final class Statement {
  let sql: String
  private let columns: Columns
  private let handle: OpaquePointer
  private let database: OpaquePointer

  /// Compiles the text.
  init(_ sql: String, in database: OpaquePointer) throws(SQLiteError) {
    var handle: OpaquePointer?
    let code = sqlite3_prepare_v3(database, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
    guard code == SQLITE_OK, let handle else {
      throw failure("prepare", sql, database)
    }
    self.sql = sql
    self.handle = handle
    self.database = database
    columns = Columns(
      (0..<sqlite3_column_count(handle)).map { String(cString: sqlite3_column_name(handle, $0)) })
  }

  deinit { sqlite3_finalize(handle) }

  /// Runs the statement with these arguments and hands each row to `visit`, until it answers `false`.
  func run(_ arguments: [Value], _ visit: (Row) throws -> Bool) throws {
    defer {
      sqlite3_reset(handle)
      sqlite3_clear_bindings(handle)
    }
    precondition(
      Int(sqlite3_bind_parameter_count(handle)) == arguments.count,
      "The statement has \(sqlite3_bind_parameter_count(handle)) parameters: \(sql)")
    for (index, argument) in arguments.enumerated() { try bind(argument, at: Int32(index + 1)) }
    let fault = RowFault(sql)
    while true {
      switch sqlite3_step(handle) {
      case SQLITE_ROW:
        let row = Row(handle: handle, columns: columns, fault: fault)
        let goesOn = try visit(row)
        if let error = fault.error { throw error }
        if !goesOn { return }
      case SQLITE_DONE: return
      default: throw failure("run", sql, database)
      }
    }
  }

  private func bind(_ argument: Value, at index: Int32) throws(SQLiteError) {
    let code =
      switch argument {
      case .null: sqlite3_bind_null(handle, index)
      case .integer(let value): sqlite3_bind_int64(handle, index, sqlite3_int64(value))
      case .real(let value): sqlite3_bind_double(handle, index, value)
      case .text(let value): bind(value, at: index)
      case .words(let value): bind(value, at: index)
      }
    if code != SQLITE_OK { throw failure("bind", sql, database) }
  }

  private func bind(_ words: [UInt64], at index: Int32) -> Int32 {
    let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    return words.map(\.littleEndian).withUnsafeBytes {
      guard let start = $0.baseAddress else { return sqlite3_bind_zeroblob(handle, index, 0) }
      return sqlite3_bind_blob64(handle, index, start, UInt64($0.count), transient)
    }
  }

  private func bind(_ text: String, at index: Int32) -> Int32 {
    var text = text
    return text.withUTF8 { buffer in
      // SQLITE_TRANSIENT, which C spells as a cast that Swift does not import: SQLite copies the bytes.
      let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
      return buffer.withMemoryRebound(to: CChar.self) {
        guard let start = $0.baseAddress else { return sqlite3_bind_text(handle, index, "", 0, transient) }
        return sqlite3_bind_text(handle, index, start, Int32($0.count), transient)
      }
    }
  }
}

/// The names of a statement's columns. Rows are read mostly from left to right, so a name is looked for
/// behind the last one first.
private final class Columns {
  private let names: [String]
  private var next = 0

  init(_ names: [String]) { self.names = names }

  func index(of name: String) -> Int? {
    guard let index = names[next...].firstIndex(of: name) ?? names[..<next].firstIndex(of: name) else {
      return nil
    }
    next = index + 1
    return index
  }
}

/// The error that the connection has at this moment.
func failure(_ operation: String, _ subject: String, _ database: OpaquePointer?) -> SQLiteError {
  let line = subject.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  return SQLiteError(
    operation: operation, subject: line.count > 80 ? "\(line.prefix(80))…" : line,
    code: sqlite3_extended_errcode(database), cause: String(cString: sqlite3_errmsg(database)))
}

/// A column that has not the type that it must have: the database is damaged, or somebody else wrote into it.
private final class RowFault {
  private let sql: String
  private(set) var error: SQLiteError?

  init(_ sql: String) { self.sql = sql }

  /// Keeps the first one.
  func note(_ name: String, must: String, got value: Value) {
    error =
      error
      ?? SQLiteError(
        operation: "read", subject: "the column \(name)\(RowFault.origin(of: sql))", code: SQLITE_MISMATCH,
        cause: "must be \(must), got \(value.typeName)",
        hint: "the database is damaged: restore it from a backup")
  }

  /// ` of the table jobs`, where the statement names one.
  private static func origin(of sql: String) -> String {
    let words = sql.split(whereSeparator: \.isWhitespace)
    let place = words.indices.dropLast().first {
      ["FROM", "INTO", "UPDATE"].contains(words[$0]) && words[$0 + 1].first?.isLetter == true
    }
    return place.map { " of the table \(words[$0 + 1])" } ?? ""
  }
}

extension Value {
  fileprivate var typeName: String {
    switch self {
    case .null: "null"
    case .integer: "an integer"
    case .real: "a real number"
    case .text: "a text"
    case .words: "a blob"
    }
  }
}

/// One row of an answer, valid only while it is visited. A column that is not there is a wrong program. Where
/// a column has another type than the one that is asked for, an empty value is given, and the statement fails
/// with an error that names the column as soon as the row has been visited: nothing is made of such a row.
package struct Row {
  private let handle: OpaquePointer
  private let columns: Columns
  private let fault: RowFault

  fileprivate init(handle: OpaquePointer, columns: Columns, fault: RowFault) {
    self.handle = handle
    self.columns = columns
    self.fault = fault
  }

  /// The column of that name.
  package func value(_ name: String) -> Value { value(at: index(name)) }

  /// An integer that is not null.
  package func integer(_ name: String) -> Int { required(name, "an integer", \.integer) ?? 0 }

  /// An integer or null.
  package func optionalInteger(_ name: String) -> Int? { optional(name, "an integer or null", \.integer) }

  /// A text that is not null.
  package func text(_ name: String) -> String { required(name, "a text", \.text) ?? "" }

  /// A text or null.
  package func optionalText(_ name: String) -> String? { optional(name, "a text or null", \.text) }

  /// A real number that is not null.
  package func real(_ name: String) -> Double { required(name, "a real number", \.real) ?? 0 }

  /// A real number or null.
  package func optionalReal(_ name: String) -> Double? { optional(name, "a real number or null", \.real) }

  /// A blob of words.
  package func words(_ name: String) -> [UInt64] { required(name, "a blob", \.words) ?? [] }

  private func required<T>(_ name: String, _ must: String, _ part: (Value) -> T?) -> T? {
    let value = value(name)
    let found = part(value)
    if found == nil { fault.note(name, must: must, got: value) }
    return found
  }

  private func optional<T>(_ name: String, _ must: String, _ part: (Value) -> T?) -> T? {
    value(name) == .null ? nil : required(name, must, part)
  }

  private func index(_ name: String) -> Int32 {
    guard let index = columns.index(of: name) else { preconditionFailure("There is no column \(name).") }
    return Int32(index)
  }

  private func value(at index: Int32) -> Value {
    switch sqlite3_column_type(handle, index) {
    case SQLITE_INTEGER: return .integer(Int(sqlite3_column_int64(handle, index)))
    case SQLITE_FLOAT: return .real(sqlite3_column_double(handle, index))
    case SQLITE_TEXT:
      let bytes = UnsafeBufferPointer(
        start: sqlite3_column_text(handle, index), count: Int(sqlite3_column_bytes(handle, index)))
      return .text(String(decoding: bytes, as: UTF8.self))
    case SQLITE_NULL: return .null
    default:
      let bytes = UnsafeRawBufferPointer(
        start: sqlite3_column_blob(handle, index), count: Int(sqlite3_column_bytes(handle, index)))
      return .words(
        stride(from: 0, to: bytes.count - 7, by: 8).map {
          UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt64.self))
        })
    }
  }
}
