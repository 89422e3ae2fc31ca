import JobModel
import Recipe
import SQLite
import Text

/// Which sweeps a list shows; what is empty does not filter.
package struct SweepFilter: Sendable {
  package var states: [SweepRecord.State] = []
  /// Labels that a sweep must have, all of them, each with the value that it must have; any value if nil.
  package var labels: [(key: ByteString, value: ByteString?)] = []
  /// Texts that must occur in name, notes or labels (`KEY=VALUE`), each in any of them; ASCII letters count
  /// as the same in both cases.
  package var words: [ByteString] = []

  package init() {}

  fileprivate var condition: (sql: String, arguments: [Value]) {
    var parts: [String] = []
    var arguments: [Value] = []
    if !states.isEmpty {
      parts.append("state IN (\(states.map { _ in "?" }.joined(separator: ", ")))")
      arguments += states.map { .text($0.rawValue) }
    }
    for (key, value) in labels {
      let wanted = value.map { _ in " AND value = ?" } ?? ""
      parts.append("EXISTS (SELECT 1 FROM json_each(labels) WHERE key = ?\(wanted))")
      arguments += [.text(key)] + (value.map { [Value.text($0)] } ?? [])
    }
    for word in words.map(\.lowercasedASCII) {
      parts.append(
        """
        (instr(lower(coalesce(name, '')), ?) > 0 OR instr(lower(coalesce(notes, '')), ?) > 0
          OR EXISTS (SELECT 1 FROM json_each(labels) WHERE instr(lower(key || '=' || value), ?) > 0))
        """)
      arguments += [.text(word), .text(word), .text(word)]
    }
    return (parts.isEmpty ? "TRUE" : parts.joined(separator: " AND "), arguments)
  }
}

/// By what a list of sweeps is sorted. Sweeps with the same value are in the order of their arrival, and
/// those without one come last.
package struct SweepOrder: Sendable, Equatable {
  /// What a list can be sorted by.
  package enum Field: String, Sendable, CaseIterable {
    case createdAt = "created_at"
    case startedAt = "started_at"
    case finishedAt = "finished_at"
    case name, state, priority
  }
  package var field: Field
  package var isDescending: Bool

  /// The newest first, where nothing else is said.
  package init(_ field: Field = .createdAt, isDescending: Bool = true) {
    self.field = field
    self.isDescending = isDescending
  }

  /// Whether a sweep has a value, and that value.
  fileprivate var keys: [String] {
    let column =
      switch field {
      case .createdAt: "sequence"
      case .startedAt: "started_at_ms"
      case .finishedAt: "finished_at_ms"
      case .name, .state, .priority: field.rawValue
      }
    return ["\(column) IS \(isDescending ? "NOT " : "")NULL", "coalesce(\(column), 0)", "sequence"]
  }
}

/// One page of a list of sweeps.
package struct SweepPage: Sendable {
  package let sweeps: [SweepRecord]
  /// The sequence of the sweep after which the next page begins; nil: this is the last one.
  package let next: Int?
  /// Sweeps that the filter leaves, on all pages.
  package let total: Int
}

extension JobStore {
  /// Sweeps of one list in its order, at most `limit`, after the sweep of a sequence; none if that is gone.
  package func sweeps(
    _ filter: SweepFilter, _ order: SweepOrder, after cursor: Int?, limit: Int
  ) throws -> SweepPage {
    let (condition, arguments) = filter.condition
    let keys = order.keys
    let direction = order.isDescending ? "DESC" : "ASC"
    let sorting = keys.map { "\($0) \(direction)" }.joined(separator: ", ")
    let list = keys.joined(separator: ", ")
    // The place is that which the sweep of the cursor has now.
    let after = cursor.map { _ in
      "AND (\(list)) \(order.isDescending ? "<" : ">") (SELECT \(list) FROM sweeps WHERE sequence = ?)"
    }
    return try read { connection in
      try connection.snapshot {
        let found = try connection.rows(
          """
          SELECT \(SweepRecord.columns) FROM sweeps WHERE \(condition) \(after ?? "")
          ORDER BY \(sorting) LIMIT ?
          """, arguments + (cursor.map { [.integer($0)] } ?? []) + [.integer(limit + 1)], SweepRecord.init)
        let total = try connection.first(
          "SELECT count(*) AS total FROM sweeps WHERE \(condition)", arguments
        ) { $0.integer("total") }
        let page = Array(found.prefix(limit))
        return SweepPage(
          sweeps: page, next: found.count > limit ? page.last?.sequence : nil, total: total ?? 0)
      }
    }
  }
}
