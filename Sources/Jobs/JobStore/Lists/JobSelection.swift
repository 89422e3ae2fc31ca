import JobModel
import Recipe
import SQLite
import Text

/// The jobs that a filter leaves, as parts of an SQL statement. Whatever comes from outside is an argument.
struct JobSelection {
  /// What follows `FROM`.
  let source: String
  /// The position in the order of arrival: by this name an index of labels gives it in order.
  let arrival: String
  private(set) var conditions: [String] = []
  private(set) var arguments: [Value] = []

  /// Jobs that have a label are looked for by the index of the first one.
  init(_ filter: JobFilter) {
    if filter.labels.isEmpty {
      (source, arrival) = ("jobs", "sequence")
    } else {
      // By a cross join the left table leads.
      (source, arrival) = ("job_labels AS lead CROSS JOIN jobs ON sequence = lead.job", "lead.job")
    }
    for (index, label) in filter.labels.enumerated() {
      let table = index == 0 ? "lead" : "other"
      let value = label.value.map { _ in " AND \(table).value = ?" } ?? ""
      let condition = "\(table).key = ?\(value)"
      let arguments = [.text(label.key)] + (label.value.map { [Value.text($0)] } ?? [])
      if index == 0 {
        add(condition, arguments)
      } else {
        add(
          "EXISTS (SELECT 1 FROM job_labels AS other WHERE other.job = sequence AND \(condition))", arguments)
      }
    }
    add("state", among: filter.states.map(\.rawValue))
    add("health", among: filter.health.map(\.rawValue))
    if let sweep = filter.sweep { add("sweep = ?", [.text(sweep)]) }
    if let kind = filter.kind { add("kind = ?", [.text(kind.rawValue)]) }
    for word in filter.words { add(word: word.lowercasedASCII) }
  }

  /// Adds a condition with its arguments.
  mutating func add(_ condition: String, _ arguments: [Value] = []) {
    conditions.append(condition)
    self.arguments += arguments
  }

  private mutating func add(_ column: String, among choices: [String]) {
    if choices.isEmpty { return }
    // `IN` with one member would not be read in the order of an index.
    let condition = choices.count == 1 ? "= ?" : "IN (\(choices.map { _ in "?" }.joined(separator: ", ")))"
    add("\(column) \(condition)", choices.map { .text($0) })
  }

  private mutating func add(word: ByteString) {
    add(
      """
      (instr(lower(coalesce(name, '')), ?) > 0 OR instr(lower(coalesce(notes, '')), ?) > 0
        OR EXISTS (SELECT 1 FROM job_labels AS worded
          WHERE worded.job = sequence AND instr(lower(worded.key || '=' || worded.value), ?) > 0))
      """, [.text(word), .text(word), .text(word)])
  }

  /// What follows `WHERE`.
  var condition: String { conditions.isEmpty ? "TRUE" : conditions.joined(separator: " AND ") }
}

/// A page of a list as one SQL statement: parts that each read an index and stop when they have enough.
struct JobPageQuery {
  private(set) var sql = ""
  private(set) var arguments: [Value] = []

  init(_ filter: JobFilter, _ order: JobOrder, after cursor: JobCursor?, limit: Int) {
    var parts: [String] = []
    for selection in Self.selections(filter, order) {
      for part in Self.segments(of: selection, order, after: cursor) {
        let key = order.column ?? part.arrival
        let direction = order.isDescending ? "DESC" : "ASC"
        let sorting = order.column.map { "\($0) \(direction), " } ?? ""
        parts.append(
          """
          SELECT * FROM (SELECT \(JobRecord.columns), \(key) AS sort_key FROM \(part.source)
            WHERE \(part.condition) ORDER BY \(sorting)\(part.arrival) \(direction) LIMIT ?)
          """)
        arguments += part.arguments + [.integer(limit)]
      }
    }
    let direction = order.isDescending ? "DESC" : "ASC"
    let sorting = order.column.map { _ in "sort_key IS NULL, sort_key \(direction), " } ?? ""
    let all = parts.joined(separator: " UNION ALL ")
    sql = "SELECT * FROM (\(all)) ORDER BY \(sorting)sequence \(direction) LIMIT ?"
    arguments.append(.integer(limit))
  }

  /// In the order of arrival, one for each state and health, which an index has in that order.
  private static func selections(_ filter: JobFilter, _ order: JobOrder) -> [JobSelection] {
    guard order.field == .createdAt, filter.labels.isEmpty else { return [JobSelection(filter)] }
    let states: [[JobState]] = filter.states.isEmpty ? [[]] : Set(filter.states).map { [$0] }
    let healths: [[HealthState]] = filter.health.isEmpty ? [[]] : Set(filter.health).map { [$0] }
    return states.flatMap { state in
      healths.map { health in
        var part = filter
        (part.states, part.health) = (state, health)
        return JobSelection(part)
      }
    }
  }

  /// The jobs after the cursor: those that have a value, then those that have none.
  private static func segments(
    of selection: JobSelection, _ order: JobOrder, after cursor: JobCursor?
  ) -> [JobSelection] {
    let after = order.isDescending ? "<" : ">"
    let place = cursor.map { [Value.integer($0.sequence)] } ?? []
    guard let column = order.column else {
      var all = selection
      if cursor != nil { all.add("\(selection.arrival) \(after) ?", place) }
      return [all]
    }
    var segments: [JobSelection] = []
    if cursor == nil || cursor?.key != nil {
      var valued = selection
      if let key = cursor?.key.map(order.value) {
        valued.add(
          "\(column) \(after)= ? AND (\(column) \(after) ? OR \(selection.arrival) \(after) ?)",
          [key, key] + place)
      } else if order.isNullable {
        valued.add("\(column) IS NOT NULL")
      }
      segments.append(valued)
    }
    if order.isNullable {
      var valueless = selection
      valueless.add("\(column) IS NULL")
      if cursor != nil, cursor?.key == nil { valueless.add("\(selection.arrival) \(after) ?", place) }
      segments.append(valueless)
    }
    return segments
  }
}
