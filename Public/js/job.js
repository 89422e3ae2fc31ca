// One job: what it was asked, how it goes, what it left behind.
import { api, tolerate } from "./api.js";
import { Curves } from "./charts.js";
import { announce, h, repeat, replaceIfNew } from "./dom.js";
import { actions, bytes, elapsed, isOver, moment, number, title, words } from "./format.js";
import { alert, healthChip, progress, resultSource, resultTable, stateChip } from "./parts.js";

const logLines = 200;

/** The buttons: what they say, what they do. */
const buttons = {
  pause: { text: "Pause", tip: "Rests after a checkpoint, until it is resumed", path: "pause" },
  resume: { text: "Resume", tip: "Goes on from the last checkpoint", path: "resume" },
  retry: { text: "Retry", tip: "Once more from the last checkpoint", path: "retry" },
  cancel: {
    text: "Cancel", tip: "Ends it; what runs writes a checkpoint first", path: "cancel",
    body: { mode: "graceful" },
  },
  stop: {
    text: "Stop now", tip: "Ends it at once, without a checkpoint", path: "cancel", body: { mode: "now" },
  },
};

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
    this.refusal = h("div");
    this.message = h("div");
    this.facts = h("div");
    this.drawing = h("section", { "aria-label": "Curves" });
    this.result = h("section", { "aria-label": "Result" });
    this.checkpoints = h("div");
    this.checkpointSection = h("section", { hidden: true }, h("h2", {}, "Checkpoints"), this.checkpoints);
    this.life = h("div");
    this.lifeSection = h("section", { hidden: true }, h("h2", {}, "Life"), this.life);
    this.log = h("pre", { tabindex: 0, "aria-label": "Log" });
    this.logSection = h("section", { hidden: true },
      h("h2", {}, "Log"), this.log,
      h("p", { class: "quiet" },
        `The last ${logLines} lines. `, h("a", { href: `/jobs/${id}/log` }, "All of it")));
    this.spec = h("pre", { tabindex: 0, "aria-label": "Specification" });
    this.specSection = h("section", { hidden: true }, h("h2", {}, "Specification"),
      h("p", { class: "quiet" }, "Resolved: every field of this job. Post it again to repeat the job."),
      this.spec);
    main.replaceChildren(this.head, this.refusal, this.message, this.facts, this.drawing, this.result,
      this.checkpointSection, this.lifeSection, this.specSection, this.logSection);
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
    const shown = JSON.stringify([job.name, job.state, job.reason, job.kind, job.health]);
    replaceIfNew(this.head, shown, () => this.#head(job));
    replaceIfNew(this.facts, JSON.stringify([job, isOver(job) ? 0 : Date.now()]), () => facts(job));
    this.#showSpec(job);
    replaceIfNew(this.message, JSON.stringify([job.state, job.message]), () => message(job));
    const parts = [
      this.#drawCurves(job), this.#showCheckpoints(job), this.#showLife(), this.#showLog(),
    ];
    await Promise.all(parts.map((part) => part.catch(tolerate)));
    this.#showResult(job);
    // Also what is over is looked at now and then: somebody may retry it.
    return true;
  }

  #head(job) {
    const all = actions(job).map((name) => {
      const { text, tip } = buttons[name];
      return h("button", { type: "button", title: tip, onclick: () => this.#change(buttons[name]) }, text);
    });
    if (job.kind === "train" && ["running", "queued", "succeeded"].includes(job.state)) {
      all.push(h("a", { class: "button", href: `#/new?kind=evaluate&job=${job.id}` }, "Evaluate it"));
    }
    return [
      h("div", {}, h("h1", {}, title(job)),
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
      this.refusal.replaceChildren(alert(error.message));
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

  async #showLife() {
    const steps = await api.transitions(this.id);
    this.lifeSection.hidden = false;
    replaceIfNew(this.life, JSON.stringify(steps), () => lifeTable(steps));
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

/** What the daemon says about the state, for people. */
function message(job) {
  if (!job.message) return [];
  return job.state === "failed" ? alert(job.message) : h("p", { class: "quiet" }, job.message);
}

function facts(job) {
  const latest = job.latest ?? {};
  const entries = [
    ["Progress", progress(job)],
    ["Time", elapsed(job)],
    ["Queued", moment(job.created_at)],
    ["Priority", job.state === "queued" || job.state === "blocked" ? job.priority : null],
    ["Waits for", job.state === "blocked" ? jobLinks(job.needs) : null],
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

const jobLinks = (ids) => ids.map((id, index) =>
  [index > 0 ? ", " : "", h("a", { href: `#/jobs/${id}` }, h("code", {}, id.slice(-5)))]);

/** Every step of the job's life: when, what, why, by whom. */
function lifeTable(steps) {
  return h("div", { class: "scroll" }, h("table", {},
    h("thead", {}, h("tr", {},
      ["Time", "State", "Why", "By"].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, steps.map((step) =>
      h("tr", {},
        h("td", { class: "figure" }, h("time", { datetime: step.time, title: step.time }, moment(step.time))),
        h("td", {}, h("span", { class: `state ${step.to}` }, step.to)),
        h("td", {}, [step.reason && words(step.reason), step.message].filter(Boolean).join(": ")),
        h("td", {}, step.actor))))));
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
