// One job: what it was asked, how it goes, what it left behind.
import { api, tolerate } from "./api.js";
import { Curves } from "./charts.js";
import { announce, h, repeat, replaceIfNew } from "./dom.js";
import { bytes, canCancel, elapsed, isOver, moment, number, title } from "./format.js";
import { alert, progress, resultSource, resultTable, stateChip } from "./parts.js";

const logLines = 200;

/** Fills `main` with the job and keeps it fresh; returns a function that stops. */
export function jobPage(main, id) {
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
    this.message = h("div");
    this.facts = h("div");
    this.drawing = h("section", { "aria-label": "Curves" });
    this.result = h("section", { "aria-label": "Result" });
    this.checkpoints = h("div");
    this.checkpointSection = h("section", { hidden: true }, h("h2", {}, "Checkpoints"), this.checkpoints);
    this.log = h("pre", { tabindex: 0, "aria-label": "Log" });
    this.logSection = h("section", { hidden: true },
      h("h2", {}, "Log"), this.log,
      h("p", { class: "quiet" },
        `The last ${logLines} lines. `, h("a", { href: `/jobs/${id}/log` }, "All of it")));
    this.spec = h("pre", { tabindex: 0, "aria-label": "Specification" });
    this.specSection = h("section", { hidden: true }, h("h2", {}, "Specification"),
      h("p", { class: "quiet" }, "Resolved: every field of this job. Post it again to repeat the job."),
      this.spec);
    main.replaceChildren(this.head, this.message, this.facts, this.drawing, this.result,
      this.checkpointSection, this.specSection, this.logSection);
  }

  async update() {
    let job;
    try {
      job = await api.job(this.id);
    } catch (error) {
      if (error.status === 404) {
        this.head.replaceChildren(h("h1", {}, "No such job"), h("a", { href: "#/" }, "All jobs"));
        return false;
      }
      tolerate(error);
      return true;
    }
    if (this.state && this.state !== job.state) announce(`${title(job)}: ${job.state}`);
    this.state = job.state;
    document.title = `${title(job)} · vicregd`;
    const shown = JSON.stringify([job.name, job.state, job.reason, job.kind]);
    replaceIfNew(this.head, shown, () => this.#head(job));
    replaceIfNew(this.facts, JSON.stringify([job, isOver(job) ? 0 : Date.now()]), () => facts(job));
    this.#showSpec(job);
    if (job.state === "failed" && job.message) {
      replaceIfNew(this.message, job.message, () => alert(job.message));
    }
    const parts = [this.#drawCurves(job), this.#showCheckpoints(job), this.#showLog()];
    await Promise.all(parts.map((part) => part.catch(tolerate)));
    this.#showResult(job);
    return !isOver(job);
  }

  #head(job) {
    const buttons = [];
    if (canCancel(job)) {
      const running = job.state === "running";
      const tip = running ? "Finishes the step and writes a checkpoint" : "Takes the job out of the queue";
      const cancel = () => this.#cancel("graceful");
      buttons.push(h("button", { type: "button", title: tip, onclick: cancel }, "Cancel"));
    }
    if (["running", "cancelling"].includes(job.state)) {
      const tip = "Stops at once, without a checkpoint";
      const stop = () => this.#cancel("now");
      buttons.push(h("button", { type: "button", title: tip, onclick: stop }, "Stop now"));
    }
    if (job.kind === "train" && ["running", "queued", "succeeded"].includes(job.state)) {
      buttons.push(h("a", { class: "button", href: `#/new?kind=evaluate&job=${job.id}` }, "Evaluate it"));
    }
    return [
      h("div", {}, h("h1", {}, title(job)), h("p", {}, stateChip(job), h("code", { class: "id" }, job.id))),
      h("div", { class: "buttons" }, buttons),
    ];
  }

  async #cancel(mode) {
    try {
      await api.cancel(this.id, mode);
      this.message.replaceChildren();
      await this.update();
    } catch (error) {
      this.message.replaceChildren(alert(error.message));
    }
  }

  #showSpec(job) {
    const text = JSON.stringify({ kind: job.kind, name: job.name, spec: job.spec }, null, 2);
    if (this.spec.textContent !== text) this.spec.textContent = text;
    this.specSection.hidden = false;
  }

  async #drawCurves(job) {
    if (job.kind !== "train") return;
    if (!job.latest) {
      replaceIfNew(this.drawing, job.state, () =>
        h("p", { class: "empty" }, isOver(job)
          ? "This job ended before its first step." : "Curves appear with the first step."));
      return;
    }
    if (!this.curves) {
      this.curves = new Curves(job);
      this.drawing.replaceChildren(this.curves.element);
    }
    await this.curves.update(job.latest);
  }

  #showResult(job) {
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

  async #showLog() {
    const text = await api.log(this.id, logLines);
    this.logSection.hidden = text === "";
    if (this.log.textContent === text) return;
    const atEnd = this.log.scrollTop + this.log.clientHeight >= this.log.scrollHeight - 8;
    this.log.textContent = text;
    if (atEnd) this.log.scrollTop = this.log.scrollHeight;
  }
}

function facts(job) {
  const latest = job.latest ?? {};
  const entries = [
    ["Progress", progress(job)],
    ["Time", elapsed(job)],
    ["Queued", moment(job.created_at)],
    ["Attempt", job.attempt > 1 ? job.attempt : null],
    ["Learning rate", "lr" in latest ? number(latest.lr) : null],
    ["Gradient norm", "grad_norm" in latest ? number(latest.grad_norm) : null],
    ["Trained by", job.kind === "evaluate" ? trainingLink(job) : null],
  ];
  return h("dl", { class: "facts" },
    entries.filter(([, value]) => value !== null)
      .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

function trainingLink(job) {
  const id = job.spec?.checkpoint?.job;
  return id ? h("a", { href: `#/jobs/${id}` }, id) : null;
}

function checkpointTable(id, list) {
  return h("div", { class: "scroll" }, h("table", {},
    h("thead", {}, h("tr", {},
      ["File", "Step", "Size", "SHA-256"].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, list.map((checkpoint) =>
      h("tr", {},
        h("th", { scope: "row" }, checkpointLink(id, checkpoint.name)),
        h("td", { class: "figure" }, number(checkpoint.step, 7)),
        h("td", { class: "figure" }, bytes(checkpoint.bytes)),
        h("td", {}, h("code", { title: checkpoint.sha256 }, `${checkpoint.sha256.slice(0, 16)}…`)))))));
}

const checkpointLink = (id, name) =>
  h("a", { href: `/jobs/${id}/checkpoints/${encodeURIComponent(name)}`, download: name }, name);
