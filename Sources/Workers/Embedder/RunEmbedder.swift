import JSONText
import Platform
import RunFolder

/// Keeps an encoder and describes images by it until its standard input is closed: the body of
/// `vicregd embed-images`.
///
/// Whatever the images are, this process alone decodes them; it writes no file, and its memory and processor
/// time are limited.
///
/// - Parameter arguments: bytes of memory, seconds of one answer, threads, and the encoder's order.
/// - Returns: the exit code: 0 at the end, 2 for wrong arguments.
package func runEmbedder(_ arguments: [String]) throws -> Int32 {
  guard arguments.count == 4, let memoryBytes = Int(arguments[0]), let seconds = Int(arguments[1]),
    let threads = Int(arguments[2]), (1...1024).contains(threads),
    let order = try EncoderOrder(json: JSON.parse(Array(arguments[3].utf8)))
  else { return 2 }
  ignoreBrokenPipes()
  Niceness.standBack(as: Environment.all)
  let cpuSeconds = seconds * threads
  try ProcessLimits.set(addressSpaceBytes: nil, dataBytes: memoryBytes, cpuSeconds: cpuSeconds)
  let channel = ByteChannel.standard
  func send(_ message: EmbedderMessage) throws {
    try message.send(
      on: channel, until: SystemClock.monotonicNanoseconds + UInt64(seconds) * 1_000_000_000)
  }
  let encoder: WarmEncoder
  do {
    encoder = try WarmEncoder(order, memoryBytes: memoryBytes, threads: threads)
  } catch {
    try send(EmbedderMessage(OrderProblem(behind: error)))
    return 0
  }
  try send(EmbedderMessage(json: ["dimension": .integer(encoder.featureCount)]))
  while let message = try EmbedderMessage.receive(from: channel) {
    guard let images = EmbedOrder(json: message.json, encoder: order) else { return 2 }
    try ProcessLimits.allow(furtherCPUSeconds: cpuSeconds)
    do {
      try send(EmbedderMessage(try encoder.answer(images)))
    } catch let error as SystemError where error.operation == "write to" || error.isTimeout {
      // The daemon is gone, or does not listen any more.
      return 0
    } catch {
      try send(EmbedderMessage(OrderProblem(behind: error)))
    }
  }
  return 0
}
