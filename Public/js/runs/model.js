// The runs that the table shows: what runs, the queue, and all others; or groups.
import { json } from "../core/api.js";
import { Groups } from "./groups.js";
import { Section } from "./section.js";
import { rowOf, withEvaluation, withLine } from "./row.js";
import { pathOf, runningStates, states } from "./view.js";

/** Queued jobs that are shown until the whole queue is asked for. */
const queueRows = 8;

/** Of the view's states, those that are also among `wanted`; null: none. */
function only(view, wanted) {
  const left = wanted.filter((state) => view.states.length === 0 || view.states.includes(state));
  return left.length > 0 ? { ...view, states: left } : null;
}

/** The rows of a view, by sections; `onUpdate` is called when they have changed. */
export class Runs {
  constructor(view, onUpdate) {
    Object.assign(this, { view, onUpdate });
    this.isWholeQueue = view.states.length === 1 && view.states[0] === "queued";
    const running = only(view, runningStates);
    this.running = running && new Section("running", "Running", running, { sort: "-started_at" });
    const isPlain = view.sort === "" && view.group === "";
    const queued = isPlain ? only(view, ["queued"]) : null;
    this.queue = queued && new Section("queue", "Queue", queued, { sort: "queue" });
    this.groups = view.group ? new Groups(view, onUpdate) : null;
    const others = states.filter((state) =>
      !runningStates.includes(state) && !(isPlain && state === "queued")
    );
    const rest = this.groups ? null : only(view, others);
    this.rest = rest &&
      new Section("rest", isPlain ? "Waiting and finished" : "All others", rest, {
        sort: view.sort || "-created_at",
      });
    this.isLoaded = false;
  }

  get sections() {
    return [this.running, this.queue, this.rest, ...(this.groups?.sections ?? [])].filter(Boolean);
  }

  /** Jobs that the filters leave. */
  get total() {
    if (this.groups) return (this.running?.total ?? 0) + this.groups.total;
    return this.sections.reduce((sum, section) => sum + section.total, 0);
  }

  /** Reads everything that is shown; throws the API's `Problem`. */
  async load() {
    const parts = [this.running, this.queue, this.rest, this.groups].filter(Boolean);
    const outcomes = await Promise.allSettled(parts.map((part) => part.load()));
    const failure = outcomes.find((one) => one.status === "rejected");
    // What could be read is shown, also where another part could not.
    if (!failure || outcomes.some((one) => one.status === "fulfilled")) {
      this.isLoaded = true;
      this.onUpdate();
    }
    if (failure) throw failure.reason;
  }

  /**
   * Asks again for what changes with time alone: how far the running jobs are, and when the queued ones
   * start.
   */
  async refresh() {
    const isThere = (section) => section && section.rows.length > 0;
    if (isThere(this.running)) await this.#refreshRunning();
    if (isThere(this.queue)) await this.#refreshQueue();
    this.onUpdate();
  }

  async #refreshRunning() {
    const shown = "id,state,progress,health,running_seconds";
    const list = await json(
      `/jobs?state=${runningStates.join(",")}&sort=-started_at&limit=100&fields=${shown}`,
    );
    for (const job of list.jobs) {
      const row = this.find(job.id);
      if (!row || row.state !== job.state) continue;
      // A line may have come by the stream meanwhile.
      const isNewer = job.progress.step >= row.progress.step;
      const { progress, health, running_seconds } = job;
      this.#put({ ...row, ...(isNewer && { progress }), health, running_seconds, readAt: Date.now() });
    }
  }

  async #refreshQueue() {
    const limit = Math.min(100, this.isWholeQueue ? this.queue.rows.length : queueRows);
    const list = await json(pathOf(this.queue.view, { sort: "queue", limit, fields: "id,starts_at" }));
    for (const { id, starts_at: startsAt } of list.jobs) {
      const row = this.queue.rows.find((one) => one.id === id);
      if (row && row.startsAt !== startsAt) this.queue.put({ ...row, startsAt });
    }
  }

  /** The row of a job, if it has been read. */
  find(id) {
    for (const section of this.sections) {
      const row = section.rows.find((one) => one.id === id);
      if (row) return row;
    }
    return null;
  }

  /** Takes a change of the stream in. */
  apply({ name, job: id, state, line }) {
    let isNew = false;
    if (name === "state") {
      isNew = this.#put(rowOf(state));
      if (state.kind === "evaluate" && state.result) isNew = this.#note(state) || isNew;
    } else if (name === "metric") {
      const row = this.find(id);
      if (row?.kind === "train") isNew = this.#put(withLine(row, line));
    } else if (name === "deleted") {
      isNew = this.groups?.forget(id) ?? false;
      for (const section of this.sections) isNew = section.remove(id) || isNew;
    }
    if (isNew) this.onUpdate();
  }

  #put(row) {
    let isNew = this.groups?.note(row) ?? false;
    for (const section of this.sections) isNew = section.put(row) || isNew;
    return isNew;
  }

  /** An evaluation has finished: its training has a further accuracy. */
  #note(evaluation) {
    const row = this.find(evaluation.spec?.checkpoint?.job);
    return row ? this.#put(withEvaluation(row, evaluation)) : false;
  }

  /** What the table shows, in order: { kind: "head" | "row" | "more", key, … }. */
  entries() {
    const entries = [];
    const shown = this.sections.filter((section) => section.total > 0);
    const add = (section, rows) => {
      if (shown.length > 1 || section.key !== "rest") {
        entries.push({ kind: "head", key: section.key, section });
      }
      rows.forEach((row, index) =>
        entries.push({
          kind: "row",
          key: row.id,
          row,
          section,
          place: section === this.queue ? index + 1 : null,
        })
      );
    };
    if (this.running?.total) add(this.running, this.running.rows);
    if (this.queue?.total) {
      const rows = this.isWholeQueue ? this.queue.rows : this.queue.rows.slice(0, queueRows);
      add(this.queue, rows);
      if (rows.length < this.queue.total) {
        entries.push({
          kind: "more",
          key: this.isWholeQueue ? "queue-rest" : "queue-more",
          section: this.queue,
        });
      }
    }
    if (this.rest?.total) {
      add(this.rest, this.rest.rows);
      if (this.rest.hasMore) entries.push({ kind: "more", key: "rest-more", section: this.rest });
    }
    return this.groups ? [...entries, ...this.groups.entries()] : entries;
  }

  /** Shows the whole queue. */
  showQueue() {
    this.isWholeQueue = true;
    this.onUpdate();
  }
}
