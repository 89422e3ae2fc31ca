import Datasets
import JSONText
import Platform
import Recipe
import RunFolder
import Text
import Training

/// Makes the file of a dataset's features in this process and prints what came of it, as one JSON value: the
/// body of `vicregd embed-dataset`.
///
/// - Parameters:
///   - arguments: threads, the order, and the path of the file.
///   - catalog: the datasets that have no folder of their own.
/// - Returns: the exit code: 0 when something was printed, a problem included; 2 for wrong arguments.
package func runBankBuilder(_ arguments: [String], catalog: DatasetCatalog) throws -> Int32 {
  guard arguments.count == 3, let threads = Int(arguments[0]), (1...1024).contains(threads),
    let order = try BankOrder(json: JSON.parse(Array(arguments[1].utf8)))
  else { return 2 }
  Niceness.standBack(as: Environment.all)
  let answer: JSON
  do {
    try make(order, threads: threads, catalog: catalog, at: arguments[2])
    answer = ["path": .string(arguments[2])]
  } catch {
    answer = OrderProblem(behind: error).json
  }
  StandardStream.output.write(answer.text + "\n")
  return 0
}

/// Makes the file, durable when this returns.
private func make(_ order: BankOrder, threads: Int, catalog: DatasetCatalog, at path: String) throws {
  let name = order.dataset.string
  let datasets =
    order.datasetFolder.map {
      catalog.registering(name, as: "\(DatasetCatalog.packedFormat):\($0)")
    } ?? catalog
  let dataset = try datasets.open(name, split: order.split)
  guard let found = DatasetFingerprint([dataset])?.digest, found == order.datasetDigest else {
    throw OrderProblem(.dataset, "the dataset \"\(order.dataset.shown)\" has changed; ask again")
  }
  let checkpoint = try Checkpoint(path: order.encoder.checkpointPath) { !$0.hasPrefix("optimizer.") }
  let layer = try order.encoder.layer.encoderLayer(of: checkpoint.specification)
  let extractor = try FeatureExtractor(
    of: checkpoint.specification, layer, storedSide: dataset.side, threads: threads)
  try extractor.load(checkpoint)
  let file = try AtomicFile(path)
  try FeatureBank.write(dataset, by: extractor) { try file.write($0) }
  try file.commit()
}
