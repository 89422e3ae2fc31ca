// The head of a run: what it is called, how it is, and what may be done with it.
import { api, tolerate } from "../core/api.js";
import { copy } from "../core/clipboard.js";
import { ask } from "../core/dialog.js";
import { h, replaceIfNew } from "../core/dom.js";
import { actions, healthWords, title } from "../core/format.js";
import { alert, curl, healthChip, stateChip } from "../core/parts.js";
import { mayWrite } from "../core/role.js";
import { outside, shown } from "../core/text.js";
import { Editable, labelsChange, labelsText } from "./edit.js";
import { facts } from "./facts.js";

/**
 * The buttons: their text, what they do, and the request that they send; `question`: what is asked before.
 */
const buttons = {
  pause: { text: "Pause", tip: "Write a checkpoint, then wait until resumed", path: "pause" },
  resume: { text: "Resume", tip: "Continue from the last checkpoint", path: "resume" },
  retry: { text: "Retry", tip: "Start again from the last checkpoint", path: "retry" },
  cancel: {
    text: "Cancel", tip: "End the job; a running one writes a checkpoint first", path: "cancel",
    body: { mode: "graceful" }, question: "Cancel this job? A running one writes a checkpoint first.",
      yes: "Cancel job",
  },
  stop: {
    text: "Stop now", tip: "End the job at once, without a checkpoint", path: "cancel", body: { mode: "now" },
    question: "Stop this job at once? What it did since its last checkpoint is lost.", yes: "Stop job",
  },
};

export class Head {
  /** `reload` shows the job as it is now. */
  constructor(id, reload) {
    this.id = id;
    this.reload = reload;
    this.name = new Editable(id, {
      field: "name", what: "name", view: (job) => outside(title(job), { name: "h1" }),
    }, reload);
    this.labels = new Editable(id, {
      field: "labels", what: "labels", isLong: true, view: labelList, write: labelsText, read: labelsChange,
      hint: "One KEY=VALUE per line.",
    }, reload);
    this.notes = new Editable(id, {
      field: "notes", what: "notes", isLong: true,
      view: (job) => (job.notes ? outside(job.notes, { kind: "notes" }) : null),
    }, reload);
    this.state = h("p", { class: "run-state" });
    this.buttons = h("div", { class: "buttons" });
    this.refusal = h("div");
    this.message = h("div");
    this.hint = h("p", { class: "hint", role: "status" });
    this.facts = h("div");
    this.curl = h("div", { class: "run-curl", hidden: true });
    this.element = h("div", { class: "run-head" },
      h("div", { class: "head" }, h("div", {}, this.name.element, this.state), this.buttons),
      this.curl, this.refusal, this.message, this.hint, this.facts,
      h("div", { class: "marks" }, this.labels.element, this.notes.element));
  }

  update(job) {
    this.job = job;
    for (const part of [this.name, this.labels, this.notes]) part.update(job);
    replaceIfNew(this.state, JSON.stringify([job.state, job.reason, job.health, job.needs]), () =>
      [stateChip(job), healthChip(job), h("code", { class: "id" }, job.id)]);
    replaceIfNew(this.buttons, JSON.stringify([job.state, job.kind, mayWrite()]), () => this.#buttons(job));
    replaceIfNew(this.message, JSON.stringify([job.state, job.message]), () => message(job));
    replaceIfNew(this.facts, JSON.stringify({ ...job, spec: null, labels: null, notes: null }),
      () => facts(job));
    this.#showHealth(job);
  }

  /** The verdict on the training's health, as the daemon reports it. */
  #showHealth({ health }) {
    const text = health?.message ? `${healthWords[health.state]}: ${shown(health.message)}.` : "";
    if (this.hint.textContent !== text) this.hint.textContent = text;
    this.hint.className = `hint ${{ good: "good", warning: "warn", unknown: "" }[health?.state] ?? "bad"}`;
  }

  #buttons(job) {
    const all = mayWrite() ? actions(job).map((name) => {
      const { text, tip } = buttons[name];
      return h("button", { type: "button", title: tip, onclick: () => this.#ask(buttons[name]) }, text);
    }) : [];
    if (mayWrite() && job.kind === "train" && ["running", "queued", "succeeded"].includes(job.state)) {
      all.push(h("a", { class: "button", href: `#/new?kind=evaluate&job=${job.id}` }, "Evaluate"));
    }
    if (mayWrite() && job.kind !== "import") {
      all.push(h("a", { class: "button", href: `#/new?from=${job.id}` }, "Duplicate & edit"));
    }
    if (job.kind !== "import") all.push(h("button", { type: "button", onclick: () => this.#copyCurl() },
      "Copy as curl"));
    return all;
  }

  async #ask(action) {
    const { question, yes, text } = action;
    if (question && !(await ask({ title: text, content: h("p", {}, question), action: yes,
      isDanger: true }))) return;
    await this.#change(action);
  }

  async #change({ path, body }) {
    try {
      await api.change(this.id, path, body);
      this.refusal.replaceChildren();
      await this.reload();
    } catch (error) {
      tolerate(error);
      this.refusal.replaceChildren(alert(error.message));
    }
  }

  async #copyCurl() {
    const { kind, name, labels, spec } = this.job;
    const line = curl({ kind, ...(name ? { name } : {}),
      ...(Object.keys(labels ?? {}).length > 0 ? { labels } : {}), spec });
    this.curl.replaceChildren(line);
    this.curl.hidden = false;
    if (await copy(line.querySelector("code"))) line.querySelector("[role=status]").textContent = "Copied.";
  }
}

function labelList({ labels }) {
  const entries = Object.entries(labels ?? {});
  if (entries.length === 0) return null;
  return h("ul", { class: "labels" }, entries.map(([key, value]) =>
    h("li", {}, outside(key), ": ", outside(value))));
}

/** What the daemon reports about the state, for people. */
function message(job) {
  if (!job.message) return [];
  return job.state === "failed" ? alert(job.message) : outside(job.message, { name: "p", kind: "quiet" });
}
