// What the daemon says of a form before it is sent, beside the button that sends it.
import { h } from "../core/dom.js";
import { outside } from "../core/text.js";
import { costText, sweepText } from "./check.js";

export class Verdict {
  constructor(buttonText) {
    this.text = h("div", { class: "verdict-text", role: "status" });
    this.problem = h("div", { class: "problem", tabindex: -1 });
    this.button = h("button", { type: "submit", class: "main" }, buttonText);
    this.element = h("div", { class: "verdict" }, this.text, this.problem, h("p", {}, this.button));
    this.say("Checking…");
  }

  /** Between an edit and the daemon's answer. */
  wait() {
    this.problem.replaceChildren();
    this.element.classList.add("waiting");
  }

  say(...lines) {
    this.element.classList.remove("waiting", "is-good", "is-bad");
    const text = lines.join("\n");
    if (this.text.innerText !== text) this.text.replaceChildren(...lines.map((line) => h("p", {}, line)));
  }

  /** The form can be sent: what it takes. */
  good({ lack, jobs = [], sweep }) {
    this.problem.replaceChildren();
    if (lack) {
      this.say(lack);
      return;
    }
    const names = { train: "Training", evaluate: "Evaluation", embed: "Embeddings", import: "Import" };
    if (sweep) this.say("Ready to start.", ...sweepText(sweep));
    else this.say("Ready to start.",
      ...jobs.map((job) => `${names[job.kind]}: ${costText(job.estimate, job.steps)}.`));
    this.element.classList.add("is-good");
  }

  /** Errors: their number, and those that have no field here. */
  bad(count, strangers, isSubmitted) {
    const words = `${count} ${count === 1 ? "error" : "errors"}`;
    this.say(isSubmitted ? "" : `${words} to correct before this can start.`);
    this.element.classList.add("is-bad");
    const items = strangers.map(({ pointer, message }) =>
      h("li", {}, outside(pointer || "/", { name: "code" }), " ", outside(message)));
    this.problem.replaceChildren(
      isSubmitted ? h("p", { class: "alert", role: "alert" }, `Not started: ${words}.`) : "",
      items.length > 0 ? h("ul", {}, items) : "");
  }

  /** What else the daemon answered when the form was sent. */
  refuse(message) {
    this.say("");
    this.problem.replaceChildren(h("p", { class: "alert", role: "alert" }, outside(message)));
    this.problem.focus();
  }
}
