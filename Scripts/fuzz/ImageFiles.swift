// sources: System/Text/*.swift System/Platform/*.swift System/Gzip/*.swift
// sources: Engine/Datasets/Readers/DatasetSource.swift Engine/Datasets/Readers/DataFile.swift
// sources: Engine/Datasets/Readers/IDXFolder.swift Engine/Datasets/Readers/CIFARFolder.swift
// sources: Engine/Datasets/DatasetError.swift Engine/Datasets/ImageDataset.swift
// sources: Engine/Datasets/ImageStore.swift Engine/Datasets/SplitDigest.swift
// sources: Engine/Datasets/Readers/CIFARNames.swift
// sources: Engine/Recipe/DatasetSelection.swift System/JSON/*.swift System/JSON/Fields/*.swift
// sources: System/Crypto/SHA256.swift System/Crypto/CryptoError.swift

/// IDX files, CIFAR's records and gzip around them: the first byte says which file the rest is. It stops the
/// run when reading traps, when memory is taken that no file can fill, or when more images or labels come
/// than the header says.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzImageFiles(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = Array(UnsafeBufferPointer(start: start, count: count))
  guard let first = input.first else { return 0 }
  let bytes = Array(input.dropFirst())
  do {
    switch first % 4 {
    case 0: try checkIDX(bytes, "train-images-idx3-ubyte")
    case 1: try checkIDX(bytes, "train-labels-idx1-ubyte")
    case 2: try checkCIFAR(bytes)
    default: try checkGzip(bytes)
    }
  } catch {
    preconditionFailure("The scratch folder cannot be used: \(error)")
  }
  return 0
}

/// What one input may unpack to.
private let contentBytesMax = 65_536 * Gzip.expansionMax

private let folder: String = {
  let path = "/dev/shm/vicregd-fuzz-\(ProcessID.own)"
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
  try file.write(bytes)
}

/// Four good files with two images of 3 × 3, of which one is replaced.
private func checkIDX(_ bytes: [UInt8], _ name: String) throws {
  for split in ["train", "t10k"] {
    try write(
      [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 3] + [UInt8](1...18), "\(split)-images-idx3-ubyte")
    try write([0, 0, 8, 1, 0, 0, 0, 2, 0, 1], "\(split)-labels-idx1-ubyte")
  }
  try write(bytes, name)
  let source = IDXFolder(folder: folder, classes: nil, knownStatistics: nil, hint: "")
  guard let layout = try? source.layout() else { return }
  read(source, layout, .train)
  read(source, layout, .test)
}

private func checkCIFAR(_ bytes: [UInt8]) throws {
  for variant in [CIFARFolder.Variant.hundredFine, .hundredCoarse] {
    for name in ["train.bin", "test.bin"] { try write(bytes, name) }
    let source = CIFARFolder(folder: folder, variant: variant)
    guard let layout = try? source.layout() else { return }
    read(source, layout, .train)
  }
}

private func read(_ source: some DatasetSource, _ layout: DatasetLayout, _ split: DatasetSelection.Split) {
  // What an input of so few bytes cannot fill is not read on.
  guard let count = layout.counts[split], count <= 100_000 else { return }
  var images = 0
  // A file may turn out to be wrong after its header.
  try? source.read(split, limit: 200, pieceMax: 7) { piece in
    precondition(piece.pixels.count == piece.labels.count * layout.planes * layout.side * layout.side)
    precondition(piece.labels.allSatisfy { layout.classes.indices.contains($0) }, "A label has no class.")
    images += piece.labels.count
  }
  precondition(images <= min(count, 200), "There are more images than the header says.")
}

private func checkGzip(_ bytes: [UInt8]) throws {
  try write(bytes, "content.gz")
  let path = "\(folder)/content.gz"
  for size in [1, 4_096, 1 << 20] {
    guard let reader = try? GzipFileReader(path: path, allowsPlain: size == 4_096) else { continue }
    var total = 0
    let limit = size == 1 ? 10_000 : 8 << 20
    while total < limit, let piece = try? reader.read(upTo: size), !piece.isEmpty {
      precondition(piece.count <= size, "More comes than was asked for.")
      total += piece.count
    }
    precondition(total == reader.bytesOut || total < limit, "The count is wrong.")
    precondition(reader.bytesOut <= reader.bytesTotalMax, "More comes out than a file of that size can hold.")
    precondition(reader.fileOffset <= bytes.count, "More was read than the file has.")
  }
}
