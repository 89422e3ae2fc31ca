// Parallel coordinates: an axis for each parameter and one for the value, a line for each trial. Dragging
// along an axis keeps the trials whose value lies there.
import { h } from "../core/dom.js";
import { fitted, shadeCount, shades, Sheet } from "../charts/sheet.js";

const top = 46;
const bottom = 24;
const side = 46;
/** Pixels between axes below which names take turns in two lines, and only the ends have ticks. */
const narrow = 90;
/** Pixels beside an axis in which a drag belongs to it, and of movement below which it is a click. */
const grip = 18;
const still = 3;
/** The place below an axis of what has no value on it. */
const absent = -0.07;

/**
 * The chart. `show({ axes, rows, brushes, best })`: axes { key, name, scale }; rows { trial, values (a place
 * for each axis or null), shade, isFaint }; brushes: by key [low, high] as places from 0 to 1. `onBrush(key,
 * [low, high] or null)` is called while an axis is dragged, `open(trial)` on a click.
 */
export class Parallel {
  #shown = null;
  #drag = null;
  #hover = null;

  constructor({ label, height = 320, onBrush, describe, open }) {
    Object.assign(this, { onBrush, describe, open });
    this.sheet = new Sheet(height, {
      base: (context, box) => this.#drawLines(context, box),
      over: (context, box) => this.#drawOver(context, box),
    }, {
      role: "img",
      "aria-label": label,
      class: "parallel",
      onpointerdown: (event) => this.#down(event),
      onpointermove: (event) => this.#move(event),
      onpointerup: (event) => this.#up(event),
      onpointercancel: () => {
        this.#drag = null;
      },
      onpointerleave: () => this.#pick(null),
      ondblclick: (event) => this.#clear(event),
    });
    this.tip = h("div", { class: "tip", hidden: true });
    this.element = h("div", { class: "plot" }, this.sheet.element, this.tip);
  }

  show(shown) {
    this.#shown = shown;
    this.sheet.refresh();
  }

  destroy() {
    this.sheet.destroy();
  }

