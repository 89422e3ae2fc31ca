// sources: System/Text/*.swift System/Platform/*.swift System/Gzip/*.swift System/JSON/*.swift
// sources: System/JSON/Fields/*.swift Engine/Recipe/*.swift Engine/Recipe/*/*.swift
// sources: Engine/Tensors/*.swift Engine/TensorElements/*.swift Engine/Kernels/ConvolutionShape.swift
// sources: Engine/Kernels/PoolWindow.swift Engine/NeuralNet/Encoders/NetworkDescription*.swift
// sources: Engine/NeuralNet/Models/EncoderSpecification+Network.swift Engine/Training/Models/*.swift
// sources: Engine/Training/Checkpoints/Checkpoint.swift Engine/Training/Checkpoints/CheckpointError.swift
// sources: Engine/Training/Checkpoints/CheckpointFormat.swift Engine/Training/Checkpoints/Safetensors*.swift
// sources: Engine/Training/Checkpoints/Tensor*.swift
// memory: 1024

/// Models as they are uploaded: a byte with what is said of the model, the text of a safetensors header, a
/// byte 0, and the first bytes of its data. With an even first byte the file has all bytes that the header
/// says, the rest of them 0.
///
/// It stops the run when reading traps or fails otherwise than by saying what is wrong, when what it says
/// points to nothing, and when a model that was found cannot be read or is not the one that was found.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzModelFile(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = Array(UnsafeBufferPointer(start: start, count: count))
  guard let first = input.first else { return 0 }
  let end = input.dropFirst().firstIndex(of: 0) ?? input.endIndex
  let text = Array(input[1..<end])
  do {
    guard try write(text, data: Array(input[min(end + 1, input.count)...]), isWhole: first & 1 == 0) else {
      return 0
    }
  } catch {
    preconditionFailure("The scratch file cannot be used: \(error)")
  }
  check(claims(first >> 1))
  return 0
}

private let path = "/dev/shm/vicregd-fuzz-model-\(ProcessID.own)"
/// Bytes of the largest file that is made.
private let bytesMax = 4 << 20

/// Makes the file; false: it would be too large.
private func write(_ text: [UInt8], data: [UInt8], isWhole: Bool) throws -> Bool {
  var size = 8 + text.count + data.count
  if isWhole, let header = try? SafetensorsHeader(text, types: SafetensorsHeader.ElementType.allCases) {
    size = 8 + text.count + (header.entries.last?.end ?? 0)
  }
  guard size <= bytesMax else { return false }
  let length = (0..<8).map { UInt8(truncatingIfNeeded: UInt64(text.count) >> UInt64(8 * $0)) }
  let file = try File(path, .readWrite)
  try file.truncate(to: 0)
  try file.write(Array((length + text + data).prefix(size)), at: 0)
  try file.truncate(to: size)
  return true
}

private func claims(_ bits: UInt8) -> ModelClaims {
  ModelClaims(
    architecture: bits & 1 == 0 ? nil : .resnet50, stem: bits & 2 == 0 ? nil : .cifar,
    width: bits & 4 == 0 ? nil : 16, stemPadding: bits & 8 == 0 ? nil : 2,
    imageSize: bits & 16 == 0 ? nil : 32)
}

private func check(_ claims: ModelClaims) {
  do {
    let finding = try ModelFile.check(path, claims)
    let model = finding.description
    precondition(
      claims.imageSize == nil || model.imageSize == claims.imageSize, "The side is not the one that is said.")
    precondition(
      EncoderSpecification.stemPaddingRange.contains(model.encoder.stemPadding), "The padding is impossible.")
    let checkpoint = try Checkpoint(model: path, model)
    let network = try NetworkDescription(model.encoder, imageSide: 32)
    precondition(
      Set(checkpoint.tensors.keys) == Set(network.state.map(\.name)), "The tensors are not the network's.")
    precondition(checkpoint.notFinite.isEmpty, "A value is not finite.")
    precondition(ModelDescription(json: model.json) == model, "A description changes on its way.")
  } catch let error as SpecificationProblems {
    let known = ["/body", "/arch", "/stem", "/width", "/stem_padding"]
    precondition(
      error.problems.allSatisfy { problem in
        known.contains { problem.pointer == $0 } || problem.pointer.hasPrefix("/body/")
      }, "A pointer points to nothing.")
  } catch {
    preconditionFailure("It fails by another error: \(error)")
  }
}
