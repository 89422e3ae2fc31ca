// sources: System/Text/*.swift System/Platform/*.swift System/Gzip/*.swift System/Archives/*.swift
// sources: System/JSON/*.swift System/JSON/Fields/*.swift System/Images/*.swift
// sources: Engine/Recipe/ImportLimits.swift Engine/Recipe/ImportSpecification.swift
// sources: Engine/Recipe/DatasetSelection.swift Engine/Datasets/Packed/PackedFormat.swift
// sources: Engine/Datasets/Readers/CIFARNames.swift Engine/Importing/Arrays/*.swift
// sources: Engine/Importing/Entries/EntryPath.swift Engine/Importing/ImportError.swift
// sources: Engine/Importing/Arrangement.swift Engine/Tensors/CounterRandom.swift
// libraries: archive png16 jpeg webp webpdemux

/// Files of numbers: the first byte says which file the rest is. It stops the run when reading traps, when
/// memory is taken that the file cannot fill, and when more images come than the header says.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzNumberArrays(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = Array(UnsafeBufferPointer(start: start, count: count))
  guard let first = input.first else { return 0 }
  do {
    try write(Array(input.dropFirst()), "input")
    try write([0, 0, 8, 1, 0, 0, 0, 2, 7, 9], "labels")
  } catch {
    preconditionFailure("The scratch folder cannot be used: \(error)")
  }
  let names = [
    "x.npy", "images-idx3-ubyte", "labels-idx1-int", "data_batch_1.bin", "train.bin", "train_X.bin",
    "unlabeled_X.bin", "train_y.bin",
  ]
  var files = [file(names[Int(first) % names.count], "input")]
  if first >= 128 { files.append(file("other-labels-idx1-ubyte", "labels")) }
  // Anything may be refused.
  try? readAll(files)
  return 0
}

private let folder: String = {
  let path = "/dev/shm/vicregd-fuzz-arrays-\(ProcessID.own)"
  do {
    try FileSystem.makeDirectories(path)
  } catch {
    preconditionFailure("\(error)")
  }
  return path
}()

private func write(_ bytes: [UInt8], _ name: String) throws {
  let file = try File("\(folder)/\(name)", .readWrite)
  try file.truncate(to: 0)
  try file.write(bytes, at: 0)
}

private func file(_ name: String, _ location: String) -> ArrayFile {
  guard let known = ArrayName(ByteString(name)) else { preconditionFailure("\(name) is not known.") }
  return ArrayFile(path: EntryPath(text: ByteString(name)), name: known, location: "\(folder)/\(location)")
}

private func readAll(_ files: [ArrayFile]) throws {
  let collection = try ArrayCollection(files, below: nil)
  for part in collection.parts {
    precondition(part.labels.map { $0.count == part.images.count } ?? true, "The labels have another number.")
    guard part.images.height * part.images.width <= 1 << 22 else { continue }
    var images = 0
    while images < 100, let (_, image) = try part.images.take() {
      precondition(image.width == part.images.width && image.height == part.images.height)
      images += 1
    }
    precondition(images <= part.images.count, "There are more images than the header says.")
  }
}
