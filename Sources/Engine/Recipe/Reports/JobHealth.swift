import JSONText

/// How well a training goes, as its worker finds from its figures. `HealthRule` in Training has the rule.
package enum HealthState: String, Sendable, CaseIterable {
  /// There are too few figures yet, or none that say anything.
  case unknown
  case good
  /// Something is not as it should be; the training may recover.
  case warning
  /// The embedding says little about its images: all lie in one point, or on few axes.
  case collapsed
  /// The loss grows, or is not finite.
  case diverging
}

/// A state with its reason for people, and the optimiser step at which it was found.
package struct JobHealth: Sendable, Equatable {
  package var state: HealthState
  package var message: String?
  package var step: Int?

  package init(_ state: HealthState = .unknown, message: String? = nil, step: Int? = nil) {
    self.state = state
    self.message = message
    self.step = step
  }

  /// As clients see it.
  package var json: JSON {
    ["state": .string(state.rawValue), "message": .optional(message), "step": .optional(step)]
  }
}
