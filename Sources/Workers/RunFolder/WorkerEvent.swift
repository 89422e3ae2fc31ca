import JSONText
import JobModel
import Recipe

/// What a worker says: one line of `events.jsonl`, and of the stream that clients read.
package enum WorkerEvent: Sendable, Equatable {
  /// The first of an attempt.
  case started(RunStart)
  case metric(MetricLine)
  /// What a training found on the images that it holds back.
  case evaluation(MetricLine)
  /// A checkpoint is durable.
  case checkpoint(CheckpointManifest)
  /// An artifact is durable.
  case artifact(ArtifactManifest)
  /// How well a training goes, when that has changed and at its end; has a step.
  case health(JobHealth)
  /// Something that a person should know and that ends nothing.
  case warning(message: String)
  /// What an evaluation found: the `result` of its job, an object.
  case result(JSON)
  /// The worker left because it was told to, or for the reason given; the run goes on from its last
  /// checkpoint, which is that of this step if it was told to. The message says what was short.
  case yielded(step: Int, reason: Reason? = nil, message: String? = nil)
  /// The last line of a run that goes on no more.
  case end(RunEnd)
}

/// How an attempt begins.
package struct RunStart: Sendable, Equatable {
  package var attempt: Int
  /// Steps done before: 0, or those of the checkpoint that is resumed from.
  package var step: Int
  /// Steps and epochs when all is done.
  package var steps: Int
  package var epochs: Int
  /// What it runs on.
  package var host: JobHost

  package init(attempt: Int, step: Int, steps: Int, epochs: Int, host: JobHost) {
    self.attempt = attempt
    self.step = step
    self.steps = steps
    self.epochs = epochs
    self.host = host
  }
}

/// One point of every curve.
package struct MetricLine: Sendable, Equatable {
  /// A curve's name and its value at this step; what is not finite is `null` in the line and NaN when read.
  package struct Value: Sendable, Equatable {
    package var name: String
    package var value: Double

    package init(_ name: String, _ value: Double) {
      self.name = name
      self.value = value
    }
  }

  /// Steps done, this one included.
  package var step: Int
  /// Epochs done before this step.
  package var epoch: Int
  /// In the order of the line. Names other than `event`, `step`, `epoch`, `time`.
  package var values: [Value]

  package init(step: Int, epoch: Int, values: [Value]) {
    self.step = step
    self.epoch = epoch
    self.values = values
  }
}

/// How a run ended.
package struct RunEnd: Sendable, Equatable {
  /// `succeeded`, `failed` or `cancelled`.
  package var state: JobState
  /// Why, for programs; `nil` if it succeeded.
  package var reason: Reason?
  /// Why, for people.
  package var message: String?

  package init(state: JobState, reason: Reason? = nil, message: String? = nil) {
    self.state = state
    self.reason = reason
    self.message = message
  }
}
