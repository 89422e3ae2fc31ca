import COpenSSL

/// Random numbers that cannot be guessed (OpenSSL's generator, seeded by the kernel).
package enum SecureRandom {
  /// So many random bytes.
  package static func bytes(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    guard RAND_bytes(&bytes, Int32(count)) == 1 else {
      // Going on with predictable ids or tokens would be worse than ending.
      preconditionFailure(CryptoError.last("get random bytes").description)
    }
    return bytes
  }

  /// 32 random bits.
  package static func bits32() -> UInt32 { bytes(4).reduce(0) { $0 << 8 | UInt32($1) } }

  /// A random id in hexadecimal digits, two a byte.
  package static func id(byteCount: Int) -> String { hexadecimal(bytes(byteCount)) }
}
