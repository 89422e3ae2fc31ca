// The curves of a job: a chart for each figure, with one axis, window and cursor for all of them.
import { tolerate } from "../core/api.js";
import { h } from "../core/dom.js";
import { number } from "../core/format.js";
import { Chart } from "../charts/chart.js";
import { ChartGroup } from "../charts/group.js";
import { placeOf, stepOf } from "../charts/line.js";
import { panelsOf, weights } from "./panels.js";
import { curves, hasFinerCurves } from "./requests.js";

/** Points that a line has at least and at most. */
const pointsRange = [200, 600];
/**
 * Lines that have come since the last answer, as a share of its points, from which all are asked for again.
 */
const tailShareMax = 0.5;
const styles = [
  { color: "--series-1" }, { color: "--series-2", dash: [5, 3] }, { color: "--series-8", dash: [2, 2] },
];

/**
 * The curves of one job. Call `update` when the job has changed and `append` with each of its lines;
 * `destroy` when
 * the page goes.
 */
export class Curves {
  /** `schema` is the API's schema of a line; `state` and `onState` as those of a group of charts. */
  constructor(job, schema, { state = {}, onState = () => {} } = {}) {
    this.id = job.id;
    this.schema = schema;
    this.isWeighted = state.weighted === "1";
    this.onState = onState;
    this.charts = new Map();
    this.tail = 0;
    this.group = new ChartGroup({
      axes: ["step", "epoch", "time"], state: { ...state, axis: state.x },
      onState: ({ axis, ...rest }) => this.onState({ x: axis, ...rest }),
      refine: (from, to, isAll) => this.#refine(from, to, isAll).catch(tolerate),
    });
    this.weighting = h("label", { hidden: !weights(job.spec) }, h("input", {
      type: "checkbox", checked: this.isWeighted, onchange: (event) => this.#weigh(event.target.checked),
    }), " Weighted parts");
    this.group.controls.append(this.weighting);
    this.list = h("div", { class: "charts" });
    this.element = h("div", { class: "curves" }, this.group.controls, this.list,
      h("p", { class: "quiet curves-help" },
        "Line: mean. Band: lowest to highest. Drag to zoom, Shift-drag to move, double-click to show all."));
  }

  /** Asks for the curves of the job and draws them. True if there were any. */
  async update(job) {
    this.job = job;
    this.panels = panelsOf(job, this.schema);
    const keys = [...new Set(this.panels.flatMap((panel) => panel.keys))];
    if (keys.length === 0) return false;
    const points = this.points;
    this.answer = await curves(this.id, keys, points);
    [this.tail, this.answerPoints] = [0, points];
    this.scale = { stepsPerEpoch: stepsPerEpoch(job), clock: this.answer.time_ms ?? null };
    this.group.offer(["step", ...(this.scale.stepsPerEpoch ? ["epoch"] : []),
      ...(this.scale.clock?.length > 1 ? ["time"] : [])]);
    this.#draw();
    if (this.group.window) this.group.rest();
    return true;
  }

  /** Points that suit the width of a chart. */
  get points() {
    const width = this.list.firstElementChild?.clientWidth || 400;
    return Math.round(Math.min(pointsRange[1], Math.max(pointsRange[0], width)));
  }

  /** Adds a line of the job as it comes; true if the curves should be asked for again. */
  append(line) {
    if (!this.answer || !Number.isFinite(line.step)) return !this.answer;
    const known = new Set((this.panels ?? []).flatMap((panel) => panel.keys));
    const fresh = Object.keys(line).some((key) => isFigure(line, key) && key in (this.schema.properties ?? {})
      && "title" in this.schema.properties[key] && !known.has(key));
    for (const { keys, title, weight } of this.panels ?? []) {
      for (const key of keys) {
        if (!(key in line)) continue;
        const point = [line.step, line[key], line[key], line[key]];
        const points = (this.answer.series[key] ??= []);
        if (line.step > (points.at(-1)?.[0] ?? -1)) points.push(point);
        if (line[key] === null) ((this.answer.not_finite ??= {})[key] ??= []).push([line.step, 1]);
        this.charts.get(title)?.append(key, ...scaled([point], this.#factor(weight)));
      }
    }
    if (line.time && this.scale?.clock && line.step > (this.scale.clock.at(-1)?.[0] ?? 0)) {
      this.scale.clock.push([line.step, Date.parse(line.time)]);
    }
    if (line.event === "metric") this.tail += 1;
    return fresh || this.tail > this.answerPoints * tailShareMax;
  }

  /** Shows where attempts began and checkpoints were written. */
  mark(checkpoints, attempts) {
    const { scale } = this;
    if (!scale) return;
    const begun = scale.clock?.length > 1 ? attempts.map(({ attempt, time }) => {
      const seconds = (Date.parse(time) - scale.clock[0][1]) / 1000;
      return { step: stepOf("time", scale, seconds), kind: "attempt", text: `attempt ${attempt}` };
    }) : [];
    const written = checkpoints.map(({ step }) =>
      ({ step, kind: "checkpoint", text: `checkpoint at step ${number(step, 7)}` }));
    this.marks = [...begun, ...written];
    for (const chart of this.charts.values()) chart.mark(this.marks, scale);
  }

  destroy() {
    this.group.destroy();
  }

  #factor(weight) {
    return this.isWeighted && weight !== undefined ? weight : 1;
  }

  #weigh(isWeighted) {
    this.isWeighted = isWeighted;
    this.onState({ weighted: isWeighted ? "1" : "" });
    this.#draw();
    this.group.rest();
  }

