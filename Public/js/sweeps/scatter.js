// Points on two axes: one for each trial, each of which can be reached by pointer and by key.
import { h } from "../core/dom.js";
import { fitted, shadeCount, shades, Sheet } from "../charts/sheet.js";

const margin = { left: 52, right: 12, top: 10, bottom: 34 };
/** Pixels around a point in which the pointer finds it. */
const reach = 14;
/** Points from which on each is a small square, which is quickly drawn. */
const manyPoints = 2000;

/**
 * A scatter plot. `describe(point)` is the text of a point, `open(point)` what a click or Enter does.
 * `show({ x, y, points, line, strands })`: axes are { scale, label }; points { x, y, shade (0…1 or null),
 * isFaint, isBest }; `line` is an array of points that are joined by steps; `strands` are lines { isFaint,
 * places }.
 */
export class Scatter {
  #shown = { points: [], line: [] };
  #places = [];
  #focus = null;

  constructor({ label, height = 220, describe, open }) {
    this.describe = describe;
    this.open = open;
    this.sheet = new Sheet(height, {
      base: (context, box) => this.#draw(context, box),
      over: (context, box) => this.#drawFocus(context, box),
    }, {
      tabindex: 0,
      role: "img",
      "aria-label": label,
      onpointermove: (event) => this.#point(this.#nearest(this.sheet.at(event))),
      onpointerleave: () => this.#point(null),
      onclick: (event) => this.#activate(this.#nearest(this.sheet.at(event))),
      onkeydown: (event) => this.#key(event),
      onblur: () => this.#point(null),
    });
    this.tip = h("div", { class: "tip", role: "status", hidden: true });
    this.element = h("div", { class: "plot" }, this.sheet.element, this.tip);
  }

  show(shown) {
    const focused = this.#shown.points[this.#focus]?.trial.number;
    this.#shown = shown;
    const index = shown.points.findIndex(({ trial }) => trial.number === focused);
    this.#focus = index < 0 ? null : index;
    if (this.#focus === null) this.tip.hidden = true;
    this.sheet.refresh();
  }

  destroy() {
    this.sheet.destroy();
  }

  #activate(index) {
    if (index !== null && index !== undefined) this.open(this.#shown.points[index]);
  }

  #key(event) {
    const { points } = this.#shown;
    const order = points.map((_, index) => index).filter((index) => this.#places[index])
      .sort((one, other) => this.#places[one].x - this.#places[other].x);
    if (order.length === 0) return;
    const at = order.indexOf(this.#focus);
    const moves = {
      ArrowRight: at + 1,
      ArrowLeft: at < 0 ? order.length - 1 : at - 1,
      Home: 0,
      End: order.length - 1,
    };
    if (event.key === "Enter") this.#activate(this.#focus);
    else if (event.key === "Escape") this.#point(null);
    else if (event.key in moves) {
      this.#point(order[Math.min(order.length - 1, Math.max(0, moves[event.key]))]);
    } else return;
    event.preventDefault();
  }

  #nearest({ x, y }) {
    let [best, distance] = [null, reach ** 2];
    this.#places.forEach((place, index) => {
      if (!place) return;
      const square = (place.x - x) ** 2 + (place.y - y) ** 2;
      if (square <= distance && !(this.#shown.points[index].isFaint && best !== null)) {
        [best, distance] = [index, square];
      }
    });
    return best;
  }

  #point(index) {
    if (index === this.#focus) return;
    this.#focus = index;
    const place = index === null ? null : this.#places[index];
    this.tip.hidden = !place;
    this.sheet.canvas.classList.toggle("on-point", Boolean(place));
    if (place) {
      this.tip.replaceChildren(this.describe(this.#shown.points[index]));
      // On the side with more room.
      const isRight = place.x > this.sheet.width / 2;
      this.tip.style.setProperty("inset-inline-start", isRight ? "auto" : `${place.x + 12}px`);
      this.tip.style.setProperty(
        "inset-inline-end",
        isRight ? `${this.sheet.width - place.x + 12}px` : "auto",
      );
      this.tip.style.setProperty("top", `${Math.max(0, place.y - 16)}px`);
    }
    this.sheet.redraw();
  }

  #draw(context, { width, height, colours }) {
    const { x, y, points, line, strands = [] } = this.#shown;
    if (!x) return;
    const [left, right] = [margin.left, width - margin.right];
    const [top, bottom] = [margin.top, height - margin.bottom];
    const [insetX, insetY] = [inset(x.scale, right - left), inset(y.scale, bottom - top)];
    const across = (value) => {
      const at = x.scale.place(value);
      return at === null ? null : left + insetX + at * (right - left - 2 * insetX);
    };
    const up = (value) => {
      const at = y.scale.place(value);
      return at === null ? null : bottom - insetY - at * (bottom - top - 2 * insetY);
    };
    drawAxes(context, { x, y, across, up, left, right, top, bottom, colours });
    this.#places = points.map((point) => {
      const place = { x: across(point.x), y: up(point.y) };
      return place.x === null || place.y === null ? null : place;
    });
    drawStrands(context, strands, across, up, colours);
    if (line?.length > 0) drawSteps(context, line, across, up, right, colours.curve);
    this.#drawPoints(context, colours);
  }

