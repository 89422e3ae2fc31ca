// Pieces that more than one page shows.
import { copyable } from "./clipboard.js";
import { curlText } from "./curl.js";
import { h } from "./dom.js";
import { duration, healthWords, moment, number, percent, words } from "./format.js";
import { outside, shown } from "./text.js";

/** The state in a word, with a coloured dot and the reason where there is one. */
export function stateChip(job) {
  const why = job.state === "blocked" ? waiting(job) : job.reason && words(job.reason);
  return h("span", { class: `state ${job.state}` }, job.state,
    why ? h("span", { class: "quiet" }, ` · ${why}`) : null);
}

/** The health of a training in a word, with the reason on hover; nothing while it is unknown. */
export function healthChip(job) {
  const { state, message } = job.health ?? {};
  if (job.kind !== "train" || !state || state === "unknown") return null;
  return h("span", { class: `health ${state}`, title: shown(message ?? "") }, healthWords[state]);
}

/** What a blocked job waits for, in words. */
function waiting(job) {
  const count = job.needs?.length ?? 0;
  return count === 1 ? "waits for another job" : `waits for ${count} others`;
}

/** Bar and words for how far a job is. */
export function progress(job) {
  const at = job.progress;
  if (!at || !at.steps) return h("span", { class: "quiet" }, "–");
  const share = Math.min(1, at.step / at.steps);
  const hasEpochs = Number.isFinite(at.epochs);
  const parts = [hasEpochs ? `epoch ${at.epoch} of ${at.epochs}` : `step ${at.step} of ${at.steps}`];
  if (job.state === "running" || job.state === "cancelling") {
    if (Number.isFinite(at.images_per_second)) parts.push(`${number(at.images_per_second)} images/s`);
    if (Number.isFinite(at.seconds_left)) parts.push(`${duration(at.seconds_left)} left`);
    if (at.finish_at) parts.push(`ends about ${moment(at.finish_at)}`);
  }
  return h("div", { class: "progress" },
    h("progress", { max: 1, value: share, "aria-label": `Progress: ${Math.round(share * 100)}%` }),
    h("span", {}, parts.join(" · ")));
}

/** An evaluation's accuracy next to its baselines, as a table whose cells are bars. */
export function resultTable(result) {
  const rows = [
    ["Trained encoder", result.top1, "main", result.top1_interval],
    ["Untrained encoder", result.baselines?.untrained],
    ["Raw pixels", result.baselines?.raw_pixels],
  ].filter(([, value]) => Number.isFinite(value));
  return h("table", { class: "result" },
    h("thead", { class: "unseen" },
      h("tr", {}, h("th", { scope: "col" }, "Features"), h("th", { scope: "col" }, "Top-1 accuracy"))),
    h("tbody", {}, rows.map(([label, value, main, interval]) =>
      h("tr", { class: main },
        h("th", { scope: "row" }, label),
        h("td", {},
          h("span", { class: "bar", style: { "--share": value } }),
          h("span", {
            class: "figure", title: interval && `95% interval: ${interval.map(percent).join(" to ")}`,
          }, percent(value)))))));
}

/** Where a result's number comes from, in one line. */
export function resultSource(result) {
  const parts = [
    `protocol ${result.protocol}`, result.layer && `layer: ${words(result.layer)}`,
    result.feature_layer && !result.layer && `layer: ${words(result.feature_layer)}`,
    result.preset && `preset ${result.preset}`, result.dataset?.name ?? result.dataset,
    result.label_share < 1 && `${percent(result.label_share)} of the labels`,
    result.seeds > 1 && `mean of ${result.seeds} seeds`,
  ];
  const source = parts.filter(Boolean).join(" · ");
  return outside([source, result.verdict].filter(Boolean).join(". "), { name: "p", kind: "quiet" });
}

/** A curl line that posts a job and can be copied. */
export const curl = (body) => copyable(curlText("/jobs", body));

/** An error as a message that is read out. */
export const alert = (text) => outside(text, { name: "p", role: "alert", kind: "alert" });

/**
 * A table that becomes a list of cards on a narrow screen: `rows` has the cells of each row, texts or
 * elements. The first cell heads its row.
 */
export function table(columns, rows) {
  return h("table", { class: "stack", role: "table" },
    tableHead(columns),
    h("tbody", { role: "rowgroup" }, rows.map((cells) => tableRow(columns, cells))));
}

/** The head of such a table. */
export const tableHead = (columns) =>
  h("thead", { role: "rowgroup" }, h("tr", { role: "row" },
    columns.map((name) => h("th", { scope: "col", role: "columnheader" }, name))));

/** A row of such a table. The roles are written out because a table that is shown as cards loses its own. */
export const tableRow = (columns, cells) =>
  h("tr", { role: "row" }, cells.map((cell, index) => {
    const label = { "data-label": columns[index] };
    return index === 0
      ? h("th", { scope: "row", role: "rowheader", ...label }, h("div", {}, cell))
      : h("td", { role: "cell", ...label }, h("div", {}, cell));
  }));
