import COpenSSL

/// A certificate with its key, and the rules for the connections that it is shown to: TLS 1.2 and 1.3,
/// forward secrecy and authenticated encryption only, ALPN `http/1.1`.
///
/// Unchecked because OpenSSL counts references to a context and changes nothing in it after it is set up.
package final class TLSContext: @unchecked Sendable {
  let handle: OpaquePointer

  /// Of TLS 1.2; all suites of TLS 1.3 are good.
  private static let ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL"
  private static let groups = "X25519:P-256:P-384"

  /// Reads the files.
  ///
  /// - Parameters:
  ///   - certificatePath: PEM: the server's certificate, then those between it and the root.
  ///   - keyPath: PEM, without a password.
  /// - Throws: `CryptoError` naming the file that is wrong.
  package init(certificatePath: String, keyPath: String) throws(CryptoError) {
    ERR_clear_error()
    guard let handle = SSL_CTX_new(TLS_server_method()) else { throw CryptoError.last("set up TLS") }
    self.handle = handle
    guard copenssl_restrict(handle) == 1, SSL_CTX_set_cipher_list(handle, TLSContext.ciphers) == 1,
      copenssl_set_groups(handle, TLSContext.groups) == 1
    else { throw CryptoError.last("set up TLS") }
    copenssl_do_not_block(handle)
    copenssl_offer_http(handle)
    guard SSL_CTX_use_certificate_chain_file(handle, certificatePath) == 1 else {
      throw CryptoError.last("read the certificate \(certificatePath)")
    }
    guard SSL_CTX_use_PrivateKey_file(handle, keyPath, SSL_FILETYPE_PEM) == 1 else {
      throw CryptoError.last("use the key \(keyPath) with the certificate \(certificatePath)")
    }
  }

  deinit { SSL_CTX_free(handle) }
}
