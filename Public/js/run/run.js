// One job: what was requested, how it is going, and what it has produced.
import { api, tolerate } from "../core/api.js";
import { Curves } from "./curves.js";
import { announce, h, repeat, replaceIfNew } from "../core/dom.js";
import { actions, bytes, duration, healthWords, isOver, moment, number, runningTime, title } from "../core/format.js";
import { historyTable } from "./history.js";
import { alert, healthChip, progress, resultSource, resultTable, stateChip, table } from "../core/parts.js";
import { outside, shown } from "../core/text.js";

const logLines = 200;

/** The buttons: their text, what they do, and the request that they send. */
const buttons = {
  pause: { text: "Pause", tip: "Write a checkpoint, then wait until resumed", path: "pause" },
  resume: { text: "Resume", tip: "Continue from the last checkpoint", path: "resume" },
  retry: { text: "Retry", tip: "Start again from the last checkpoint", path: "retry" },
  cancel: {
    text: "Cancel", tip: "End the job; a running one writes a checkpoint first", path: "cancel",
    body: { mode: "graceful" },
  },
  stop: {
    text: "Stop now", tip: "End the job at once, without a checkpoint", path: "cancel", body: { mode: "now" },
  },
};

/** Fills `main` with the job and keeps it up to date; returns a function that stops. */
export function show(main, { groups: [id] }) {
  const page = new JobPage(main, id);
  const stop = repeat(1, () => page.update());
  return () => {
    stop();
    page.curves?.destroy();
  };
}

class JobPage {
  constructor(main, id) {
    this.id = id;
    this.head = h("div", { class: "head" });
    this.refusal = h("div");
    this.message = h("div");
    this.hint = h("p", { class: "hint", role: "status" });
    this.facts = h("div");
    this.drawing = h("section", { "aria-label": "Curves", hidden: true });
    this.result = h("section", { "aria-label": "Result", hidden: true });
    this.checkpoints = h("div");
    this.checkpointSection = h("section", { hidden: true }, h("h2", {}, "Checkpoints"), this.checkpoints);
    this.history = h("div");
    this.historySection = h("section", { hidden: true }, h("h2", {}, "History"), this.history);
    this.log = h("pre", { tabindex: 0, role: "region", "aria-label": "Log" });
    this.logSection = h("section", { hidden: true },
      h("h2", {}, "Log"), this.log,
      h("p", { class: "quiet" },
        `The last ${logLines} lines. `, h("a", { href: `/jobs/${id}/log` }, "Full log")));
    this.spec = h("pre", { tabindex: 0, role: "region", "aria-label": "Specification" });
    this.specSection = h("section", { hidden: true }, h("h2", {}, "Specification"),
      h("p", { class: "quiet" }, "Every field of this job, with defaults. Post it again to repeat the job."),
      this.spec);
    main.replaceChildren(this.head, this.refusal, this.message, this.hint, this.facts, this.drawing, this.result,
      this.checkpointSection, this.historySection, this.specSection, this.logSection);
  }

  async update() {
    let job;
    try {
      job = await api.job(this.id);
    } catch (error) {
      if (error.status === 404) return this.#showMissing();
      tolerate(error);
      return true;
    }
    if (this.state && this.state !== job.state) announce(`${title(job)}: ${job.state}`);
    this.state = job.state;
    document.title = `${title(job)} · vicregd`;
    const head = [job.name, job.state, job.reason, job.kind, job.health, job.needs];
    replaceIfNew(this.head, JSON.stringify(head), () => this.#head(job));
    replaceIfNew(this.facts, JSON.stringify(job), () => facts(job));
    this.#showHealth(job);
    this.#showSpec(job);
    replaceIfNew(this.message, JSON.stringify([job.state, job.message]), () => message(job));
    const parts = [
      this.#drawCurves(job), this.#showCheckpoints(job), this.#showHistory(), this.#showLog(),
    ];
    await Promise.all(parts.map((part) => part.catch(tolerate)));
    this.#showResult(job);
    // A job that is over is looked at now and then as well: it may be retried.
    return true;
  }

  /** Says that the job does not exist, or does no longer; returns false: there is nothing to refresh. */
  #showMissing() {
    document.title = "No such job · vicregd";
    this.curves?.destroy();
    for (const element of [...this.head.parentElement.children]) if (element !== this.head) element.remove();
    this.head.replaceChildren(h("div", {}, h("h1", {}, "No such job"), h("a", { href: "#/" }, "All jobs")));
    return false;
  }

