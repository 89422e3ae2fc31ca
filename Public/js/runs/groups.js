// The runs by the value of a label or by sweep. The daemon has no such list: the page reads once which job is
// in which group, and the rows of a group when it is opened.
import { json } from "../core/api.js";
import { bestEvaluation } from "./row.js";
import { Section } from "./section.js";
import { matches, pathOf, runningStates, states } from "./view.js";

const scanned = "id,kind,state,labels,sweep,evaluations";
const scannedRows = 500;
const none = "";

/** The groups of a view whose `group` is "sweep" or "label:KEY"; `onUpdate` is called while they are read. */
export class Groups {
  constructor(view, onUpdate) {
    // What runs stands above all groups.
    const others = states.filter((state) => !runningStates.includes(state));
    this.view = {
      ...view,
      states: others.filter((one) => view.states.length === 0 || view.states.includes(one)),
    };
    this.label = view.group.startsWith("label:") ? view.group.slice("label:".length) : null;
    this.onUpdate = onUpdate;
    /** Of each job its group and its accuracy. */
    this.jobs = new Map();
    /** Of each opened group its section. */
    this.opened = new Map();
    this.isScanned = false;
  }

  get sections() {
    return [...this.opened.values()];
  }
  get total() {
    return this.jobs.size;
  }

  async load() {
    if (this.view.states.length === 0) return;
    const found = new Map();
    let cursor = null;
    do {
      const answer = await json(pathOf(this.view, { limit: scannedRows, cursor, fields: scanned }));
      for (const job of answer.jobs) found.set(job.id, this.#place(job));
      cursor = answer.next_cursor;
      if (!this.isScanned) {
        this.jobs = new Map(found);
        this.onUpdate();
      }
    } while (cursor);
    this.jobs = found;
    this.isScanned = true;
    await Promise.all(this.sections.map((section) => section.load()));
  }

  #place(job) {
    const group = (this.label === null ? job.sweep?.id : job.labels[this.label]) ?? none;
    return { group, top1: bestEvaluation(job.evaluations ?? [])?.top1 ?? null };
  }

  /** Notes a changed job; whether that changes a group's count. */
  note(row) {
    const before = this.jobs.get(row.id);
    if (!matches(this.view, row)) return this.jobs.delete(row.id);
    this.jobs.set(row.id, this.#place(row));
    return !before || before.group !== this.jobs.get(row.id).group;
  }

  /** Forgets a deleted job; whether it was here. */
  forget(id) {
    return this.jobs.delete(id);
  }

  /** Opens a group, or closes it. */
  async toggle(group) {
    if (this.opened.delete(group)) return this.onUpdate();
    const view = { ...this.view };
    let keep;
    if (group === none) keep = (row) => this.#place(row).group === none;
    else if (this.label === null) view.sweep = group;
    else view.labels = [...view.labels, `${this.label}=${group}`];
    const section = new Section(`group-${group}`, group, view, {
      sort: this.view.sort || "-created_at",
      keep,
    });
    this.opened.set(group, section);
    await section.load();
    this.onUpdate();
  }

  /** What the table shows: a head for each group, the largest first, and the rows of those that are open. */
  entries() {
    const groups = new Map();
    for (const { group, top1 } of this.jobs.values()) {
      const known = groups.get(group) ?? { group, count: 0, top1: null };
      known.count += 1;
      if (top1 !== null && (known.top1 === null || top1 > known.top1)) known.top1 = top1;
      groups.set(group, known);
    }
    const byName = [...groups.values()].sort((a, b) =>
      (a.group === none) - (b.group === none) || b.count - a.count || (a.group < b.group ? -1 : 1)
    );
    return byName.flatMap((group) => this.#entriesOf(group));
  }

  #entriesOf(group) {
    const section = this.opened.get(group.group);
    const head = {
      kind: "group",
      key: `head-${group.group}`,
      group,
      isOpen: Boolean(section),
      label: this.label,
    };
    if (!section) return [head];
    const rows = section.rows.map((row) => ({ kind: "row", key: row.id, row, section }));
    return [
      head,
      ...rows,
      ...(section.hasMore ? [{ kind: "more", key: `more-${group.group}`, section }] : []),
    ];
  }
}
