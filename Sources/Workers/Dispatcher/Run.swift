import JobModel
import Platform
import Recipe

/// One attempt of a job whose worker has not been seen to go: what the dispatcher knows of it between two
/// looks.
struct Run {
  /// What a worker can be asked, mildest first; asking goes one way.
  enum Request: Int, Comparable {
    case nothing, yield, finishStep, stop, kill

    static func < (a: Request, b: Request) -> Bool { a.rawValue < b.rawValue }

    var signal: Signal? {
      switch self {
      case .nothing: nil
      case .yield: .terminate
      case .finishStep: .user1
      case .stop: .interrupt
      case .kill: .kill
      }
    }
  }

  /// What the worker has said last about itself.
  enum Word: Equatable {
    case none
    case yielded(Reason, message: String? = nil)
    case ended
  }

  let job: JobID
  let attempt: Int
  /// The child of an earlier daemon: its lock is tried now and then. Of our own children we are told.
  var isAdopted: Bool
  /// Whether a worker was started for it, as far as is known.
  var wasStarted = true
  /// Threads of its worker's engine; 0 once it has ended its job.
  var threads = 1
  /// How a reaped child went; `nil`: it has not been reaped, or is not ours.
  var ending: String?
  var word = Word.none
  /// The byte behind the last line that the store has.
  var offset: Int
  /// Why it is being killed, if not because somebody asked.
  var isStalled = false
  /// Failures to read its events in a row.
  var following = Retry()
  /// Why its events could not be read the last time.
  var trouble: String?
  /// How often its events had become shorter than what had been read of them.
  var rewinds = 0
  /// Whether it has told of a checkpoint in this attempt.
  var hasProgressed = false
  /// Looks in a row at which its lock could not be tried.
  var lockFailures = 0
  /// Lines that were no events, so far.
  private(set) var malformedLines = 0
  /// Whether it was asked to leave, so that its death is no crash: the signal may have come before it could
  /// hear, or its time for a checkpoint was too short.
  private(set) var wasAskedToLeave = false
  /// When the attempt began.
  let begunNanoseconds: UInt64
  /// When its job will have run for as long as it may.
  var overdueNanoseconds: UInt64?
  private var requested = Request.nothing
  private var killAtNanoseconds: UInt64?
  private var beat: (value: FileTime?, seenNanoseconds: UInt64)

  init(
    job: JobID, attempt: Int, isAdopted: Bool, offset: Int, begunNanoseconds: UInt64,
    nowNanoseconds: UInt64
  ) {
    self.job = job
    self.attempt = attempt
    self.isAdopted = isAdopted
    self.offset = offset
    self.begunNanoseconds = begunNanoseconds
    beat = (nil, nowNanoseconds)
  }

  /// Asks the worker for something, unless as much has been asked already.
  ///
  /// - Parameter graceMilliseconds: how long it may take until it is killed; `nil`: as long as it needs.
  mutating func ask(_ request: Request, by host: any WorkerHost, graceMilliseconds: Int? = nil) {
    guard request > requested, let signal = request.signal else { return }
    if request == .yield { wasAskedToLeave = true }
    requested = request
    if let graceMilliseconds { expectEnd(withinMilliseconds: graceMilliseconds, host) }
    host.send(signal, to: job, attempt: attempt)
  }

  /// Another process than the one that was asked is the worker.
  mutating func becomeAdopted() {
    isAdopted = true
    ending = nil
    requested = .nothing
  }

  /// Has the worker killed when it is still there after so long.
  mutating func expectEnd(withinMilliseconds milliseconds: Int, _ host: any WorkerHost) {
    let time = host.monotonicNanoseconds + UInt64(milliseconds) * 1_000_000
    killAtNanoseconds = min(killAtNanoseconds ?? .max, time)
  }

  /// Kills a worker whose time is up.
  mutating func killIfOverdue(_ host: any WorkerHost) {
    if let time = killAtNanoseconds, host.monotonicNanoseconds >= time { ask(.kill, by: host) }
  }

  /// Counts lines that were no events.
  ///
  /// - Returns: whether that is worth a line in the log: as often as their number has doubled.
  mutating func countMalformed(_ count: Int) -> Bool {
    let before = malformedLines
    malformedLines += count
    return malformedLines.bitWidth - malformedLines.leadingZeroBitCount
      > before.bitWidth - before.leadingZeroBitCount
  }

  /// Takes note of the worker's sign of life.
  ///
  /// - Returns: nanoseconds since it last changed, by the dispatcher's own clock.
  mutating func silence(_ heartbeat: FileTime?, now: UInt64) -> UInt64 {
    if heartbeat != beat.value { beat = (heartbeat, now) }
    return now - beat.seenNanoseconds
  }

  /// How long the attempt has run.
  func ranMilliseconds(_ host: any WorkerHost) -> Int {
    let now = host.monotonicNanoseconds
    return now > begunNanoseconds ? Int((now - begunNanoseconds) / 1_000_000) : 0
  }
}
