import JSONText
import JobStore
import RunFolder

extension DispatchLoop {
  /// What came of following a run's events.
  enum Following: Equatable {
    /// The store has all that there was.
    case upToDate
    /// There is more, which is read at a later look.
    case later
    /// They cannot be read, however often that is tried; the sentence says which file and why.
    case unreadable(String)
  }

  /// Pieces of one run's events, of about a megabyte, that are read in one look: other runs want theirs.
  private static let piecesPerLook = 16

  /// Brings a run's new lines into the store. What the store refuses is read again later, and so is a file
  /// that cannot be read for the first time. After some tries its worker is killed, as it must not go on
  /// unseen.
  @discardableResult
  mutating func follow(_ run: inout Run) -> Following {
    if run.following.failures >= configuration.followTriesMax { return .unreadable(run.trouble ?? "") }
    if run.following.isPausing(now: host.monotonicNanoseconds) { return .later }
    do {
      for _ in 0..<Self.piecesPerLook {
        guard let piece = try host.lines(of: run.job, from: run.offset) else {
          run.following.succeed()
          return .upToDate
        }
        do {
          let outcome = try store.ingest(
            run.job, attempt: run.attempt, from: run.offset, to: piece.end, lines: piece.lines,
            ranMilliseconds: run.ranMilliseconds(host))
          run.offset = piece.end
          note(outcome, piece.lines, in: &run)
          if outcome == .stale { return .upToDate }
        } catch {
          refuse("job \(run.job): its events cannot be stored: \(error)")
          return .later
        }
      }
      return .later
    } catch let error as ShortenedError {
      return rewind(&run, to: error.end)
    } catch  where Self.isShortage(error) {
      // Files can be opened again later; until then nothing is wrong with the run.
      let cause = "its events cannot be followed now: \(error)"
      if run.trouble != cause { log.warning("job \(run.job): \(cause)") }
      run.trouble = cause
      return .later
    } catch {
      return fail(&run, "its events cannot be followed: \(error)")
    }
  }

  /// Takes note that a run's events could not be read.
  private func fail(_ run: inout Run, _ cause: String) -> Following {
    run.trouble = cause
    run.following.fail(
      now: host.monotonicNanoseconds, pauseMilliseconds: configuration.followRetryMilliseconds)
    if run.following.failures == 1 { log.error("job \(run.job): \(cause)") }
    guard run.following.failures >= configuration.followTriesMax else { return .later }
    run.ask(.kill, by: host)
    return .unreadable(cause)
  }

  /// The machine has lost the end of the file: what was recorded from it stays, and lines that come are read
  /// from where they will stand.
  private mutating func rewind(_ run: inout Run, to end: Int) -> Following {
    run.rewinds += 1
    if run.rewinds > configuration.rewindsMax {
      return fail(&run, "its events have been shortened \(run.rewinds) times")
    }
    log.warning("job \(run.job): its events end at byte \(end), \(run.offset) had been read")
    do {
      if try store.rewind(run.job, attempt: run.attempt, to: end) { run.offset = end }
      return .upToDate
    } catch {
      refuse("job \(run.job): its events cannot be stored: \(error)")
      return .later
    }
  }

  private func note(_ outcome: IngestOutcome, _ lines: [String], in run: inout Run) {
    switch outcome {
    case .recorded(let malformed):
      if run.countMalformed(malformed) {
        log.warning("job \(run.job): \(run.malformedLines) lines so far are not valid events")
      }
      if lines.contains(where: { $0.utf8.starts(with: #"{"event":"checkpoint""#.utf8) }) {
        run.hasProgressed = true
      }
      if let last = lines.last, last.utf8.starts(with: #"{"event":"yielded""#.utf8) {
        run.word = yielding(by: last)
      } else {
        launches.noteWork(of: run.job)
      }
    case .ended(let state, _):
      log.info("job \(run.job): \(state.rawValue)")
      run.word = .ended
      // It only has to exit: the next one need not share the cores with it.
      run.threads = 0
      launches.noteWork(of: run.job)
      run.expectEnd(withinMilliseconds: configuration.killGraceMilliseconds, host)
    case .stale:
      if run.word != .ended { run.ask(.kill, by: host) }
    }
  }

  /// What a worker says of itself by the line that it yields.
  private func yielding(by line: String) -> Run.Word {
    // A line that is not valid JSON has been counted as malformed.
    guard let json = try? JSON.parse(line),
      case .yielded(_, let reason, let message)? = WorkerEvent(json: json)
    else { return .yielded(.yielded) }
    return .yielded(reason ?? .yielded, message: message)
  }
}