  /** The faint points first, then from the worst to the best. */
  #drawPoints(context, colours) {
    const { points } = this.#shown;
    const ramp = shades(colours);
    const [faint, plain] = [-2, -1];
    const groups = new Map();
    points.forEach((point, index) => {
      if (!this.#places[index]) return;
      const group = point.isBest
        ? shadeCount
        : point.isFaint
        ? faint
        : Number.isFinite(point.shade)
        ? Math.min(shadeCount - 1, Math.floor(point.shade * shadeCount))
        : plain;
      if (!groups.has(group)) groups.set(group, []);
      groups.get(group).push(this.#places[index]);
    });
    for (const group of [...groups.keys()].sort((one, other) => one - other)) {
      const isBest = group === shadeCount;
      context.globalAlpha = group === faint ? 0.25 : 1;
      context.fillStyle = isBest ? colours["curve-2"] : group < 0 ? colours.quiet : ramp[group];
      drawDots(context, groups.get(group), this.#size + (isBest ? 1.4 : 0));
    }
    context.globalAlpha = 1;
  }

  get #size() {
    const { length } = this.#shown.points;
    return length > manyPoints ? 1.5 : length > 300 ? 2.8 : 3.6;
  }

  #drawFocus(context, { colours }) {
    const place = this.#places[this.#focus];
    if (!place) return;
    context.strokeStyle = colours.ink;
    context.lineWidth = 1.5;
    context.beginPath();
    context.arc(place.x, place.y, this.#size + 3, 0, 2 * Math.PI);
    context.stroke();
  }
}

/** Pixels between the end of an axis and its outermost values. */
const inset = (scale, length) => (scale.kind === "ordinal" ? length / (2 * scale.values.length) : 5);

/** Each by itself: one path of many overlapping dots takes a browser long to fill. */
function drawDots(context, places, size) {
  const isMany = places.length > manyPoints;
  for (const { x, y } of places) {
    if (isMany) context.fillRect(x - size, y - size, 2 * size, 2 * size);
    else {
      context.beginPath();
      context.arc(x, y, size, 0, 2 * Math.PI);
      context.fill();
    }
  }
}

function drawAxes(context, { x, y, across, up, left, right, top, bottom, colours }) {
  context.lineWidth = 1;
  context.strokeStyle = colours.line;
  context.fillStyle = colours.quiet;
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const { value, text } of y.scale.ticks()) {
    const place = Math.round(up(value)) + 0.5;
    context.beginPath();
    context.moveTo(left, place);
    context.lineTo(right, place);
    context.stroke();
    context.fillText(fitted(context, text, left - 8), left - 6, place);
  }
  context.textBaseline = "top";
  const ticks = x.scale.ticks();
  const room = (right - left) / Math.max(1, ticks.length) - 4;
  let end = -Infinity;
  for (const { value, text } of ticks) {
    const label = fitted(context, text, Math.max(room, 30));
    const half = context.measureText(label).width / 2;
    const place = Math.min(right + margin.right - half, Math.max(half, across(value)));
    if (place - half < end + 6) continue;
    end = place + half;
    context.textAlign = "center";
    context.fillText(label, place, bottom + 5);
    context.beginPath();
    context.moveTo(Math.round(across(value)) + 0.5, bottom);
    context.lineTo(Math.round(across(value)) + 0.5, bottom + 3);
    context.stroke();
  }
  context.textAlign = "center";
  context.textBaseline = "bottom";
  context.fillText(fitted(context, x.label, right - left), (left + right) / 2, bottom + margin.bottom - 1);
}

function drawSteps(context, line, across, up, right, colour) {
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.lineJoin = "round";
  context.beginPath();
  let height = null;
  for (const { x, y } of line) {
    const [a, b] = [across(x), up(y)];
    if (height === null) context.moveTo(a, b);
    else {
      context.lineTo(a, height);
      context.lineTo(a, b);
    }
    height = b;
  }
  context.stroke();
}

function drawStrands(context, strands, across, up, colours) {
  context.lineWidth = 1;
  for (const isFaint of [true, false]) {
    context.strokeStyle = isFaint ? colours.line : colours.quiet;
    context.globalAlpha = strands.length > 300 ? 0.2 : 0.55;
    for (const strand of strands) {
      if (strand.isFaint !== isFaint) continue;
      context.beginPath();
      for (const { x, y } of strand.places) {
        const [a, b] = [across(x), up(y)];
        if (b !== null) context.lineTo(a, b);
      }
      context.stroke();
    }
  }
  context.globalAlpha = 1;
}
