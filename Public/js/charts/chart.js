// One chart: lines of means in their bands from the lowest to the highest value, by dygraphs' axes.
import { announce, h } from "../core/dom.js";
import { xTicks, yTicks } from "./axis.js";
import { listen } from "./input.js";
import { Columns, placeOf } from "./line.js";
import { saveCSV, savePNG, showTable } from "./output.js";
import { paintBand, paintLine, paintMarks, paintNotFinite, paintRule } from "./paint.js";
import { describe, headLinesMax, showCursor } from "./readout.js";
import { color } from "./theme.js";

// The legend is never shown, and measures itself by an inline style, which the page's policy forbids.
if (window.Dygraph) {
  const { Legend } = window.Dygraph.Plugins;
  window.Dygraph.PLUGINS = window.Dygraph.PLUGINS.filter((plugin) => plugin !== Legend);
}

/** Points of all lines that are drawn, and while the window moves. */
const [pointsMax, movingPointsMax] = [40_000, 8_000];
/** Lines above which each is thin. */
const crowdedMin = 12;

/** Safari has no such call. */
const whenIdle = window.requestIdleCallback ?? ((work) => setTimeout(work, 200));

/** Draws charts as they come into sight. */
const sight = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) target.chart?.see(isIntersecting);
}, { rootMargin: "400px" });

/**
 * A chart of a group. Options: `title`; `note`; `hasBands` (true); `floor`, a value that is always in sight;
 * `rule`,
 * { value, label, shade }: a value to compare with; `isLinear`: never on a logarithmic axis; `onPick(line)`:
 * a click
 * on a line; `empty`: what it says without lines. `element` is the figure.
 */