  #draw() {
    for (const panel of this.panels) {
      const chart = this.charts.get(panel.title) ?? this.#addChart(panel);
      const factor = this.#factor(panel.weight);
      const name = chart.element.querySelector(".name");
      name.textContent = factor === 1 && !(this.isWeighted && panel.weight) ? panel.title
        : `${panel.title} × ${number(factor)}`;
      chart.set(panel.keys.map((key, index) => ({
        id: key, label: panel.labels?.[index] ?? panel.title, ...styles[index], scale: this.scale,
        points: scaled(this.answer.series[key] ?? [], factor), notFinite: this.answer.not_finite?.[key],
      })));
    }
    this.group.draw();
  }

  #addChart(panel) {
    const chart = new Chart(this.group, { ...panel, file: this.job.name ?? this.id });
    this.charts.set(panel.title, chart);
    const after = this.panels.slice(0, this.panels.indexOf(panel))
      .findLast((one) => this.charts.has(one.title));
    const before = after ? this.charts.get(after.title).element.nextSibling : this.list.firstChild;
    this.list.insertBefore(chart.element, before);
    if (this.marks) chart.mark(this.marks, this.scale);
    return chart;
  }

  /** Asks for finer points of the window, where the daemon gives them and there are any. */
  async #refine(from, to, isAll) {
    if (isAll || !this.answer || this.answer.width <= 1 || !(await hasFinerCurves())) return;
    const { axis, smoothing } = this.group;
    // The smoothed mean needs what comes before the window; neighbours of the edges let lines leave the
    // window.
    const margin = 3 * smoothing + (to - from) * 0.05;
    const last = this.job.progress?.steps ?? this.job.latest?.step ?? Number.MAX_SAFE_INTEGER;
    const first = Math.max(0, Math.floor(stepOf(axis, this.scale, from - margin)) || 0);
    const end = Math.min(last, Math.ceil(stepOf(axis, this.scale, to + margin)));
    if (!(end > first)) return;
    const keys = [...new Set(this.panels.flatMap((panel) => panel.keys))];
    const answer = await curves(this.id, keys, this.points * 2, [first, end]);
    if (answer.time_ms) this.scale.clock = merged(this.scale.clock, answer.time_ms);
    const window = [first, end].map((step) => placeOf(axis, this.scale, step));
    // Rounding must not leave the window a hair outside.
    window[0] = Math.min(window[0], from);
    if (end >= (this.job.latest?.step ?? 0) || window[1] < to) window[1] = Math.max(window[1], to);
    for (const { keys: own, title, weight } of this.panels) {
      for (const key of own) {
        const points = scaled(answer.series[key] ?? [], this.#factor(weight));
        this.charts.get(title).detail(key, { window, points });
      }
    }
  }
}

const isFigure = (line, key) => line[key] === null || Number.isFinite(line[key]);

/**
 * Steps of an epoch of a training; null where they are not known, as where `max_steps` cuts the last epoch
 * short.
 */
function stepsPerEpoch({ kind, progress, spec }) {
  const { steps, epochs } = progress ?? {};
  return kind === "train" && !spec?.max_steps && steps > 0 && epochs > 0 ? steps / epochs : null;
}

function scaled(points, factor) {
  if (factor === 1) return points;
  const times = (value) => (value === null ? null : value * factor);
  return points.map(([step, ...values]) => [step, ...values.map(times)]);
}

/** The rows of two clocks in order. */
function merged(first, second) {
  const rows = new Map([...(first ?? []), ...second]);
  return [...rows].sort((a, b) => a[0] - b[0]);
}
