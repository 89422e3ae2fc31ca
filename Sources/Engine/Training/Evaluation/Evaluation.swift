import Datasets
import Kernels
import NeuralNet
import Recipe

/// An evaluation of an encoder by one of the protocols: each subject in turn, with each seed.
///
/// The result depends on the specification, the checkpoint and the instruction set alone. Its parts, a
/// subject with a seed each, follow one another; between two of them the state is what the parts before gave.
package final class Evaluation {
  /// Steps of the stream until the end.
  package let stepsTotal: Int
  /// Steps done.
  package private(set) var step = 0
  /// What is evaluated.
  let subjects: EvaluationSubjects
  /// The present part: a subject and a run with one of the seeds.
  private var part = (subject: 0, run: 0)
  private var outcomes: [EvaluationSubject: [EvaluationOutcome]] = [:]
  /// Where the present part can be resumed.
  private var place: ProbePlace?
  /// The step whose state is saved already.
  private var savedStep: Int?

  /// The instruction set that computes the features; another one rounds differently.
  package var instructionSet: InstructionSet { subjects.instructionSet }
  /// How each layer is computed: as suits this evaluation's batches, which are others than those that the
  /// encoder was trained with, and of a network that is fine-tuned also as in a training. An evaluation keeps
  /// what it began with.
  package var convolutions: ConvolutionRecord { subjects.convolutions }

  /// The evaluation of `checkpoint`'s encoder that a specification describes; goes on from `state` if there
  /// is one.
  ///
  /// - Parameters:
  ///   - threads: how many share the work, ≥ 1; they change nothing but the time.
  ///   - recorded: the `convolutions` that an earlier attempt of the evaluation began with.
  /// - Throws: `TrainingError` for splits that do not fit each other, too few labels, or a layer that the
  ///   network lacks, `CheckpointError` and `ConvolutionRecordError` for those of another evaluation,
  ///   `SystemError` where memory is missing.
  package init(
    _ specification: EvaluateSpecification, checkpoint: Checkpoint, train: ImageDataset, test: ImageDataset,
    threads: Int, recorded: ConvolutionRecord? = nil, resumingFrom file: TensorFile? = nil
  ) throws {
    subjects = try EvaluationSubjects(
      specification, checkpoint: checkpoint, train: train, test: test, threads: threads, recorded: recorded)
    let steps = EvaluationSteps(specification)
    stepsTotal = subjects.all.reduce(0) { $0 + steps.total(of: $1) }
    guard let file else { return }
    let state = try EvaluationState(file, of: specification)
    guard let index = subjects.all.firstIndex(of: state.subject), state.run < subjects.runs else {
      throw CheckpointError.otherSpecification
    }
    part = (index, state.run)
    outcomes = state.outcomes
    if state.place.epoch > 0 { place = state.place }
    step = resumableStep
    savedStep = step
  }

  /// Evaluates to the end, or until the observer asks to stop.
  ///
  /// - Throws: `TrainingError`: `featuresNotFinite`, `diverged`; and what the observer throws.
  package func run(_ observer: any TrainingObserver) throws -> TrainingOutcome<EvaluationResult> {
    do {
      while part.subject < subjects.all.count {
        let progress = Progress(evaluation: self, observer: observer)
        try progress.proceed()
        let probe = try probe(of: subjects.all[part.subject])
        progress.base = firstStep(of: (part.subject, 0)) - steps.prepare(of: subjects.all[part.subject])
        try probe.prepare(progress)
        repeat { try evaluatePart(by: probe, progress) } while part.run > 0
      }
      return .finished(subjects.result(outcomes))
    } catch let stop as EvaluationStop {
      return .stopped(stop.request)
    }
  }

  private func evaluatePart(by probe: any Probe, _ progress: Progress) throws {
    let subject = subjects.all[part.subject]
    progress.base = firstStep(of: part)
    let outcome = try probe.evaluate(run: part.run, from: place, progress)
    outcomes[subject, default: []].append(outcome)
    step = firstStep(of: part) + steps.run
    place = nil
    part = part.run + 1 < subjects.runs ? (part.subject, part.run + 1) : (part.subject + 1, 0)
    if part.subject < subjects.all.count { try save(progress.observer) }
  }

  private func probe(of subject: EvaluationSubject) throws -> any Probe {
    switch subjects.specification.protocol {
    case .logistic: try LogisticProbe(subjects, subject)
    case .knn: try NeighbourProbe(subjects, subject)
    case .finetune where subject != .rawPixels: try FineTuneProbe(subjects, subject)
    case .linear, .linearSeed, .linearOfficial, .finetune: try LinearProbe(subjects, subject)
    }
  }

  private var steps: EvaluationSteps { EvaluationSteps(subjects.specification) }

  /// Steps done when a part begins, those that prepare its subject included.
  private func firstStep(of part: (subject: Int, run: Int)) -> Int {
    let before = subjects.all[..<part.subject].reduce(0) { $0 + steps.total(of: $1) }
    return before + steps.prepare(of: subjects.all[part.subject]) + part.run * steps.run
  }

  /// Steps done where the evaluation can go on.
  private var resumableStep: Int {
    let prepared = part.run == 0 && place == nil ? steps.prepare(of: subjects.all[part.subject]) : 0
    return firstStep(of: part) - prepared + (place?.epoch ?? 0)
  }

  /// Saves where the evaluation can go on, unless that was done, or is the beginning.
  private func save(_ observer: any TrainingObserver) throws {
    let reached = resumableStep
    guard savedStep != reached, reached > 0 else { return }
    let state = EvaluationState(
      subject: subjects.all[part.subject], run: part.run, outcomes: outcomes,
      place: place ?? ProbePlace(epoch: 0, tensors: [:]))
    try observer.prepareToSave()
    try observer.save(
      ResumableState(
        step: reached, epoch: reached,
        file: state.file(of: subjects.specification, instructionSet: instructionSet.rawValue)))
    savedStep = reached
  }

  /// Passes on what a probe reports.
  private final class Progress: EvaluationProgress {
    private let evaluation: Evaluation
    let observer: any TrainingObserver
    /// Steps before those that the probe counts.
    var base = 0

    init(evaluation: Evaluation, observer: any TrainingObserver) {
      self.evaluation = evaluation
      self.observer = observer
    }

    func proceed() throws {
      guard let request = observer.stopRequest else { return }
      if request != .cancelNow { try evaluation.save(observer) }
      throw EvaluationStop(request: request)
    }

    func report(step: Int, epoch: Int?, _ figures: [Figure]) throws {
      guard base + step > evaluation.step else { return }
      evaluation.step = base + step
      let subject = evaluation.subjects.all[evaluation.part.subject]
      try observer.record(
        StepFigures(
          step: base + step, epoch: epoch ?? base + step - 1,
          figures: figures.map { Figure(subject.figureName($0.name), $0.value) }))
    }

    func reached(_ place: ProbePlace, isSaved: Bool) throws {
      evaluation.place = place
      if isSaved { try evaluation.save(observer) }
    }
  }
}

/// How many steps of the stream the parts of an evaluation take.
struct EvaluationSteps {
  private let specification: EvaluateSpecification

  /// Steps in which features are computed.
  static let features = 10
  /// Steps of a search for neighbours.
  static let neighbours = 10

  /// Of the evaluation that it describes.
  init(_ specification: EvaluateSpecification) { self.specification = specification }

  /// Those that prepare a subject.
  func prepare(of subject: EvaluationSubject) -> Int {
    specification.protocol.hasEpochs || subject == .rawPixels ? 0 : Self.features
  }

  /// Those of one run.
  var run: Int {
    switch specification.protocol {
    case .logistic: LogisticProbe.ridges.count + 1
    case .knn: Self.neighbours
    case .linear, .linearSeed, .linearOfficial, .finetune: specification.epochs
    }
  }

  /// All of a subject.
  func total(of subject: EvaluationSubject) -> Int { prepare(of: subject) + specification.runs * run }
}

extension EvaluateSpecification {
  /// How often a subject is evaluated: once, where no seed changes anything.
  package var runs: Int { self.protocol == .knn && labelShare == 1 ? 1 : seeds }
}
