// What the table of runs shows: filters, order and grouping. A view is its address, a query to the daemon,
// and a test that a changed job can be put to without asking the daemon.

/** The states in which a job runs; such jobs always come first. */
export const runningStates = ["running", "pausing", "cancelling"];
/** All states, in the order of a job's life. */
export const states = [
  "blocked",
  "queued",
  "running",
  "pausing",
  "paused",
  "cancelling",
  "succeeded",
  "failed",
  "cancelled",
];
export const healths = ["good", "warning", "collapsed", "diverging", "unknown"];
export const kinds = ["train", "evaluate", "embed", "import"];

const list = (text) => (text ?? "").split(",").filter(Boolean);

/** The view of an address's query. */
export function readView(query) {
  return {
    words: query.get("q") ?? "",
    states: list(query.get("state")),
    health: list(query.get("health")),
    kind: query.get("kind") ?? "",
    labels: query.getAll("label").filter(Boolean),
    sweep: query.get("sweep") ?? "",
    dataset: query.get("dataset") ?? "",
    method: query.get("method") ?? "",
    sort: query.get("sort") ?? "",
    group: query.get("group") ?? "",
  };
}

/** The filters of a view as parameters, which the address and the API share. */
const filters = (view) => ({
  q: view.words.trim(),
  state: view.states.join(","),
  health: view.health.join(","),
  kind: view.kind,
  label: view.labels,
  sweep: view.sweep,
  dataset: view.dataset,
  method: view.method,
});

/** The view as parameters of the page's address. */
export const addressOf = (view) => ({ ...filters(view), sort: view.sort, group: view.group });

/** Whether anything is filtered out. */
export const isFiltered = (view) => Object.values(filters(view)).some((value) => value.length > 0);

/** The view without its filters. */
export const unfiltered = (view) => ({
  ...readView(new URLSearchParams()),
  sort: view.sort,
  group: view.group,
});

/** The path of a list: the view's filters, `more` parameters like { sort: "-name", limit: 100 }. */
export function pathOf(view, more = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...filters(view), ...more })) {
    for (const one of [value].flat()) {
      if (one !== "" && one !== null && one !== undefined) query.append(name, one);
    }
  }
  return `/jobs?${query}`;
}

/** ASCII letters in lower case, as the daemon compares words. */
const lower = (text) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

/** Whether the view's filters leave the row, by the daemon's rules. */
export function matches(view, row) {
  const isAmong = (choices, value) => choices.length === 0 || choices.includes(value);
  return isAmong(view.states, row.state) && isAmong(view.health, row.health?.state) &&
    (!view.kind || view.kind === row.kind) &&
    (!view.sweep || view.sweep === row.sweep?.id) &&
    (!view.dataset || view.dataset === row.dataset) &&
    (!view.method || view.method === row.method) &&
    view.labels.every((label) => hasLabel(row, label)) &&
    hasWords(row, view.words);
}

function hasLabel(row, label) {
  const at = label.indexOf("=");
  if (at < 0) return label in row.labels;
  return row.labels[label.slice(0, at)] === label.slice(at + 1);
}

function hasWords(row, words) {
  const labels = Object.entries(row.labels).map(([key, value]) => `${key}=${value}`);
  const all = [row.name ?? "", row.notes ?? "", ...labels].map(lower);
  return lower(words).split(" ").filter(Boolean).every((word) => all.some((text) => text.includes(word)));
}

/** What rows are sorted by, as the API names it: the value of a row, null where it has none. */
const sortValues = {
  created_at: (row) => row.created_at,
  started_at: (row) => row.started_at,
  finished_at: (row) => row.finished_at,
  name: (row) => row.name,
  state: (row) => row.state,
  kind: (row) => row.kind,
  priority: (row) => row.priority,
  health: (row) => row.health?.state,
  running_seconds: (row) => row.running_seconds,
  dataset: (row) => row.dataset,
  method: (row) => row.method,
  top1: (row) => row.best?.top1,
  loss: (row) => row.loss,
  rankme: (row) => row.rankme,
};

/** What the order `sort` of the API, like "-name", compares; a function for `Array.sort`. */
export function order(sort) {
  if (sort === "queue") return queueOrder;
  const isDescending = sort.startsWith("-");
  const value = sortValues[isDescending ? sort.slice(1) : sort] ?? sortValues.created_at;
  const sign = isDescending ? -1 : 1;
  return (a, b) => {
    const [one, other] = [value(a) ?? null, value(b) ?? null];
    if (one === null || other === null) {
      if (one !== other) return one === null ? 1 : -1;
    } else if (one !== other) return one < other ? -sign : sign;
    return sign * arrival(a, b);
  };
}

/** The order in which jobs were queued. */
const arrival = (a, b) =>
  a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : a.id < b.id ? -1 : a.id > b.id ? 1 : 0;

/** The order in which queued jobs begin. */
const queueOrder = (a, b) => b.priority - a.priority || arrival(a, b);
