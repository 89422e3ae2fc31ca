// The list of sweeps: what each looks for, what it has found, what it has cost.
import { tolerate } from "../core/api.js";
import { h, refresh, repeat } from "../core/dom.js";
import { duration, moment } from "../core/format.js";
import { stateChip, tableHead, tableRow } from "../core/parts.js";
import { mayWrite } from "../core/role.js";
import { outside } from "../core/text.js";
import { jobsOf, sweepsAPI } from "./data.js";
import { objectiveName, searchName, valueText } from "./model.js";
import { sweepTitle, trialsBar } from "./parts.js";

const columns = [
  "Sweep",
  "State",
  "Trials",
  "Best",
  "Objective",
  "Search",
  "Compute",
  "Time left",
  "Started",
];
const pageSize = 50;
/** Seconds between two looks at what the jobs of a running sweep have cost. */
const costSeconds = 10;
const concerns = ({ name }) => ["sweep", "sweep_deleted", "resync"].includes(name);

/** Fills `main` with the list and keeps it up to date; returns a function that stops. */
export function show(main) {
  const page = new SweepsPage(main);
  return repeat(1, () => page.update(), concerns);
}

class SweepsPage {
  constructor(main) {
    this.count = pageSize;
    /** The seconds that each sweep's jobs have run, by its id; of finished ones asked for once. */
    this.costs = new Map();
    this.body = h("tbody", { role: "rowgroup" });
    this.table = h(
      "table",
      { class: "stack library sweeps", role: "table", hidden: true },
      tableHead(columns),
      this.body,
    );
    this.more = h("button", {
      type: "button",
      hidden: true,
      onclick: () => {
        this.count += pageSize;
        this.update();
      },
    }, "Older sweeps");
    this.empty = emptyState();
    main.replaceChildren(
      h(
        "div",
        { class: "head" },
        h("h1", {}, "Sweeps"),
        h(
          "div",
          { class: "buttons" },
          mayWrite() ? h("a", { class: "button", href: "#/new?kind=sweep" }, "New sweep") : null,
        ),
      ),
      this.table,
      this.empty,
      this.more,
    );
  }

  async update() {
    try {
      const sweeps = [];
      let cursor = null;
      do {
        const answer = await sweepsAPI.list({ limit: pageSize, ...(cursor && { cursor }) });
        sweeps.push(...answer.sweeps);
        cursor = answer.next_cursor;
      } while (cursor && sweeps.length < this.count);
      this.more.hidden = !cursor;
      this.sweeps = sweeps;
      this.#draw();
      await this.#findCosts();
    } catch (error) {
      tolerate(error);
    }
  }

  #draw() {
    this.empty.hidden = this.sweeps.length > 0;
    this.table.hidden = this.sweeps.length === 0;
    const items = this.sweeps.map((sweep) => ({ sweep, seconds: this.costs.get(sweep.id)?.seconds ?? null }));
    refresh(this.body, items, ({ sweep }) => sweep.id, row);
  }

  async #findCosts() {
    for (const sweep of this.sweeps) {
      const version = JSON.stringify([sweep.state, sweep.trials]);
      const known = this.costs.get(sweep.id);
      const isFresh = sweep.finished_at === null && Date.now() - known?.askedAt < costSeconds * 1000;
      if (known?.version === version || isFresh) continue;
      const jobs = await jobsOf(sweep.id);
      const seconds = jobs.reduce((sum, job) => sum + (job.running_seconds ?? 0), 0);
      this.costs.set(sweep.id, { version, seconds, askedAt: Date.now() });
      this.#draw();
    }
  }
}

function row({ sweep, seconds }) {
  const { best } = sweep;
  const isOver = sweep.finished_at !== null;
  return tableRow(columns, [
    h("a", { href: `#/sweeps/${sweep.id}` }, outside(sweepTitle(sweep), { isCut: true })),
    stateChip({ ...sweep, reason: sweep.state === "succeeded" ? null : sweep.reason }),
    trialsBar(sweep),
    best
      ? [h("strong", {}, valueText(sweep)(best.value)), h("span", { class: "quiet" }, ` trial ${best.trial}`)]
      : "–",
    outside(objectiveName(sweep)),
    [searchName(sweep), sweep.spec?.early_stopping ? h("span", { class: "quiet" }, " asha") : null],
    seconds === null ? "…" : duration(seconds),
    isOver ? "–" : duration(sweep.seconds_left ?? NaN),
    h("time", { datetime: sweep.started_at }, moment(sweep.started_at)),
  ]);
}

function emptyState() {
  return h(
    "div",
    { class: "empty", hidden: true },
    h(
      "p",
      {},
      "No sweeps yet. A sweep trains one job again and again with other values, and says which are best.",
    ),
    mayWrite() ? h("p", {}, h("a", { href: "#/new?kind=sweep" }, "Start a sweep")) : null,
  );
}
