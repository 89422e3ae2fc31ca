// How a figure of the machine was in the last hour: lines over time, each value of which can be read.
import { linear } from "../charts/scale.js";
import { Sheet } from "../charts/sheet.js";
import { h } from "../core/dom.js";
import { table } from "../core/parts.js";

const margin = { left: 58, right: 10, top: 8, bottom: 20 };
const height = 150;
/** Rows of the table of values: at equal distances where there are more samples. */
const rowsMax = 60;

/**
 * A chart. `name`; `text(value)`: how values are written; `lines`: [{ name, colour }] ("curve", "curve-2" or
 * "quiet"). `show({ times, columns, most })`: Unix milliseconds, a column per line, and the end of the axis
 * (null: the largest value).
 */
export class HistoryChart {
  #shown = { times: [], columns: [] };
  #cursor = null;

  constructor({ name, text, lines, ticks }) {
    Object.assign(this, { text, lines, ticks });
    this.value = h("span", { class: "value" });
    this.sheet = new Sheet(height, {
      base: (context, box) => this.#draw(context, box),
      over: (context, box) => this.#drawCursor(context, box),
    }, {
      tabindex: 0,
      role: "img",
      "aria-label": `${name} in the last hour`,
      onpointermove: (event) => this.#look(this.#indexAt(this.sheet.at(event).x)),
      onpointerleave: () => this.#look(null),
      onblur: () => this.#look(null),
      onkeydown: (event) => this.#key(event),
    });
    this.body = h("div", { tabindex: 0, role: "region", "aria-label": `${name}: values` });
    this.details = h(
      "details",
      { class: "values-behind", ontoggle: () => this.#fill() },
      h("summary", {}, "Values"),
      this.body,
    );
    this.element = h(
      "figure",
      { class: "plate history" },
      h("figcaption", {}, h("span", { class: "name" }, name), this.value),
      this.sheet.element,
      this.details,
    );
  }

  show(shown) {
    this.#shown = shown;
    this.#say();
    this.#fill();
    this.sheet.refresh();
  }

  destroy() {
    this.sheet.destroy();
  }

  #key(event) {
    const last = this.#shown.times.length - 1;
    const at = this.#cursor ?? last;
    const step = event.shiftKey ? 10 : 1;
    const moves = { ArrowLeft: at - step, ArrowRight: at + step, Home: 0, End: last };
    if (event.key === "Escape") this.#look(null);
    else if (event.key in moves) this.#look(Math.min(last, Math.max(0, moves[event.key])));
    else return;
    event.preventDefault();
  }

  #look(index) {
    if (index === this.#cursor || this.#shown.times.length === 0) return;
    this.#cursor = index;
    this.value.setAttribute("role", "status");
    this.#say();
    this.sheet.redraw();
  }

  /** The values at the cursor, else the last ones. */
  #say() {
    const { times, columns } = this.#shown;
    const index = this.#cursor ?? times.length - 1;
    const parts = this.lines.map(({ name }, line) => {
      const value = this.text(columns[line]?.[index] ?? null);
      return this.lines.length > 1 ? `${value} ${name}` : value;
    });
    this.value.textContent = this.#cursor === null
      ? parts.join(", ")
      : `${clock(times[index])}: ${parts.join(", ")}`;
  }

  #fill() {
    if (!this.details.open) return;
    const { times, columns } = this.#shown;
    const stride = Math.max(1, Math.ceil(times.length / rowsMax));
    const valuesAt = (index) => this.lines.map((_, line) => this.text(columns[line]?.[index] ?? null));
    const rows = times.map((time, index) => [clock(time), ...valuesAt(index)])
      .filter((_, index) => (times.length - 1 - index) % stride === 0).reverse();
    this.body.replaceChildren(table(["Time", ...this.lines.map(({ name }) => name)], rows));
  }

  #scales() {
    const { times, columns, most } = this.#shown;
    let top = most ?? 0;
    if (!most) { for (const column of columns) for (const value of column) top = Math.max(top, value ?? 0); }
    const end = times.at(-1) ?? Date.now();
    const start = Math.min(times[0] ?? end, end - 60_000);
    const [left, right, low, high] = [
      margin.left,
      this.sheet.width - margin.right,
      height - margin.bottom,
      margin.top,
    ];
    return {
      top,
      start,
      end,
      left,
      right,
      low,
      x: (time) => left + ((time - start) / (end - start)) * (right - left),
      y: (value) => low - (value / (top || 1)) * (low - high),
    };
  }

  #indexAt(x) {
    const { times } = this.#shown;
    if (times.length === 0) return null;
    const { start, end, left, right } = this.#scales();
    const time = start + ((x - left) / (right - left)) * (end - start);
    let best = 0;
    times.forEach((one, index) => {
      if (Math.abs(one - time) < Math.abs(times[best] - time)) best = index;
    });
    return best;
  }

  #draw(context, { colours }) {
    const { times, columns } = this.#shown;
    const { top, start, end, left, right, low, x, y } = this.#scales();
    const ticks = this.ticks?.(top) ?? linear(0, top || 1).ticks().map((tick) => tick.value);
    Object.assign(context, {
      strokeStyle: colours.line,
      fillStyle: colours.quiet,
      lineWidth: 1,
      textAlign: "right",
      textBaseline: "middle",
    });
    for (const value of ticks) {
      const place = Math.round(y(value)) + 0.5;
      context.beginPath();
      context.moveTo(left, place);
      context.lineTo(right, place);
      context.stroke();
      context.fillText(this.text(value).replace(".0", ""), left - 6, place);
    }
    context.textBaseline = "top";
    for (const [time, align] of [[start, "left"], [end, "right"]]) {
      context.textAlign = align;
      context.fillText(clock(time), x(time), low + 5);
    }
    columns.forEach((column, line) => {
      context.strokeStyle = colours[this.lines[line].colour];
      context.lineWidth = 1.8;
      context.beginPath();
      let isDown = false;
      column.forEach((value, index) => {
        // What could not be read leaves a gap.
        if (value === null || value === undefined) isDown = false;
        else {
          if (isDown) context.lineTo(x(times[index]), y(value));
          else context.moveTo(x(times[index]), y(value));
          isDown = true;
        }
      });
      context.stroke();
    });
  }

  #drawCursor(context, { colours }) {
    const { times, columns } = this.#shown;
    if (this.#cursor === null || this.#cursor >= times.length) return;
    const { x, y, low } = this.#scales();
    const place = x(times[this.#cursor]);
    Object.assign(context, { strokeStyle: colours.quiet, lineWidth: 1 });
    context.beginPath();
    context.moveTo(place, margin.top);
    context.lineTo(place, low);
    context.stroke();
    columns.forEach((column, line) => {
      const value = column[this.#cursor];
      if (value === null || value === undefined) return;
      context.fillStyle = colours[this.lines[line].colour];
      context.beginPath();
      context.arc(place, y(value), 3.5, 0, 2 * Math.PI);
      context.fill();
    });
  }
}

const clock = (
  time,
) => (time
  ? new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" })
  : "–");
