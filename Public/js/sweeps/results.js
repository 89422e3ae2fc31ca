// The results of a sweep: charts and the table of trials, which brushing filters together.
import { h } from "../core/dom.js";
import { outside } from "../core/text.js";
import { BrushFields, brushText, fromPlaces, passes, readBrushes, toPlaces } from "./brushes.js";
import { BestChart, frame, ImportanceChart, PairChart, RungChart, SliceCharts } from "./charts.js";
import { countingValue, goodness, pointerName, ranked, valueScaleOf, valueText } from "./model.js";
import { Parallel } from "./parallel.js";
import { trialStates } from "./parts.js";
import { TrialTable } from "./trials.js";

/** Milliseconds after which a brush that is dragged counts as resting. */
const restMilliseconds = 120;

/** Everything below the head of a sweep's page. `remember(query)` writes the view into the address. */
export class Results {
  #shown = null;
  #frame = 0;
  #timer = 0;

  constructor(query, remember) {
    this.rememberQuery = remember;
    this.options = Object.fromEntries(["by", "x", "y", "state"].map((name) => [name, query.get(name) ?? ""]));
    this.options.sort = query.get("sort") ?? "rank";
    this.brushes = readBrushes(query.get("brush"));
    this.pointing = {
      describe: (point) => this.#describe(point.trial, point),
      open: ({ trial }) => this.#open(trial),
    };
    this.bestChart = new BestChart(this);
    this.importances = new ImportanceChart();
    this.rungs = new RungChart(this);
    this.#makePair();
    this.slices = new SliceCharts(this);
    this.#makeParallel();
    this.table = new TrialTable((sort) => this.remember({ sort: sort === "rank" ? "" : sort }, { sort }));
    const chooseState = () => this.remember({ state: this.states.value });
    this.states = h(
      "select",
      { "aria-label": "Trials in state", onchange: chooseState },
      h("option", { value: "" }, "any state"),
      trialStates.map((state) => h("option", { value: state }, state)),
    );
    this.element = h(
      "div",
      { class: "sweep-results" },
      h(
        "div",
        { class: "sweep-charts" },
        this.bestChart.element,
        this.importances.element,
        this.pair.element,
        this.rungs.element,
      ),
      h("section", { "aria-label": "All parameters" }, this.parallelFrame.element),
      h("section", {}, h("h2", {}, "Value against each parameter"), this.slices.element),
      h(
        "section",
        {},
        h("div", { class: "toolbar" }, h("h2", {}, "Trials"), this.states, this.chips),
        this.table.element,
      ),
    );
  }

