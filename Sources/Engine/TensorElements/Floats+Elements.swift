import Tensors

// Access to single elements. A layer has none: it calls operations of `Compute`.
extension Floats {
  /// The element at `index`, `0 ≤ index < count`.
  @inlinable
  package subscript(index: Int) -> Float {
    get {
      precondition(index >= 0 && index < count, "index out of range")
      return pointer[index]
    }
    nonmutating set {
      precondition(index >= 0 && index < count, "index out of range")
      pointer[index] = newValue
    }
  }

  /// Sets every element to `value`.
  package func fill(_ value: Float) {
    if isCounted { return }
    pointer.update(repeating: value, count: count)
  }

  /// Copies all of `source`, of the same count, into this run.
  package func copy(from source: Floats) {
    precondition(source.count == count, "copy needs equal counts")
    pointer.update(from: source.pointer, count: count)
  }

  /// Copies all of `values`, of the same count, into this run.
  package func copy(from values: [Float]) {
    precondition(values.count == count, "copy needs equal counts")
    values.withUnsafeBufferPointer { buffer in
      if let start = buffer.baseAddress { pointer.update(from: start, count: count) }
    }
  }

  /// The elements as an array.
  package var array: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}
