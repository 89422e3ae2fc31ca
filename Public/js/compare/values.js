// Last, best, mean and at-step values of one metric for each run.
import { h, replaceIfNew } from "../core/dom.js";
import { number } from "../core/format.js";
import { runName } from "./legend.js";

const columns = [
  { key: "last", title: "Last" },
  { key: "best", title: "Best" },
  { key: "bestStep", title: "Best at step" },
  { key: "mean", title: "Mean of the last tenth" },
  { key: "min", title: "Lowest" },
  { key: "max", title: "Highest" },
  { key: "at", title: "At step" },
];

/** The values of a run's metric; those that are unknown are null. `at` is [step, value]. */
export function valuesOf(job, key, at) {
  const { last = null, mean = null, min = null, max = null, best_step: bestStep = null } =
    job.summary?.[key] ?? {};
  const [atStep = null, value = null] = at ?? [];
  return { last, mean, min, max, best: bestValue(key, min, max), bestStep, at: value, atStep };
}

/** Metrics of which the highest value is the best, as the daemon counts them. */
const isHighestBest = (key) => /top[15]|rankme$|similarity$|^std_(mean|min)$|^images_per_second$/.test(key);

const bestValue = (key, min, max) => (isHighestBest(key) ? max : min);

/** `choose({ metric, step, order })` changes the view. */
export class Values {
  constructor(choose) {
    this.choose = choose;
    this.metric = h("select", {
      "aria-label": "Metric",
      onchange: () => choose({ metric: this.metric.value }),
    });
    this.step = h("input", {
      type: "number",
      min: 0,
      inputmode: "numeric",
      "aria-label": "Step",
      placeholder: "step",
      onchange: () => choose({ step: this.step.value }),
    });
    this.place = h("div", { class: "wide-table" });
    this.element = h(
      "section",
      { class: "compare-values" },
      h(
        "div",
        { class: "section-line" },
        h("h2", {}, "Values"),
        h("label", {}, "Metric ", this.metric),
        h("label", {}, "At step ", this.step),
      ),
      this.place,
    );
  }

  /** `steps` has of each run the value at the chosen step. */
  show(runs, known, { metric, step, order, titles, steps }) {
    this.element.hidden = known.length === 0;
    replaceIfNew(
      this.metric,
      JSON.stringify(known.map(titles)),
      () => known.map((key) => h("option", { value: key }, titles(key))),
    );
    this.metric.value = metric;
    if (document.activeElement !== this.step) this.step.value = step;
    const rows = runs.map((run) => ({
      ...run,
      values: valuesOf(run.job, metric, steps?.get(run.id)?.[metric]),
    }));
    const sign = order.startsWith("-") ? -1 : 1;
    const by = order.replace(/^-/, "");
    if (by) rows.sort((a, b) => compare(a.values[by], b.values[by], sign));
    const shownColumns = columns.filter((column) => column.key !== "at" || step !== "").map((
      column,
    ) => (column.key === "at"
      ? { ...column, title: `At step ${Number(step).toLocaleString("en")}` }
      : column)
    );
    const version = JSON.stringify([
      metric,
      step,
      order,
      rows.map(({ id, job, values }) => [id, job.name, values]),
    ]);
    replaceIfNew(
      this.place,
      version,
      () =>
        h(
          "table",
          { class: "figures stack", role: "table" },
          h(
            "thead",
            { role: "rowgroup" },
            h(
              "tr",
              { role: "row" },
              h("th", { role: "columnheader", scope: "col" }, "Run"),
              shownColumns.map((column) => this.#head(column, by, sign)),
            ),
          ),
          h("tbody", { role: "rowgroup" }, rows.map((row) => valueRow(row, shownColumns))),
        ),
    );
  }

  #head({ key, title: name }, by, sign) {
    const state = by !== key ? "none" : sign > 0 ? "ascending" : "descending";
    const next = { none: key, ascending: `-${key}`, descending: "" }[state];
    return h(
      "th",
      { scope: "col", role: "columnheader", class: "number", "aria-sort": state },
      h(
        "button",
        { type: "button", class: "plain", onclick: () => this.choose({ order: next }) },
        name,
        h("span", { "aria-hidden": "true" }, { ascending: " ↑", descending: " ↓", none: "" }[state]),
      ),
    );
  }
}

function compare(a, b, sign) {
  if (a === null || b === null) return (a === null) - (b === null);
  return sign * (a - b);
}

function valueRow({ id, index, job, values }, shownColumns) {
  return h(
    "tr",
    { role: "row" },
    h("th", { scope: "row", role: "rowheader", "data-label": "Run" }, runName({ id, index, job })),
    shownColumns.map(({ key, title: name }) =>
      h(
        "td",
        { role: "cell", class: "number", "data-label": name },
        h("div", {
          title: key === "at" && values.atStep !== null ? `At step ${values.atStep}` : null,
        }, key === "bestStep" ? values[key]?.toLocaleString("en") ?? "–" : number(values[key], 4)),
      )
    ),
  );
}