  #across(index) {
    const { axes } = this.#shown;
    const room = this.sheet.width - 2 * side;
    return axes.length === 1 ? this.sheet.width / 2 : side + (index * room) / (axes.length - 1);
  }

  #height(place) {
    return this.sheet.height - bottom - place * (this.sheet.height - top - bottom);
  }

  #placeAt(y) {
    return Math.min(1, Math.max(0, (this.sheet.height - bottom - y) / (this.sheet.height - top - bottom)));
  }

  /** The axis near a place in the window. */
  #axisAt({ x }) {
    const near =
      this.#shown.axes.map((axis, index) => ({ axis, distance: Math.abs(this.#across(index) - x) }))
        .sort((one, other) => one.distance - other.distance)[0];
    return near && near.distance <= grip ? near.axis : null;
  }

  #down(event) {
    if (!this.#shown || event.button !== 0) return;
    const at = this.sheet.at(event);
    const axis = this.#axisAt(at);
    if (!axis) return;
    this.#drag = { key: axis.key, from: at.y, isMoved: false };
    this.sheet.canvas.setPointerCapture(event.pointerId);
  }

  #move(event) {
    if (!this.#shown) return;
    const at = this.sheet.at(event);
    if (!this.#drag) {
      this.sheet.canvas.classList.toggle("on-axis", this.#axisAt(at) !== null);
      this.#pick(this.#lineAt(at), at);
      return;
    }
    if (Math.abs(at.y - this.#drag.from) < still && !this.#drag.isMoved) return;
    this.#drag.isMoved = true;
    const ends = [this.#placeAt(this.#drag.from), this.#placeAt(at.y)].sort((one, other) => one - other);
    this.onBrush(this.#drag.key, ends);
  }

  #up(event) {
    const drag = this.#drag;
    this.#drag = null;
    if (!this.#shown || drag?.isMoved) return;
    if (drag && this.#shown.brushes[drag.key]) this.onBrush(drag.key, null);
    else {
      const row = this.#lineAt(this.sheet.at(event));
      if (row) this.open(row.trial);
    }
  }

  #clear(event) {
    const axis = this.#shown && this.#axisAt(this.sheet.at(event));
    if (axis) this.onBrush(axis.key, null);
  }

  /** The kept line nearest to a place, at most a few pixels away. */
  #lineAt({ x, y }) {
    const { axes, rows } = this.#shown;
    if (axes.length < 2) return null;
    const width = this.#across(1) - this.#across(0);
    const left = Math.min(axes.length - 2, Math.max(0, Math.floor((x - side) / width)));
    const share = (x - this.#across(left)) / width;
    if (share < -0.02 || share > 1.02) return null;
    let [best, distance] = [null, 6];
    for (const row of rows) {
      if (row.isFaint) continue;
      const [a, b] = [row.values[left] ?? absent, row.values[left + 1] ?? absent];
      const away = Math.abs(this.#height(a + (b - a) * share) - y);
      if (away < distance) [best, distance] = [row, away];
    }
    return best;
  }

  #pick(row, at) {
    if (row === this.#hover) return;
    this.#hover = row;
    this.tip.hidden = !row;
    if (row) {
      this.tip.replaceChildren(this.describe(row.trial));
      const isRight = at.x > this.sheet.width / 2;
      this.tip.style.setProperty("inset-inline-start", isRight ? "auto" : `${at.x + 14}px`);
      this.tip.style.setProperty("inset-inline-end", isRight ? `${this.sheet.width - at.x + 14}px` : "auto");
      this.tip.style.setProperty("top", `${Math.max(0, Math.min(this.sheet.height - 60, at.y))}px`);
    }
    this.sheet.redraw();
  }

  /** Faint lines first, then from the worst to the best; each by itself, as one long path is slowly drawn. */
  #drawLines(context, { colours }) {
    if (!this.#shown) return;
    const { rows } = this.#shown;
    const ramp = shades(colours);
    const groups = Array.from({ length: shadeCount + 1 }, () => []);
    for (const row of rows) {
      groups[row.isFaint ? 0 : 1 + Math.min(shadeCount - 1, Math.floor((row.shade ?? 0) * shadeCount))].push(
        row,
      );
    }
    const isDense = rows.length > 500;
    const across = this.#shown.axes.map((_, index) => this.#across(index));
    groups.forEach((group, index) => {
      context.strokeStyle = index === 0 ? colours.line : ramp[index - 1];
      context.globalAlpha = (index === 0 ? 0.8 : 0.9) * (isDense ? 0.5 : 1);
      context.lineWidth = isDense || index === 0 ? 1 : 1.3;
      for (const { values } of group) {
        context.beginPath();
        for (let axis = 0; axis < values.length; axis += 1) {
          context.lineTo(across[axis], this.#height(values[axis] ?? absent));
        }
        context.stroke();
      }
    });
    context.globalAlpha = 1;
  }

  #drawOver(context, { colours }) {
    if (!this.#shown) return;
    const { axes, rows, best } = this.#shown;
    for (const row of rows) {
      if (row.isFaint || (row !== this.#hover && row.trial.number !== best)) continue;
      Object.assign(context, {
        strokeStyle: row.trial.number === best ? colours["curve-2"] : colours.ink,
        lineWidth: 2.4,
        lineJoin: "round",
      });
      context.beginPath();
      row.values.forEach((place, index) =>
        context.lineTo(this.#across(index), this.#height(place ?? absent))
      );
      context.stroke();
    }
    axes.forEach((axis, index) => this.#drawAxis(context, axis, index, colours));
  }

  #drawAxis(context, axis, index, colours) {
    const { axes, brushes } = this.#shown;
    const x = Math.round(this.#across(index)) + 0.5;
    context.strokeStyle = colours.quiet;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x, this.#height(1));
    context.lineTo(x, this.#height(0));
    context.stroke();
    const brush = brushes[axis.key];
    if (brush) {
      context.fillStyle = colours.accent;
      context.globalAlpha = 0.3;
      const [low, high] = brush.map((place) => this.#height(place));
      context.fillRect(x - 7, high - 2, 14, low - high + 4);
      context.globalAlpha = 1;
      context.strokeStyle = colours.accent;
      context.strokeRect(x - 7, high - 2, 14, low - high + 4);
    }
    const isLast = index === axes.length - 1;
    const room = axes.length === 1 ? 200 : (this.sheet.width - 2 * side) / (axes.length - 1);
    context.textBaseline = "middle";
    context.textAlign = isLast ? "right" : "left";
    const isNarrow = room < narrow;
    const ticks = axis.scale.ticks();
    for (const { value, text } of isNarrow ? [...new Set([ticks[0], ticks.at(-1)])].filter(Boolean) : ticks) {
      const place = axis.scale.place(value);
      if (place === null || place < -0.01 || place > 1.01) continue;
      const y = this.#height(place);
      context.beginPath();
      context.moveTo(x - 3, y);
      context.lineTo(x + 3, y);
      context.stroke();
      this.#label(
        context,
        fitted(context, text, room - 16),
        isLast ? x - 8 : x + 8,
        y,
        colours.quiet,
        colours.sheet,
      );
    }
    context.textBaseline = "top";
    context.textAlign = index === 0 ? "left" : isLast ? "right" : "center";
    const width = (isNarrow ? 2 : 1) * room - 8;
    const name = fitted(context, axis.name, index === 0 || isLast ? width * 0.6 + side / 2 : width);
    const line = isNarrow && index % 2 === 1 ? 22 : 6;
    this.#label(
      context,
      name,
      index === 0 ? 2 : isLast ? this.sheet.width - 2 : x,
      line,
      colours.ink,
      colours.sheet,
    );
  }

  /** Text that lines do not cover. */
  #label(context, text, x, y, colour, ground) {
    context.strokeStyle = ground;
    context.lineWidth = 3;
    context.strokeText(text, x, y);
    context.fillStyle = colour;
    context.fillText(text, x, y);
    context.strokeStyle = colour;
    context.lineWidth = 1;
  }
}
