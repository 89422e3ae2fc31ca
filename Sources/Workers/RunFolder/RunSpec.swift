import JSONText
import JobModel
import Recipe
import Text

/// What one attempt of a job has to do: the content of `spec.json`.
package struct RunSpec: Sendable, Equatable {
  package var job: JobID
  /// From 1; each start of a worker counts.
  package var attempt: Int
  package var specification: JobSpecification
  /// Threads of the engine, ≥ 1. Results do not depend on it.
  package var threads: Int
  /// Path of the run's own checkpoint to go on from; `nil`: from the beginning.
  package var resumeFrom: String?
  /// Path of the checkpoint or model to evaluate or to begin with; `nil`: there is none.
  package var checkpointPath: String?
  /// SHA-256 of that file, in hexadecimal.
  package var checkpointSHA256: ByteString?
  /// What the model is, where that file is one; `nil`: it is a checkpoint.
  package var model: ModelDescription?
  /// The dataset as it was when the job was queued; `nil`: nobody looked.
  package var dataset: DatasetFingerprint?
  /// Where the imported dataset lies that the job reads, or will lie that it imports; `nil`: it has none.
  package var datasetFolder: String?
  /// Import: where the archive lies that was uploaded for it; `nil`: none was, or it is imported already.
  package var uploadPath: String?

  package init(
    job: JobID, attempt: Int, specification: JobSpecification, threads: Int, resumeFrom: String? = nil,
    checkpointPath: String? = nil, checkpointSHA256: ByteString? = nil, dataset: DatasetFingerprint? = nil
  ) {
    self.job = job
    self.attempt = attempt
    self.specification = specification
    self.threads = threads
    self.resumeFrom = resumeFrom
    self.checkpointPath = checkpointPath
    self.checkpointSHA256 = checkpointSHA256
    self.dataset = dataset
  }
}

extension RunSpec {
  /// The content of `spec.json`.
  package var json: JSON {
    [
      "job": .string(job.text), "attempt": .integer(attempt), "kind": .string(specification.kind.rawValue),
      "spec": specification.json,
      "threads": .integer(threads), "resume_from": .optional(resumeFrom),
      "checkpoint_path": .optional(checkpointPath), "checkpoint_sha256": .optional(checkpointSHA256),
      "model": model?.json ?? .null, "dataset": dataset?.json ?? .null,
      "dataset_folder": .optional(datasetFolder),
      "upload_path": .optional(uploadPath),
    ]
  }

  /// Reads the content of `spec.json`.
  ///
  /// - Throws: `RunFolderError` for a member that is missing or outside its `RecordedRange`,
  ///   `SpecificationProblems` for a wrong specification.
  package init(json: JSON) throws {
    guard let job = json["job"]?.string.flatMap({ JobID($0) }),
      let attempt = json["attempt"]?.int(in: RecordedRange.attempts),
      let kind = json["kind"]?.string.flatMap(JobKind.init(bytes:)), let spec = json["spec"],
      let threads = json["threads"]?.int(in: RecordedRange.threads)
    else {
      throw RunFolderError(
        operation: "read", subject: "the run's specification", cause: "a member is missing or out of range")
    }
    try self.init(
      job: job, attempt: attempt, specification: JobSpecification.parse(spec, kind: kind), threads: threads,
      resumeFrom: json["resume_from"]?.string?.string,
      checkpointPath: json["checkpoint_path"]?.string?.string,
      checkpointSHA256: json["checkpoint_sha256"]?.string,
      dataset: json["dataset"].flatMap(DatasetFingerprint.init(json:)))
    model = json["model"].flatMap(ModelDescription.init(json:))
    datasetFolder = json["dataset_folder"]?.string?.string
    uploadPath = json["upload_path"]?.string?.string
  }
}
