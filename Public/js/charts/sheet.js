// Canvases at the screen's resolution, in the colours of the page.
import { h } from "../core/dom.js";

const schemes = ["(prefers-color-scheme: dark)", "(forced-colors: active)"].map((query) => matchMedia(query));
const names = ["ink", "quiet", "line", "sheet", "accent", "curve", "curve-2", "bad"];

/** Milliseconds after which a canvas out of sight is drawn: several changes in this time cost one drawing. */
const lateMilliseconds = 400;

/** The page's colours by name, those of the system where it forces its own. */
export function colours() {
  if (schemes[1].matches) {
    return {
      ink: "CanvasText",
      quiet: "GrayText",
      line: "GrayText",
      sheet: "Canvas",
      accent: "Highlight",
      curve: "Highlight",
      "curve-2": "LinkText",
      bad: "LinkText",
    };
  }
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/**
 * A canvas that fills the width of `element` at a height in pixels. `base(context, { width, height, colours
 * })` draws the data: called after `refresh()`, and when size or colours have changed. `over` draws above it
 * what follows the pointer: called after `redraw()` too. A canvas out of sight is drawn a little later.
 */
export class Sheet {
  #frame = 0;
  #late = 0;
  #base = null;
  #isInSight = false;

  constructor(height, { base, over }, attributes = {}) {
    Object.assign(this, { base, over, height, width: 0 });
    this.canvas = h("canvas", { style: { height: `${height}px` }, ...attributes });
    this.element = h("div", { class: "plot-sheet" }, this.canvas);
    this.sizes = new ResizeObserver(([entry]) => {
      this.width = Math.floor(entry.contentRect.width);
      this.refresh();
    });
    this.sizes.observe(this.element);
    this.sight = new IntersectionObserver((entries) => {
      this.#isInSight = entries.at(-1).isIntersecting;
      if (this.#isInSight) this.redraw();
    }, { rootMargin: "200px" });
    this.sight.observe(this.element);
    this.recolour = () => this.refresh();
    for (const scheme of schemes) scheme.addEventListener("change", this.recolour);
  }

  /** Draws all again before the next frame; several calls draw once. */
  refresh() {
    this.#base = null;
    this.redraw();
  }

  /** Draws again what lies above the data. */
  redraw() {
    if (this.#isInSight) this.#frame ||= requestAnimationFrame(() => this.#paint());
    else this.#late ||= setTimeout(() => this.#paint(), lateMilliseconds);
  }

  #paint() {
    this.#rest();
    if (this.width < 40 || !this.canvas.isConnected) return;
    const ratio = Math.min(3, devicePixelRatio || 1);
    const box = { width: this.width, height: this.height, colours: colours() };
    if (!this.#base) {
      this.#base = h("canvas", {
        width: Math.round(this.width * ratio),
        height: Math.round(this.height * ratio),
      });
      this.base(this.#context(this.#base, ratio), box);
    }
    // Assigned in any case: that clears it.
    [this.canvas.width, this.canvas.height] = [this.#base.width, this.#base.height];
    this.canvas.getContext("2d").drawImage(this.#base, 0, 0);
    this.over?.(this.#context(this.canvas, ratio), box);
  }

  #context(canvas, ratio) {
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.font = `12px ${getComputedStyle(this.element).fontFamily}`;
    return context;
  }

  /** The place of a pointer's event in pixels of the canvas. */
  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** Forgets that something is to be drawn. */
  #rest() {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#late);
    this.#frame = 0;
    this.#late = 0;
  }

  destroy() {
    this.#rest();
    this.sizes.disconnect();
    this.sight.disconnect();
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
  if (schemes[1].matches) {
    return Array.from({ length: shadeCount }, (_, index) => (index < shadeCount / 2 ? quiet : accent));
  }
  const [pale, full] = [mixed(channels(quiet), channels(sheet), 0.6), channels(accent)];
  return Array.from({ length: shadeCount }, (_, index) => {
    const mix = mixed(pale, full, index / (shadeCount - 1));
    return `rgb(${mix.map(Math.round).join(" ")})`;
  });
}

const mixed = (one, other, share) => one.map((value, index) => value + (other[index] - value) * share);

/** Red, green and blue of #rrggbb. */
const channels = (hex) => [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16));
