// OpenSSL, and what of it are macros that Swift does not see.
#pragma once

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
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
