import COpenSSL
import Platform

/// SHA-256 (FIPS 180-4) of bytes that come in pieces.
package struct SHA256: ~Copyable {
  private let context: OpaquePointer

  package init() {
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
      // Only an exhausted memory or a libcrypto without SHA-256 comes here.
      preconditionFailure(CryptoError.last("start SHA-256").description)
    }
    self.context = context
  }

  deinit { EVP_MD_CTX_free(context) }

  /// Adds a piece.
  package func update(_ bytes: some Sequence<UInt8>) {
    let done: Void? = bytes.withContiguousStorageIfAvailable { buffer in
      EVP_DigestUpdate(context, buffer.baseAddress, buffer.count)
      return
    }
    if done == nil {
      let copy = Array(bytes)
      EVP_DigestUpdate(context, copy, copy.count)
    }
  }

  /// The 32 bytes of the digest of all pieces.
  package consuming func finish() -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    EVP_DigestFinal_ex(context, &digest, nil)
    return digest
  }

  /// The digest of one piece.
  package static func digest(of bytes: [UInt8]) -> [UInt8] {
    let hash = SHA256()
    hash.update(bytes)
    return hash.finish()
  }

  /// The digest of a whole file in lower-case hexadecimal; a piece of it is in memory at a time.
  package static func hexadecimal(of file: File) throws(SystemError) -> String {
    let hash = SHA256()
    var offset = 0
    while true {
      let piece = try file.read(at: offset, countMax: filePieceBytes)
      if piece.isEmpty { return Crypto.hexadecimal(hash.finish()) }
      hash.update(piece)
      offset += piece.count
    }
  }

  private static let filePieceBytes = 1 << 20
}

/// Lower-case hexadecimal, two digits a byte.
package func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  let digits = Array("0123456789abcdef".utf8)
  var text: [UInt8] = []
  for byte in bytes {
    text.append(digits[Int(byte >> 4)])
    text.append(digits[Int(byte & 15)])
  }
  return String(decoding: text, as: UTF8.self)
}
