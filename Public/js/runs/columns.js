// The columns of the table: what each shows, how wide it is, and by what the daemon sorts it.
import { h } from "../core/dom.js";
import { duration, fullMoment, moment, number, percent, title } from "../core/format.js";
import { healthChip } from "../core/parts.js";
import { mayWrite } from "../core/role.js";
import { isVisible, outside, shown } from "../core/text.js";
import { runningSeconds } from "./row.js";
import { curvesOf, sparkline } from "./sparklines.js";

const quiet = (text, tip) => h("span", { class: "quiet", title: tip }, text);
const dash = () => null;
const cut = (text) => (text ? outside(text, { kind: "line" }) : dash());
const time = (
  value,
) => (value ? h("time", { datetime: value, title: fullMoment(value) }, moment(value)) : dash());

/**
 * The columns, those that matter most first. `width` in pixels, `grow`: its share of what the window has
 * left, `isNumber`: aligned to the right, `sort`: the API's field, `isDown`: the first order is descending,
 * `cell(row, entry)`: the content.
 */
export const columns = [
  { key: "name", title: "Name", width: 170, grow: 5, sort: "name", cell: nameCell },
  { key: "state", title: "State", width: 114, grow: .5, sort: "state", cell: stateCell },
  { key: "progress", title: "Progress", width: 166, grow: 1.5, cell: progressCell },
  {
    key: "accuracy",
    title: "Accuracy",
    width: 140,
    grow: .5,
    isNumber: true,
    sort: "top1",
    isDown: true,
    cell: accuracyCell,
  },
  {
    key: "loss",
    title: "Loss",
    width: 104,
    grow: 1.5,
    isNumber: true,
    sort: "loss",
    cell: (row) => curveCell(row, "loss", "Loss"),
  },
  {
    key: "rankme",
    title: "RankMe",
    width: 104,
    grow: 1.5,
    isNumber: true,
    sort: "rankme",
    isDown: true,
    cell: (row) => curveCell(row, "rankme", "RankMe"),
  },
  {
    key: "running",
    title: "Running time",
    width: 102,
    isNumber: true,
    sort: "running_seconds",
    isDown: true,
    cell: runningCell,
  },
  {
    key: "created",
    title: "Queued",
    width: 88,
    isNumber: true,
    sort: "created_at",
    isDown: true,
    cell: (row) => time(row.created_at),
  },
  { key: "health", title: "Health", width: 90, sort: "health", cell: (row) => healthChip(row) },
  { key: "labels", title: "Labels", width: 92, grow: 3, cell: labelsCell },
  { key: "kind", title: "Kind", width: 78, sort: "kind", cell: (row) => row.kind },
  { key: "method", title: "Method", width: 106, sort: "method", cell: (row) => cut(row.method) },
  { key: "dataset", title: "Dataset", width: 130, grow: 1, sort: "dataset", cell: (row) => cut(row.dataset) },
  { key: "preset", title: "Preset", width: 120, cell: (row) => cut(row.preset) },
  { key: "sweep", title: "Sweep", width: 120, cell: sweepCell },
  {
    key: "priority",
    title: "Priority",
    width: 82,
    isNumber: true,
    sort: "priority",
    isDown: true,
    cell: (row) => String(row.priority),
  },
  {
    key: "started",
    title: "Started",
    width: 96,
    isNumber: true,
    sort: "started_at",
    isDown: true,
    cell: (row) => time(row.started_at),
  },
  {
    key: "finished",
    title: "Finished",
    width: 96,
    isNumber: true,
    sort: "finished_at",
    isDown: true,
    cell: (row) => time(row.finished_at),
  },
  { key: "notes", title: "Notes", width: 160, grow: 3, cell: (row) => cut(row.notes) },
  { key: "id", title: "Id", width: 152, cell: (row) => h("code", {}, row.id) },
];

/** Columns that are shown where the user has not chosen: as many of these as fit, in this order. */
const standard = 13;

const storageKey = "vicregd.runs.columns";

/** The keys of the columns that the user has chosen; null: none, so that they follow the window's width. */
export function chosenColumns() {
  try {
    const keys = JSON.parse(localStorage.getItem(storageKey));
    const known = Array.isArray(keys)
      ? keys.filter((key) => columns.some((column) => column.key === key))
      : [];
    return known.length > 0 ? known : null;
  } catch {
    return null;
  }
}

/** Keeps the chosen columns in this browser; null: none are chosen. */
export function chooseColumns(keys) {
  try {
    if (keys) localStorage.setItem(storageKey, JSON.stringify(keys));
    else localStorage.removeItem(storageKey);
  } catch {
    // A browser that keeps nothing shows the standard columns next time.
  }
}

/** How narrow chosen columns may become, so that more of them fit. */
const shrinkMin = 0.72;

/** The columns that fit into `width` pixels, in their order on the page, each with its width there. */
export function fittingColumns(width) {
  const chosen = chosenColumns();
  const all = columns.filter((column, index) =>
    column.key === "name" || (chosen ? chosen.includes(column.key) : index < standard)
  );
  const sum = all.reduce((total, column) => total + column.width, 0);
  const scale = chosen ? Math.min(1, Math.max(shrinkMin, width / sum)) : 1;
  const wanted = all.map((column) => ({ ...column, width: Math.floor(column.width * scale) }));
  let left = width;
  const fitting = [];
  for (const column of wanted) {
    if (column.width > left) {
      if (chosen) continue;
      break;
    }
    left -= column.width;
    fitting.push(column);
  }
  const shares = fitting.reduce((sum, column) => sum + (column.grow ?? 0), 0) || 1;
  const inOrder = placed(fitting);
  const extra = (column) => Math.floor((left * (column.grow ?? 0)) / shares);
  return inOrder.map((column) => ({ ...column, width: column.width + extra(column) }));
}