  #head(job) {
    const all = actions(job).map((name) => {
      const { text, tip } = buttons[name];
      return h("button", { type: "button", title: tip, onclick: () => this.#change(buttons[name]) }, text);
    });
    if (job.kind === "train" && ["running", "queued", "succeeded"].includes(job.state)) {
      all.push(h("a", { class: "button", href: `#/new?kind=evaluate&job=${job.id}` }, "Evaluate"));
    }
    return [
      h("div", {}, outside(title(job), { name: "h1" }),
        h("p", {}, stateChip(job), healthChip(job), h("code", { class: "id" }, job.id))),
      h("div", { class: "buttons" }, all),
    ];
  }

  async #change({ path, body }) {
    try {
      await api.change(this.id, path, body);
      this.refusal.replaceChildren();
      await this.update();
    } catch (error) {
      tolerate(error);
      this.refusal.replaceChildren(alert(error.message));
    }
  }

  /** The training's health as the daemon reports it. */
  #showHealth({ health }) {
    const text = health?.message ? `${healthWords[health.state]}: ${shown(health.message)}.` : "";
    if (this.hint.textContent !== text) this.hint.textContent = text;
    this.hint.className = `hint ${{ good: "good", warning: "warn", unknown: "" }[health?.state] ?? "bad"}`;
  }

  #showSpec(job) {
    const text = shown(JSON.stringify({ kind: job.kind, name: job.name, spec: job.spec }, null, 2));
    if (this.spec.textContent !== text) this.spec.textContent = text;
    this.specSection.hidden = false;
  }

  async #drawCurves(job) {
    if (job.kind !== "train") return;
    this.drawing.hidden = false;
    if (!job.latest) {
      replaceIfNew(this.drawing, job.state, () =>
        h("p", { class: "empty" }, isOver(job)
          ? "This job ended before its first step." : "Curves appear with the first step."));
      return;
    }
    if (!this.curves) {
      this.curves = new Curves(job, (await api.schemas()).Line);
      this.drawing.replaceChildren(this.curves.element);
    }
    await this.curves.update(job);
  }

  #showResult(job) {
    this.result.hidden = !job.result;
    if (!job.result) return;
    replaceIfNew(this.result, JSON.stringify(job.result), () =>
      h("article", { class: "card" },
        h("h2", {}, "Top-1 accuracy"), resultTable(job.result), resultSource(job.result)));
  }

  async #showCheckpoints(job) {
    if (job.kind !== "train") return;
    const list = await api.checkpoints(this.id);
    this.checkpointSection.hidden = list.length === 0;
    replaceIfNew(this.checkpoints, JSON.stringify(list), () => checkpointTable(this.id, list));
  }

  async #showHistory() {
    const transitions = await api.transitions(this.id);
    this.historySection.hidden = false;
    replaceIfNew(this.history, JSON.stringify(transitions), () => historyTable(transitions));
  }

  async #showLog() {
    const text = shown(await api.log(this.id, logLines));
    this.logSection.hidden = text === "";
    if (this.log.textContent === text) return;
    const atEnd = this.log.scrollTop + this.log.clientHeight >= this.log.scrollHeight - 8;
    this.log.textContent = text;
    if (atEnd) this.log.scrollTop = this.log.scrollHeight;
  }
}

