import COpenSSL
import Platform

/// A certificate with its key, and the rules for the connections that it is shown to: TLS 1.2 and 1.3,
/// forward secrecy and authenticated encryption only, ALPN `http/1.1`.
///
/// Unchecked because OpenSSL counts references to a context and changes nothing in it after it is set up.
package final class TLSContext: @unchecked Sendable {
  let handle: OpaquePointer

  /// Of TLS 1.2; all suites of TLS 1.3 are good.
  private static let ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL"
  private static let groups = "X25519:P-256:P-384"

  /// Reads the files, which must be regular ones.
  ///
  /// - Parameters:
  ///   - certificatePath: PEM: the server's certificate, then those between it and the root.
  ///   - keyPath: PEM, without a password.
  /// - Throws: `CryptoError` naming the file that is wrong.
  package convenience init(certificatePath: String, keyPath: String) throws(CryptoError) {
    try self.init(
      certificate: TLSContext.content(of: certificatePath, "the certificate"), certificatePath,
      key: TLSContext.content(of: keyPath, "the key"), keyPath)
  }

  /// Takes certificate and key as PEM; the names are for errors.
  private init(
    certificate: [UInt8], _ certificateName: String, key: [UInt8], _ keyName: String
  ) throws(CryptoError) {
    ERR_clear_error()
    guard let handle = SSL_CTX_new(TLS_server_method()) else { throw CryptoError.last("set up TLS") }
    self.handle = handle
    guard copenssl_restrict(handle) == 1, SSL_CTX_set_cipher_list(handle, TLSContext.ciphers) == 1,
      copenssl_set_groups(handle, TLSContext.groups) == 1
    else { throw CryptoError.last("set up TLS") }
    copenssl_do_not_block(handle)
    copenssl_offer_http(handle)
    ERR_clear_error()
    guard copenssl_use_certificates(handle, certificate, Int32(certificate.count)) == 1 else {
      throw CryptoError.last("read the certificate \(certificateName)")
    }
    guard copenssl_use_key(handle, key, Int32(key.count)) == 1 else {
      throw CryptoError.last("use the key \(keyName) with the certificate \(certificateName)")
    }
  }

  private static func content(of path: String, _ what: String) throws(CryptoError) -> [UInt8] {
    do {
      return try File.content(of: path, .certificate)
    } catch {
      throw CryptoError(operation: "read \(what) \(path)", cause: error.cause)
    }
  }

  deinit { SSL_CTX_free(handle) }
}