/** What stands next to what, from left to right; the rest follows in the order of importance. */
const places = ["name", "kind", "state", "health", "progress"];

function placed(list) {
  const place = (column) => (places.includes(column.key) ? places.indexOf(column.key) : places.length);
  return [...list].sort((a, b) => place(a) - place(b));
}

function nameCell(row) {
  const name = shown(title(row));
  const tail = isVisible(row.name) ? quiet(row.id.slice(-5)) : null;
  return h(
    "div",
    { class: "named" },
    h("a", { href: `#/jobs/${row.id}`, tabindex: -1, class: "outside cut", dir: "auto", title: name }, name),
    tail,
  );
}

/** The state; its reason is on hover, and in words where it failed. */
function stateCell(row) {
  const count = row.needs?.length ?? 0;
  const others = count === 1 ? "another run" : `${count} other runs`;
  const why = row.state === "blocked" ? `Waits for ${others}` : row.reason?.replaceAll("_", " ");
  return h("span", { class: `state ${row.state}`, title: why }, row.state);
}

function progressCell(row, entry) {
  if (row.state === "queued") return queueCell(row, entry);
  const { step, steps, seconds_left: left } = row.progress ?? {};
  if (!steps) return dash();
  const share = Math.min(1, (step ?? 0) / steps);
  const isRunning = row.state === "running";
  const words = isRunning && Number.isFinite(left) ? `${brief(left)} left` : `${Math.floor(share * 100)}%`;
  if (row.state === "succeeded") return quiet(`${steps.toLocaleString("en")} steps`);
  const tip = `Step ${(step ?? 0).toLocaleString("en")} of ${steps.toLocaleString("en")}`;
  return h(
    "div",
    { class: "gauge", title: tip },
    h("progress", { max: 1, value: share, "aria-label": `Progress: ${Math.floor(share * 100)}%` }),
    h("span", {}, words),
  );
}

/** A queued run: its place, when it will start, and how to change that. */
function queueCell(row, { place }) {
  const { startsAt } = row;
  const start = !startsAt
    ? ""
    : Date.parse(startsAt) <= Date.now() + 1000
    ? "next"
    : `starts ${moment(startsAt)}`;
  const estimate = start ? `${start}, estimated from the runs before it. ` : "";
  const tip = `${estimate}Priority ${row.priority}: higher ones start first`;
  const button = (by, sign, word) =>
    h("button", {
      type: "button",
      tabindex: -1,
      "data-priority": by,
      title: `${word} priority (now ${row.priority})`,
      "aria-label": `${word} the priority of ${title(row)}`,
      disabled: row.priority + by < 0 || row.priority + by > 100,
    }, sign);
  return h(
    "div",
    { class: "queued-place", title: tip },
    h("span", {}, [place && `${place}.`, start || "waiting"].filter(Boolean).join(" ")),
    mayWrite() ? [button(1, "▲", "Raise"), button(-1, "▼", "Lower")] : null,
  );
}

/** A duration by its largest unit: "3 h", "12 min". */
const brief = (seconds) => duration(seconds).split(" ").slice(0, 2).join(" ");

function accuracyCell({ best, kind }) {
  if (!best) return dash();
  const share = best.share < 1 ? ` ${number(best.share * 100)}%` : "";
  const protocol = `${best.protocol}${share}`;
  const interval = best.interval ? `, 95% interval ${best.interval.map(percent).join(" to ")}` : "";
  const tip = `${kind === "train" ? "Best evaluation: " : ""}${best.protocol}` +
    `${best.share < 1 ? `, ${number(best.share * 100)}% of the labels` : ""}${interval}`;
  return h("span", { class: "accuracy", title: tip }, quiet(protocol), h("b", {}, percent(best.top1)));
}

function curveCell(row, key, name) {
  if (row[key] === null || row[key] === undefined) return dash();
  return h(
    "span",
    { class: "curve" },
    sparkline(name, curvesOf(row)?.[key]),
    h("span", { class: "value" }, number(row[key])),
  );
}

function runningCell(row) {
  const seconds = runningSeconds(row);
  if (!Number.isFinite(seconds) || (!row.started_at && seconds === 0)) return dash();
  return h("span", { "data-running": row.id }, duration(seconds));
}

function labelsCell(row) {
  const entries = Object.entries(row.labels);
  if (entries.length === 0) return dash();
  return h(
    "span",
    { class: "chips" },
    entries.map(([key, value]) => {
      const text = value === "" ? shown(key) : `${shown(key)}=${shown(value)}`;
      return h("button", {
        type: "button",
        class: "chip outside",
        dir: "auto",
        tabindex: -1,
        title: `Show only runs with ${text}`,
        "data-label-filter": `${key}=${value}`,
      }, text);
    }),
  );
}

function sweepCell(row) {
  if (!row.sweep) return dash();
  return h("button", {
    type: "button",
    class: "chip",
    tabindex: -1,
    title: "Show only the trials of this sweep",
    "data-sweep-filter": row.sweep.id,
  }, `${row.sweep.id.slice(-5)} · ${row.sweep.trial}`);
}
