import Text

/// What is wrong with a search space: which member of the request, and a sentence for people.
package struct SpaceProblem: Error, Sendable, Hashable {
  /// The parameter's pointer, and below it the member: `["/optimizer/lr", "log_uniform"]`. Empty: the space.
  package var path: [ByteString]
  package var message: String

  package init(_ path: [ByteString], _ message: String) {
    self.path = path
    self.message = message
  }
}

/// Everything that is wrong with a search space.
package struct InvalidSpace: Error, Sendable, Hashable {
  package var problems: [SpaceProblem]
}
