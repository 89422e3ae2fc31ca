import JobModel
import JobStore
import RunFolder

extension DispatchLoop {
  /// Brings a run's new lines into the store. What the store refuses is read again later.
  ///
  /// - Returns: whether the store has all that there was.
  @discardableResult
  mutating func follow(_ run: inout Run) -> Bool {
    do {
      while let piece = try host.lines(of: run.job, from: run.offset) {
        do {
          let outcome = try store.ingest(
            run.job, attempt: run.attempt, from: run.offset, to: piece.end, lines: piece.lines,
            ranMilliseconds: run.ranMilliseconds(host))
          run.offset = piece.end
          note(outcome, piece.lines, in: &run)
          if outcome == .stale { return true }
        } catch {
          refuse("job \(run.job): its events cannot be stored: \(error)")
          return false
        }
      }
      return true
    } catch let error as ShortenedError {
      return rewind(&run, to: error.end)
    } catch {
      // Its events cannot be followed any more, so it must not go on unseen.
      log.error("job \(run.job): \(error)")
      run.ask(.kill, by: host)
      return false
    }
  }

  /// The machine has lost the end of the file: what was recorded from it stays, and lines that come are read
  /// from where they will stand.
  private mutating func rewind(_ run: inout Run, to end: Int) -> Bool {
    log.warning("job \(run.job): its events end at byte \(end), \(run.offset) had been read")
    do {
      if try store.rewind(run.job, attempt: run.attempt, to: end) { run.offset = end }
      return true
    } catch {
      refuse("job \(run.job): its events cannot be stored: \(error)")
      return false
    }
  }

  private func note(_ outcome: IngestOutcome, _ lines: [String], in run: inout Run) {
    switch outcome {
    case .recorded(let malformed):
      if malformed > 0 { log.warning("job \(run.job): \(malformed) lines that are no events") }
      if lines.last?.hasPrefix(#"{"event":"yielded""#) == true { run.word = .yielded(reason(of: lines.last)) }
    case .ended(let state, _):
      log.info("job \(run.job): \(state.rawValue)")
      run.word = .ended
      run.expectEnd(withinMilliseconds: configuration.killGraceMilliseconds, host)
    case .stale:
      if run.word != .ended { run.ask(.kill, by: host) }
    }
  }

  /// Why a worker yields by its own account.
  private func reason(of line: String?) -> Reason {
    // A line that was no JSON has been counted as malformed.
    let json = line.flatMap { try? JSON.parse($0) }
    return json?["reason"]?.string.flatMap(Reason.init) ?? .yielded
  }
}
