// Name, notes and labels, edited in place. What is typed stays until it is saved or given up.
import { tolerate } from "../core/api.js";
import { h } from "../core/dom.js";
import { alert } from "../core/parts.js";
import { mayWrite } from "../core/role.js";
import { shown } from "../core/text.js";
import { patch, tagged } from "./requests.js";

/**
 * How often a change is sent again because something else of the job, as its progress, has changed meanwhile.
 */
const attemptsMax = 5;

/**
 * A value of a job that can be edited in place. Options: `field` of the job; `what`, its name for people;
 * `view(job)`
 * gives what is shown; `isLong`: several lines; `read(text)` gives the field's value of what was typed, and
 * throws an
 * Error with a sentence; `write(value)` gives the text to edit.
 */
export class Editable {
  constructor(id, options, onSaved) {
    this.id = id;
    this.options = { read: (text) => text.trim() || null, write: (value) => value ?? "", ...options };
    this.onSaved = onSaved;
    this.element = h("div", { class: `editable ${options.field}` });
  }

  /** Shows the job's value, unless it is being edited. */
  update(job) {
    this.job = job;
    if (this.form) return;
    const version = JSON.stringify([job[this.options.field], job.kind, mayWrite()]);
    if (this.version === version) return;
    this.version = version;
    this.#show();
  }

  #show() {
    const { view, what } = this.options;
    const button = mayWrite() && h("button", {
      type: "button", class: "plain edit", "aria-label": `Edit ${what}`, title: `Edit ${what}`,
        onclick: () => this.#edit(),
    }, this.job[this.options.field] && JSON.stringify(this.job[this.options.field]) !== "{}" ? "Edit"
      : `Add ${what}`);
    const content = view(this.job);
    this.element.hidden = !content && !button;
    this.element.replaceChildren(...[content, button].filter(Boolean));
  }

  #edit() {
    const { field, what, isLong, write, hint } = this.options;
    this.before = JSON.stringify(this.job[field]);
    const attributes = { "aria-label": what, value: isLong ? null : write(this.job[field]),
      spellcheck: "false", type: isLong ? null : "text" };
    this.input = h(isLong ? "textarea" : "input", attributes);
    if (isLong) this.input.value = write(this.job[field]);
    this.refusal = h("div");
    this.form = h("form", {
      class: "edit-form",
      onsubmit: (event) => { event.preventDefault(); this.#save(); },
      onkeydown: (event) => {
        if (event.key === "Escape") this.#close();
        if (event.key === "Enter" && isLong && (event.ctrlKey || event.metaKey)) this.#save();
      },
    }, this.input, hint ? h("p", { class: "quiet" }, hint) : null, this.refusal,
    h("span", { class: "buttons" }, h("button", { type: "submit", class: "main" }, "Save"),
      h("button", { type: "button", onclick: () => this.#close() }, "Cancel")));
    this.element.replaceChildren(this.form);
    this.input.focus();
    this.input.select();
  }

  #close() {
    this.form = null;
    this.#show();
    this.element.querySelector("button")?.focus();
  }

  async #save() {
    if (this.isBusy) return;
    const { field, read } = this.options;
    let value;
    try {
      value = read(this.input.value, this.job[field]);
    } catch (error) {
      return this.#refuse(error.message);
    }
    this.isBusy = true;
    try {
      if (!(await this.#send(field, value))) return;
      this.#close();
      await this.onSaved();
    } catch (error) {
      tolerate(error);
      this.#refuse([error.message, ...error.errors.map(({ message }) => message)].join(" "));
    } finally {
      this.isBusy = false;
    }
  }

  /** Sends the change; false if somebody else has changed the same field since the edit began. */
  async #send(field, value) {
    for (let attempt = 1; ; attempt += 1) {
      const { job, tag } = await tagged(this.id);
      if (JSON.stringify(job[field]) !== this.before) {
        this.before = JSON.stringify(job[field]);
        const now = this.options.write(job[field]) || "empty";
        this.#refuse(`It was changed meanwhile and is now “${shown(now)}”. Save again to overwrite that.`);
        return false;
      }
      try {
        await patch(this.id, { [field]: value }, tag);
        return true;
      } catch (error) {
        if (error.status !== 412 || attempt === attemptsMax) throw error;
      }
    }
  }

  #refuse(text) {
    this.refusal.replaceChildren(alert(text));
    this.input.focus();
  }
}

/** Labels as lines "KEY=VALUE". */
export const labelsText = (labels) => Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`)
  .join("\n");

/** The change from `labels` to what was typed, as a merge patch: a label that is gone is null. */
export function labelsChange(text, labels) {
  const change = Object.fromEntries(Object.keys(labels ?? {}).map((key) => [key, null]));
  for (const line of text.split("\n").map((one) => one.trim()).filter(Boolean)) {
    const at = line.indexOf("=");
    if (at < 1) throw new Error(`“${shown(line)}” must be KEY=VALUE.`);
    change[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  }
  return change;
}
