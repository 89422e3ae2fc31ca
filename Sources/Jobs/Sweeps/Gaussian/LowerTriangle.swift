/// A lower triangular matrix, row by row: row i has i + 1 numbers.
///
/// Rows lie one after the other, so that products of two rows run along memory.
struct LowerTriangle: Sendable {
  let size: Int
  private(set) var elements: [Double]

  /// A matrix of zeros.
  init(size: Int) {
    self.size = size
    elements = Array(repeating: 0, count: size * (size + 1) / 2)
  }

  /// Where row `row` begins in `elements`.
  static func start(_ row: Int) -> Int { row * (row + 1) / 2 }

  /// An element of the lower half; `column` ≤ `row`.
  subscript(row: Int, column: Int) -> Double {
    get { elements[Self.start(row) + column] }
    set { elements[Self.start(row) + column] = newValue }
  }

  /// L of the Cholesky decomposition A = L · Lᵀ, where this is the lower half of A; nil: A is not positive
  /// definite.
  func cholesky() -> LowerTriangle? {
    var result = self
    for i in 0..<size {
      let rowI = Self.start(i)
      for j in 0...i {
        let rowJ = Self.start(j)
        let rest = result.elements[rowI + j] - Self.product(result.elements, rowI, rowJ, count: j)
        if i == j {
          guard rest > 0 else { return nil }
          result.elements[rowI + i] = rest.squareRoot()
        } else {
          result.elements[rowI + j] = rest / result.elements[rowJ + j]
        }
      }
    }
    return result
  }

  /// The inverse, for a matrix without zeros on its diagonal.
  func inverse() -> LowerTriangle {
    // Row i of the inverse: (eᵢ − Σ_{k<i} L[i,k] · row k) / L[i,i].
    var result = LowerTriangle(size: size)
    for i in 0..<size {
      let rowI = Self.start(i)
      let scale = 1 / elements[rowI + i]
      for k in 0..<i {
        let factor = elements[rowI + k]
        let rowK = Self.start(k)
        for j in 0...k { result.elements[rowI + j] -= factor * result.elements[rowK + j] }
      }
      for j in 0..<i { result.elements[rowI + j] *= scale }
      result.elements[rowI + i] = scale
    }
    return result
  }

  /// The lower half of Lᵀ · L.
  func square() -> LowerTriangle {
    var result = LowerTriangle(size: size)
    for k in 0..<size {
      let rowK = Self.start(k)
      for i in 0...k {
        let factor = elements[rowK + i]
        let rowI = Self.start(i)
        for j in 0...i { result.elements[rowI + j] += factor * elements[rowK + j] }
      }
    }
    return result
  }

  /// L · vector.
  func times(_ vector: [Double]) -> [Double] {
    (0..<size).map { row in
      let start = Self.start(row)
      var total = 0.0
      for column in 0...row { total += elements[start + column] * vector[column] }
      return total
    }
  }

  /// Lᵀ · vector.
  func transposedTimes(_ vector: [Double]) -> [Double] {
    var result = Array(repeating: 0.0, count: size)
    for row in 0..<size {
      let start = Self.start(row)
      let factor = vector[row]
      for column in 0...row { result[column] += factor * elements[start + column] }
    }
    return result
  }

  /// Product of the first `count` numbers of two rows, in four sums that are added at the end.
  private static func product(_ elements: [Double], _ a: Int, _ b: Int, count: Int) -> Double {
    var sums = SIMD4<Double>.zero
    var index = 0
    while index + 4 <= count {
      let left = SIMD4(
        elements[a + index], elements[a + index + 1], elements[a + index + 2], elements[a + index + 3])
      let right = SIMD4(
        elements[b + index], elements[b + index + 1], elements[b + index + 2], elements[b + index + 3])
      sums += left * right
      index += 4
    }
    var total = sums.sum()
    while index < count {
      total += elements[a + index] * elements[b + index]
      index += 1
    }
    return total
  }
}