export class Chart {
  constructor(group, options) {
    this.group = group;
    this.options = { hasBands: true, empty: "Waiting for the first step.", ...options };
    this.lines = [];
    this.marks = [];
    this.canvas = h("div", { class: "canvas", tabindex: 0, role: "application",
      "aria-roledescription": "chart", "aria-label": options.title });
    this.overlay = h("canvas", { class: "overlay", "aria-hidden": "true" });
    this.tip = h("div", { class: "chart-tip", hidden: true, "aria-hidden": "true" });
    this.area = h("div", { class: "chart-area" }, this.canvas, this.overlay, this.tip);
    this.value = h("span", { class: "value" });
    this.note = h("span", { class: "note", title: options.note }, options.note);
    this.element = h("figure", { class: "chart" },
      h("figcaption", {},
        h("span", { class: "name" }, options.title), this.value, this.#menu(),
        this.note),
      this.area);
    this.canvas.textContent = this.options.empty;
    this.area.chart = this;
    this.resizing = new ResizeObserver(() => this.#resize());
    this.resizing.observe(this.area);
    sight.observe(this.area);
    listen(this);
    group.add(this);
  }

  get fileName() {
    return [this.options.file, this.options.title].filter(Boolean).join(" ");
  }

  /**
   * Shows lines: { id, label, color (name of a property), dash, scale, points: [[step, mean, min, max]],
   * notFinite:
   * [[step, count]], isHidden, width, opacity, isSilent: its values are not told }.
   */
  set(lines) {
    this.lines = lines.map((line) => ({ ...line, points: [...line.points] }));
    this.place();
    this.schedule();
  }

  /** Shows marks of the run: { step, kind: "attempt" | "checkpoint", text }. */
  mark(marks, scale) {
    this.marks = marks.map((mark) => ({ ...mark, scale }));
    this.schedule();
  }

  /** Adds a point to the end of a line. */
  append(id, point) {
    const line = this.lines.find((one) => one.id === id);
    if (!line || point[0] <= (line.points.at(-1)?.[0] ?? -1)) return;
    line.points.push(point);
    line.columns = null;
    this.schedule();
  }

  /** Shows finer points of a line within a part of the axis, or with null none. */
  detail(id, detail) {
    const line = this.lines.find((one) => one.id === id);
    if (!line) return;
    line.detail = detail && { window: detail.window,
      columns: new Columns(detail.points, this.group.axis, line.scale) };
    this.schedule();
  }

  /** Places the lines on the axis, after that has changed. */
  place() {
    for (const line of this.lines) [line.columns, line.detail] = [null, null];
  }

  /** The points of a line that are drawn: the finer ones where they cover the window. */
  columnsOf(line) {
    const { window } = this.group;
    const fine = line.detail;
    if (window && fine && fine.window[0] <= window[0] && fine.window[1] >= window[1]) return fine.columns;
    line.columns ??= new Columns(line.points, this.group.axis, line.scale);
    return line.columns;
  }

  get extent() {
    let [low, high] = [Infinity, -Infinity];
    for (const { points, scale } of this.lines) {
      if (points.length === 0) continue;
      const [from, to] = [points[0], points.at(-1)].map((point) => placeOf(this.group.axis, scale, point[0]));
      [low, high] = [Math.min(low, from), Math.max(high, to)];
    }
    return [low, high];
  }

  see(isInSight) {
    this.isInSight = isInSight;
    if (isInSight && this.isDirty) this.drawNow();
  }

  /**
   * Draws with the next frame, or, out of sight, for the first time when the browser has nothing else to do.
   */
  schedule() {
    this.isDirty = true;
    if (this.isInSight) this.frame ||= requestAnimationFrame(() => this.drawNow());
    else if (!this.graph) this.idle ||= whenIdle(() => { if (this.isDirty) this.drawNow(); });
  }

  drawNow() {
    cancelAnimationFrame(this.frame);
    [this.frame, this.idle, this.isDirty] = [0, 0, false];
    if (this.isEnded) return;
    const drawn = this.lines.filter((line) => line.points.length > 0);
    this.element.classList.toggle("is-empty", drawn.length === 0);
    if (drawn.length === 0 || !window.Dygraph || this.area.clientWidth === 0) return;
    for (const line of drawn) line.paint = color(line.color);
    const options = this.#options();
    if (this.graph) this.graph.updateOptions(options);
    else {
      this.canvas.textContent = "";
      this.graph = new window.Dygraph(this.canvas, options.file, options);
    }
    describe(this, drawn);
    this.showCursor();
  }

  #options() {
    const { window: zoomed } = this.group;
    const window = this.group.shown;
    const range = this.#range(window);
    const isLogarithmic = this.isLogarithmic && range[0] > 0;
    const ink = color("--line");
    return {
      file: window.map((x) => [x, range[0]]), labels: ["x", "y"], dateWindow: window, valueRange: range,
      logscale: isLogarithmic, plotter: (event) => this.#paint(event), legend: "never", interactionModel: {},
      highlightCircleSize: 0, gridLineColor: ink, axisLineColor: ink, axisLabelFontSize: 11,
        rightGap: zoomed ? 2 : 6,
      axes: {
        x: { drawGrid: false, axisLabelWidth: 70,
          ticker: (from, to, pixels) => xTicks(this.group.axis, from, to, pixels) },
        y: { axisLabelWidth: 46, ticker: (from, to, pixels) => yTicks(from, to, pixels, isLogarithmic) },
      },
    };
  }

  get isLogarithmic() {
    return this.group.isLogarithmic && !this.options.isLinear;
  }

