// sources: System/Text/*.swift System/JSON/*.swift Engine/Training/Checkpoints/Safetensors*.swift
// sources: Engine/Training/Checkpoints/TensorFile.swift Engine/Training/Checkpoints/TensorSource.swift
// sources: Engine/Tensors/*.swift Engine/TensorElements/*.swift System/Platform/*.swift

/// Tensor files as they come out of gzip. It stops the run when reading traps, when memory is taken that the
/// input does not have, or when a file that was read does not give itself again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzCheckpointHeader(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = Array(UnsafeBufferPointer(start: start, count: count))
  guard let file = read(input) else { return 0 }
  let bytes = file.tensors.values.reduce(0) { $0 + $1.byteCount }
  precondition(bytes <= input.count, "There is more data than input.")
  var written: [UInt8] = []
  SafetensorsWriter.write(file) { written += $0 }
  guard let again = read(written) else { preconditionFailure("What was written is not read.") }
  precondition(again.metadata == file.metadata, "Metadata changes on its way.")
  precondition(Set(again.tensors.keys) == Set(file.tensors.keys), "Names change on their way.")
  return 0
}

private func read(_ input: [UInt8]) -> TensorFile? {
  var rest = input[...]
  return try? SafetensorsReader.read { count in
    precondition(count > 0, "Nothing is asked for.")
    let part = rest.prefix(min(count, 4_096))
    rest = rest.dropFirst(part.count)
    return Array(part)
  }
}
