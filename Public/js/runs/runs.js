// The page of all runs: what runs now, the queue, and everything else, found, sorted, grouped and changed.
import { api, Problem, tolerate } from "../core/api.js";
import { announce, h, replaceIfNew } from "../core/dom.js";
import { isLive, onChange } from "../core/events.js";
import { isOver, title } from "../core/format.js";
import { alert } from "../core/parts.js";
import { mayWrite } from "../core/role.js";
import { rememberQuery } from "../core/router.js";
import { emptyState, noMatch } from "./empty.js";
import { Bulk, compareAddress, patch } from "./bulk.js";
import { Filters } from "./filters.js";
import { buildHead, headVersion } from "./heads.js";
import { followKeys, showKeys } from "./keys.js";
import { Runs } from "./model.js";
import { Now } from "./now.js";
import { Selection } from "./selection.js";
import { extendCurves, readCurves } from "./sparklines.js";
import { Table } from "./table.js";
import { Ticker } from "./ticker.js";
import { addressOf, isFiltered, readView } from "./view.js";

/** Of each view, by its address, the run that was opened from it: the way back leads there. */
const opened = new Map();

/** Milliseconds in which rows that come in sight are gathered before their curves are asked for. */
const curvePause = 60;

/** Fills `main` and keeps it up to date; returns a function that stops. */
export function show(main, { query }) {
  const page = new RunsPage(main, readView(query));
  return () => page.stop();
}

class RunsPage {
  constructor(main, view) {
    this.view = view;
    this.curveVersions = new Map();
    this.selection = new Selection(() => this.#selected());
    this.bulk = new Bulk({ clear: () => this.selection.clear() });
    this.now = new Now();
    this.table = new Table({
      open: (row) => this.#open(row),
      select: (row, { isRange }) => this.selection.toggle(row, isRange ? this.table.rows : null),
      selectAll: (isOn) => this.selection.setAll(this.table.rows, isOn),
      isSelected: (id) => this.selection.has(id),
      reprioritize: (row, by) => this.#reprioritize(row, by),
      sort: (column) => this.#sort(column),
      filter: (data) => this.#filter(data),
      version: (row) => this.curveVersions.get(row.id) ?? 0,
      headVersion: (entry) => headVersion(entry),
      build: (entry) => buildHead(entry, this.#headActions()),
      drawn: (rows) => this.#drawn(rows),
      wantMore: (section) => this.#more(section),
    });
    this.filters = new Filters(view, {
      change: (part) => this.#change(part),
      relayout: () => this.table.relayout(),
      shownColumns: () => this.table.columns.map((column) => column.key),
      showKeys,
    });
    this.refusal = h("div");
    this.empty = h("div", { hidden: true });
    this.place = h("div", { class: "runs-table" }, this.table.element);
    this.list = h(
      "section",
      { "aria-label": "Runs" },
      this.filters.element,
      this.bulk.element,
      this.place,
      this.empty,
    );
    main.replaceChildren(h("h1", { class: "unseen" }, "Runs"), this.now.element, this.refusal, this.list);
    this.table.attach();
    this.stopKeys = followKeys(this.#keyActions());
    this.ticker = new Ticker({ second: () => this.#tick(), refresh: () => this.#refresh() });
    this.forget = onChange((change) => this.#apply(change));
    this.#load();
  }

  stop() {
    this.isStopped = true;
    this.stopKeys();
    this.ticker.stop();
    this.forget();
    this.table.destroy();
  }

  /** Reads the view from the daemon, after which `#update` shows it. */
  async #load() {
    const runs = this.runs?.view === this.view ? this.runs : new Runs(this.view, () => this.#update(runs));
    this.pending = runs;
    try {
      await runs.load();
      this.refusal.replaceChildren();
    } catch (error) {
      tolerate(error);
      // What was shown stays; the header says that it is old. A refusal of the view itself is shown.
      if (error.status >= 400 && this.pending === runs) this.refusal.replaceChildren(alert(error.message));
    }
  }

  #update(runs = this.runs) {
    if (this.isStopped || (runs !== this.runs && runs !== this.pending)) return;
    this.runs = runs;
    if (!runs.isLoaded && !runs.groups) return;
    const entries = runs.entries();
    this.selection.renew((id) => runs.find(id));
    this.table.show(entries, this.view.sort);
    this.now.show(runs.running?.rows ?? [], (row) => this.curveVersions.get(row.id) ?? 0);
    this.filters.noteLabels(this.table.rows);
    this.filters.show(this.view, runs.total);
    this.place.hidden = entries.length === 0;
    if (runs.isLoaded) this.#goBack();
    this.empty.hidden = entries.length > 0 || !runs.isLoaded;
    if (!this.empty.hidden) {
      replaceIfNew(
        this.empty,
        String(isFiltered(this.view)),
        () => (isFiltered(this.view) ? noMatch() : emptyState()),
      );
    }
    this.filters.element.classList.toggle(
      "off",
      runs.isLoaded && entries.length === 0 && !isFiltered(this.view),
    );
  }

  #open(row) {
    opened.set(location.hash, row.id);
    location.hash = `#/jobs/${row.id}`;
  }

  /** Leads back to the run that was opened from this view, once. */
  #goBack() {
    const id = opened.get(location.hash);
    opened.delete(location.hash);
    if (id) this.table.put(id);
  }

  /** Shows another view; its address stays a link. */
  #change(part) {
    this.view = { ...this.view, ...part };
    rememberQuery(addressOf(this.view));
    this.filters.show(this.view, null);
    this.#load();
  }

  #sort(column) {
    const [first, second] = column.isDown
      ? [`-${column.sort}`, column.sort]
      : [column.sort, `-${column.sort}`];
    this.#change({ sort: { [first]: second, [second]: "" }[this.view.sort] ?? first });
  }

  #filter({ labelFilter, sweepFilter }) {
    if (sweepFilter) this.#change({ sweep: sweepFilter });
    else if (!this.view.labels.includes(labelFilter)) {
      this.#change({ labels: [...this.view.labels, labelFilter] });
    }
  }

