// One run: how it is going, what it has learned, and what it has left.
import { api, tolerate } from "../core/api.js";
import { announce, h, repeat } from "../core/dom.js";
import { onChange } from "../core/events.js";
import { title } from "../core/format.js";
import { CurvesSection } from "./curves_section.js";
import { EmbeddingSection } from "./embedding/section.js";
import { EvaluationsSection } from "./evaluations.js";
import { EventsSection } from "./events_section.js";
import { FilesSection } from "./files.js";
import { Head } from "./head.js";
import { HistorySection } from "./history.js";
import { LogSection } from "./log.js";
import { PairsSection } from "./pairs.js";
import { RelationsSection } from "./relations.js";
import { ResultSection } from "./result.js";
import { SpecificationSection } from "./specification.js";
import { SpectrumSection } from "./spectrum.js";

/** Events that the daemon tells of by the job's state as well. */
const lines = ["metric", "evaluation", "started"];

/** Fills `main` with the job and keeps it up to date; returns a function that stops. */
export function show(main, { groups: [id], query }) {
  const page = new RunPage(main, id, query);
  const stop = repeat(1, () => page.update(), (change) => change.name === "resync");
  const forget = onChange((change) => page.hear(change));
  return () => {
    stop();
    forget();
    page.destroy();
  };
}

class RunPage {
  constructor(main, id, query) {
    this.id = id;
    this.main = main;
    const context = { id, query, reload: () => this.update() };
    this.head = new Head(id, context.reload);
    /**
     * Each section has an `element` and `update(job)`, which hides it where the job has nothing of its kind;
     * some have
     * `hear(change)`, for events of the job, and `destroy()`.
     */
    this.sections = [
      ResultSection, EvaluationsSection, CurvesSection, SpectrumSection, PairsSection, EmbeddingSection,
      SpecificationSection, RelationsSection, LogSection, EventsSection, HistorySection, FilesSection,
    ].map((Section) => new Section(context));
    main.replaceChildren(this.head.element, ...this.sections.map(({ element }) => element));
  }

  /** Asks for the job and shows it. */
  async update() {
    try {
      this.#show(await api.job(this.id));
    } catch (error) {
      if (error.status === 404) return this.#showMissing();
      tolerate(error);
    }
    // A job that is over is looked at now and then as well: it may be retried.
    return true;
  }

  /** Takes a change that the daemon reports. */
  hear(change) {
    if (change.job !== this.id) {
      for (const section of this.sections) section.hearOther?.(change);
      return;
    }
    if (change.name === "deleted") return void this.#showMissing();
    if (change.name === "state") this.#show(change.state);
    for (const section of this.sections) section.hear?.(change);
    if (lines.includes(change.name) && this.job && change.line) this.#progress(change.line);
  }

  /** Notes a line that the job has recorded, which the daemon's state need not have yet. */
  #progress(line) {
    const { job } = this;
    if (line.event !== "metric" || !(line.step > (job.latest?.step ?? -1))) return;
    this.#show({ ...job, latest: line, progress: { ...job.progress, step: line.step,
      epoch: line.epoch ?? job.progress?.epoch } });
  }

  #show(job) {
    if (this.job && this.job.state !== job.state) announce(`${title(job)}: ${job.state}`);
    this.job = job;
    document.title = `${title(job)} · vicregd`;
    this.head.update(job);
    for (const section of this.sections) {
      Promise.resolve(section.update(job)).catch(tolerate);
    }
  }

  /** Says that the job does not exist, or does no longer; returns false: there is nothing to refresh. */
  #showMissing() {
    document.title = "No such job · vicregd";
    this.destroy();
    this.main.replaceChildren(h("div", { class: "head" },
      h("div", {}, h("h1", {}, "No such job"), h("a", { href: "#/" }, "All jobs"))));
    return false;
  }

  destroy() {
    for (const section of this.sections) section.destroy?.();
  }
}
