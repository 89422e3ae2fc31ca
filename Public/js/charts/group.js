// Charts that belong together: one axis, one window, one cursor, one smoothing for all of them.
import { h } from "../core/dom.js";
import { axisTitle, lengthText } from "./axis.js";
import { onColorsChange } from "./theme.js";

/** Milliseconds that the window must stay before finer points are asked for. */
const restMilliseconds = 40;
/** The longest smoothing as a share of the whole axis. */
const smoothingShareMax = 0.25;

/**
 * A group of charts. `axes` are the axes to choose from, `state` is { axis, smooth (0…100), log } as the
 * address has
 * it, and `onState` is called with it when it changes. `refine(from, to)` is called with the window, in
 * places of the
 * axis, once it rests: it may call `detail` of the charts.
 */
export class ChartGroup {
  constructor({ axes = ["step"], state = {}, onState = () => {}, refine = null, hasSmoothing = true } = {}) {
    this.hasSmoothing = hasSmoothing;
    this.charts = new Set();
    this.axes = axes;
    this.axis = axes.includes(state.axis) ? state.axis : axes[0];
    this.smooth = Math.min(100, Math.max(0, Number(state.smooth) || 0));
    this.isLogarithmic = state.log === true || state.log === "1";
    this.onState = onState;
    this.refine = refine;
    /** [from, to] of the axis; null: all. */
    this.window = null;
    this.cursor = null;
    /** Whether the window has just changed and may go on changing. */
    this.isMoving = false;
    this.forget = onColorsChange(() => this.draw());
    this.print = () => this.charts.forEach((chart) => chart.drawNow());
    addEventListener("beforeprint", this.print);
    this.controls = this.#makeControls();
  }

  add(chart) {
    this.charts.add(chart);
  }

  remove(chart) {
    this.charts.delete(chart);
  }

  /** Ends the group and its charts. */
  destroy() {
    clearTimeout(this.timer);
    this.forget();
    removeEventListener("beforeprint", this.print);
    for (const chart of [...this.charts]) chart.destroy();
  }

  /** [first, last] place of all lines of all charts. */
  get extent() {
    let [low, high] = [Infinity, -Infinity];
    for (const chart of this.charts) {
      const [from, to] = chart.extent;
      [low, high] = [Math.min(low, from), Math.max(high, to)];
    }
    return low <= high ? [low, high] : [0, 1];
  }

  /** The window that is shown. */
  get shown() {
    if (this.window) return this.window;
    const [low, high] = this.extent;
    return high > low ? [low, high] : [low - 0.5, high + 0.5];
  }

  /** The length of the axis over which means are smoothed; 0: not at all. */
  get smoothing() {
    const [low, high] = this.extent;
    return (this.smooth / 100) ** 2 * smoothingShareMax * (high - low);
  }

  /** Draws all charts again. */
  draw() {
    this.#showControls();
    for (const chart of this.charts) chart.schedule();
  }

  /** Shows [from, to] of the axis in all charts; null: all of it. */
  zoom(window) {
    const [low, high] = this.extent;
    if (window) {
      const width = Math.min(window[1] - window[0], high - low);
      const from = Math.min(Math.max(window[0], low), high - width);
      this.window = width >= (high - low) * 0.999 || !(width > 0) ? null : [from, from + width];
    } else this.window = null;
    this.isMoving = true;
    this.draw();
    this.rest();
  }

  /** Makes the window `factor` times as wide around a place. */
  zoomBy(factor, around) {
    const [from, to] = this.shown;
    const place = around ?? (from + to) / 2;
    this.zoom([place - (place - from) * factor, place + (to - place) * factor]);
  }

  /** Moves the window by a share of its width. */
  pan(share) {
    if (!this.window) return;
    const move = (this.window[1] - this.window[0]) * share;
    this.zoom(this.window.map((place) => place + move));
  }

  /** Asks for finer points once the window rests. */
  rest() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.isMoving) {
        this.isMoving = false;
        this.draw();
      }
      this.refine?.(...this.shown, this.window === null);
    }, restMilliseconds);
  }

  /**
   * Shows the cursor at a place in all charts; null: nowhere. `source` is the chart that the pointer is on.
   */
  point(place, source = null) {
    this.cursor = place;
    for (const chart of this.charts) chart.showCursor(chart === source);
  }

  /** Chooses the axes again, as when it becomes known that a run has a clock. */
  offer(axes) {
    if (axes.join() === this.axes.join()) return;
    this.axes = axes;
    this.controls.querySelector(".axis").replaceChildren(...this.#axisOptions());
    this.#showControls();
  }

  #set(change) {
    Object.assign(this, change);
    this.onState({ axis: this.axis === this.axes[0] ? "" : this.axis, smooth: this.smooth || "",
      log: this.isLogarithmic ? "1" : "" });
    for (const chart of this.charts) chart.place();
    this.draw();
  }

  #axisOptions() {
    return this.axes.map((axis) => h("option", { value: axis, selected: axis === this.axis },
      axisTitle(axis)));
  }

  #makeControls() {
    const slider = h("input", {
      type: "range", min: 0, max: 100, value: this.smooth, class: "smooth", "aria-label": "Smoothing",
      oninput: (event) => this.#set({ smooth: Number(event.target.value) }),
    });
    const axis = h("select", {
      class: "axis", "aria-label": "Axis", onchange: (event) =>
        this.#set({ axis: event.target.value, window: null }),
    }, this.#axisOptions());
    const log = h("input", {
      type: "checkbox", class: "log", checked: this.isLogarithmic,
      onchange: (event) => this.#set({ isLogarithmic: event.target.checked }),
    });
    return h("div", { class: "controls chart-controls" },
      h("span", { hidden: !this.hasSmoothing }, "Smoothing ", slider, " ",
        h("output", { class: "smoothing quiet" }, "off")),
      h("label", { class: "axis-label" }, "Axis ", axis),
      h("label", {}, log, " Logarithmic"),
      h("button", { type: "button", class: "all", hidden: true, onclick: () => this.zoom(null) },
        "Show all"));
  }

  #showControls() {
    const length = this.smoothing;
    const find = (name) => this.controls.querySelector(name);
    find(".smoothing").textContent = length > 0 ? lengthText(this.axis, length) : "off";
    find(".all").hidden = this.window === null;
    find(".axis-label").hidden = this.axes.length < 2;
  }
}
