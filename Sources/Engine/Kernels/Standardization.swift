import Tensors

/// `(x − mean) · inverse` for rows of features.
package struct Standardization: Sendable {
  /// The mean of each of D features.
  package let mean: Floats
  /// One over the deviation of each feature.
  package let inverse: Floats

  /// D means and as many inverse deviations.
  package init(mean: Floats, inverse: Floats) {
    precondition(mean.count == inverse.count, "one mean and one deviation for each feature")
    self.mean = mean
    self.inverse = inverse
  }

  /// Features of a row, D.
  package var count: Int { mean.count }

  /// Writes row `row` of `table`, `[rows][D]`, to `target` at `offset`.
  ///
  /// Overwrites D floats of `target`, which may not alias `table`.
  ///
  /// Reference: `agrees with scikit-learn`
  package func apply(_ table: Floats, row: Int, into target: Floats, at offset: Int) {
    precondition(row >= 0 && (row + 1) * count <= table.count, "row out of range")
    let output = target.slice(offset, count).pointer
    let (source, means, inverses) = (table.pointer + row * count, mean.pointer, inverse.pointer)
    for feature in 0..<count { output[feature] = (source[feature] - means[feature]) * inverses[feature] }
  }

  /// Writes row `row` of `bytes`, `[rows][D]`, to `target` at `offset`.
  ///
  /// Overwrites D floats of `target`.
  ///
  /// Reference: `pixels are standardised exactly, and constant ones become 0`
  package func apply(_ bytes: [UInt8], row: Int, into target: Floats, at offset: Int) {
    precondition(row >= 0 && (row + 1) * count <= bytes.count, "row out of range")
    let output = target.slice(offset, count).pointer
    let (means, inverses) = (mean.pointer, inverse.pointer)
    bytes.withUnsafeBufferPointer { buffer in
      guard let start = buffer.baseAddress else { return }
      let source = start + row * count
      for feature in 0..<count {
        output[feature] = (Float(source[feature]) - means[feature]) * inverses[feature]
      }
    }
  }
}
