import Crypto
import HTTP
import JSONText
import JobModel
import JobStore
import Platform
import Recipe
import RunFolder

/// Whoever runs jobs; told that the store has something new for it: a job, or a wish to cancel one.
package protocol JobControl: Sendable {
  /// Returns at once.
  func wake()
  /// Why no new job can be taken now, such as too little space; `nil`: it can.
  var refusal: String? { get }
  /// What keeps a worker from being started now, such as too few descriptors; `nil`: nothing. Asking
  /// may start and end as many threads as a worker has.
  var shortage: String? { get }
  /// What a job will take, as far as that can be known.
  ///
  /// - Parameter training: what the checkpoint of an evaluation is trained by, where its job is queued by the
  ///   same request.
  func cost(of specification: JobSpecification, training: TrainSpecification?) -> JobCost
  /// Bytes of memory that the machine has; `nil`: unknown.
  var machineMemoryBytes: Int? { get }
}

/// The routes under which the daemon answers, except the static files.
package struct API: Sendable {
  let store: JobStore
  /// The data folder, which has the run folders.
  let data: String
  let datasets: any DatasetDirectory
  let control: any JobControl
  let events: EventHub
  let pins: CheckpointPins
  let exports: any ModelExports
  let checkModel: ModelCheck
  let embedder: any EmbeddingService
  /// Below which files may be imported.
  let roots: RootFolders
  /// How long a stream lasts at most; 0: without end.
  let streamSeconds: Int
  let version: String
  let limits: [String: Int]
  /// Of the JSON in bodies.
  let jsonLimits: JSONLimits
  let jobs = JobCache()
  let jobLists = JobListCache()
  let curveTexts = CurveTexts()
  let monitor: SystemMonitor
  let facts: SystemFacts
  let sweepFindings = SweepFindings()
  let readiness: Readiness
  let trainingDatasets = TrainingDatasets()
  let computedAnswers = ComputedAnswers(name: "answers", limits: Self.computedLimits)

  /// - Parameters:
  ///   - data: the data folder.
  ///   - pins: those of the data folder; the same value that the dispatcher sweeps.
  ///   - checkModel: looks into the files of uploaded models.
  ///   - roots: below which files may be imported.
  ///   - streamSeconds: how long a stream of events lasts at most; 0: without end.
  ///   - limits: the server's limits by name, for `/openapi.json`.
  ///   - monitor: has the last hour; nil: nobody takes samples.
  ///   - facts: what the daemon knows of itself.
  ///   - version: what `/version` says.
  package init(
    store: JobStore, data: String, datasets: any DatasetDirectory, control: any JobControl,
    events: EventHub, pins: CheckpointPins, exports: any ModelExports, checkModel: @escaping ModelCheck,
    embedder: any EmbeddingService, roots: RootFolders = .empty, streamSeconds: Int = 0,
    limits: [String: Int] = [:], monitor: SystemMonitor? = nil, facts: SystemFacts = SystemFacts(),
    version: String
  ) {
    self.store = store
    self.monitor = monitor ?? SystemMonitor(store: store, data: data)
    self.facts = facts
    readiness = Readiness(store: store) { control.shortage }
    self.data = data
    self.datasets = datasets
    self.control = control
    self.events = events
    self.pins = pins
    self.exports = exports
    self.checkModel = checkModel
    self.embedder = embedder
    self.roots = roots
    self.streamSeconds = streamSeconds
    self.limits = limits
    jsonLimits = JSONLimits(
      membersMax: limits["json_members_max"] ?? JSONLimits.membersMaxDefault,
      valuesMax: limits["json_values_max"] ?? JSONLimits.valuesMaxDefault)
    self.version = version
  }

  /// The routes that describe themselves.
  var endpoints: [Endpoint] {
    datasetEndpoints + modelEndpoints + embeddingEndpoints + sweepEndpoints + curveEndpoints
      + systemEndpoints
  }

  /// Adds every route. Those that stand in the router already are described in `/openapi.json` as well.
  package func addRoutes(to router: inout Router) {
    let heavy: @Sendable (Request) -> RouteWeight = { _ in .heavy }
    // Jobs come in thousands; every other route is content with the router's limit.
    let submissions = BodyLimit(
      name: "body_bytes_max", bytesMax: limits["body_bytes_max"] ?? RequestLimits().bodyBytesMax)
    router.on(.post, "/jobs", bodyLimit: submissions, submit)
    router.on(.get, "/jobs", weight: jobListWeight, instant: jobListInMemory, listJobs)
    router.on(.get, "/jobs/{id}", instant: jobInMemory, getJob)
    router.on(.patch, "/jobs/{id}", relabelJob)
    router.on(.delete, "/jobs/{id}", deleteJob)
    router.on(.post, "/jobs/{id}/cancel", cancelJob)
    router.on(.get, "/jobs/{id}/metrics", weight: heavy, getMetrics)
    router.on(.get, "/jobs/{id}/events", followJob)
    router.on(.get, "/events", followAll)
    router.on(.get, "/jobs/{id}/log", weight: heavy, getLog)
    router.on(.get, "/jobs/{id}/checkpoints", weight: heavy, listCheckpoints)
    router.on(.get, "/jobs/{id}/checkpoints/{name}", getCheckpoint)
    router.on(.get, "/jobs/{id}/export", weight: heavy, exportJob)
    router.on(.get, "/jobs/{id}/artifacts", weight: heavy, listArtifacts)
    router.on(.get, "/jobs/{id}/artifacts/{name}", getArtifact)
    let endpoints = endpoints
    for endpoint in endpoints { endpoint.add(to: &router) }
    router.on(.get, "/healthz", access: .open, instant: healthInMemory, getHealth)
    router.on(.get, "/readyz", access: .open, instant: readinessInMemory, getReadiness)
    router.on(.get, "/version", getVersion)
    addLifeRoutes(to: &router)
    let document = OpenAPIDocument(
      routes: router.routes, endpoints: endpoints, datasets: datasets.names(), limits: limits,
      version: version
    ).json.text
    var description = Response.json(text: document).tagged
    description.compressedForm = CompressedForm()
    router.on(.get, "/openapi.json") { [description] request in
      var query = QueryReader(request)
      try query.finish()
      return description
    }
  }
}

extension Response {
  /// The same answer with an entity tag made of its bytes, for what has no revision.
  var tagged: Response {
    guard case .bytes(let bytes) = body else { return self }
    let hash = SHA256()
    hash.update(bytes)
    var answer = self
    answer.headers.set("ETag", EntityTag(String(hexadecimal(hash.finish()).prefix(32))).text)
    return answer
  }

  /// An answer that is one JSON value.
  static func json(_ value: JSON, status: Int = 200) -> Response { json(text: value.text, status: status) }

  /// An answer that is one JSON value, serialised already.
  static func json(text: String, status: Int = 200) -> Response {
    json(bytes: Array(text.utf8), status: status)
  }

  /// An answer that is one JSON value, serialised already.
  static func json(bytes: [UInt8], status: Int = 200) -> Response {
    var response = Response(
      status: status, contentType: "application/json", bytes: bytes + [UInt8(ascii: "\n")])
    response.headers.add("Cache-Control", "no-cache")
    return response
  }
}
