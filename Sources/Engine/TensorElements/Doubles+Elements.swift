import Tensors

extension Doubles {
  /// The element at `index`, `0 ≤ index < count`.
  package subscript(index: Int) -> Double {
    get {
      precondition(index >= 0 && index < count, "index out of range")
      return pointer[index]
    }
    nonmutating set {
      precondition(index >= 0 && index < count, "index out of range")
      pointer[index] = newValue
    }
  }

  /// The sum of the elements in `range`, in their order.
  package func sum(_ range: Range<Int>) -> Double {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "range out of bounds")
    let start = pointer
    return range.reduce(0) { $0 + start[$1] }
  }
}
