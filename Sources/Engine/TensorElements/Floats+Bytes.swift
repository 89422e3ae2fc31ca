import Tensors

// Floats as files have them: four bytes each, the lowest first, as the processors have them in memory.
extension Floats {
  /// The elements as bytes of a file.
  package var littleEndianBytes: [UInt8] {
    Array(UnsafeRawBufferPointer(start: pointer, count: count * MemoryLayout<Float>.stride))
  }

  /// Copies elements from bytes of a file, of which there must be four for each.
  package func copy(fromLittleEndian bytes: [UInt8]) {
    precondition(bytes.count == count * MemoryLayout<Float>.stride, "copy needs four bytes for each float")
    bytes.withUnsafeBytes { buffer in
      if let start = buffer.baseAddress {
        UnsafeMutableRawPointer(pointer).copyMemory(from: start, byteCount: buffer.count)
      }
    }
  }
}
