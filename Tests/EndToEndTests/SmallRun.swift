import JSONText
import Testing

/// The training that these tests disturb, and what becomes of it undisturbed.
enum SmallRun {
  static let steps = 24
  static let stepsPerCheckpoint = 8

  /// A job of `epochs` × 4 steps with a checkpoint of some 7.5 MiB after each second epoch.
  static func job(epochs: Int = steps / 4, seed: Int = 0, dataset: String? = nil) -> JSON {
    var specification = specification(epochs: epochs, seed: seed)
    if let dataset { specification["dataset"] = ["name": .string(dataset)] }
    return ["kind": "train", "name": "small", "spec": .object(specification)]
  }

  /// A job whose optimiser has no moments, which halves its time, and which keeps one checkpoint of some
  /// 2.5 MiB.
  static func lightJob(maxSteps: Int? = nil) -> JSON {
    var specification = specification(epochs: steps / 4, seed: 0)
    specification["optimizer"] = ["name": "sgd", "lr": 1e-4, "momentum": 0]
    specification["checkpoint"] = ["every_epochs": 2, "keep_last": 1]
    specification["max_steps"] = .optional(maxSteps)
    return ["kind": "train", "name": "light", "spec": .object(specification)]
  }

  private static func specification(epochs: Int, seed: Int) -> [String: JSON] {
    [
      "preset": "small", "dataset": ["name": .string(dataset), "limit": 16], "epochs": .integer(epochs),
      "batch_size": 4, "encoder": ["width": 16, "fc": nil], "projector": ["widths": [32, 32]],
      "log_every_steps": 1, "seed": .integer(seed),
      "checkpoint": ["every_epochs": 2, "keep_last": 2],
    ]
  }

  /// An evaluation of a training's last checkpoint.
  static func evaluation(of training: String) -> JSON {
    [
      "kind": "evaluate",
      "spec": [
        "checkpoint": ["job": .string(training), "which": "last"], "protocol": "linear", "features": "cached",
        "baselines": true,
        "epochs": 2, "dataset": ["name": .string(dataset), "limit": 32],
      ],
    ]
  }

  /// The digest of the last checkpoint of a run that nothing has disturbed; computed once.
  static let undisturbedDigest = Result {
    let daemon = try Daemon()
    let job = try daemon.queue(SmallRun.job())
    let record = try daemon.finishedJob(job)
    try #require(record["state"] == "succeeded", "\(record.text)")
    #expect(try daemon.steps(job) == Array(1...steps))
    return try daemon.lastDigest(job)
  }

  private static let dataset = "synthetic:count=64,classes=4,seed=1"
}
