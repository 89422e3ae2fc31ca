// Decodes JPEG with libjpeg-turbo. Its errors jump (`longjmp`); here they end in the functions below and come
// out as a message, so no frame of Swift is ever jumped over.
#ifndef CJPEG_H
#define CJPEG_H

#include <stddef.h>
#include <stdint.h>

/// What the header of an image says.
typedef struct {
  uint32_t width;
  uint32_t height;
  int32_t is_gray;
} cjpeg_header;

/// Height or width of the decoded image, at this number of eighths of the full size.
static inline uint32_t cjpeg_scaled(uint32_t extent, int eighths) {
  return (uint32_t)(((uint64_t)extent * (uint64_t)eighths + 7) / 8);
}

/// Reads the header. Returns 0, or -1 and a message that ends with a zero byte.
int cjpeg_read_header(
  const uint8_t *bytes, size_t count, cjpeg_header *header, char *message, size_t message_bytes);

/// Decodes the image at 1 to 8 eighths of its size: 8 bits, row by row, one channel for a grey image and else
/// red, green, blue. `pixels` has room for exactly that. Returns as above; data that is cut off is an error.
int cjpeg_decode(
  const uint8_t *bytes, size_t count, const cjpeg_header *header, int eighths, uint8_t *pixels,
  char *message, size_t message_bytes);

#endif
