#include "CPNG.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// Everything that a reading needs, in memory of the caller, so that it has its values after a jump.
typedef struct {
  const uint8_t *bytes;
  size_t count;
  size_t position;
  png_structp png;
  png_infop info;
  uint8_t *buffer;
  char *message;
  size_t message_bytes;
  jmp_buf escape;
} reader;

static void on_error(png_structp png, png_const_charp text) {
  reader *r = png_get_error_ptr(png);
  snprintf(r->message, r->message_bytes, "%s", text);
  longjmp(r->escape, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

static void on_read(png_structp png, png_bytep target, size_t count) {
  reader *r = png_get_io_ptr(png);
  if (count > r->count - r->position) png_error(png, "the data is cut off");
  memcpy(target, r->bytes + r->position, count);
  r->position += count;
}

/// Chunks that say nothing about the pixels and may unpack to much.
static const png_byte ignored[] = "iCCP\0iTXt\0zTXt\0tEXt\0sPLT\0hIST\0pCAL\0sCAL\0eXIf";

/// Reads up to the first pixels.
static void read_info(reader *r) {
  r->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, r, on_error, on_warning);
  if (!r->png) {
    snprintf(r->message, r->message_bytes, "libpng could not start");
    longjmp(r->escape, 1);
  }
  r->info = png_create_info_struct(r->png);
  if (!r->info) png_error(r->png, "out of memory");
  // The caller compares the size with its own limit.
  png_set_user_limits(r->png, 0x7fffffff, 0x7fffffff);
  png_set_keep_unknown_chunks(r->png, PNG_HANDLE_CHUNK_NEVER, ignored, sizeof ignored / 5);
  png_set_read_fn(r->png, r, on_read);
  png_read_info(r->png, r->info);
}

static int is_gray(const reader *r) {
  return (png_get_color_type(r->png, r->info) & PNG_COLOR_MASK_COLOR) == 0;
}

/// A row of `channels` 8-bit samples a pixel, onto white if the last of them is alpha.
static void flatten(const uint8_t *row, uint8_t *target, size_t width, int channels) {
  const int colors = channels < 3 ? 1 : 3;
  if (colors == channels) {
    memcpy(target, row, width * (size_t)channels);
    return;
  }
  for (size_t column = 0; column < width; column++) {
    const unsigned alpha = row[colors];
    for (int color = 0; color < colors; color++) {
      *target++ = (uint8_t)((row[color] * alpha + 255 * (255 - alpha) + 127) / 255);
    }
    row += channels;
  }
}

static void read_pixels(reader *r, const cpng_header *header, uint8_t *pixels) {
  png_structp png = r->png;
  png_set_expand(png);
  png_set_scale_16(png);
  const int passes = png_set_interlace_handling(png);
  png_read_update_info(png, r->info);
  const int channels = png_get_channels(png, r->info);
  const size_t width = header->width, height = header->height;
  const size_t row_bytes = png_get_rowbytes(png, r->info);
  const size_t target_bytes = width * (size_t)(header->is_gray ? 1 : 3);
  if (row_bytes != width * (size_t)channels || (channels < 3) != (header->is_gray != 0)) {
    png_error(png, "the rows are not what the header says");
  }
  // The passes of an interlaced image each fill a part of every row.
  r->buffer = malloc(passes > 1 ? row_bytes * height : row_bytes);
  if (!r->buffer) png_error(png, "out of memory");
  for (int pass = 0; pass < passes; pass++) {
    for (size_t y = 0; y < height; y++) {
      uint8_t *row = passes > 1 ? r->buffer + y * row_bytes : r->buffer;
      png_read_row(png, row, NULL);
      if (pass == passes - 1) flatten(row, pixels + y * target_bytes, width, channels);
    }
  }
}

/// What can jump: the header alone where there are no pixels.
static int run(reader *r, cpng_header *header, uint8_t *pixels) {
  if (setjmp(r->escape)) return -1;
  read_info(r);
  const cpng_header found = {
    png_get_image_width(r->png, r->info), png_get_image_height(r->png, r->info), is_gray(r)};
  if (!pixels) {
    *header = found;
    return 0;
  }
  if (found.width != header->width || found.height != header->height || found.is_gray != header->is_gray) {
    png_error(r->png, "the header is another one");
  }
  read_pixels(r, header, pixels);
  return 0;
}

static int start(
  const uint8_t *bytes, size_t count, cpng_header *header, uint8_t *pixels, char *message,
  size_t message_bytes) {
  reader *r = calloc(1, sizeof *r);
  if (!r) {
    snprintf(message, message_bytes, "out of memory");
    return -1;
  }
  r->bytes = bytes;
  r->count = count;
  r->message = message;
  r->message_bytes = message_bytes;
  const int result = run(r, header, pixels);
  free(r->buffer);
  if (r->png) png_destroy_read_struct(&r->png, &r->info, NULL);
  free(r);
  return result;
}

int cpng_read_header(
  const uint8_t *bytes, size_t count, cpng_header *header, char *message, size_t message_bytes) {
  return start(bytes, count, header, NULL, message, message_bytes);
}

int cpng_decode(
  const uint8_t *bytes, size_t count, const cpng_header *header, uint8_t *pixels, char *message,
  size_t message_bytes) {
  cpng_header expected = *header;
  return start(bytes, count, &expected, pixels, message, message_bytes);
}
