import COpenSSL

/// Whether two secrets are the same bytes; the time it takes depends on their length alone.
package func isEqualInConstantTime(_ one: [UInt8], _ other: [UInt8]) -> Bool {
  one.count == other.count && CRYPTO_memcmp(one, other, one.count) == 0
}
