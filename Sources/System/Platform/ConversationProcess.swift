import Glibc

/// A program that this process talks with for as long as both live: its standard input and output are one
/// channel, and it must leave when the channel is closed.
package final class ConversationProcess: Sendable {
  /// This process's end.
  package let channel: ByteChannel
  private let child: ChildProcess

  /// Starts a program. Its standard error goes nowhere.
  ///
  /// - Throws: `SystemError` if it cannot be started.
  package init(
    of program: String, _ arguments: [String], environment: [String: String]
  ) throws(SystemError) {
    let (own, others) = try ByteChannel.pair()
    defer { close(others) }
    channel = own
    child = try ChildProcess(program, arguments, environment: environment, output: others, input: others)
  }

  /// The process's id.
  package var id: Int32 { child.id }

  /// Kills the process unless it has ended; how it ended, or `nil` if that cannot be told. To be called once.
  package func end() -> ChildProcess.Ending? {
    child.send(.kill)
    // A child that cannot be waited for has ended somehow.
    return try? child.wait()
  }
}
