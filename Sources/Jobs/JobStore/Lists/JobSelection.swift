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

  /// - Parameter isInOrder: whether the jobs are wanted in the order of arrival, which an index of one of the
  ///   conditions has. Else everything is found in the index that has all of it: of ten thousand jobs that
  ///   takes two milliseconds, and to read their rows ten times as long.
  init(_ filter: JobFilter, isInOrder: Bool) {
    let reads = isInOrder && filter.hasIndexes
    if !reads {
      (source, arrival) = ("jobs INDEXED BY jobs_by_state", "sequence")
    } else if filter.labels.isEmpty {
      (source, arrival) = ("jobs", "sequence")
    } else {
      // By a cross join the left table leads.
      (source, arrival) = ("job_labels AS lead CROSS JOIN jobs ON sequence = lead.job", "lead.job")
    }
    for (index, label) in filter.labels.enumerated() {
      let isLead = reads && index == 0
      let table = isLead ? "lead" : "other"
      let value = label.value.map { _ in " AND \(table).value = ?" } ?? ""
      let condition = "\(table).key = ?\(value)"
      let arguments = [.text(label.key)] + (label.value.map { [Value.text($0)] } ?? [])
      if isLead {
        add(condition, arguments)
      } else if reads {
        add(
          "EXISTS (SELECT 1 FROM job_labels AS other WHERE other.job = sequence AND \(condition))", arguments)
      } else {
        add("sequence IN (SELECT other.job FROM job_labels AS other WHERE \(condition))", arguments)
      }
    }
    add("state", among: filter.states.map { ByteString($0.rawValue) })
    add("health", among: filter.health.map { ByteString($0.rawValue) })
    add("dataset_name", among: filter.datasets)
    add("method", among: filter.methods)
    if let sweep = filter.sweep { add("sweep = ?", [.text(sweep)]) }
    if let kind = filter.kind { add("kind = ?", [.text(kind.rawValue)]) }
    if !filter.words.isEmpty {
      let conditions = filter.words.map { _ in "instr(words, ?) > 0" }.joined(separator: " AND ")
      add(
        "sequence IN (SELECT job FROM job_words WHERE \(conditions))",
        filter.words.map { .text($0.lowercasedASCII) })
    }
  }

  /// Adds a condition with its arguments.
  mutating func add(_ condition: String, _ arguments: [Value] = []) {
    conditions.append(condition)
    self.arguments += arguments
  }

  private mutating func add(_ column: String, among choices: [ByteString]) {
    if choices.isEmpty { return }
    // `IN` with one member would not be read in the order of an index.
    let condition = choices.count == 1 ? "= ?" : "IN (\(choices.map { _ in "?" }.joined(separator: ", ")))"
    add("\(column) \(condition)", choices.map { .text($0) })
  }

  /// What follows `WHERE`.
  var condition: String { conditions.isEmpty ? "TRUE" : conditions.joined(separator: " AND ") }
}

/// A page of a list as one SQL statement: parts that each read an index and stop when they have enough, then
/// the rows of the jobs that these have found.
struct JobPageQuery {
  private(set) var sql = ""
  private(set) var arguments: [Value] = []

  /// - Parameter now: the time at which values count that change with it, in Unix milliseconds.
  init(_ filter: JobFilter, _ order: JobOrder, after cursor: JobCursor?, limit: Int, now: Int) {
    var parts: [String] = []
    // The first argument, whose number is in the expression.
    if order.isOfMoment { arguments.append(.integer(cursor?.moment ?? now)) }
    let direction = order.isDescending ? "DESC" : "ASC"
    for selection in Self.selections(filter, order) {
      for part in Self.segments(of: selection, order, after: cursor) {
        let sorting = order.expression.map { _ in "sort_key \(direction), " } ?? ""
        parts.append(
          """
          SELECT * FROM (SELECT \(order.expression ?? part.arrival) AS sort_key, \(part.arrival) AS place
            FROM \(part.source)
            WHERE \(part.condition) ORDER BY \(sorting)\(part.arrival) \(direction) LIMIT ?)
          """)
        arguments += part.arguments + [.integer(limit)]
      }
    }
    let sorting = order.expression.map { _ in "sort_key IS NULL, sort_key \(direction), " } ?? ""
    let all = parts.joined(separator: " UNION ALL ")
    sql = """
      SELECT \(JobRecord.columns), sort_key
      FROM (SELECT * FROM (\(all)) ORDER BY \(sorting)place \(direction) LIMIT ?) AS page
        CROSS JOIN jobs ON jobs.sequence = page.place
      ORDER BY \(sorting)place \(direction)
      """
    arguments.append(.integer(limit))
  }

  /// In the order of arrival, one for each state and health, which an index has in that order.
  private static func selections(_ filter: JobFilter, _ order: JobOrder) -> [JobSelection] {
    let isInOrder = order.field == .createdAt
    guard isInOrder, filter.hasIndexes, filter.labels.isEmpty else {
      return [JobSelection(filter, isInOrder: isInOrder)]
    }
    let states: [[JobState]] = filter.states.isEmpty ? [[]] : Set(filter.states).map { [$0] }
    let healths: [[HealthState]] = filter.health.isEmpty ? [[]] : Set(filter.health).map { [$0] }
    return states.flatMap { state in
      healths.map { health in
        var part = filter
        (part.states, part.health) = (state, health)
        return JobSelection(part, isInOrder: true)
      }
    }
  }

  /// The jobs after the cursor: those that have a value, then those that have none.
  private static func segments(
    of selection: JobSelection, _ order: JobOrder, after cursor: JobCursor?
  ) -> [JobSelection] {
    let after = order.isDescending ? "<" : ">"
    let place = cursor.map { [Value.integer($0.sequence)] } ?? []
    guard let column = order.expression else {
      var all = selection
      if cursor != nil { all.add("\(selection.arrival) \(after) ?", place) }
      return [all]
    }
    var segments: [JobSelection] = []
    if cursor == nil || cursor?.key != nil {
      var valued = selection
      if let key = cursor?.key.flatMap(order.value) {
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
