// The live check: the daemon resolves what the form holds without queueing it.
import { api, tolerate } from "../core/api.js";
import { bytes, duration, number } from "../core/format.js";

/** Milliseconds without a change after which the daemon is asked. */
const quietMilliseconds = 250;
/** Milliseconds after which it is asked again if it did not answer. */
const retryMilliseconds = 3000;

/** Calls `work` after changes have paused, one call at a time; again if it fails or something has changed. */
export class Check {
  constructor(work) {
    this.work = work;
    this.timer = 0;
    this.isBusy = false;
    this.isDue = false;
    this.isStopped = false;
  }

  /** Notes a change. */
  request(milliseconds = quietMilliseconds) {
    this.isDue = true;
    clearTimeout(this.timer);
    if (!this.isBusy && !this.isStopped) this.timer = setTimeout(() => this.#run(), milliseconds);
  }

  async #run() {
    this.isBusy = true;
    this.isDue = false;
    let isAnswered = false;
    try {
      isAnswered = await this.work();
    } finally {
      this.isBusy = false;
      if (this.isDue || !isAnswered) this.request(this.isDue ? quietMilliseconds : retryMilliseconds);
    }
  }

  stop() {
    this.isStopped = true;
    clearTimeout(this.timer);
  }
}

/** What the daemon makes of a sweep's training, { base }; null where it refuses it. */
export async function baseOf({ base }) {
  try {
    const { spec } = await api.check("/jobs", { kind: "train", spec: base?.spec ?? {} });
    return { base: { spec } };
  } catch (error) {
    tolerate(error);
    if (error.status !== 422) throw error;
    return null;
  }
}

/** Time, memory and disk of a job in a sentence. */
export function costText(estimate, steps) {
  const { seconds, memory_bytes: memory, disk_bytes: disk } = estimate;
  const time = seconds === null ? "time not known, as this machine has not measured such work yet"
    : `about ${duration(seconds)} on this machine`;
  return [time, steps && `${number(steps)} steps`, memory !== null && `${bytes(memory)} of memory`,
    disk !== null && `${bytes(disk)} of disk`].filter(Boolean).join(", ");
}

/** What a sweep takes at most, in sentences. */
export function sweepText({ configurations, max_trials: trials, estimate, spec }) {
  const count = Math.min(...[configurations, trials].filter(Number.isFinite)) * spec.seeds;
  const lines = [`Longest training: ${costText(estimate)}.`];
  if (Number.isFinite(configurations)) lines.push(
    `The space has ${count1(configurations, "configuration")}.`);
  if (!Number.isFinite(count)) return lines;
  const all = estimate.seconds === null ? ""
    : `: about ${duration(count * estimate.seconds)}, one after the other, if none ends early`;
  lines.push(`${count1(count, "training")} at most${all}.`);
  return lines;
}

const count1 = (count, word) => `${number(count)} ${word}${count === 1 ? "" : "s"}`;
