import Glibc
import Synchronization

/// The signals that daemon and workers speak with.
package enum Signal: Int32, Sendable, CaseIterable {
  case hangUp = 1
  case interrupt = 2
  case kill = 9
  case user1 = 10
  case terminate = 15
}

/// Whether a signal has come. Installing one replaces the signal's default action for the whole process.
package struct SignalFlag: Sendable {
  private let signal: Signal

  /// Installs the handler; system calls that it interrupts are restarted. `SIGKILL` cannot be caught.
  package init(_ signal: Signal) {
    precondition(signal != .kill, "SIGKILL cannot be caught")
    self.signal = signal
    // Touches the global before a handler can run, so that a handler never initialises it.
    received.store(signal.rawValue, false)
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { number in received.store(number, true) }
    action.sa_flags = SA_RESTART
    sigaction(signal.rawValue, &action, nil)
  }

  /// Whether the signal has come since the handler was installed.
  package var isSet: Bool { received.load(signal.rawValue) }
}

/// Waits for signals on one thread instead of interrupting any.
package struct SignalWaiter: Sendable {
  private let signals: [Signal]

  /// Blocks the signals in the calling thread and in those that it starts afterwards: make it before any
  /// thread.
  package init(_ signals: [Signal]) {
    self.signals = signals
    var set = mask
    pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// Returns the next of the signals, without using the processor meanwhile.
  package func wait() -> Signal {
    var set = mask
    while true {
      var number: Int32 = 0
      if sigwait(&set, &number) == 0, let signal = Signal(rawValue: number) { return signal }
    }
  }

  private var mask: sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in signals { sigaddset(&set, signal.rawValue) }
    return set
  }
}

/// Makes writes to a closed pipe or socket fail with `EPIPE` instead of ending the process.
package func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

/// One bit a signal, set from handlers: lock-free, without allocation.
private struct ReceivedSignals: ~Copyable {
  private let bits = Atomic<UInt64>(0)

  func store(_ number: Int32, _ value: Bool) {
    let bit = UInt64(1) << UInt64(number)
    if value {
      bits.bitwiseOr(bit, ordering: .sequentiallyConsistent)
    } else {
      bits.bitwiseAnd(~bit, ordering: .sequentiallyConsistent)
    }
  }

  func load(_ number: Int32) -> Bool { bits.load(ordering: .relaxed) & UInt64(1) << UInt64(number) != 0 }
}

private let received = ReceivedSignals()
