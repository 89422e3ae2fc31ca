import JobModel
import Platform
import RunFolder

/// One attempt of a job whose worker has not been seen to go: what the dispatcher knows of it between two
/// looks.
struct Run {
  /// How the worker's end is learnt.
  enum Watch {
    /// Our child: the thread that waits for it tells.
    case child(ChildProcess)
    /// The child of an earlier daemon: its lock is tried now and then.
    case adopted
  }

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
  enum Word { case none, yielded, ended }

  let job: JobID
  let attempt: Int
  let folder: RunFolder
  var watch: Watch
  /// How a reaped child went; `nil`: it has not been reaped, or is not ours.
  var ending: String?
  var word = Word.none
  private var tail: EventTail
  private var requested = Request.nothing
  private var killAtNanoseconds: UInt64?

  /// - Parameter offset: the byte behind the last line that the store has.
  init(job: JobID, attempt: Int, folder: RunFolder, watch: Watch, offset: Int) {
    self.job = job
    self.attempt = attempt
    self.folder = folder
    self.watch = watch
    tail = EventTail(path: folder.eventsPath, offset: offset)
  }

  /// Lines that are not in the store yet, and where they stand in the file; `nil`: there are none.
  mutating func readLines() throws(RunFolderError) -> (start: Int, end: Int, lines: [String])? {
    let start = tail.offset
    let lines = try tail.next()
    if lines.isEmpty { return nil }
    return (start, tail.offset, lines.map { String(decoding: $0.bytes, as: UTF8.self) })
  }

  /// Has the lines from an offset on read once more.
  mutating func readAgain(from offset: Int) {
    tail = EventTail(path: folder.eventsPath, offset: offset)
  }

  /// Asks the worker for something, unless as much has been asked already.
  ///
  /// - Parameter graceMilliseconds: how long it may take until it is killed; `nil`: as long as it needs.
  mutating func ask(_ request: Request, graceMilliseconds: Int? = nil) {
    guard request > requested, let signal = request.signal else { return }
    requested = request
    if let graceMilliseconds { expectEnd(withinMilliseconds: graceMilliseconds) }
    switch watch {
    case .child(let process): process.send(signal)
    case .adopted:
      // The id in the lock file is the worker's as long as the lock is held. If that cannot be told, nobody
      // is signalled: the wrong process would be worse than none.
      if let id = folder.workerID, (try? folder.isAlive()) == true { ProcessID.send(signal, to: id) }
    }
  }

  /// Has the worker killed when it is still there after so long.
  mutating func expectEnd(withinMilliseconds milliseconds: Int) {
    let time = SystemClock.monotonicNanoseconds + UInt64(milliseconds) * 1_000_000
    killAtNanoseconds = min(killAtNanoseconds ?? .max, time)
  }

  /// Kills a worker whose time is up.
  mutating func killIfOverdue() {
    if let time = killAtNanoseconds, SystemClock.monotonicNanoseconds >= time { ask(.kill) }
  }
}
