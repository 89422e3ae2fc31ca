// The charts of a sweep: what it has found, and what it has to do with the parameters.
import { h, replaceIfNew } from "../core/dom.js";
import { duration, percent } from "../core/format.js";
import { table } from "../core/parts.js";
import { outside } from "../core/text.js";
import { bestSoFar, countingValue, pointerName, rungEpochs, rungTable, valueScaleOf } from "./model.js";
import { linear, logarithmic } from "../charts/scale.js";
import { Scatter } from "./scatter.js";

/** Rows of a chart's table of values. */
const tableRowsMax = 500;

/**
 * A chart in a frame with its name, controls, a note and the values behind it, which are made when opened.
 */
export function frame({ name, note = "", controls = null, chart, values }) {
  // It scrolls, so it can be focused.
  const body = h("div", { tabindex: 0, role: "region", "aria-label": `${name}: values` });
  const details = h(
    "details",
    { class: "values-behind", ontoggle: () => fill() },
    h("summary", {}, "Values"),
    body,
  );
  const fill = () => {
    if (details.open) body.replaceChildren(values());
  };
  const noteElement = h("span", { class: "note" }, note);
  return {
    element: h(
      "figure",
      { class: "plate" },
      h("figcaption", {}, h("span", { class: "name" }, name), controls, noteElement),
      chart,
      values ? details : null,
    ),
    note: noteElement,
    fill,
  };
}

/** A table of at most so many rows, which says when there are more. */
function values(columns, rows) {
  const shownRows = rows.slice(0, tableRowsMax);
  return h(
    "div",
    {},
    table(columns, shownRows),
    shownRows.length < rows.length
      ? h("p", { class: "quiet" }, `The first ${tableRowsMax} of ${rows.length}; all are in trials.csv.`)
      : null,
  );
}

/** The best value so far against trials or compute. */
export class BestChart {
  constructor(page) {
    this.page = page;
    this.scatter = new Scatter({ label: "Best value so far", ...page.pointing });
    const choose = () => page.remember({ by: this.choice.value });
    this.choice = h(
      "select",
      { "aria-label": "Best so far against", onchange: choose },
      h("option", { value: "" }, "trials"),
      h("option", { value: "compute" }, "compute"),
    );
    this.frame = frame({
      name: "Best so far",
      controls: h("label", { class: "quiet" }, "against ", this.choice),
      chart: this.scatter.element,
      values: () =>
        values(
          [this.#isCompute ? "Compute" : "Trials", "Trial", "Value", "Best so far"],
          this.points.map(({ x, trial, value, best }) => [
            this.#isCompute ? duration(x) : x,
            `#${trial.number}`,
            page.text(value),
            page.text(best),
          ]),
        ),
    });
    this.element = this.frame.element;
  }

  get #isCompute() {
    return this.page.options.by === "compute";
  }

  show({ trials, costs, sweep, valueScale, shade, isKept, best }) {
    this.choice.value = this.#isCompute ? "compute" : "";
    this.points = bestSoFar(trials, sweep.spec.objective.mode, costs, this.#isCompute ? "compute" : "trials");
    const last = this.points.at(-1)?.x ?? 1;
    this.scatter.show({
      x: this.#isCompute
        ? { scale: seconds(last), label: "compute" }
        : { scale: linear(0, Math.max(last, 1)), label: "trials" },
      y: { scale: valueScale },
      points: this.points.map(({ x, trial, value }) => ({
        x,
        y: value,
        trial,
        shade: shade(value),
        isFaint: !isKept(trial),
        isBest: trial.number === best,
      })),
      line: this.points.map(({ x, best: y }) => ({ x, y })),
    });
    this.frame.note.textContent = sweep.spec.early_stopping
      ? "A trial that trained longer counts before one that was stopped earlier."
      : "";
    this.frame.fill();
  }
}

/** Seconds from 0, with ticks in the unit that fits. */
function seconds(most) {
  const [size, unit] = most > 172800
    ? [86400, "d"]
    : most > 7200
    ? [3600, "h"]
    : most > 120
    ? [60, "min"]
    : [1, "s"];
  const scale = linear(0, Math.max(most, 1));
  const inUnits = linear(0, Math.max(most, 1) / size);
  const ticks = () =>
    inUnits.ticks()
      .map(({ value, text }) => ({ value: value * size, text: value === 0 ? "0" : `${text} ${unit}` }));
  return { ...scale, ticks };
}

/** How much each parameter has to do with being among the best. */
export class ImportanceChart {
  constructor() {
    this.bars = h("div", {});
    this.frame = frame({
      name: "Importance",
      note: "share of each parameter in whether a trial is among the best tenth",
      chart: this.bars,
    });
    this.element = this.frame.element;
  }