  /** Lowest and highest value in sight, with a margin. */
  #range(window) {
    let [low, high] = [Infinity, -Infinity];
    const count = (value) => {
      if (Number.isNaN(value) || (this.isLogarithmic && value <= 0)) return;
      if (value < low) low = value;
      if (value > high) high = value;
    };
    for (const line of this.lines) {
      if (line.isHidden) continue;
      const columns = this.columnsOf(line);
      const [first, end] = columns.visible(window);
      const [lower, upper] = this.options.hasBands ? [columns.low, columns.high]
        : [columns.mean, columns.mean];
      for (let index = first; index < end; index += 1) {
        count(lower[index]);
        count(upper[index]);
      }
    }
    for (const value of [this.options.floor, this.options.rule?.value]) if (value !== undefined) count(value);
    if (!(low <= high)) return this.isLogarithmic ? [0.1, 1] : [0, 1];
    if (this.isLogarithmic) return [low / 1.15, high * 1.15];
    const margin = (high - low || Math.abs(high) || 1) * 0.06;
    return [low === this.options.floor ? low : low - margin, high + margin];
  }

  #paint({ drawingContext: context, plotArea: area, dygraph: graph }) {
    const scale = { toX: (x) => graph.toDomXCoord(x), toY: (y) => graph.toDomYCoord(y) };
    if (!this.isLogarithmic) {
      // The same by two multiplications, as there are many points.
      const [x0, x1, y0, y1] = [scale.toX(0), scale.toX(1) - scale.toX(0), scale.toY(0),
        scale.toY(1) - scale.toY(0)];
      Object.assign(scale, { toX: (x) => x0 + x * x1, toY: (y) => y0 + y * y1 });
    }
    const [good, bad, quiet, alarm] = ["--good", "--bad-soft", "--quiet", "--bad"].map(color);
    const { rule, hasBands } = this.options;
    if (rule) paintRule(context, rule, area, scale.toY, { good, bad });
    paintMarks(context, this.marksOn(), area, scale.toX, quiet);
    const lines = this.lines.filter((line) => !line.isHidden);
    const length = this.group.smoothing;
    const isCrowded = lines.length > crowdedMin;
    const budget = (this.group.isMoving ? movingPointsMax : pointsMax) / Math.max(1, lines.length);
    for (const line of lines) {
      const columns = this.columnsOf(line);
      const part = columns.visible(this.group.shown);
      const look = { width: line.width ?? (isCrowded ? 1 : 1.6),
        hasDashes: !isCrowded || !this.group.isMoving,
        stride: Math.max(1, Math.ceil((part[1] - part[0]) / budget)) };
      if (hasBands) paintBand(context, line, columns, part, scale, 0.18);
      if (length > 0 && !hasBands && !isCrowded) {
        paintLine(context, line, columns, columns.mean, part, scale, { ...look, width: 1, opacity: 0.2 });
      }
      paintLine(context, line, columns, columns.smoothed(length), part, scale,
        { ...look, opacity: line.opacity ?? 1 });
      const lost = (line.notFinite ?? []).map(([step]) => placeOf(this.group.axis, line.scale, step));
      if (lost.length > 0) paintNotFinite(context, lost, area, scale.toX, alarm);
    }
  }

  /** The marks with their places. */
  marksOn() {
    return this.marks.map((mark) => ({ ...mark, x: placeOf(this.group.axis, mark.scale, mark.step) }));
  }

  /** Shows what lies at the group's cursor. `isSource`: the pointer is on this chart. */
  showCursor(isSource = false) {
    if (this.graph && this.isInSight) showCursor(this, isSource);
  }

  /** Has the line nearest to a point stand out; gives it. */
  pick(x, pixelY) {
    let [best, distance] = [null, 40];
    for (const line of this.lines) {
      if (line.isHidden || line.points.length === 0) continue;
      const columns = this.columnsOf(line);
      const y = this.graph.toDomYCoord(columns.smoothed(this.group.smoothing)[columns.nearest(x)]);
      if (Math.abs(y - pixelY) < distance) [best, distance] = [line, Math.abs(y - pixelY)];
    }
    if (this.lines.length > headLinesMax || this.options.onPick) this.emphasize(best);
    return best;
  }

  /** Has a line stand out; null: none. */
  emphasize(line) {
    this.near = line;
  }

  /** Reads the values at the cursor aloud. */
  speak() {
    announce(`${this.options.title}: ${this.value.textContent}. ${this.note.textContent}`);
  }

  #menu() {
    const act = (text, work) => h("button", {
      type: "button", onclick: () => { menu.open = false; work(this); },
    }, text);
    const menu = h("details", {
      class: "chart-menu",
      onkeydown: (event) => { if (event.key === "Escape") menu.open = false; },
      onfocusout: (event) => { if (!menu.contains(event.relatedTarget)) menu.open = false; },
    },
    h("summary", { "aria-label": `More for ${this.options.title}` }, "⋯"),
    h("div", {}, act("Full screen", () => this.toggleFullScreen()), act("Table of values", showTable),
      act("Download CSV", saveCSV), act("Download PNG", savePNG)));
    return menu;
  }

  /** Shows the chart alone, or again among the others. */
  async toggleFullScreen() {
    if (document.fullscreenElement) return document.exitFullscreen();
    await this.element.requestFullscreen();
    this.canvas.focus();
  }

  #resize() {
    if (!this.graph || this.area.clientWidth === 0) return;
    this.graph.resize();
    this.schedule();
  }

  /** Ends the chart. */
  destroy() {
    this.isEnded = true;
    cancelAnimationFrame(this.frame);
    this.resizing.disconnect();
    sight.unobserve(this.area);
    this.group.remove(this);
    this.graph?.destroy();
    this.graph = null;
  }
}
