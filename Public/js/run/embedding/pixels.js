// Many points at once, written pixel by pixel: far cheaper than as shapes.
import { h } from "../../core/dom.js";

/** Red, green, blue and alpha of a CSS colour as one number in the order of a canvas's memory. */
export function pixelOf(css, opacity) {
  probe ??= h("canvas", { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  probe.clearRect(0, 0, 1, 1);
  probe.fillStyle = css;
  probe.fillRect(0, 0, 1, 1);
  const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data;
  return ((Math.round(opacity * 255) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

let probe = null;

/**
 * Fills `context` with squares of `side` pixels at `points`, moved by { a, b, c, d } as x · a + b and y · c +
 * d, each
 * in the colour of its group; groups without a colour are left out. `last` is the group that is drawn above
 * the others.
 */
export function drawPixels(context, points, groups, colors, { a, b, c, d }, side, last) {
  const { width, height } = context.canvas;
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const half = side >> 1;
  const draw = (isLast) => {
    for (let index = 0; index < points.length; index += 1) {
      if ((groups[index] === last) !== isLast) continue;
      const pixel = colors[groups[index]];
      if (pixel === undefined) continue;
      const left = Math.round(points[index][0] * a + b) - half;
      const top = Math.round(points[index][1] * c + d) - half;
      if (left < 0 || top < 0 || left + side > width || top + side > height) continue;
      for (let y = top; y < top + side; y += 1) pixels.fill(pixel, y * width + left, y * width + left + side);
    }
  };
  draw(false);
  draw(true);
  context.putImageData(image, 0, 0);
}