/** What the daemon reports about the state, for people. */
function message(job) {
  if (!job.message) return [];
  return job.state === "failed" ? alert(job.message) : outside(job.message, { name: "p", kind: "quiet" });
}

function facts(job) {
  const latest = job.latest ?? {};
  const isWaiting = job.state === "queued" || job.state === "blocked";
  const entries = [
    ["Progress", progress(job)],
    ["Method", job.spec?.method ?? null],
    ["Network", network(job.spec)],
    ["Running time", runningTime(job)],
    ["Queued", moment(job.created_at)],
    ["Started", job.started_at ? moment(job.started_at) : null],
    ["Finished", job.finished_at ? moment(job.finished_at) : null],
    ["Priority", isWaiting ? job.priority : null],
    ["Waits for", job.state === "blocked" ? jobLinks(job.needs) : null],
    ["Attempt", job.attempt > 1 ? job.attempt : null],
    ["Estimate", isOver(job) ? null : estimate(job.estimate)],
    ["Machine", machine(job.host)],
    ["Learning rate", "lr" in latest ? number(latest.lr) : null],
    ["Gradient norm", "grad_norm" in latest ? number(latest.grad_norm) : null],
    ["Trained by", job.kind === "evaluate" ? trainingLink(job) : null],
    ["Labels", labels(job.labels)],
    ["Notes", job.notes ? outside(job.notes, { kind: "notes" }) : null],
  ];
  return h("dl", { class: "facts" },
    entries.filter(([, value]) => value !== null)
      .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

/** The network of a training; null for other jobs. */
function network({ encoder, image_size: side } = {}) {
  if (!encoder) return null;
  const { arch, width, stem } = encoder;
  return [arch, `width ${width}`, stem && `${stem} stem`, side && `${side} px`].filter(Boolean).join(", ");
}

/** What the job will take, as far as this machine has measured it; null where nothing is known. */
function estimate(known) {
  const { seconds, memory_bytes: memory, disk_bytes: disk } = known ?? {};
  const parts = [
    Number.isFinite(seconds) && `about ${duration(seconds)}`,
    Number.isFinite(memory) && `${bytes(memory)} of memory`,
    Number.isFinite(disk) && `${bytes(disk)} of disk`,
  ].filter(Boolean);
  return parts.length > 0 ? parts.join(", ") : null;
}

/** The machine that the job ran on; null where that is not known. */
function machine(host) {
  const { cpu, threads, isa, version } = host ?? {};
  const parts = [
    cpu, Number.isFinite(threads) && `${threads} ${threads === 1 ? "thread" : "threads"}`, isa,
    version && `version ${version}`,
  ].filter(Boolean);
  return parts.length > 0 ? outside(parts.join(", ")) : null;
}

function labels(all) {
  const entries = Object.entries(all ?? {});
  if (entries.length === 0) return null;
  return h("ul", { class: "labels" }, entries.map(([key, value]) =>
    h("li", {}, outside(key), ": ", outside(value))));
}

function trainingLink(job) {
  const id = job.spec?.checkpoint?.job;
  return id ? h("a", { href: `#/jobs/${id}` }, id) : null;
}

const jobLinks = (ids) => ids.map((id, index) =>
  [index > 0 ? ", " : "", h("a", { href: `#/jobs/${id}` }, h("code", {}, id.slice(-5)))]);

const checkpointTable = (id, list) =>
  table(["File", "Step", "Size", "SHA-256"], list.map((checkpoint) => [
    checkpointLink(id, checkpoint.name),
    [number(checkpoint.step, 7), checkpoint.is_best ? " (best)" : ""],
    bytes(checkpoint.bytes),
    h("code", { title: checkpoint.sha256 }, `${checkpoint.sha256.slice(0, 16)}…`),
  ]));

const checkpointLink = (id, name) =>
  h("a", { href: `/jobs/${id}/checkpoints/${encodeURIComponent(name)}`, download: name }, name);
