// The daemon and its machine: workers, queue, load in the last hour, limits, tokens, versions.
import { json, tolerate } from "../core/api.js";
import { h, repeat, replaceIfNew } from "../core/dom.js";
import { bytes, duration, moment, number, percent, words } from "../core/format.js";
import { alert, table } from "../core/parts.js";
import { isVisible, outside } from "../core/text.js";
import { HistoryChart } from "./history.js";

const states = [
  "running",
  "queued",
  "blocked",
  "paused",
  "pausing",
  "cancelling",
  "failed",
  "succeeded",
  "cancelled",
];
const orDash = (value, text) => (Number.isFinite(value) ? text(value) : "–");
const size = (value) => orDash(value, bytes);

/** Fills `main` and keeps it up to date; returns a function that stops. */
export function show(main) {
  const page = new SystemPage(main);
  const stopPage = repeat(
    2,
    () => page.update(),
    ({ name }) => ["state", "deleted", "resync"].includes(name),
  );
  return () => {
    stopPage();
    page.destroy();
  };
}

class SystemPage {
  constructor(main) {
    this.problem = h("div", {});
    this.facts = h("div", {});
    this.workers = h("section", { "aria-label": "Workers" });
    this.queue = h("section", { "aria-label": "Jobs" });
    this.tokens = h("section", { "aria-label": "Tokens" });
    this.limits = h("section", { "aria-label": "Limits" });
    this.versions = h("section", { "aria-label": "Versions" });
    this.charts = {
      cpu: new HistoryChart({
        name: "CPU",
        text: (value) => orDash(value, percent),
        lines: [{ name: "of all cores", colour: "curve" }],
        ticks: () => [0, 0.25, 0.5, 0.75, 1],
      }),
      memory: new HistoryChart({
        name: "Memory in use",
        text: size,
        lines: [{ name: "in use", colour: "curve" }],
      }),
      disk: new HistoryChart({
        name: "Disk space left",
        text: size,
        lines: [{ name: "left", colour: "curve" }],
      }),
      jobs: new HistoryChart({
        name: "Jobs",
        text: (value) => orDash(value, (count) => count.toLocaleString("en")),
        lines: [{ name: "running", colour: "curve" }, { name: "queued", colour: "curve-2" }],
        ticks: wholeTicks,
      }),
    };
    this.body = h(
      "div",
      { hidden: true },
      this.facts,
      h("div", { class: "system-charts" }, Object.values(this.charts).map(({ element }) => element)),
      h("div", { class: "system-parts" }, this.workers, this.queue, this.tokens, this.versions, this.limits),
    );
    main.replaceChildren(h("h1", {}, "System"), this.problem, this.body);
  }

  destroy() {
    for (const chart of Object.values(this.charts)) chart.destroy();
  }

  async update() {
    let system;
    try {
      system = await json("/system");
    } catch (error) {
      tolerate(error);
      if (error.status !== 0 && !error.isFault) this.problem.replaceChildren(alert(error.message));
      return error.status !== 404;
    }
    this.problem.replaceChildren();
    this.body.hidden = false;
    // The time that has passed is not news: it is drawn with the rest.
    this.facts.replaceChildren(facts(system));
    this.#drawHistory(system);
    replaceIfNew(this.workers, JSON.stringify([system.workers, system.workers_max]), () => workers(system));
    replaceIfNew(this.queue, JSON.stringify(system.queue), () => queue(system));
    replaceIfNew(this.tokens, JSON.stringify(system.tokens), () => tokens(system));
    replaceIfNew(this.limits, JSON.stringify(system.limits), () => limits(system));
    replaceIfNew(this.versions, JSON.stringify(system.versions), () => versions(system));
    return true;
  }

  #drawHistory({ history, memory, disk }) {
    const {
      times_ms: times,
      cpu_share: cpu,
      memory_used_bytes: used,
      disk_free_bytes: free,
      running,
      queued,
    } = history;
    this.charts.cpu.show({ times, columns: [cpu], most: 1 });
    this.charts.memory.show({ times, columns: [used], most: memory.total_bytes });
    this.charts.disk.show({ times, columns: [free], most: disk.total_bytes });
    this.charts.jobs.show({ times, columns: [running, queued], most: null });
  }
}

