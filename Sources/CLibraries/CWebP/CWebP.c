#include "CWebP.h"

#include <stdio.h>
#include <stdlib.h>
#include <webp/decode.h>
#include <webp/demux.h>

static int failure(const char *text, char *message, size_t message_bytes) {
  snprintf(message, message_bytes, "%s", text);
  return -1;
}

static const char *const damaged = "the data is damaged or cut off";

int cwebp_read_header(
  const uint8_t *bytes, size_t count, cwebp_header *header, char *message, size_t message_bytes) {
  WebPBitstreamFeatures features;
  const VP8StatusCode status = WebPGetFeatures(bytes, count, &features);
  if (status == VP8_STATUS_NOT_ENOUGH_DATA) return failure("the data is cut off", message, message_bytes);
  if (status != VP8_STATUS_OK) return failure("the header is damaged", message, message_bytes);
  if (features.width < 1 || features.height < 1) {
    return failure("the image has no pixels", message, message_bytes);
  }
  header->width = (uint32_t)features.width;
  header->height = (uint32_t)features.height;
  header->has_alpha = features.has_alpha != 0;
  header->is_animated = features.has_animation != 0;
  return 0;
}

/// Red, green, blue and alpha onto white.
static void flatten(const uint8_t *source, uint8_t *target, size_t count) {
  for (size_t index = 0; index < count; index++, source += 4) {
    const unsigned alpha = source[3];
    for (int color = 0; color < 3; color++) {
      *target++ = (uint8_t)((source[color] * alpha + 255 * (255 - alpha) + 127) / 255);
    }
  }
}

static int decode_animation(
  const uint8_t *bytes, size_t count, const cwebp_header *header, uint8_t *pixels, char *message,
  size_t message_bytes) {
  WebPAnimDecoderOptions options;
  if (!WebPAnimDecoderOptionsInit(&options)) {
    return failure("libwebp could not start", message, message_bytes);
  }
  options.color_mode = MODE_RGBA;
  const WebPData data = {bytes, count};
  WebPAnimDecoder *decoder = WebPAnimDecoderNew(&data, &options);
  if (!decoder) return failure(damaged, message, message_bytes);
  WebPAnimInfo info;
  uint8_t *canvas = NULL;
  int time = 0;
  const int is_read = WebPAnimDecoderGetInfo(decoder, &info) && info.canvas_width == header->width
    && info.canvas_height == header->height && WebPAnimDecoderHasMoreFrames(decoder)
    && WebPAnimDecoderGetNext(decoder, &canvas, &time) && canvas;
  if (is_read) flatten(canvas, pixels, (size_t)header->width * header->height);
  WebPAnimDecoderDelete(decoder);
  return is_read ? 0 : failure(damaged, message, message_bytes);
}

int cwebp_decode(
  const uint8_t *bytes, size_t count, const cwebp_header *header, uint8_t *pixels, char *message,
  size_t message_bytes) {
  const size_t width = header->width, area = width * header->height;
  if (header->is_animated) return decode_animation(bytes, count, header, pixels, message, message_bytes);
  if (!header->has_alpha) {
    if (WebPDecodeRGBInto(bytes, count, pixels, 3 * area, (int)(3 * width))) return 0;
    return failure(damaged, message, message_bytes);
  }
  uint8_t *colors = malloc(4 * area);
  if (!colors) return failure("out of memory", message, message_bytes);
  const int is_read = WebPDecodeRGBAInto(bytes, count, colors, 4 * area, (int)(4 * width)) != NULL;
  if (is_read) flatten(colors, pixels, area);
  free(colors);
  return is_read ? 0 : failure(damaged, message, message_bytes);
}