  async #more(section) {
    if (section.isLoading) return;
    try {
      await section.more();
      this.#update();
    } catch (error) {
      tolerate(error);
    }
  }

  #apply(change) {
    if (change.name === "resync") {
      if (this.runs?.isLoaded) this.#load();
      return;
    }
    if (change.name === "metric" && extendCurves(change.job, change.line)) this.#noteCurves(change.job);
    if (change.name === "state") this.#announce(change.state);
    this.runs?.apply(change);
    if (this.pending !== this.runs) this.pending?.apply(change);
  }

  #announce(job) {
    const before = this.runs?.find(job.id);
    if (before && before.state !== job.state) announce(`${title(job)}: ${job.state}`);
  }

  /** Curves have come, or grown. */
  #noteCurves(id) {
    this.curveVersions.set(id, (this.curveVersions.get(id) ?? 0) + 1);
    this.now.show(this.runs?.running?.rows ?? [], (row) => this.curveVersions.get(row.id) ?? 0);
    this.table.redraw();
  }

  /** Rows have come in sight: their curves are wanted. */
  #drawn(rows) {
    this.inSight = rows;
    this.curveTimer ??= setTimeout(() => this.#readCurves(), curvePause);
  }

  async #readCurves() {
    const ids = this.isStopped ? [] : await readCurves(this.inSight);
    this.curveTimer = null;
    for (const id of ids) this.#noteCurves(id);
    if (ids.length > 0) this.#drawn(this.inSight);
  }

  /** Running times go on without a word from the daemon. */
  #tick() {
    if (this.runs?.running?.rows.length > 0) this.table.tick((id) => this.runs.find(id));
  }

  /** While the stream is broken everything is read again, else only what changes with time alone. */
  async #refresh() {
    if (!isLive()) return this.#load();
    try {
      await this.runs?.refresh();
    } catch (error) {
      tolerate(error);
    }
  }

  #selected() {
    this.bulk.show(this.selection.rows);
    this.place.classList.toggle("with-bulk", this.selection.rows.length > 0);
    this.table.redraw();
  }

  #headActions() {
    return {
      toggle: (group) => this.runs.groups.toggle(group).catch(tolerate),
      showQueue: () => this.runs.showQueue(),
    };
  }

  #keyActions() {
    const current = () => this.table.current;
    return {
      move: (by, isRange) => {
        const before = current()?.row;
        const next = this.table.move(document.activeElement === document.body && Math.abs(by) === 1 ? 0 : by);
        if (!isRange || !next?.row) return;
        if (before && !this.selection.has(before.id)) this.selection.toggle(before);
        this.selection.add(next.row);
      },
      open: () => {
        const entry = current();
        if (entry?.row) this.#open(entry.row);
        else if (entry?.group) this.#headActions().toggle(entry.group.group);
      },
      select: () => {
        if (current()?.row) this.selection.toggle(current().row);
      },
      selectAll: () => this.selection.setAll(this.table.rows, true),
      clear: () => this.selection.clear(),
      compare: () => {
        if (this.selection.rows.length > 0) location.hash = compareAddress(this.selection.rows);
      },
      search: () => {
        this.filters.search.focus();
        this.filters.search.select();
      },
      reprioritize: (by) => this.#reprioritize(current()?.row, by),
    };
  }

  async #reprioritize(row, by) {
    if (!row || isOver(row) || !mayWrite()) return;
    const priority = Math.min(100, Math.max(0, row.priority + by));
    try {
      await patch(row, { priority });
      announce(`Priority ${priority}`);
      this.refusal.replaceChildren();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.refusal.replaceChildren(alert(`${title(row)}: ${error.message}`));
    }
  }
}
