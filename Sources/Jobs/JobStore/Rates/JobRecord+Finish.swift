import JobModel

extension JobRecord {
  /// How long the whole job takes: by what was known when it was claimed last, else by what is known now.
  package func estimatedSeconds(by rates: MeasuredRates) -> Double? {
    if attempt > 0, let claimedEstimateMilliseconds { return Double(claimedEstimateMilliseconds) / 1000 }
    // Of a job that has finished, nothing changes with time.
    return state.isFinished ? nil : cost.work.flatMap { rates.seconds(for: $0) }
  }

  /// When a running job will have finished: a training by its pace, any other, and a training without one, by
  /// what its estimate leaves. `nil`: it does not run, nothing is known, or it has taken longer already.
  package func finishMilliseconds(at now: Int, by rates: MeasuredRates) -> Int? {
    guard state == .running else { return nil }
    if kind.traits.isPaced, let steps, let finish = pace?.finishMilliseconds(steps: steps) { return finish }
    guard let seconds = estimatedSeconds(by: rates) else { return nil }
    let left = seconds * 1000 - Double(runningMilliseconds(at: now))
    return left > 0 ? Int(exactly: (Double(now) + left).rounded()) : nil
  }
}