  #makePair() {
    [this.x, this.y] = ["x", "y"].map((name) =>
      h("select", {
        "aria-label": name === "x" ? "Across" : "Up",
        onchange: () => this.remember({ [name]: this[name].value }),
      })
    );
    this.pair = new PairChart(
      this,
      "Two parameters",
      260,
      h("span", { class: "quiet pair-axes" }, this.y, " against ", this.x),
    );
  }

  #makeParallel() {
    const brush = (key, ends) => this.#brush(key, ends);
    this.parallel = new Parallel({
      label: "Parallel coordinates: a line for each trial",
      describe: (trial) => this.#describe(trial),
      open: (trial) => this.#open(trial),
      onBrush: (key, places) => brush(key, places && fromPlaces(this.#axis(key).scale, places)),
    });
    this.fields = new BrushFields(brush);
    this.chips = h("span", { class: "brush-chips" });
    this.parallelFrame = frame({
      name: "All parameters",
      chart: h("div", {}, this.parallel.element, this.fields.element),
      note:
        "Drag along an axis to keep the trials there; click the mark to let it go. The table has the values.",
    });
  }

  get text() {
    return valueText(this.#shown.sweep);
  }

  get objective() {
    return this.#shown.objective;
  }

  /** Keeps parts of the view, also in the address, and draws it. */
  remember(query, options = query) {
    Object.assign(this.options, options);
    this.rememberQuery(query);
    this.#draw();
  }

  show({ sweep, trials, costs, parameters }) {
    // A specification that the daemon cannot read leaves nothing to draw by.
    this.element.hidden = !sweep.spec;
    if (!sweep.spec) return;
    const { mode, metric } = sweep.spec.objective;
    const order = ranked(trials, mode);
    const valueScale = valueScaleOf(sweep, order.map(countingValue));
    const good = goodness(valueScale, mode);
    this.#shown = {
      sweep,
      trials,
      costs,
      parameters,
      valueScale,
      objective: pointerName(metric),
      shade: (value) => good(value),
      best: sweep.best?.trial ?? null,
      places: new Map(order.map((trial, place) => [trial.number, place])),
    };
    this.#draw();
  }

  #draw() {
    if (!this.#shown) return;
    const { sweep, trials, costs, parameters, places, best, objective } = this.#shown;
    const { rows, kept } = this.#filtered();
    const shown = { ...this.#shown, isKept: (trial) => kept.has(trial.number) };
    this.bestChart.show(shown);
    this.importances.show(shown);
    this.rungs.show(shown);
    this.#drawPair(shown);
    this.#drawParallel(rows);
    this.#drawFilters();
    this.slices.show(shown);
    this.states.value = this.options.state;
    const isInState = ({ state }) => this.options.state === "" || state === this.options.state;
    this.table.show({
      parameters,
      sort: this.options.sort,
      objective,
      text: this.text,
      all: trials.length,
      hasRungs: Boolean(sweep.spec.early_stopping),
      jobs: new Map(trials.map((trial) => [trial.number, trial.job])),
      rows: trials.filter((trial) => kept.has(trial.number) && isInState(trial)).map((trial) => ({
        trial,
        seconds: costs.get(trial.number)?.seconds ?? 0,
        isBest: trial.number === best,
        place: places.get(trial.number) ?? Number.MAX_SAFE_INTEGER,
      })),
    });
  }

  /** The trials with their places on the axes, and the numbers of those in all brushes. */
  #filtered() {
    const { trials, parameters, valueScale, objective } = this.#shown;
    this.axes = [
      ...parameters.map((one) => ({ key: one.pointer, ...one })),
      { key: "value", name: objective, scale: valueScale },
    ];
    for (const key of Object.keys(this.brushes)) if (!this.#axis(key)) delete this.brushes[key];
    const rows = trials.map((trial) => ({
      trial,
      values: this.axes.map((axis) => this.#place(axis, trial)),
    }));
    for (const row of rows) row.isFaint = !passes(this.axes, row.values, this.brushes);
    return { rows, kept: new Set(rows.filter(({ isFaint }) => !isFaint).map(({ trial }) => trial.number)) };
  }

  #drawPair(shown) {
    const { parameters } = shown;
    this.pair.element.hidden = parameters.length < 2;
    if (parameters.length < 2) return;
    const byImportance = [...parameters].sort((one, other) =>
      this.#importance(other) - this.#importance(one)
    );
    const find = (pointer, otherwise) => parameters.find((one) => one.pointer === pointer) ?? otherwise;
    const x = find(this.options.x, byImportance[0]);
    const y = find(this.options.y, byImportance.find((one) => one !== x));
    for (const [select, chosen] of [[this.x, x], [this.y, y]]) {
      if (select.options.length !== parameters.length) {
        select.replaceChildren(
          ...parameters.map(({ pointer, name }) => h("option", { value: pointer }, name)),
        );
      }
      select.value = chosen.pointer;
    }
    this.pair.show(shown, x, y);
  }

  #importance({ pointer }) {
    return this.#shown.sweep.importances.find(({ parameter }) => parameter === pointer)?.value ?? 0;
  }

  #drawParallel(rows) {
    const { shade, best } = this.#shown;
    const withValue = rows.filter(({ values }) => values.at(-1) !== null);
    for (const row of withValue) row.shade = shade(countingValue(row.trial));
    const brushes = Object.fromEntries(
      Object.entries(this.brushes)
        .map(([key, ends]) => [key, toPlaces(this.#axis(key).scale, ends)]),
    );
    this.parallel.show({ axes: this.axes, rows: withValue, brushes, best });
  }

  #drawFilters() {
    this.fields.show(this.axes, this.brushes);
    this.chips.replaceChildren(...Object.entries(this.brushes).map(([key, ends]) => this.#chip(key, ends)));
  }

  #chip(key, ends) {
    const { name, scale } = this.#axis(key);
    const text = ends[0] === ends[1]
      ? scale.text(ends[0])
      : `${scale.text(ends[0])} to ${scale.text(ends[1])}`;
    return h(
      "button",
      {
        type: "button",
        class: "brush-chip",
        "aria-label": `Remove the filter ${name}: ${text}`,
        onclick: () => this.#brush(key, null),
      },
      outside(`${name}: ${text}`),
      " ×",
    );
  }

  #axis(key) {
    return this.axes.find((axis) => axis.key === key);
  }

  #place(axis, trial) {
    // A choice may be null; a value that is null is none.
    const value = axis.key === "value" ? countingValue(trial) ?? undefined : trial.parameters[axis.key];
    return value === undefined ? null : axis.scale.place(value);
  }

  /** Follows a brush at once; the table, the other charts and the address when it rests. */
  #brush(key, ends) {
    if (ends) this.brushes[key] = ends;
    else delete this.brushes[key];
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#drawParallel(this.#filtered().rows);
    });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.rememberQuery({ brush: brushText(this.brushes) });
      this.#draw();
    }, restMilliseconds);
  }

  #describe(trial, point) {
    const value = point && Number.isFinite(point.y) && trial.rung_values.includes(point.y)
      ? point.y
      : countingValue(trial);
    return h(
      "div",
      {},
      h("strong", {}, `Trial ${trial.number}: ${this.text(value)}`),
      h("span", { class: "quiet" }, ` ${trial.state}`),
      this.#shown.parameters.filter(({ pointer }) => trial.parameters[pointer] !== undefined)
        .map(({ pointer, name, scale }) =>
          h("div", {}, outside(`${name} ${scale.text(trial.parameters[pointer])}`))
        ),
    );
  }

  #open(trial) {
    if (trial.job) location.hash = `#/jobs/${trial.job}`;
  }

  destroy() {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    for (const chart of [this.bestChart, this.rungs, this.pair]) chart.scatter.destroy();
    this.parallel.destroy();
    this.slices.destroy();
  }
}
