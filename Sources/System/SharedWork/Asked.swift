/// What somebody who asks for a value gets at once: the value, or a place among those who wait for it.
package enum Asked<Value: Sendable>: Sendable {
  /// It is known.
  case known(Value)
  /// It is being computed.
  case coming(Ticket<Value>)
  /// Too much is waiting to be computed: ask again later.
  case busy
}

/// A place among those who wait for a value that is computed once for all of them.
package struct Ticket<Value: Sendable>: Sendable {
  /// Has `wake` called when the value is there, at once if it is there already; from any thread.
  package let attach: @Sendable (_ wake: @escaping @Sendable () -> Void) -> Void
  /// The value; `nil`: it is not there yet.
  package let value: @Sendable () -> Value?
  /// Gives the place up; may be called again. What nobody waits for any more is not begun.
  package let close: @Sendable () -> Void

  /// A place that asks somebody else.
  package init(
    attach: @escaping @Sendable (_ wake: @escaping @Sendable () -> Void) -> Void,
    value: @escaping @Sendable () -> Value?, close: @escaping @Sendable () -> Void
  ) {
    self.attach = attach
    self.value = value
    self.close = close
  }
}

extension Asked {
  /// The same with another value made of it.
  package func map<New: Sendable>(_ transform: @escaping @Sendable (Value) -> New) -> Asked<New> {
    switch self {
    case .known(let value): .known(transform(value))
    case .coming(let ticket):
      .coming(
        Ticket<New>(
          attach: ticket.attach, value: { ticket.value().map(transform) }, close: ticket.close))
    case .busy: .busy
    }
  }
}
