import CAllocations
import Datasets
import Parallel
import Recipe
import Synchronization
import Training

/// Counts the allocations of training steps, and of things that are known to allocate.
///
/// Prints a line each: `deliberate NAME COUNT`, then `training NAME COUNT…` with one count a step. A test
/// reads them.
@main
enum AllocationProbe {
  static func main() throws {
    for (name, count) in try deliberate() { print("deliberate", name, count) }
    for (name, specification) in trainings {
      let counts = try count(specification).map(String.init).joined(separator: " ")
      print("training", name, counts)
    }
  }

  /// What the counter sees of allocations that there are for sure.
  private static func deliberate() throws -> [(String, Int)] {
    let team = try ThreadTeam(threads: 3)
    let size = 1000 + CommandLine.arguments.count
    return [
      ("array", seen { use([UInt8](repeating: 1, count: size)) }),
      ("growth", seen { use((0..<size).reduce(into: []) { if $1 % 2 == 0 { $0.append(UInt8($1 & 255)) } }) }),
      (
        "aligned",
        seen { UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 4096).deallocate() }
      ),
      (
        "threads",
        seen { team.run(tasks: 64) { task in use([UInt8](repeating: 1, count: size + task)) } }
      ),
    ]
  }

  private static func seen(_ body: () -> Void) -> Int {
    let before = callocations_count()
    body()
    return callocations_count() - before
  }

  /// Keeps the compiler from leaving an array out.
  private static func use(_ bytes: [UInt8]) { sink.add(Int(bytes[bytes.count / 2]), ordering: .relaxed) }
  private static let sink = Atomic<Int>(0)

  /// Trainings that together take every way through a step.
  private static var trainings: [(String, TrainSpecification)] {
    let layers: [(String, ConvolutionChoice)] = [("auto", .automatic), ("direct", .direct)]
    let variants: [(String, Preset, (inout TrainSpecification) -> Void)] = [
      ("small", .small, { _ in }), ("seed", .seed, { _ in }), ("paper", .paper, { _ in }),
      ("solo-cifar", .soloCIFAR, { _ in }),
      (
        "resnet50-imagenet", .paper,
        {
          $0.encoder.architecture = .resnet50
          $0.encoder.stem = .imagenet
          $0.imageSize = 35
        }
      ),
      ("resnet50-cifar", .small, { $0.encoder.architecture = .resnet50 }),
      ("barlow-twins", .barlowCIFAR, { $0.views = 3 }), ("simclr", .simclrCIFAR, { _ in }),
      ("local-vicreg", .small, { $0.localViews = LocalViews(count: 3, size: 10) }),
      (
        "local-barlow-twins", .barlowCIFAR,
        {
          $0.views = 3
          $0.localViews = LocalViews(count: 2, size: 8)
        }
      ), ("local-sigreg", .sigregCIFAR, { $0.localViews = LocalViews(count: 8, size: 9) }),
      ("byol", .byolCIFAR, { _ in }), ("simsiam", .simsiamCIFAR, { _ in }),
      ("sigreg", .sigregCIFAR, { _ in }), ("supervised", .supervised, { _ in }),
      ("online", .small, { $0.online = OnlineSpecification() }),
    ]
    return variants.flatMap { variant, preset, change in
      layers.map { name, convolution in
        var specification = TrainSpecification.preset(preset)
        change(&specification)
        specification.encoder.width = 16
        specification.projector.widths = specification.projector.widths.map { _ in 32 }
        specification.predictor?.widths = [32, 32]
        specification.convolution = convolution
        specification.dataset.name = "synthetic:classes=4,side=16,count=400,seed=3"
        specification.batchSize = 24
        specification.logEverySteps = 1000
        return ("\(variant)-\(name)", specification)
      }
    }
  }

  /// Allocations in each of some steps in the middle of an epoch, none of them reported.
  private static func count(_ specification: TrainSpecification) throws -> [Int] {
    let dataset = try DatasetCatalog().open(specification.dataset.name.string, split: .train)
    let training = try Pretraining(specification, dataset: dataset, threads: 2)
    let counter = StepCounter(steps: 9)
    _ = try training.run(counter)
    // The first step is reported; the second one finds what is made once.
    return zip(counter.counts.dropFirst(3), counter.counts.dropFirst(2)).map { $0 - $1 }
  }
}

/// Notes the count between steps, and stops after some.
private final class StepCounter: TrainingObserver {
  private(set) var counts: [Int] = []
  private let steps: Int

  init(steps: Int) {
    self.steps = steps
    counts.reserveCapacity(steps + 1)
  }

  func record(_ figures: StepFigures) {}
  func save(_ state: ResumableState) {}

  var stopRequest: StopRequest? {
    counts.append(callocations_count())
    return counts.count > steps ? .cancelNow : nil
  }
}