  show({ sweep: { importances } }) {
    this.element.hidden = importances.length === 0;
    replaceIfNew(
      this.bars,
      JSON.stringify(importances),
      () =>
        h(
          "table",
          { class: "result shares" },
          h(
            "thead",
            { class: "unseen" },
            h("tr", {}, h("th", { scope: "col" }, "Parameter"), h("th", { scope: "col" }, "Share")),
          ),
          h(
            "tbody",
            {},
            importances.map(({ parameter, value }) =>
              h(
                "tr",
                { class: "main" },
                h("th", { scope: "row" }, outside(pointerName(parameter))),
                h(
                  "td",
                  {},
                  h("span", { class: "bar", style: { "--share": value } }),
                  h("span", { class: "figure" }, percent(value)),
                ),
              )
            ),
          ),
        ),
    );
  }
}

/** What became of the trials at each rung of successive halving. */
export class RungChart {
  constructor(page) {
    this.page = page;
    this.scatter = new Scatter({ label: "Values at each rung", ...page.pointing });
    this.rows = h("div", {});
    this.frame = frame({
      name: "Rungs",
      note: "what trials reported at each rung, and how many went on",
      chart: h("div", { class: "parts" }, this.rows, this.scatter.element),
    });
    this.element = this.frame.element;
    this.element.classList.add("rungs");
  }

  show({ sweep, trials, shade, isKept, best }) {
    const epochs = rungEpochs(sweep);
    this.element.hidden = epochs.length === 0;
    if (epochs.length === 0) return;
    const rungs = rungTable(sweep, trials);
    replaceIfNew(this.rows, JSON.stringify(rungs), () =>
      table(
        ["Rung", "Epochs", "Training", "Reported", "Went on", "Stopped", "Best", "Median"],
        rungs.map((rung, index) => [
          rung.rung,
          rung.epochs,
          rung.training || "–",
          rung.reached,
          index === rungs.length - 1 ? "–" : rung.went,
          rung.stopped,
          this.page.text(rung.best),
          this.page.text(rung.median),
        ]),
      ));
    const points = trials.flatMap((trial) =>
      trial.rung_values.map((value, rung) => ({
        x: epochs[rung],
        y: value,
        trial,
        shade: shade(value),
        isFaint: !isKept(trial),
        isBest: trial.number === best && rung === trial.rung_values.length - 1,
      }))
    );
    this.scatter.show({
      x: { scale: epochs.length > 1 ? rungScale(epochs) : linear(0, epochs[0]), label: "epochs" },
      y: { scale: valueScaleOf(sweep, points.map(({ y }) => y)) },
      points,
      strands: trials.filter((trial) => trial.rung_values.length > 1).map((trial) => ({
        isFaint: !isKept(trial),
        places: trial.rung_values.map((value, rung) => ({ x: epochs[rung], y: value })),
      })),
    });
  }
}

/** Rungs at equal distances, because each is a multiple of the one before. */
function rungScale(epochs) {
  const scale = logarithmic(epochs[0] * 0.85, epochs.at(-1) * 1.15);
  return { ...scale, ticks: () => epochs.map((value) => ({ value, text: String(value) })) };
}

/** The value against each parameter. */
export class SliceCharts {
  constructor(page) {
    this.page = page;
    this.charts = new Map();
    this.element = h("div", { class: "slices" });
  }

  show(shown) {
    for (const parameter of shown.parameters) {
      if (!this.charts.has(parameter.pointer)) {
        const chart = new PairChart(this.page, parameter.name, 190);
        this.charts.set(parameter.pointer, chart);
        this.element.append(chart.element);
      }
      this.charts.get(parameter.pointer).show(shown, parameter, valueAxis(shown));
    }
  }

  destroy() {
    for (const chart of this.charts.values()) chart.scatter.destroy();
  }
}

const valueAxis = ({ valueScale, objective }) => ({ pointer: "value", name: objective, scale: valueScale });
const valueOn = (
  axis,
  trial,
) => (axis.pointer === "value" ? countingValue(trial) : trial.parameters[axis.pointer]);

/** One axis against another, coloured by value. */
export class PairChart {
  constructor(page, name, height = 260, controls = null) {
    this.scatter = new Scatter({ label: name, height, ...page.pointing });
    const cell = (axis, trial) =>
      outside(
        axis.pointer === "value" ? page.text(countingValue(trial)) : axis.scale.text(valueOn(axis, trial)),
      );
    this.frame = frame({
      name,
      controls,
      chart: this.scatter.element,
      values: () =>
        values(
          [...new Set(["Trial", this.x.name, this.y.name, page.objective])],
          this.points.map((
            { trial },
          ) => [
            `#${trial.number}`,
            cell(this.x, trial),
            cell(this.y, trial),
            ...(this.y.pointer === "value" ? [] : [page.text(countingValue(trial))]),
          ]),
        ),
    });
    this.element = this.frame.element;
  }

  show({ trials, shade, isKept, best }, x, y) {
    Object.assign(this, { x, y });
    this.points = trials.filter((trial) => countingValue(trial) !== null)
      .map((trial) => ({
        x: valueOn(x, trial),
        y: valueOn(y, trial),
        trial,
        shade: shade(countingValue(trial)),
        isFaint: !isKept(trial),
        isBest: trial.number === best,
      }))
      .filter((point) => point.x !== undefined && point.y !== undefined);
    this.scatter.show({
      x: { scale: x.scale, label: x.name },
      y: { scale: y.scale, label: y.name },
      points: this.points,
    });
    this.frame.fill();
  }
}
