// The first page: the training that runs now, all jobs, all evaluations.
import { api, tolerate } from "../core/api.js";
import { Curves } from "../run/curves.js";
import { announce, h, refresh, repeat, replaceIfNew } from "../core/dom.js";
import { moment, number, percent, runningTime, title } from "../core/format.js";
import {
  curl, healthChip, progress, resultSource, resultTable, stateChip, tableHead, tableRow,
} from "../core/parts.js";
import { outside } from "../core/text.js";

const columns = ["Job", "State", "Progress", "Result", "Running time", "Queued"];
const example = { kind: "train", spec: { preset: "small", dataset: { name: "fashion-mnist" }, epochs: 5 } };

/** Fills `main` and keeps it up to date; returns a function that stops. */
export function show(main) {
  const page = new JobsPage(main);
  const stopList = repeat(1, () => page.update());
  return () => {
    stopList();
    page.curves?.destroy();
  };
}

class JobsPage {
  constructor(main) {
    this.more = [];
    this.cursor = null;
    this.states = new Map();
    this.now = h("section", { "aria-label": "Curves", hidden: true });
    this.body = h("tbody", { role: "rowgroup" });
    this.table = h("table", { class: "stack jobs", role: "table" }, tableHead(columns), this.body);
    const more = () => this.loadMore();
    this.moreButton = h("button", { type: "button", hidden: true, onclick: more }, "Older jobs");
    this.empty = emptyState();
    this.results = h("div", { class: "cards" });
    this.resultsSection = h("section", { hidden: true }, h("h2", {}, "Evaluations"), this.results);
    main.replaceChildren(
      h("h1", { class: "unseen" }, "Jobs"), this.now,
      h("section", {}, h("h2", {}, "Jobs"), this.table, this.empty, this.moreButton), this.resultsSection);
  }

  async update() {
    let answer;
    try {
      answer = await api.jobs();
    } catch (error) {
      return tolerate(error);
    }
    const seen = new Set(answer.jobs.map((job) => job.id));
    const jobs = [...answer.jobs, ...this.more.filter((job) => !seen.has(job.id))];
    if (this.more.length === 0) this.cursor = answer.next_cursor;
    this.moreButton.hidden = !this.cursor;
    this.empty.hidden = jobs.length > 0;
    this.table.hidden = jobs.length === 0;
    refresh(this.body, jobs, (job) => job.id, jobRow);
    this.#announceChanges(answer.jobs);
    const evaluations = jobs.filter((job) => job.result);
    this.resultsSection.hidden = evaluations.length === 0;
    refresh(this.results, evaluations, (job) => job.id, evaluationCard);
    await this.#updateCurves(jobs);
  }

  async loadMore() {
    try {
      const answer = await api.jobs({ cursor: this.cursor });
      this.more.push(...answer.jobs);
      this.cursor = answer.next_cursor;
      await this.update();
    } catch (error) {
      tolerate(error);
    }
  }

  /** Shows the curves of the training that runs, or of the last one that did. */
  async #updateCurves(jobs) {
    const trainings = jobs.filter((job) => job.kind === "train" && job.started_at);
    const job = trainings.find((one) => one.state === "running") ?? trainings[0];
    this.now.hidden = !job;
    if (!job) return;
    if (this.curves?.id !== job.id) {
      let schemas;
      try {
        schemas = await api.schemas();
      } catch (error) {
        return tolerate(error);
      }
      this.curves?.destroy();
      this.curves = new Curves(job, schemas.Line);
      this.heading = h("h2", {});
      this.now.replaceChildren(this.heading, this.curves.element);
      this.drawnStep = null;
    }
    const verb = job.state === "running" ? "Now training" : "Last training";
    replaceIfNew(this.heading, JSON.stringify([verb, title(job)]), () => [`${verb}: `, jobLink(job)]);
    if (this.drawnStep === job.latest?.step) return;
    try {
      if (await this.curves.update(job)) this.drawnStep = job.latest?.step;
    } catch (error) {
      tolerate(error);
    }
  }

  #announceChanges(jobs) {
    for (const job of jobs) {
      const before = this.states.get(job.id);
      if (before && before !== job.state) announce(`${title(job)}: ${job.state}`);
      this.states.set(job.id, job.state);
    }
  }
}

const jobLink = (job) => h("a", { href: `#/jobs/${job.id}` }, outside(title(job), { isCut: true }));

function jobRow(job) {
  const { preset, method, dataset } = job.spec ?? {};
  const about = [job.kind, preset, method, dataset?.name].filter(Boolean).join(" · ");
  return tableRow(columns, [
    [jobLink(job), outside(about, { isCut: true, kind: "quiet" })],
    [stateChip(job), " ", healthChip(job)],
    progress(job),
    outcome(job),
    runningTime(job),
    h("time", { datetime: job.created_at }, moment(job.created_at)),
  ]);
}

function outcome(job) {
  if (job.result) return percent(job.result.top1);
  if (job.latest) return `loss ${number(job.latest.loss)}`;
  return "–";
}

function evaluationCard(job) {
  return h("article", { class: "card" },
    h("h3", {}, jobLink(job)),
    resultTable(job.result), resultSource(job.result));
}

function emptyState() {
  return h("div", { class: "empty", hidden: true },
    h("p", {}, "No jobs yet. ", h("a", { href: "#/new" }, "Start a first training"),
      " here, or from a terminal:"),
    curl(example),
    h("p", { class: "quiet" }, "It trains on the 60,000 images of Fashion-MNIST; its curves appear here."));
}
