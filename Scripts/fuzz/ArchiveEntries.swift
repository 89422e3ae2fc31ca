// sources: System/Text/*.swift System/Platform/*.swift System/Gzip/*.swift System/Archives/*.swift
// sources: System/JSON/*.swift System/JSON/Fields/*.swift Engine/Recipe/ImportLimits.swift
// sources: Engine/Importing/Entries/*.swift Engine/Importing/ImportError.swift
// sources: Engine/Datasets/Packed/PackedFormat.swift Engine/Recipe/DatasetSelection.swift
// libraries: archive

/// Archives of every kind. It stops the run when reading traps, when a path comes through that leads
/// elsewhere, or when more comes out than the limits allow.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzArchiveEntries(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = Array(UnsafeBufferPointer(start: start, count: count))
  do {
    let file = try File(path, .readWrite)
    try file.truncate(to: 0)
    try file.write(input, at: 0)
  } catch {
    preconditionFailure("The scratch file cannot be used: \(error)")
  }
  // Anything may be refused.
  try? readAll()
  return 0
}

private let path = "/dev/shm/vicregd-fuzz-archive-\(ProcessID.own)"
private let limits = ImportLimits(bytes: 8 << 20, entries: 1_000, nesting: 8)
private let entryBytesMax = 1 << 20

private func readAll() throws {
  let source = try ArchiveSource(path: path, roots: nil, limits: limits)
  var entries = 0
  var total = 0
  while let entry = try source.next(), entries < limits.entries {
    entries += 1
    guard case .file(let path) = entry else { continue }
    check(path)
    var bytes = 0
    do {
      while bytes < entryBytesMax, case let piece = try source.read(countMax: 10_000), !piece.isEmpty {
        precondition(piece.count <= 10_000, "More comes than was asked for.")
        bytes += piece.count
      }
    } catch is BadEntry {
      continue
    }
    total += bytes
    precondition(total <= limits.bytes, "More comes than is allowed.")
  }
}

private func check(_ path: EntryPath) {
  let names = path.names
  precondition(!names.isEmpty && names.count <= limits.nesting)
  precondition(
    !names.contains("..") && !names.contains(".") && !names.contains(""), "A path leads elsewhere.")
  precondition(path.text.bytes.first != 0x2F && path.text.isPlain(), "A path is not plain.")
  precondition(
    NaturalOrder.isBefore("a", path.text) != NaturalOrder.isBefore(path.text, "a") || path.text == "a")
}
