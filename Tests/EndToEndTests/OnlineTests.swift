import JSONText
import Platform
import Testing
import Text

@Suite(.serialized) struct `What a training says while it runs` {
  /// 48 of 64 images in 3 steps an epoch, 8 epochs.
  private static let job: JSON = [
    "kind": "train", "name": "online",
    "spec": [
      "dataset": ["name": "synthetic:count=64,classes=4,seed=1"], "epochs": 8, "batch_size": 16,
      "encoder": ["width": 16, "fc": nil], "projector": ["widths": [32, 32]], "log_every_steps": 1,
      "online": ["holdout": 0.25],
      "checkpoint": ["every_epochs": 1, "keep_last": 2, "keep_best": ["metric": "knn_top1"]],
    ],
  ]

  private func artifact(_ name: String, of job: String, _ daemon: Daemon) throws -> [UInt8] {
    let answer = try daemon.request("GET", "/jobs/\(job)/artifacts/\(name)")
    #expect(answer.status == 200, "\(name)")
    return answer.body
  }

  /// What is the same with and without a disturbance.
  private struct Outcome: Equatable {
    let digest: String
    let best: JSON
    let evaluations: [JSON]
    let projection: JSON
    let spectrum: JSON
    let views: [UInt8]
  }

  private func outcome(_ job: String, _ daemon: Daemon) throws -> Outcome {
    let record = try daemon.finishedJob(job)
    try #require(record["state"] == "succeeded", "\(record.text)")
    let lines = try daemon.request("GET", "/jobs/\(job)/metrics?follow=true").events
    let evaluations = lines.filter { $0["event"] == "evaluation" }.map { line in
      JSON.object((line.object ?? [:]).filter { $0.key != "time" })
    }
    let best = try daemon.get("/jobs/\(job)/checkpoints")["checkpoints"]?.array?.filter {
      $0["is_best"] == true
    }
    return Outcome(
      digest: try daemon.lastDigest(job), best: .array((best ?? []).compactMap { $0["step"] }),
      evaluations: evaluations, projection: try JSON.parse(artifact("projection.json", of: job, daemon)),
      spectrum: try JSON.parse(artifact("spectrum.json", of: job, daemon)),
      views: try artifact("views.png", of: job, daemon))
  }

  @Test func `figures, curves, summary, the best checkpoint and files come of evaluations`() throws {
    let daemon = try Daemon()
    let job = try daemon.queue(Self.job)
    let outcome = try outcome(job, daemon)
    #expect(outcome.evaluations.compactMap { $0["step"]?.int } == Array(stride(from: 3, through: 24, by: 3)))
    for line in outcome.evaluations {
      for name: ByteString in ["probe_top1", "knn_top1"] {
        #expect(line[name]?.double.map((0...1).contains) == true, "\(line.text)")
      }
      #expect(line["holdout_loss"]?.double?.isFinite == true && line["holdout_rankme"]?.double ?? 0 >= 1)
    }
    let top1 = outcome.evaluations.compactMap { $0["knn_top1"]?.double }
    let record = try daemon.get("/jobs/\(job)")
    #expect(record["summary"]?["knn_top1"]?["max"]?.double == top1.max())
    let best = top1.firstIndex(of: top1.max() ?? -1).map { 3 * ($0 + 1) }
    #expect(record["summary"]?["knn_top1"]?["best_step"]?.int == best)
    #expect(outcome.best.array?.compactMap(\.int) == best.map { [$0] })
    let series = try daemon.get("/jobs/\(job)/metrics?keys=knn_top1,holdout_loss")["series"]
    #expect(series?["knn_top1"]?.array?.count == 8)

    #expect(outcome.spectrum["rows"]?.array?.compactMap { $0["evaluation"]?.int } == Array(1...8))
    #expect(outcome.projection["step"] == 24 && outcome.projection["points"]?.array?.count == 16)
    #expect(outcome.views.starts(with: [0x89, 0x50, 0x4E, 0x47]))
    let listed = try daemon.get("/jobs/\(job)/artifacts")["artifacts"]?.array
    #expect(listed?.compactMap { $0["name"]?.string } == ["projection.json", "spectrum.json", "views.png"])
    #expect(record["artifacts"]?.array == listed)
  }

  @Test func `a training that is killed again and again tells the same`() throws {
    let daemon = try Daemon()
    let undisturbed = try outcome(daemon.queue(Self.job), daemon)
    let job = try daemon.queue(Self.job)
    for step in [2, 4, 9, 13, 20] {
      try daemon.job(job) {
        $0["progress"]?["step"]?.int ?? 0 >= step || $0["state"] == "succeeded"
      }
      _ = try daemon.killWorker(of: job)
    }
    #expect(try outcome(job, daemon) == undisturbed)
  }
}
