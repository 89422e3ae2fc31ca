// Decodes WebP with libwebp: of an animation the first frame.
#ifndef CWEBP_H
#define CWEBP_H

#include <stddef.h>
#include <stdint.h>

/// What the header of an image says.
typedef struct {
  uint32_t width;
  uint32_t height;
  int32_t has_alpha;
  int32_t is_animated;
} cwebp_header;

/// Reads the header. Returns 0, or -1 and a message that ends with a zero byte.
int cwebp_read_header(
  const uint8_t *bytes, size_t count, cwebp_header *header, char *message, size_t message_bytes);

/// Decodes the image: 8 bits, row by row, red, green, blue; transparent pixels lie on white. `pixels` has room
/// for exactly that. Returns as above.
int cwebp_decode(
  const uint8_t *bytes, size_t count, const cwebp_header *header, uint8_t *pixels, char *message,
  size_t message_bytes);

#endif
