// Decodes PNG with libpng. Its errors jump (`longjmp`); here they end in the functions below and come out as a
// message, so no frame of Swift is ever jumped over.
#ifndef CPNG_H
#define CPNG_H

#include <stddef.h>
#include <stdint.h>

/// What the header of an image says.
typedef struct {
  uint32_t width;
  uint32_t height;
  /// Whether it has neither colours nor a palette.
  int32_t is_gray;
} cpng_header;

/// Reads the header. Returns 0, or -1 and a message that ends with a zero byte.
int cpng_read_header(
  const uint8_t *bytes, size_t count, cpng_header *header, char *message, size_t message_bytes);

/// Decodes the image: 8 bits, row by row, one channel for a grey image and else red, green, blue; transparent
/// pixels lie on white. `pixels` has room for exactly that. Returns as above.
int cpng_decode(
  const uint8_t *bytes, size_t count, const cpng_header *header, uint8_t *pixels, char *message,
  size_t message_bytes);

#endif
