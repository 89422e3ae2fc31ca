#include "CJPEG.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

/// Scans of a progressive image at most. Each costs the time of a whole image, however few bytes it has.
enum { scans_max = 500 };

/// Everything that a reading needs, in memory of the caller, so that it has its values after a jump.
typedef struct {
  struct jpeg_decompress_struct jpeg;
  struct jpeg_error_mgr errors;
  struct jpeg_progress_mgr progress;
  uint8_t *buffer;
  char *message;
  size_t message_bytes;
  jmp_buf escape;
} reader;

static void escape(reader *r, const char *text) {
  snprintf(r->message, r->message_bytes, "%s", text);
  longjmp(r->escape, 1);
}

static void on_error(j_common_ptr jpeg) {
  char text[JMSG_LENGTH_MAX];
  (*jpeg->err->format_message)(jpeg, text);
  escape(jpeg->client_data, text);
}

static void on_message(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  jpeg->err->num_warnings++;
  // The library goes on with made-up data.
  if (jpeg->err->msg_code == JWRN_JPEG_EOF) escape(jpeg->client_data, "the data is cut off");
}

static void on_progress(j_common_ptr jpeg) {
  if (((j_decompress_ptr)jpeg)->input_scan_number > scans_max) {
    escape(jpeg->client_data, "the image has more than 500 scans");
  }
}

static void read_header(reader *r, const uint8_t *bytes, size_t count) {
  jpeg_create_decompress(&r->jpeg);
  jpeg_mem_src(&r->jpeg, bytes, count);
  jpeg_read_header(&r->jpeg, TRUE);
}

static cjpeg_header header_of(const reader *r) {
  const cjpeg_header header = {
    r->jpeg.image_width, r->jpeg.image_height, r->jpeg.jpeg_color_space == JCS_GRAYSCALE};
  return header;
}

/// Cyan, magenta, yellow and black as Adobe writes them, inverted, to red, green and blue.
static void convert_ink(const uint8_t *row, uint8_t *target, size_t width) {
  for (size_t column = 0; column < width; column++, row += 4) {
    for (int color = 0; color < 3; color++) *target++ = (uint8_t)((row[color] * row[3] + 127) / 255);
  }
}

static void read_pixels(reader *r, const cjpeg_header *header, int eighths, uint8_t *pixels) {
  j_decompress_ptr jpeg = &r->jpeg;
  const int is_ink = jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK;
  jpeg->out_color_space = header->is_gray ? JCS_GRAYSCALE : is_ink ? JCS_CMYK : JCS_RGB;
  jpeg->scale_num = (unsigned)eighths;
  jpeg->scale_denom = 8;
  jpeg_start_decompress(jpeg);
  const size_t width = cjpeg_scaled(header->width, eighths), height = cjpeg_scaled(header->height, eighths);
  if (
    jpeg->output_width != width || jpeg->output_height != height
    || jpeg->output_components != (header->is_gray ? 1 : is_ink ? 4 : 3)) {
    escape(r, "the rows are not what the header says");
  }
  if (is_ink) {
    r->buffer = malloc(4 * width);
    if (!r->buffer) escape(r, "out of memory");
  }
  const size_t row_bytes = width * (size_t)(header->is_gray ? 1 : 3);
  while (jpeg->output_scanline < height) {
    uint8_t *target = pixels + jpeg->output_scanline * row_bytes;
    JSAMPROW row = is_ink ? r->buffer : target;
    if (jpeg_read_scanlines(jpeg, &row, 1) != 1) escape(r, "the data is cut off");
    if (is_ink) convert_ink(row, target, width);
  }
}

/// What can jump: the header alone where there are no pixels.
static int run(
  reader *r, const uint8_t *bytes, size_t count, cjpeg_header *header, int eighths, uint8_t *pixels) {
  if (setjmp(r->escape)) return -1;
  read_header(r, bytes, count);
  const cjpeg_header found = header_of(r);
  if (!pixels) {
    *header = found;
    return 0;
  }
  if (found.width != header->width || found.height != header->height || found.is_gray != header->is_gray) {
    escape(r, "the header is another one");
  }
  read_pixels(r, header, eighths, pixels);
  return 0;
}

static int start(
  const uint8_t *bytes, size_t count, cjpeg_header *header, int eighths, uint8_t *pixels, char *message,
  size_t message_bytes) {
  reader *r = calloc(1, sizeof *r);
  if (!r) {
    snprintf(message, message_bytes, "out of memory");
    return -1;
  }
  r->message = message;
  r->message_bytes = message_bytes;
  r->jpeg.err = jpeg_std_error(&r->errors);
  r->errors.error_exit = on_error;
  r->errors.emit_message = on_message;
  r->progress.progress_monitor = on_progress;
  r->jpeg.client_data = r;
  r->jpeg.progress = &r->progress;
  const int result = run(r, bytes, count, header, eighths, pixels);
  free(r->buffer);
  jpeg_destroy_decompress(&r->jpeg);
  free(r);
  return result;
}

int cjpeg_read_header(
  const uint8_t *bytes, size_t count, cjpeg_header *header, char *message, size_t message_bytes) {
  return start(bytes, count, header, 8, NULL, message, message_bytes);
}

int cjpeg_decode(
  const uint8_t *bytes, size_t count, const cjpeg_header *header, int eighths, uint8_t *pixels,
  char *message, size_t message_bytes) {
  cjpeg_header expected = *header;
  return start(bytes, count, &expected, eighths, pixels, message, message_bytes);
}
