import JSONText
import Platform
import RunFolder
import Synchronization

/// A process that keeps an encoder ready, as the daemon talks with it.
final class EmbedderProcess: Sendable {
  /// What it keeps.
  let order: EncoderOrder
  private let process: ConversationProcess
  private let hasEnded = Atomic<Bool>(false)

  private static let name = "the process that embeds images"

  /// Starts a process and waits until it has read the encoder.
  ///
  /// - Parameter deadline: in monotonic nanoseconds.
  /// - Throws: `OrderProblem`; no process is left then.
  init(
    _ order: EncoderOrder, _ configuration: ImageEmbedder.Configuration, until deadline: UInt64
  ) throws(OrderProblem) {
    self.order = order
    do {
      process = try ConversationProcess(
        of: configuration.program,
        configuration.arguments + [
          "\(configuration.memoryBytes)", "\(configuration.seconds)", "\(configuration.threads)",
          order.json.text,
        ], environment: configuration.environment)
    } catch {
      throw OrderProblem(.failed, "\(Self.name) cannot be started: \(error.cause)")
    }
    do throws(OrderProblem) {
      let ready = try answer(until: deadline)
      if let problem = ready.problem { throw problem }
    } catch {
      end()
      throw error
    }
  }

  /// Whether it waits for the next images.
  var isReady: Bool { !isGone && !process.channel.hasNews }
  /// Whether it has been ended.
  var isGone: Bool { hasEnded.load(ordering: .acquiring) }

  /// What it says of images.
  ///
  /// - Throws: `OrderProblem`; where the process gave no answer, it is gone then.
  func ask(_ images: EmbedOrder, until deadline: UInt64) throws(OrderProblem) -> ImageEmbeddings {
    do {
      try EmbedderMessage(json: images.json).send(on: process.channel, until: deadline)
    } catch {
      throw ended(error)
    }
    let message = try answer(until: deadline)
    guard let finding = message.finding(images: images.parts.count, isSearch: images.search != nil) else {
      throw ended(nil)
    }
    return try finding.get()
  }

  private func answer(until deadline: UInt64) throws(OrderProblem) -> EmbedderMessage {
    do throws(SystemError) {
      if let message = try EmbedderMessage.receive(from: process.channel, until: deadline) { return message }
    } catch {
      throw ended(error)
    }
    throw ended(nil)
  }

  /// Ends a process that does not answer, and says why it does not.
  private func ended(_ error: SystemError?) -> OrderProblem {
    let ending = end()
    if let error, error.isTimeout { return OrderProblem(.overTime, "\(Self.name) took too long") }
    return OrderProblem(.failed, "\(Self.name) \(ending ?? "ended without an answer")")
  }

  /// Ends the process, unless that was done; how it ended.
  @discardableResult
  func end() -> String? {
    if hasEnded.exchange(true, ordering: .acquiringAndReleasing) { return nil }
    return process.end().map { "\($0)" }
  }
}
