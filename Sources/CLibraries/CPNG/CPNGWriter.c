#include "CPNG.h"

#include <png.h>
#include <stdio.h>
#include <string.h>

int cpng_encode(
  const uint8_t *pixels, const cpng_header *header, uint8_t *target, size_t *count, char *message,
  size_t message_bytes) {
  png_image image;
  memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  image.width = header->width;
  image.height = header->height;
  image.format = header->is_gray ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t bytes = *count;
  const int written = png_image_write_to_memory(&image, target, &bytes, 0, pixels, 0, NULL);
  if (!written) snprintf(message, message_bytes, "%s", image.message);
  *count = bytes;
  return written ? 0 : -1;
}

size_t cpng_encoded_bytes_max(const cpng_header *header) {
  const size_t row = (size_t)header->width * (header->is_gray ? 1 : 3) + 1;
  const size_t data = row * header->height;
  // zlib's bound (`compressBound`), the chunks around each 8 KiB of it, and the file's other chunks.
  const size_t packed = data + (data >> 12) + (data >> 14) + (data >> 25) + 13;
  return packed + 12 * (packed / 8192 + 1) + 4096;
}
