// The curves of the compared runs: a chart for each chosen metric, with a line for each run.
import { tolerate } from "../core/api.js";
import { h } from "../core/dom.js";
import { title } from "../core/format.js";
import { Chart } from "../charts/chart.js";
import { ChartGroup } from "../charts/group.js";
import { placeOf, stepOf } from "../charts/line.js";
import { seriesColor, seriesDash } from "../charts/theme.js";
import { readCurves } from "./requests.js";

/** Points of all lines of a chart together, and of one line at least and at most. */
const [pointsOfAll, pointsMin, pointsMax] = [24_000, 120, 600];
/**
 * Runs up to which lines of one colour differ by dashes, and are drawn thick; more are told apart by
 * pointing.
 */
const dashedMax = 32;

/**
 * `state` and `onState` as those of a group of charts; `open(id)`, `point(id)`: a line was clicked, or stands
 * out.
 */
export class CompareCurves {
  constructor({ state, onState, open, point }) {
    this.actions = { open, point };
    this.charts = new Map();
    this.answers = new Map();
    this.group = new ChartGroup({
      axes: ["step", "epoch", "time"],
      state,
      onState,
      refine: (from, to, isAll) => this.#refine(from, to, isAll).catch(tolerate),
    });
    this.list = h("div", { class: "charts" });
    this.element = h(
      "section",
      { class: "compare-curves", "aria-label": "Curves" },
      this.group.controls,
      this.list,
    );
  }

  get points() {
    const count = Math.max(1, this.ids?.length ?? 1);
    return Math.round(Math.min(pointsMax, Math.max(pointsMin, pointsOfAll / count)));
  }

  /** Asks for the metrics that are not here yet, in one request; `isNew`: for all. */
  async read(ids, keys, isNew = false) {
    this.ids = ids;
    const lacking = keys.filter((key) => isNew || !this.answers.has(key));
    if (lacking.length === 0 || ids.length === 0) return;
    const { curves } = await readCurves(ids, lacking, this.points);
    this.width = Math.max(1, ...curves.map((one) => one.width));
    this.clocks = new Map([...(this.clocks ?? []), ...curves.map((one) => [one.job, one.time_ms ?? null])]);
    for (const key of lacking) this.answers.set(key, new Map(curves.map((one) => [one.job, one])));
  }

  /** Draws a chart for each key; `runs` are [{ id, index, job }], where `job` may not be known yet. */
  show(runs, keys, hidden, titles) {
    this.runs = runs;
    for (const [key, chart] of this.charts) {
      if (keys.includes(key)) continue;
      chart.destroy();
      chart.element.remove();
      this.charts.delete(key);
    }
    this.scales = new Map(runs.map((run) => [run.id, this.#scale(run)]));
    const all = [...this.scales.values()];
    const hasEpochs = all.some((one) => one.stepsPerEpoch);
    const hasClock = all.some((one) => one.clock?.length > 1);
    this.group.offer(["step", ...(hasEpochs ? ["epoch"] : []), ...(hasClock ? ["time"] : [])]);
    for (const key of keys) {
      const answer = this.answers.get(key);
      if (!answer) continue;
      const chart = this.charts.get(key) ?? this.#add(key, titles(key));
      // The daemon's title of the metric may come after its curves.
      chart.options.title = titles(key);
      chart.element.querySelector(".name").textContent = titles(key);
      this.list.append(chart.element);
      const lines = runs.map((run) => this.#line(run, answer.get(run.id), key, hidden));
      chart.set(lines.filter((line) => line.points.length > 0));
    }
    this.group.draw();
  }

  /** Adds a line that a running job has recorded. */
  append(id, line) {
    for (const [key, chart] of this.charts) {
      const value = line[key];
      if (!Number.isFinite(value)) continue;
      const clock = this.scales?.get(id)?.clock;
      if (clock?.length && line.step > clock.at(-1)[0]) clock.push([line.step, Date.parse(line.time)]);
      chart.append(id, [line.step, value, value, value]);
    }
  }

  /** Has the line of a run stand out in all charts. */
  emphasize(id) {
    for (const chart of this.charts.values()) {
      chart.emphasize(chart.lines.find((line) => line.id === id) ?? null);
    }
  }

  destroy() {
    this.group.destroy();
  }

  #scale({ id, job }) {
    const steps = job?.progress?.steps;
    const epochs = job?.progress?.epochs;
    return { stepsPerEpoch: steps && epochs ? steps / epochs : null, clock: this.clocks?.get(id) ?? null };
  }

  #line({ id, index, job }, answer, key, hidden) {
    const isMany = this.runs.length > dashedMax;
    return {
      id,
      label: job ? title(job) : id,
      color: seriesColor(index),
      dash: isMany ? null : seriesDash(index),
      width: isMany ? 1 : 1.6,
      scale: this.scales.get(id),
      points: answer?.series[key] ?? [],
      notFinite: this.runs.length <= 8 ? answer?.not_finite?.[key] : [],
      isHidden: hidden.has(id),
    };
  }

  #add(key, name) {
    const chart = new Chart(this.group, {
      title: name,
      hasBands: false,
      file: "comparison",
      empty: "No run has this metric.",
      onPick: (line) => this.actions.open(line.id),
    });
    // Whichever line the pointer is next to stands out in the list of runs as well.
    const emphasize = chart.emphasize.bind(chart);
    chart.emphasize = (line) => {
      emphasize(line);
      this.actions.point(line?.id ?? null);
    };
    this.charts.set(key, chart);
    return chart;
  }

  /** Asks for finer points of the window, where there are any. */
  async #refine(from, to, isAll) {
    if (isAll || this.width <= 1) return;
    const { axis } = this.group;
    const places = [...this.scales.values()].filter((scale) => Number.isFinite(placeOf(axis, scale, 0)));
    const margin = (to - from) * 0.1;
    const steps = places.flatMap((scale) =>
      [from - margin, to + margin].map((place) => stepOf(axis, scale, place))
    )
      .filter(Number.isFinite);
    if (steps.length === 0) return;
    const range = [Math.max(0, Math.floor(Math.min(...steps))), Math.max(1, Math.ceil(Math.max(...steps)))];
    const window = this.group.window;
    const { curves } = await readCurves(this.ids, [...this.charts.keys()], this.points, range);
    if (this.group.window !== window) return;
    for (const [key, chart] of this.charts) {
      for (const { job, series } of curves) {
        const points = series[key];
        const scale = this.scales.get(job);
        if (points?.length > 1) {
          chart.detail(job, { window: range.map((step) => placeOf(axis, scale, step)), points });
        }
      }
    }
  }
}
