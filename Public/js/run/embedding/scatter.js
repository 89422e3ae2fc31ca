// Points in the plane on one canvas: moved, zoomed, pointed at, and caught with a lasso.
import { h } from "../../core/dom.js";
import { color, onColorsChange } from "../../charts/theme.js";
import { drawPixels, pixelOf } from "./pixels.js";

/** Up to this many points are discs; more are squares of pixels, which cost less. */
const discsMax = 2_500;
/** Pixels within which a point counts as pointed at. */
const reach = 9;
const zoomStep = 1.35;
const panStep = 60;
const margin = 18;
const keysText = "Arrows move, plus and minus zoom, 0 shows all; N and P go from point to point, "
  + "Enter chooses one.";

/**
 * A picture of `points` [[x, y], …]. `onPoint(index)` is called with the point at the pointer or the
 * keyboard's cursor,
 * -1 for none; `onPick(index)` when one is chosen; `onLasso(indices)` with those that were caught.
 * `paint(groups,
 * colors)` says which group each point is in and how the groups look.
 */
export class Scatter {
  constructor(points, { onPoint, onPick, onLasso, label }) {
    this.points = points;
    Object.assign(this, { onPoint, onPick, onLasso });
    this.groups = new Int32Array(points.length);
    this.colors = ["currentColor"];
    this.only = null;
    this.caught = new Set();
    this.at = -1;
    this.isLasso = false;
    this.canvas = h("canvas", {
      class: "scatter", tabindex: 0, role: "application", "aria-roledescription": "scatter plot",
      "aria-label": `${label} ${keysText}`,
    });
    this.#measure();
    this.#listen();
    this.resizing = new ResizeObserver(() => this.#resize());
    this.resizing.observe(this.canvas);
    this.forget = onColorsChange(() => this.schedule());
  }

  /** Which group each point is in, and the colours of the groups. */
  paint(groups, colors) {
    [this.groups, this.colors, this.only] = [groups, colors, null];
    this.schedule();
  }

  /** Lets one group stand out; null: all are equal. */
  show(group) {
    this.only = group;
    this.schedule();
  }

  /** Marks points. */
  mark(indices) {
    this.caught = new Set(indices);
    this.schedule();
  }

  destroy() {
    cancelAnimationFrame(this.frame);
    this.resizing.disconnect();
    this.forget();
  }

  /** Shows all points. */
  reset() {
    this.view = { zoom: 1, x: 0, y: 0 };
    this.schedule();
  }

  /** Zooms around a place of the canvas. */
  zoomBy(factor, x = this.width / 2, y = this.height / 2) {
    const zoom = Math.min(200, Math.max(0.5, this.view.zoom * factor));
    const ratio = zoom / this.view.zoom;
    this.view = { zoom, x: x - (x - this.view.x) * ratio, y: y - (y - this.view.y) * ratio };
    this.schedule();
  }

  schedule() {
    this.frame ||= requestAnimationFrame(() => this.#draw());
  }

  #measure() {
    let [left, right, bottom, top] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const [x, y] of this.points) {
      [left, right, bottom, top] = [Math.min(left, x), Math.max(right, x), Math.min(bottom, y),
        Math.max(top, y)];
    }
    this.box = { left, bottom, width: right - left || 1, height: top - bottom || 1 };
    this.view = { zoom: 1, x: 0, y: 0 };
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (width === 0) return;
    [this.width, this.height, this.ratio] = [width, height, devicePixelRatio];
    [this.canvas.width, this.canvas.height] =
      [Math.round(width * this.ratio), Math.round(height * this.ratio)];
    this.#draw();
  }

