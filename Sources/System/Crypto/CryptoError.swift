import COpenSSL

/// An OpenSSL call that failed.
package struct CryptoError: Error, CustomStringConvertible {
  /// The purpose, in a few words.
  package let operation: String
  /// OpenSSL's own text.
  package let cause: String

  /// Takes the newest entry of the calling thread's error queue.
  static func last(_ operation: String) -> CryptoError {
    var text = [CChar](repeating: 0, count: 256)
    let cause = text.withUnsafeMutableBufferPointer { buffer -> String in
      guard let start = buffer.baseAddress else { return "" }
      ERR_error_string_n(ERR_get_error(), start, buffer.count)
      return String(cString: start)
    }
    return CryptoError(operation: operation, cause: cause)
  }

  package var description: String { "cannot \(operation): \(cause)" }
}
