import JSONText
import Platform
import RunFolder
import Text
import Training

/// Makes one file in this process and prints what came of it, as one JSON value: the body of
/// `vicregd export-checkpoint`.
///
/// - Parameter arguments: seconds of processor time, the order, and the path of the file.
/// - Returns: the exit code: 0 when something was printed, a problem with the checkpoint included; 2 for
///   wrong arguments.
package func runExporter(_ arguments: [String]) throws -> Int32 {
  guard arguments.count == 3, let seconds = Int(arguments[0]),
    let order = try ExportOrder(json: JSON.parse(Array(arguments[1].utf8)))
  else { return 2 }
  Niceness.standBack(as: Environment.all)
  try ProcessLimits.set(addressSpaceBytes: nil, cpuSeconds: seconds, writesFiles: true)
  let answer: JSON
  do {
    answer = ["bytes": .integer(try make(order, at: arguments[2]))]
  } catch {
    answer = OrderProblem(behind: error).json
  }
  StandardStream.output.write(answer.text + "\n")
  return 0
}

/// Makes the file, durable when this returns; returns its size.
private func make(_ order: ExportOrder, at path: String) throws -> Int {
  let model = try ExportedModel(
    checkpoint: order.checkpointPath, part: order.part,
    dataset: ExportedModel.Dataset(mean: order.mean, std: order.std, imageSide: order.imageSide),
    metadata: order.metadata)
  let file = try AtomicFile(path)
  var bytes = 0
  try model.write(order.format) { piece in
    try file.write(piece)
    bytes += piece.count
  }
  try file.commit()
  return bytes
}

extension OrderProblem {
  /// The kind of an error that ended the work.
  fileprivate init(behind error: any Error) {
    switch error {
    case let error as ExportError: self.init(.impossible, "\(error)")
    case let error as SystemError: self.init(behind: error)
    case let error as CheckpointError: self.init(.unreadable, "\(error)")
    default: self.init(.failed, "\(error)")
    }
  }
}
