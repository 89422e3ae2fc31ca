// OpenSSL, and what of it are macros that Swift does not see.
#pragma once

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

// TLS 1.2 and 1.3 without renegotiation and compression, the server's order of ciphers.
static inline int copenssl_restrict(SSL_CTX *context) {
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  return (int)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
}

// Writes may stop in the middle and go on from other memory; idle sessions give their buffers back.
static inline void copenssl_do_not_block(SSL_CTX *context) {
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
}

static inline int copenssl_set_groups(SSL_CTX *context, const char *names) {
  return (int)SSL_CTX_set1_groups_list(context, names);
}

// Chooses http/1.1, or refuses a client that offers other protocols only (RFC 7301, section 3.2).
static inline int copenssl_choose_protocol(SSL *session, const unsigned char **chosen, unsigned char *bytes,
                                           const unsigned char *offered, unsigned int offered_bytes,
                                           void *unused) {
  static const unsigned char own[] = "\x08http/1.1";
  int found = SSL_select_next_proto((unsigned char **)chosen, bytes, own, 9, offered, offered_bytes);
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static inline void copenssl_offer_http(SSL_CTX *context) {
  SSL_CTX_set_alpn_select_cb(context, copenssl_choose_protocol, 0);
}

// Never asks a person for the password of a key: one that needs it cannot be used.
static inline int copenssl_no_password(char *buffer, int bytes, int is_writing, void *unused) { return 0; }

// Takes the server's certificate and those above it from PEM in memory. Answers 1, or 0 with an error queued.
static inline int copenssl_use_certificates(SSL_CTX *context, const void *pem, int bytes) {
  BIO *input = BIO_new_mem_buf(pem, bytes);
  if (!input) return 0;
  X509 *certificate = PEM_read_bio_X509_AUX(input, 0, copenssl_no_password, 0);
  int is_good = certificate && SSL_CTX_use_certificate(context, certificate) == 1;
  X509_free(certificate);
  while (is_good && (certificate = PEM_read_bio_X509(input, 0, copenssl_no_password, 0))) {
    is_good = SSL_CTX_add1_chain_cert(context, certificate) == 1;
    X509_free(certificate);
  }
  // After the last certificate the reader finds no further one, which is expected.
  if (is_good && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) ERR_clear_error();
  else if (ERR_peek_error()) is_good = 0;
  BIO_free(input);
  return is_good;
}

// Takes the key of the certificate from PEM in memory. Answers 1, or 0 with an error queued.
static inline int copenssl_use_key(SSL_CTX *context, const void *pem, int bytes) {
  BIO *input = BIO_new_mem_buf(pem, bytes);
  if (!input) return 0;
  EVP_PKEY *key = PEM_read_bio_PrivateKey(input, 0, copenssl_no_password, 0);
  int is_good = key && SSL_CTX_use_PrivateKey(context, key) == 1;
  EVP_PKEY_free(key);
  BIO_free(input);
  return is_good;
}
