// The control for a checkpoint of a training, or a model, in a specification.
import { api, tolerate } from "../core/api.js";
import { h } from "../core/dom.js";
import { title } from "../core/format.js";
import { select } from "./controls.js";

let count = 0;

/** Milliseconds without a key after which trainings are looked for. */
const typingMilliseconds = 250;

/**
 * The control of a reference field. `load(work)` calls `work` until the daemon has answered it. `edited` is
 * called after each change by hand.
 */
export class ReferenceControl {
  constructor(field, { load, edited }) {
    count += 1;
    this.load = load;
    this.edited = edited;
    this.value = null;
    this.jobs = new Map();
    this.models = null;
    const sources = [["job", "A training"], ["model", "A model"]];
    if (field.isNullable) sources.unshift(
      ["none", field.nullWords ? `Nothing: ${field.nullWords}` : "Nothing"]);
    this.input = h("select", {}, sources.map(([value, text]) => h("option", { value }, text)));
    this.job = this.#list(field, "job", "Training", "job");
    this.which = this.#list(field, "which", "Checkpoint", "job");
    this.model = this.#list(field, "model", "Model", "model");
    this.search = h("input", { type: "search", id: `reference-${count}-q`, autocomplete: "off", dir: "auto",
      placeholder: "words of its name, label or notes" });
    this.older = h("button", { type: "button", class: "plain", hidden: true,
      onclick: () => load(() => this.#addJobs()) }, "Load older trainings");
    const parts = [
      this.#part("Find a training", this.search, "job"), this.job.element, this.which.element,
        this.model.element,
    ];
    this.goesOn = field.members.includes("optimizer") ? this.#box(field) : null;
    if (this.goesOn) parts.push(this.goesOn.element);
    this.job.element.append(this.older);
    this.element = h("div", { class: "reference" }, this.input, h("div", { class: "fields" }, parts));
    let timer;
    this.search.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.#find(), typingMilliseconds);
    });
    for (const one of [this.job.input, this.which.input, this.model.input]) {
      one.addEventListener("change", () => this.edited());
    }
    this.job.input.addEventListener("change", () => this.#offerCheckpoints());
    this.#find();
  }

  #part(text, input, source) {
    return h("div", { class: "field", "data-source": source },
      h("div", { class: "field-head" }, h("label", { for: input.id }, text)), input);
  }

  #list(field, key, text, source) {
    const input = h("select", { id: `reference-${count}-${key}`, "data-pointer": `${field.pointer}/${key}` });
    return { input, element: this.#part(text, input, source) };
  }

  #box(field) {
    const input = h("input", { type: "checkbox", id: `reference-${count}-optimizer`,
      "data-pointer": `${field.pointer}/optimizer`, onchange: () => this.edited() });
    const element = h("div", { class: "field box", "data-source": "job" },
      h("div", { class: "field-head" }, input,
        h("label", { for: input.id }, "Go on with that training at its next step, with all of its state")));
    return { input, element };
  }

  get source() {
    return this.input.value;
  }

  read() {
    if (this.source === "none") return null;
    if (this.source === "model") {
      const name = JSON.parse(this.model.input.value || "null");
      return name === null ? {} : { model: name };
    }
    const job = JSON.parse(this.job.input.value || "null");
    const which = JSON.parse(this.which.input.value || "null");
    return {
      ...(job !== null && { job }), ...(which !== null && { which }),
      ...(this.goesOn?.input.checked && { optimizer: true }),
    };
  }

  write(value) {
    const isFirst = this.value === null || this.value?.job !== value?.job;
    this.value = value ?? null;
    if (value === null || (
      value === undefined && this.input.options[0].value === "none")) this.input.value = "none";
    else if (value?.model !== undefined) this.input.value = "model";
    else if (value?.job !== undefined || this.source === "none") this.input.value = "job";
    for (const part of this.element.querySelectorAll(
      "[data-source]")) part.hidden = part.dataset.source !== this.source;
    select(this.job.input, value?.job);
    select(this.model.input, value?.model);
    if (this.which.input.options.length === 0) this.#offerWhich([]);
    select(this.which.input, value?.which ?? "last");
    if (this.goesOn) this.goesOn.input.checked = value?.optimizer === true;
    if (isFirst && value?.job) {
      this.#offerCheckpoints();
      if (!this.jobs.has(value.job)) this.load(async () => this.#offerJob(await api.job(value.job)));
    }
    if (this.source === "model" && this.models === null) this.#offerModels();
  }

  #find() {
    this.cursor = undefined;
    this.jobs.clear();
    this.load(() => this.#addJobs());
  }

  /** Offers the next trainings of the list, newest first. */
  async #addJobs() {
    const words = this.search.value.trim();
    const { jobs, next_cursor: cursor } = await api.jobs({
      kind: "train", ...(words && { q: words }), ...(this.cursor && { cursor: this.cursor }),
    });
    if (words !== this.search.value.trim()) return;
    if (!this.cursor) this.job.input.replaceChildren();
    this.cursor = cursor;
    this.older.hidden = !cursor;
    for (const job of jobs) if (!["failed", "cancelled"].includes(job.state)) this.#offerJob(job);
    select(this.job.input, this.value?.job);
  }

  #offerJob(job) {
    const value = JSON.stringify(job.id);
    const text = `${title(job)} (${job.state})`;
    const known = [...this.job.input.options].find((one) => one.value === value);
    this.jobs.set(job.id, text);
    if (known) {
      known.textContent = text;
      delete known.dataset.strange;
    } else this.job.input.append(h("option", { value, dir: "auto" }, text));
  }

  #offerWhich(names) {
    const chosen = this.which.input.value ? JSON.parse(this.which.input.value) : "last";
    const fixed = [["last", "the last"], ["best", "the best"]];
    this.which.input.replaceChildren(...[...fixed, ...names.map((name) => [name, name])]
      .map(([value, text]) => h("option", { value: JSON.stringify(value) }, text)));
    select(this.which.input, chosen);
  }

  /** Offers the checkpoints of the chosen training by name. */
  #offerCheckpoints() {
    const id = JSON.parse(this.job.input.value || "null");
    this.#offerWhich([]);
    if (!id) return;
    this.load(async () => {
      const found = await api.checkpoints(id);
      if (JSON.parse(this.job.input.value || "null") === id) this.#offerWhich(found.map((one) => one.name));
    });
  }

  async #offerModels() {
    this.models = [];
    try {
      this.models = await api.models();
    } catch (error) {
      tolerate(error);
    }
    const chosen = this.value?.model;
    this.model.input.replaceChildren(...this.models.map(({ name }) =>
      h("option", { value: JSON.stringify(name), dir: "auto" }, name)));
    select(this.model.input, chosen);
  }
}
