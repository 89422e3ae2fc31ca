// What a chart gives away: a table of its values, CSV, and a picture.
import { h } from "../core/dom.js";
import { number } from "../core/format.js";
import { alert } from "../core/parts.js";
import { shown } from "../core/text.js";
import { axisTitle } from "./axis.js";
import { color } from "./theme.js";

/** Rows that the table shows; all are in the CSV. */
const tableRowsMax = 500;

/** The values in sight as rows: place, and mean, min, max of each line; [head, rows]. */
export function valueRows(chart) {
  const axis = chart.group.axis;
  const lines = chart.lines.filter((line) => !line.isHidden);
  const head = [axisTitle(axis).toLowerCase(),
    ...lines.flatMap(({ label }) => [label, `${label} min`, `${label} max`])];
  const byPlace = new Map();
  lines.forEach((line, at) => {
    const columns = chart.columnsOf(line);
    const [from, to] = chart.group.shown;
    for (let index = 0; index < columns.count; index += 1) {
      const x = columns.x[index];
      if (!(x >= from && x <= to)) continue;
      if (!byPlace.has(x)) byPlace.set(x, [x, ...lines.flatMap(() => [null, null, null])]);
      const row = byPlace.get(x);
      [columns.mean, columns.low, columns.high].forEach((column, part) => {
        row[1 + at * 3 + part] = Number.isNaN(column[index]) ? null : column[index];
      });
    }
  });
  return [head, [...byPlace.values()].sort((a, b) => a[0] - b[0])];
}

/** Text as a field of CSV (RFC 4180). */
const field = (value) => {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** Rows as CSV. */
export const csvText = (rows) => `${rows.map((row) => row.map(field).join(",")).join("\r\n")}\r\n`;

/** Has the browser save a text or a Blob. */
export function save(name, content, type = "text/plain") {
  const blob = content instanceof Blob ? content : new Blob([content], { type });
  const link = h("a", { href: URL.createObjectURL(blob), download: name.replace(/[^\w.-]+/g, "-") });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Saves the values in sight. */
export function saveCSV(chart) {
  const [head, rows] = valueRows(chart);
  save(`${chart.fileName}.csv`, csvText([head, ...rows]), "text/csv");
}

/** Shows the values in sight as a table in a dialog. */
export function showTable(chart) {
  const [head, rows] = valueRows(chart);
  const every = Math.max(1, Math.ceil(rows.length / tableRowsMax));
  const some = rows.filter((_, index) => index % every === 0);
  const close = () => dialog.close();
  const dialog = h("dialog", { class: "values", "aria-label": `Values: ${chart.options.title}`,
    onclose: () => dialog.remove() },
    h("div", { class: "dialog-head" }, h("h2", {}, chart.options.title),
      h("button", { type: "button", onclick: () => saveCSV(chart) }, "Download CSV"),
      h("button", { type: "button", onclick: close }, "Close")),
    rows.length === 0 ? alert("No values in the visible range.") : null,
    every > 1 ? h("p", { class: "quiet" }, `Every ${every}th of ${rows.length} rows; the CSV has all.`)
      : null,
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Table of values" },
      h("table", { class: "numbers" },
        h("thead", {}, h("tr", {}, head.map((name) => h("th", { scope: "col" }, shown(name))))),
        h("tbody", {}, some.map((row) => h("tr", {}, row.map((value, index) =>
          h(index === 0 ? "th" : "td", index === 0 ? { scope: "row" } : {}, number(value, 6)))))))));
  document.body.append(dialog);
  dialog.showModal();
}

/** Saves the chart as a picture, with its title and axes. */
export async function savePNG(chart) {
  const source = chart.graph?.hidden_;
  if (!source) return;
  const scale = source.width / source.clientWidth;
  const top = 28;
  const canvas = h("canvas", { width: source.width, height: source.height + top * scale });
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  context.fillStyle = color("--sheet");
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(source, 0, top, source.clientWidth, source.clientHeight);
  context.fillStyle = color("--ink");
  context.font = "600 14px system-ui, sans-serif";
  context.fillText(chart.options.title, 8, 19);
  context.fillStyle = color("--quiet");
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "middle";
  const origin = chart.canvas.getBoundingClientRect();
  for (const label of chart.canvas.querySelectorAll(".dygraph-axis-label")) {
    const box = label.getBoundingClientRect();
    const isY = label.classList.contains("dygraph-axis-label-y");
    context.textAlign = isY ? "right" : "center";
    context.fillText(label.textContent, (isY ? box.right : (box.left + box.right) / 2) - origin.left,
      (box.top + box.bottom) / 2 - origin.top + top);
  }
  const blob = await new Promise((resolve) => { canvas.toBlob(resolve, "image/png"); });
  if (blob) save(`${chart.fileName}.png`, blob);
}
