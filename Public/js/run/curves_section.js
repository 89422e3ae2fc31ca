// The curves of a run, kept up to date.
import { api, tolerate } from "../core/api.js";
import { h, replaceIfNew } from "../core/dom.js";
import { isOver } from "../core/format.js";
import { rememberQuery } from "../core/router.js";
import { Curves } from "./curves.js";
import { section } from "./section.js";

/** Seconds between two requests for all curves of a run whose lines arrive by themselves. */
const refreshSeconds = 30;

export class CurvesSection {
  constructor({ id, query }) {
    this.id = id;
    this.query = query;
    this.body = h("div");
    this.element = section("Curves", this.body);
    this.askedAt = -Infinity;
    // Titles and parts of curves are described there; it is large, so it is asked for early.
    api.schemas().catch(tolerate);
  }

  async update(job) {
    this.job = job;
    const hasLines = job.latest || Object.keys(job.summary ?? {}).length > 0;
    this.element.hidden = job.kind === "import" || (job.kind !== "train" && !hasLines);
    if (this.element.hidden) return;
    if (!hasLines) {
      return void replaceIfNew(this.body, job.state, () => h("p", { class: "empty" },
        isOver(job) ? "This job ended before its first step." : "Curves appear with the first step."));
    }
    // The lines come one by one: all are asked for when there are none yet, after a gap, and now and then.
    const isBehind = (job.latest?.step ?? 0) > this.lastStep;
    if (!this.curves || ((isBehind || this.isWanting) && this.#mayAsk())
      || this.state !== job.state) await this.#ask();
  }

  hear({ name, line }) {
    if (name === "metric" || name === "evaluation") {
      if (!this.curves || !line) return;
      this.lastStep = Math.max(this.lastStep, line.step ?? 0);
      this.isWanting = this.curves.append(line) || this.isWanting;
      if (this.isWanting && this.#mayAsk()) this.#ask().catch(tolerate);
    }
    if (name === "checkpoint" || name === "transition") this.#mark().catch(tolerate);
  }

  /** Lines may have been missed: the next look at the job says whether they were. */
  hearOther({ name }) {
    if (name === "resync") this.askedAt = -Infinity;
  }

  #mayAsk() {
    return performance.now() - this.askedAt > refreshSeconds * 1000;
  }

  async #ask() {
    if (this.isBusy) return;
    this.isBusy = true;
    const { job } = this;
    [this.askedAt, this.isWanting] = [performance.now(), false];
    try {
      if (!this.curves) {
        const { x, smooth, log, weighted } = Object.fromEntries(this.query);
        this.curves = new Curves(job, (await api.schemas()).Line,
          { state: { x, smooth, log, weighted }, onState: rememberQuery });
        this.body.replaceChildren(this.curves.element);
      }
      await this.curves.update(job);
      this.lastStep = Math.max(this.lastStep ?? 0, job.latest?.step ?? 0);
      this.state = job.state;
      await this.#mark();
    } finally {
      this.isBusy = false;
    }
  }

  async #mark() {
    if (!this.curves || this.job.kind !== "train") return;
    const [checkpoints, transitions] = await Promise.all(
      [api.checkpoints(this.id), api.transitions(this.id)]);
    const begun = transitions.filter(({ to, attempt }) => to === "running" && attempt > 1);
    this.curves.mark(checkpoints, begun);
  }

  destroy() {
    this.curves?.destroy();
  }
}
