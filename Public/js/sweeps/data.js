// A sweep, its trials and its jobs, kept up to date by the stream of events.
import { json, request } from "../core/api.js";
import { isLive } from "../core/events.js";

/** Jobs in one answer. */
const pageSize = 500;
const jobFields = "id,kind,state,sweep,running_seconds,finished_at";

const path = (id) => `/sweeps/${encodeURIComponent(id)}`;

/** What is asked of sweeps. */
export const sweepsAPI = {
  list: (filter) => json(`/sweeps?${new URLSearchParams(filter)}`),
  job: (id) => json(`/jobs/${encodeURIComponent(id)}`),
  /** `action`: pause, resume, cancel or extend, which has a body. */
  change: (id, action, body = {}) =>
    request(`${path(id)}/${action}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    }),
  remove: (id) => request(path(id), { method: "DELETE" }),
  tablePath: (id) => `${path(id)}/trials.csv`,
};

/** All jobs of a sweep, page by page. */
export async function jobsOf(id) {
  const jobs = [];
  let cursor = null;
  do {
    const query = new URLSearchParams({
      sweep: id,
      fields: jobFields,
      limit: pageSize,
      ...(cursor && { cursor }),
    });
    const answer = await json(`/jobs?${query}`);
    jobs.push(...answer.jobs);
    cursor = answer.next_cursor;
  } while (cursor);
  return jobs;
}

/** The trials and jobs of one sweep. */
export class SweepData {
  sweep = null;
  trials = new Map();
  jobs = new Map();
  isDeleted = false;
  #isWhole = false;
  #known = null;

  constructor(id) {
    this.id = id;
  }

  /** Reads what may have been missed; only the sweep while events keep the rest up to date. */
  async load() {
    const sweep = await json(path(this.id));
    const standing = JSON.stringify([sweep.state, sweep.trials, sweep.best]);
    const isKnown = this.#isWhole && standing === (isLive() ? this.#standing() : this.#known);
    this.sweep = sweep;
    if (isKnown) return;
    const [{ trials }, jobs] = await Promise.all([json(`${path(this.id)}/trials`), jobsOf(this.id)]);
    this.trials = new Map(trials.map((trial) => [trial.number, trial]));
    this.jobs = new Map(jobs.map((job) => [job.id, job]));
    this.#known = standing;
    this.#isWhole = true;
  }

  #standing() {
    const { state, trials, best } = this.sweep;
    return JSON.stringify([state, trials, best]);
  }

  /** Takes a change of the stream; gives whether it was one of this sweep. */
  apply(change) {
    if (change.name === "resync") {
      this.#isWhole = false;
      return false;
    }
    if (change.name === "state") {
      if (change.state.sweep?.id !== this.id) return false;
      const { id, kind, state, sweep, running_seconds, finished_at } = change.state;
      this.jobs.set(id, { id, kind, state, sweep, running_seconds, finished_at });
      return true;
    }
    if (change.sweep !== this.id) return false;
    if (change.name === "sweep") this.sweep = change.state;
    else if (change.name === "trial") this.trials.set(change.trial.number, change.trial);
    else if (change.name === "sweep_deleted") this.isDeleted = true;
    return true;
  }
}
