import Platform
import TensorElements
import Tensors

/// The batches of a training one after another; the views of the next one are made while a step runs.
///
/// A thread of its own makes them, at low priority, in the second of two buffers: on a machine with a core to
/// spare they cost the step nothing, on a busy one they fill its gaps. What is missing when a step asks for
/// its batch is made by the whole team, so one such thread is enough for any number of cores. Who makes a
/// view changes nothing in it. Between two epochs aside, nothing is allocated.
package final class BatchStream {
  /// The views that one step takes.
  package struct Batch {
    /// The zero-based epoch.
    package let epoch: Int
    /// Positions in the dataset of the n images.
    package let images: ArraySlice<Int>
    /// Number of images, n.
    package var count: Int { images.count }
    /// Begins with what `BatchLoader.load` writes for the n images: `[views][n][3][side][side]` of the global
    /// views, then the same of the local ones; valid until the next call of `next`.
    package let views: Floats
  }

  /// Nanoseconds that calls of `next` have waited for views and helped to make them.
  package private(set) var waitedNanoseconds: UInt64 = 0

  private let loader: BatchLoader
  private let order: (Int) -> EpochOrder
  private let stepsPerEpoch: Int
  private let stepsTotal: Int
  private let ahead: Ahead
  private let thread: Thread
  /// Used in turns.
  private let buffers: [Floats]
  /// The step whose views are being made, or `stepsTotal`.
  private var step: Int
  private var epoch: (index: Int, order: EpochOrder)

  /// How far the thread's niceness lies above that of the team's threads: it gets about a tenth of a core
  /// that it has to share with one of them, several times of what it needs.
  private static let niceness: Int32 = 10

  /// Begins at once with the views of step `steps.lowerBound`.
  ///
  /// - Parameters:
  ///   - steps: those that will be asked for, counted over all epochs from 0.
  ///   - order: the batches of an epoch, at most `batchSize` images each and the same number in every epoch.
  /// - Throws: `SystemError` if there is no memory or no thread.
  package init(
    loader: BatchLoader, batchSize: Int, steps: Range<Int>, order: @escaping (_ epoch: Int) -> EpochOrder
  ) throws {
    let floats = loader.viewFloats(batchSize)
    let arena = try Arena(reservedBytes: 2 * (floats * MemoryLayout<Float>.stride + 64))
    buffers = [try arena.allocate(floats), try arena.allocate(floats)]
    let first = order(0)
    precondition(first.batches > 0, "an epoch has a batch")
    self.loader = loader
    self.order = order
    stepsPerEpoch = first.batches
    stepsTotal = steps.upperBound
    step = steps.lowerBound
    epoch = (0, first)
    let ahead = Ahead(loader: loader)
    self.ahead = ahead
    thread = try Thread(name: "views") {
      lowerPriority(by: BatchStream.niceness)
      ahead.serve()
    }
    beginStep()
  }

  deinit {
    ahead.dismiss()
    thread.join()
  }

  /// Memory of the size of a batch's views, free until the next call of `next`: that of the last batch, whose
  /// views are lost when it is written to.
  package var spare: Floats { buffers[(step + 1) % 2] }

  /// The batch of the next step, one of the `steps` given.
  package func next() -> Batch {
    precondition(step < stepsTotal, "there are no more steps")
    let start = SystemClock.monotonicNanoseconds
    let rest = ahead.takeRest()
    if let work = rest.work, !rest.tasks.isEmpty {
      loader.team.run(tasks: rest.tasks.count) { task, member in
        loader.run(
          rest.tasks.lowerBound + task, of: work.indices, epoch: work.epoch, into: work.output, worker: member
        )
      }
    }
    ahead.waitUntilIdle()
    let batch = Batch(
      epoch: epoch.index, images: epoch.order.batch(step % stepsPerEpoch), views: buffers[step % 2])
    waitedNanoseconds += SystemClock.monotonicNanoseconds - start
    step += 1
    beginStep()
    return batch
  }

  /// Lets the views of `step` be made.
  private func beginStep() {
    guard step < stepsTotal else { return }
    let index = step / stepsPerEpoch
    if index != epoch.index { epoch = (index, order(index)) }
    let indices = epoch.order.batch(step % stepsPerEpoch)
    ahead.begin(
      Ahead.Work(indices: indices, epoch: index, output: buffers[step % 2]),
      tasks: loader.taskCount(indices.count))
  }
}

/// What the thread beside the team has to do, and how far it is.
private final class Ahead: @unchecked Sendable {  // everything that changes is guarded by `monitor`
  /// The views of a batch.
  struct Work {
    let indices: ArraySlice<Int>
    let epoch: Int
    let output: Floats
  }

  private let loader: BatchLoader
  private let monitor = Monitor()
  private var work: Work?
  /// Tasks of `work` that nobody has taken.
  private var tasks = 0..<0
  /// The thread makes a task.
  private var isBusy = false
  private var isDismissed = false

  init(loader: BatchLoader) { self.loader = loader }

  /// Hands out the tasks of `work`; those before must be done.
  func begin(_ work: Work, tasks count: Int) {
    monitor.signal {
      self.work = work
      tasks = 0..<count
    }
  }

  /// Takes all tasks that are left.
  func takeRest() -> (work: Work?, tasks: Range<Int>) {
    monitor.alone {
      defer { tasks = tasks.upperBound..<tasks.upperBound }
      return (work, tasks)
    }
  }

  /// Waits for the task that the thread has in hand.
  func waitUntilIdle() { monitor.wait { !isBusy } }

  /// Lets the thread end after the task that it has in hand.
  func dismiss() { monitor.signal { isDismissed = true } }

  /// Makes views as they come, until dismissed: the thread's life.
  func serve() {
    while let (work, task) = take() {
      loader.run(task, of: work.indices, epoch: work.epoch, into: work.output, worker: loader.team.threads)
      monitor.signal { isBusy = false }
    }
  }

  private func take() -> (Work, task: Int)? {
    monitor.wait(until: { isDismissed || !tasks.isEmpty }) {
      guard !isDismissed, let work, let task = tasks.first else { return nil }
      tasks.removeFirst()
      isBusy = true
      return (work, task)
    }
  }
}
