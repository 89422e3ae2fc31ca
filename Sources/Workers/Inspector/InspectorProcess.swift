import Datasets
import Platform

/// Looks at a dataset in this process, within bounds that the kernel enforces, and prints what it has found:
/// the body of `vicregd describe-dataset`.
///
/// - Parameter arguments: as `DatasetInspector` gives them: bytes of memory, seconds of processor time,
///   `layout` or `contents` and the name, or a `PictureOrder`.
/// - Returns: the exit code: 0 when something was printed, a problem with the dataset included; 2 for wrong
///   arguments.
package func runInspector(_ arguments: [String], catalog: DatasetCatalog) throws -> Int32 {
  guard arguments.count >= 4, let bytes = Int(arguments[0]), let seconds = Int(arguments[1]) else { return 2 }
  let order = PictureOrder(arguments[2...])
  guard order != nil || arguments.count == 4 && ["layout", "contents"].contains(arguments[2]) else {
    return 2
  }
  Niceness.standBack(as: Environment.all)
  try ProcessLimits.set(addressSpaceBytes: bytes, cpuSeconds: seconds)
  if let order {
    StandardStream.output.write(try order.draw(from: catalog))
    return 0
  }
  let finding: DatasetFinding
  do {
    let description = try catalog.describe(arguments[3], withContents: arguments[2] == "contents")
    finding = .success(DatasetReport(description))
  } catch {
    finding = .failure(DatasetProblem(error))
  }
  StandardStream.output.write(json(of: finding).text + "\n")
  return 0
}
