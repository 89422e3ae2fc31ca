import Platform
import Training

/// The signals by which a daemon, or a person, tells a worker to stop.
struct StopSignals {
  private let terminate = SignalFlag(.terminate)
  private let interrupt = SignalFlag(.interrupt)
  private let graceful = SignalFlag(.user1)

  /// What the signals ask for. Several may have come; the one that wants least of the run wins.
  var request: StopRequest? {
    if interrupt.isSet { return .cancelNow }
    if graceful.isSet { return .cancel }
    return terminate.isSet ? .yield : nil
  }
}
