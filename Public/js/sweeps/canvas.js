// Canvases at the screen's resolution, in the colours of the page.
import { h } from "../core/dom.js";

const schemes = ["(prefers-color-scheme: dark)", "(forced-colors: active)"].map((query) => matchMedia(query));
const names = ["ink", "quiet", "line", "sheet", "accent", "curve", "curve-2", "bad"];

/** The page's colours by name, those of the system where it forces its own. */
export function colours() {
  if (schemes[1].matches) {
    return {
      ink: "CanvasText", quiet: "GrayText", line: "GrayText", sheet: "Canvas", accent: "Highlight",
      curve: "Highlight", "curve-2": "LinkText", bad: "LinkText",
    };
  }
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/**
 * A canvas that fills the width of `element` at a height in pixels. `draw(context, { width, height, colours })`
 * is called when the size, the colours or, after `redraw()`, the data have changed.
 */
export class Sheet {
  #draw;
  #frame = 0;

  constructor(height, draw, attributes = {}) {
    this.#draw = draw;
    this.height = height;
    this.width = 0;
    this.canvas = h("canvas", { style: { height: `${height}px` }, ...attributes });
    this.element = h("div", { class: "sheet" }, this.canvas);
    this.observer = new ResizeObserver(([entry]) => {
      this.width = Math.floor(entry.contentRect.width);
      this.redraw();
    });
    this.observer.observe(this.element);
    this.recolour = () => this.redraw();
    for (const scheme of schemes) scheme.addEventListener("change", this.recolour);
  }

  /** Draws before the next frame; several calls draw once. */
  redraw() {
    this.#frame ||= requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    this.#frame = 0;
    if (this.width < 40 || !this.canvas.isConnected) return;
    const ratio = Math.min(3, devicePixelRatio || 1);
    const [width, height] = [Math.round(this.width * ratio), Math.round(this.height * ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    const context = this.canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    context.font = `12px ${getComputedStyle(this.element).fontFamily}`;
    this.#draw(context, { width: this.width, height: this.height, colours: colours() });
  }

  /** The place of a pointer's event in pixels of the canvas. */
  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  destroy() {
    cancelAnimationFrame(this.#frame);
    this.observer.disconnect();
    for (const scheme of schemes) scheme.removeEventListener("change", this.recolour);
  }
}

/** Text that ends with … where it is wider than `width`. */
export function fitted(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (context.measureText(`${text.slice(0, middle)}…`).width <= width) low = middle;
    else high = middle - 1;
  }
  return `${text.slice(0, low).trimEnd()}…`;
}

/** Colours from the worst value (0) to the best (1), in this many steps. */
export const shadeCount = 12;

/** The colour of each step: pale to the page's accent. */
export function shades({ quiet, accent, sheet }) {
  if (schemes[1].matches) return Array.from({ length: shadeCount }, (_, index) => (index < shadeCount / 2 ? quiet : accent));
  const [pale, full] = [mixed(channels(quiet), channels(sheet), 0.6), channels(accent)];
  return Array.from({ length: shadeCount }, (_, index) => {
    const mix = mixed(pale, full, index / (shadeCount - 1));
    return `rgb(${mix.map(Math.round).join(" ")})`;
  });
}

const mixed = (one, other, share) => one.map((value, index) => value + (other[index] - value) * share);

/** Red, green and blue of #rrggbb. */
const channels = (hex) => [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16));
