// The evaluations of the compared runs next to each other, with their intervals.
import { h, replaceIfNew, svg } from "../core/dom.js";
import { number, percent, words } from "../core/format.js";
import { runName } from "./legend.js";

/** What an evaluation measured, apart from the run: columns are compared that have the same. */
const conditionOf = ({ protocol, layer, label_share: share }) =>
  JSON.stringify([protocol, layer ?? null, share ?? 1]);

/** A condition in words. */
function conditionText(condition) {
  const [protocol, layer, share] = JSON.parse(condition);
  const labels = share < 1 && `${number(share * 100)}% of the labels`;
  return [protocol, layer && words(layer), labels].filter(Boolean).join(", ");
}

/** The evaluations of a job: { id, condition, top1 }. */
export function evaluationsOf(job) {
  const own = Number.isFinite(job.result?.top1) ? [{ id: job.id, ...job.result }] : [];
  return [...own, ...(job.evaluations ?? [])].filter((one) => Number.isFinite(one.top1))
    .map((one) => ({
      id: one.id,
      condition: conditionOf(one),
      top1: one.top1,
      interval: one.top1_interval ?? null,
    }));
}

export class Evaluations {
  constructor() {
    this.place = h("div", { class: "wide-table" });
    this.element = h(
      "section",
      { class: "compare-evaluations", hidden: true },
      h("h2", {}, "Evaluations"),
      this.place,
    );
  }

  /** `results` has of evaluation jobs that have been read their result. */
  show(runs, results) {
    const rows = runs.map((run) => ({ ...run, evaluations: evaluationsOf(run.job) }))
      .filter((run) => run.evaluations.length > 0);
    const conditions = [...new Set(rows.flatMap((row) => row.evaluations.map((one) => one.condition)))]
      .sort();
    this.element.hidden = rows.length === 0;
    const complete = (one) => ({
      ...one,
      interval: one.interval ?? results.get(one.id)?.top1_interval ?? null,
    });
    const withIntervals = rows.map((row) => ({ ...row, evaluations: row.evaluations.map(complete) }));
    const version = JSON.stringify(
      withIntervals.map(({ id, job, evaluations }) => [id, job.name, evaluations]),
    );
    replaceIfNew(this.place, version, () => conditionTable(withIntervals, conditions));
  }
}

function conditionTable(rows, conditions) {
  const scales = new Map(conditions.map((condition) => [condition, scaleOf(rows, condition)]));
  return h(
    "table",
    { class: "figures stack", role: "table" },
    h(
      "thead",
      { role: "rowgroup" },
      h(
        "tr",
        { role: "row" },
        h("th", { scope: "col", role: "columnheader" }, "Run"),
        conditions.map((condition) =>
          h("th", { scope: "col", role: "columnheader" }, conditionText(condition))
        ),
      ),
    ),
    h(
      "tbody",
      { role: "rowgroup" },
      rows.map(({ id, index, job, evaluations }) =>
        h(
          "tr",
          { role: "row" },
          h("th", { scope: "row", role: "rowheader", "data-label": "Run" }, runName({ id, index, job })),
          conditions.map((condition) =>
            h(
              "td",
              { role: "cell", "data-label": conditionText(condition) },
              cell(evaluations.filter((one) => one.condition === condition), scales.get(condition)),
            )
          ),
        )
      ),
    ),
  );
}

/** Lowest and highest end of the intervals of a column. */
function scaleOf(rows, condition) {
  const ends = rows.flatMap((row) => row.evaluations).filter((one) => one.condition === condition)
    .flatMap((one) => [one.top1, ...(one.interval ?? [])]);
  return [Math.min(...ends), Math.max(...ends)];
}

function cell(evaluations, scale) {
  // The best where a run was evaluated several times in the same way.
  const best = evaluations.reduce((a, b) => (a && a.top1 >= b.top1 ? a : b), null);
  if (!best) return h("span", { class: "quiet" }, "not evaluated");
  const interval = best.interval ? `${percent(best.interval[0])} to ${percent(best.interval[1])}` : null;
  return h(
    "a",
    { href: `#/jobs/${best.id}`, class: "interval" },
    h("b", {}, percent(best.top1)),
    whisker(best, scale),
    interval ? h("span", { class: "quiet" }, interval) : null,
  );
}

/** The value as a dot on its interval. */
function whisker({ top1, interval }, [low, high]) {
  const x = (value) => 4 + (92 * (value - low)) / (high - low || 1);
  return svg(
    "svg",
    { class: "whisker", viewBox: "0 0 100 12", "aria-hidden": "true" },
    ...(interval ? [svg("path", { d: `M${x(interval[0])} 6H${x(interval[1])}` })] : []),
    svg("circle", { cx: x(top1), cy: 6, r: 3 }),
  );
}
