import Platform

/// Looks at the token file again and again, so that what lasts ends soon after its token is revoked, although
/// the threads that send it never wait for the disk.
package final class TokenWatch: Sendable {
  /// Milliseconds between two looks.
  package static let intervalMilliseconds = 500

  private let stopping = Inbox<Void>()
  private let thread: Thread

  /// Starts the thread.
  ///
  /// - Parameter report: called when the file cannot be read any more, once until it can.
  package init(_ tokens: TokenFile, report: @escaping @Sendable (any Error) -> Void) throws(SystemError) {
    thread = try Thread(name: "token-watch", stackBytes: 256 << 10) { [stopping] in
      var hasFailed = false
      repeat {
        do {
          try tokens.look()
          hasFailed = false
        } catch {
          if !hasFailed { report(error) }
          hasFailed = true
        }
      } while stopping.receive(timeoutMilliseconds: TokenWatch.intervalMilliseconds).isEmpty
    }
  }

  /// Ends the thread and waits for it.
  package func stop() {
    stopping.send(())
    thread.join()
  }
}