/** Ticks at whole numbers. */
function wholeTicks(most) {
  const step = Math.max(1, 10 ** Math.floor(Math.log10(Math.max(1, most))));
  const factor = [1, 2, 5, 10].find((one) => most / (step * one) <= 5) ?? 10;
  return Array.from({ length: Math.floor(most / (step * factor)) + 1 }, (_, index) => index * step * factor);
}

function facts(system) {
  const { memory, disk, database } = system;
  const used = memory.total_bytes - memory.available_bytes;
  const cores = system.quota_cores && system.quota_cores < system.cores
    ? `${number(system.quota_cores)} of ${system.cores}`
    : system.cores;
  const entries = [
    ["Running for", duration(system.uptime_seconds)],
    ["Since", moment(system.started_at)],
    ["Processor", isVisible(system.cpu) ? outside(system.cpu) : null],
    ["Cores", cores],
    ["CPU now", orDash(system.cpu_share, percent)],
    ["Load", system.load ? system.load.map((one) => one.toFixed(2)).join(", ") : null],
    ["Memory", `${size(used)} of ${size(memory.total_bytes)} in use`],
    ["The daemon's memory", size(memory.daemon_bytes)],
    ["Disk", `${size(disk.free_bytes)} of ${size(disk.total_bytes)} left`],
    ["Kept free", size(disk.reserve_bytes)],
    ["Database", [
      size(database.bytes),
      database.wal_bytes > 0 ? ` and ${size(database.wal_bytes)} of log` : "",
    ]],
  ];
  return h(
    "dl",
    { class: "facts" },
    entries.filter(([, value]) => value !== null)
      .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

function workers({ workers: all, workers_max: most, threads_max: threads }) {
  const name = ({ name: text, kind, job }) => (isVisible(text) ? text : `${kind ?? "job"} ${job.slice(-5)}`);
  return [
    h("h2", {}, `${all.length} of ${most} workers busy`),
    h("p", { class: "quiet" }, `At most ${threads} threads for all of them.`),
    all.length === 0 ? h("p", { class: "empty" }, "No job is running.") : table(
      ["Job", "Kind", "Threads", "Since"],
      all.map((worker) => [
        h("a", { href: `#/jobs/${worker.job}` }, outside(name(worker), { isCut: true })),
        worker.kind ?? "–",
        worker.threads,
        h("time", { datetime: worker.since }, moment(worker.since)),
      ]),
    ),
  ];
}

function queue({ queue: counts }) {
  const rows = states.filter((state) => state in counts).map((state) => [
    h("a", { href: `#/?state=${state}` }, h("span", { class: `state past ${state}` }, state)),
    counts[state].toLocaleString("en"),
  ]);
  return [h("h2", {}, "Jobs by state"), figures(["State", "Jobs"], rows)];
}

function tokens({ tokens: known }) {
  const heading = h("h2", {}, "Access tokens");
  if (!known) {
    return [heading, h("p", { class: "quiet" }, "No token is needed: the daemon answers this machine only.")];
  }
  const last = known.last_used_at ? `, last used ${moment(known.last_used_at)}` : "";
  return [
    heading,
    h("p", {}, `${known.write} may write, ${known.read} may only read${last}.`),
    known.list
      ? table(
        ["Name", "Role", "Created", "Last used"],
        known.list.map((token) => [
          outside(token.name),
          token.role,
          moment(token.created_at),
          moment(token.last_used_at),
        ]),
      )
      : null,
  ];
}

/** What the daemon refuses, by the names of the settings. */
function limits({ limits: all }) {
  const names = Object.keys(all).sort();
  const text = (name) => (name.includes("bytes") ? bytes(all[name]) : all[name].toLocaleString("en"));
  return [
    h("h2", {}, "Limits"),
    names.length === 0
      ? h("p", { class: "quiet" }, "All have their defaults.")
      : figures(["Limit", "Value"], names.map((name) => [outside(words(name)), text(name)])),
  ];
}

/** A table of two columns, which a narrow screen has room for. */
function pairs(columns, rows) {
  const result = table(columns, rows);
  result.classList.remove("stack");
  return result;
}

/** Such a table whose second column has numbers. */
function figures(columns, rows) {
  const result = pairs(columns, rows);
  result.classList.add("figures");
  return result;
}

function versions({ versions: all }) {
  const entries = Object.entries(all).filter(([, version]) => version !== null);
  return [
    h("h2", {}, "Versions"),
    pairs(
      ["Part", "Version"],
      entries.map((
        [name, version],
      ) => [name === "isa" ? "Instruction set" : outside(name), outside(version)]),
    ),
  ];
}