  /** Scale and shift from the plane to the canvas: x' = x · a + b, y' = y · c + d. */
  #transform() {
    const { left, bottom, width, height } = this.box;
    const { zoom, x, y } = this.view;
    const [a, c] = [((this.width - 2 * margin) / width) * zoom,
      (-(this.height - 2 * margin) / height) * zoom];
    return { a, b: margin * zoom + x - left * a, c, d: (this.height - margin) * zoom + y - bottom * c };
  }

  #draw() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    if (!this.width) return;
    const areDiscs = this.points.length <= discsMax;
    this.context ??= this.canvas.getContext("2d", { willReadFrequently: !areDiscs });
    const { context, ratio } = this;
    const scale = this.#transform();
    const radius = Math.min(6, (areDiscs ? 2.6 : 1.5) * Math.sqrt(Math.max(1, this.view.zoom)) ** 0.7);
    const css = this.colors.map((name) => (name.startsWith("--") ? color(name) : name));
    const opacityOf = (group) => (this.only === null || this.only === group ? 0.85 : 0.12);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    if (areDiscs) this.#drawDiscs(context, css, opacityOf, scale, radius);
    else {
      const pixels = css.map((name, group) => pixelOf(name, opacityOf(group)));
      const { a, b, c, d } = scale;
      drawPixels(context, this.points, this.groups, pixels,
        { a: a * ratio, b: b * ratio, c: c * ratio, d: d * ratio },
        Math.round(2 * radius * ratio), this.only);
    }
    this.#drawMarks(context, scale, radius);
    if (this.path?.length > 1) this.#drawLasso(context);
  }

  #drawDiscs(context, css, opacityOf, { a, b, c, d }, radius) {
    css.forEach((name, group) => {
      context.fillStyle = name;
      context.globalAlpha = opacityOf(group);
      context.beginPath();
      this.points.forEach((point, index) => {
        if (this.groups[index] !== group) return;
        const [x, y] = [point[0] * a + b, point[1] * c + d];
        context.moveTo(x + radius, y);
        context.arc(x, y, radius, 0, 2 * Math.PI);
      });
      context.fill();
    });
    context.globalAlpha = 1;
  }

  #drawMarks(context, { a, b, c, d }, radius) {
    context.strokeStyle = color("--ink");
    context.lineWidth = 1.5;
    const ring = (index, extra) => {
      context.beginPath();
      context.arc(this.points[index][0] * a + b, this.points[index][1] * c + d, radius + extra, 0,
        2 * Math.PI);
      context.stroke();
    };
    if (this.caught.size <= 500) for (const index of this.caught) ring(index, 1);
    if (this.at >= 0) ring(this.at, 3);
  }

  #drawLasso(context) {
    context.strokeStyle = color("--accent");
    context.setLineDash([4, 3]);
    context.beginPath();
    for (const [x, y] of this.path) context.lineTo(x, y);
    context.closePath();
    context.stroke();
    context.setLineDash([]);
  }

  /** The point nearest to a place of the canvas, within reach; -1: none. */
  nearest(x, y) {
    const { a, b, c, d } = this.#transform();
    let [best, least] = [-1, reach ** 2];
    for (let index = 0; index < this.points.length; index += 1) {
      if (this.only !== null && this.groups[index] !== this.only) continue;
      const distance = (this.points[index][0] * a + b - x) ** 2 + (this.points[index][1] * c + d - y) ** 2;
      if (distance < least) [best, least] = [index, distance];
    }
    return best;
  }

  /** Where a point lies on the canvas. */
  placeOf(index) {
    const { a, b, c, d } = this.#transform();
    return [this.points[index][0] * a + b, this.points[index][1] * c + d];
  }

  #point(index) {
    if (index === this.at) return;
    this.at = index;
    this.onPoint(index);
    this.schedule();
  }

  #listen() {
    const handlers = {
      pointerdown: (event) => this.#start(event), pointermove: (event) => this.#move(event),
        pointerup: (event) => this.#end(event),
      pointercancel: () => { this.drag = this.path = null; this.schedule(); },
      pointerleave: () => { if (!this.drag) this.#point(-1); },
      dblclick: () => this.reset(), keydown: (event) => this.#press(event), blur: () => this.#point(-1),
    };
    for (const [name, handler] of Object.entries(handlers)) this.canvas.addEventListener(name, handler);
    this.canvas.addEventListener("wheel", (event) => {
      // The page scrolls until the picture has been chosen; a pinch always zooms.
      if (!event.ctrlKey && document.activeElement !== this.canvas) return;
      event.preventDefault();
      this.zoomBy(Math.exp(-event.deltaY / (event.ctrlKey ? 100 : 400)), event.offsetX, event.offsetY);
    }, { passive: false });
  }

  #start(event) {
    if (event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.drag = { x: event.offsetX, y: event.offsetY, view: this.view, isMoved: false };
    if (this.isLasso || event.shiftKey) this.path = [[event.offsetX, event.offsetY]];
  }

  #move(event) {
    const [x, y] = [event.offsetX, event.offsetY];
    const { drag } = this;
    if (!drag) return this.#point(this.nearest(x, y));
    drag.isMoved ||= Math.hypot(x - drag.x, y - drag.y) > 4;
    if (!drag.isMoved) return;
    if (this.path) this.path.push([x, y]);
    else this.view = { ...drag.view, x: drag.view.x + x - drag.x, y: drag.view.y + y - drag.y };
    this.schedule();
  }

  #end(event) {
    const { drag, path } = this;
    this.drag = this.path = null;
    if (path && drag?.isMoved) this.onLasso(this.#within(path));
    else if (drag && !drag.isMoved) {
      const index = this.nearest(event.offsetX, event.offsetY);
      if (index >= 0) this.onPick(index);
    }
    this.schedule();
  }

  /** The points inside a path. */
  #within(path) {
    const found = [];
    for (let index = 0; index < this.points.length; index += 1) {
      if (this.only !== null && this.groups[index] !== this.only) continue;
      if (isInside(this.placeOf(index), path)) found.push(index);
    }
    return found;
  }

  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const pan = (x, y) => { this.view = { ...this.view, x: this.view.x + x, y: this.view.y + y };
      this.schedule(); };
    const step = (by) => this.#point((this.at + by + this.points.length) % this.points.length);
    const actions = {
      ArrowLeft: () => pan(panStep, 0), ArrowRight: () => pan(-panStep, 0), ArrowUp: () => pan(0, panStep),
        ArrowDown: () => pan(0, -panStep),
      "+": () => this.zoomBy(zoomStep), "=": () => this.zoomBy(zoomStep),
        "-": () => this.zoomBy(1 / zoomStep), 0: () => this.reset(),
      n: () => step(1), p: () => step(-1), Enter: () => { if (this.at >= 0) this.onPick(this.at); },
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }
}

/** Whether a place lies inside a closed path, by the even-odd rule. */
export function isInside([x, y], path) {
  let isIn = false;
  for (let index = 0, last = path.length - 1; index < path.length; last = index, index += 1) {
    const [[x1, y1], [x2, y2]] = [path[index], path[last]];
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) isIn = !isIn;
  }
  return isIn;
}
