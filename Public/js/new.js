// The form that queues a training or an evaluation.
import { api } from "./api.js";
import { h } from "./dom.js";
import { choice, clearErrors, collect, field, merge, numeric, showErrors } from "./fields.js";
import { title } from "./format.js";

const presets = ["small", "seed", "paper", "solo-cifar"];
const protocols = ["linear", "linear-seed", "logistic"];
const features = ["cached", "augmented"];

/** Fills `main` with the form; `query` may name kind and job. Returns a function that does nothing. */
export function newPage(main, query) {
  new NewPage(main, query);
  return () => {};
}

class NewPage {
  constructor(main, query) {
    this.train = trainFields();
    this.evaluate = evaluateFields();
    this.name = h("input", { type: "text", autocomplete: "off", maxlength: 200 });
    this.name.dataset.ignored = "";
    this.extra = h("textarea", { rows: 4, spellcheck: "false", placeholder: '{"loss": {"cov": 2}}' });
    this.extra.dataset.ignored = "";
    this.problem = h("div", { class: "problem", tabindex: -1 });
    this.button = h("button", { type: "submit", class: "main" }, "Queue it");
    this.kinds = ["train", "evaluate"].map((kind) =>
      h("input", {
        type: "radio", name: "kind", value: kind, id: `kind-${kind}`, onchange: () => this.#showKind(),
      }));
    this.kinds[query.get("kind") === "evaluate" ? 1 : 0].checked = true;
    this.form = h("form", { novalidate: true, onsubmit: (event) => this.#submit(event) },
      h("fieldset", { class: "kinds" }, h("legend", {}, "Kind"),
        h("span", {}, this.kinds[0], h("label", { for: "kind-train" }, "Train an encoder")),
        h("span", {}, this.kinds[1], h("label", { for: "kind-evaluate" }, "Evaluate one"))),
      h("div", { class: "fields" }, field("/name", "Name", this.name, "Optional; shown in the list.")),
      this.train, this.evaluate,
      h("details", {}, h("summary", {}, "Any other field, as JSON"),
        field("/extra", "Laid over the specification", this.extra,
          "The keys are those of a job's resolved specification.")),
      this.problem, this.button);
    main.replaceChildren(h("h1", {}, "New job"), this.form);
    this.#showKind();
    this.#fillDatasets();
    this.#fillTrainings(query.get("job"));
  }

  get kind() {
    return this.kinds.find((one) => one.checked).value;
  }

  #showKind() {
    this.train.hidden = this.kind !== "train";
    this.evaluate.hidden = this.kind !== "evaluate";
  }

  async #fillDatasets() {
    try {
      const names = (await api.datasets()).map((dataset) => dataset.name);
      for (const list of this.form.querySelectorAll("datalist")) {
        list.replaceChildren(...names.map((value) => h("option", { value })));
      }
    } catch {
      // Names can be typed all the same.
    }
  }

  async #fillTrainings(chosen) {
    const select = this.evaluate.querySelector("select");
    try {
      const { jobs } = await api.jobs();
      const isLost = (job) => ["failed", "cancelled"].includes(job.state);
      const trainings = jobs.filter((job) => job.kind === "train" && !isLost(job));
      select.replaceChildren(...trainings.map((job) =>
        h("option", { value: job.id, selected: job.id === chosen }, `${title(job)} (${job.state})`)));
      if (trainings.length === 0) select.append(h("option", { value: "" }, "no training yet"));
    } catch {
      select.replaceChildren(h("option", { value: chosen ?? "" }, chosen ?? "the daemon does not answer"));
    }
  }

  async #submit(event) {
    event.preventDefault();
    clearErrors(this.form);
    this.problem.replaceChildren();
    let job;
    try {
      job = this.#job();
    } catch (error) {
      this.extra.closest("details").open = true;
      showErrors(this.form, [{ pointer: "/extra", message: `No JSON object: ${error.message}` }]);
      return;
    }
    this.button.disabled = true;
    try {
      const queued = await api.queue(job);
      if (this.#thenEvaluate) {
        const spec = { checkpoint: { job: queued.id, which: "last" }, features: "cached", baselines: true };
        await api.queue({ kind: "evaluate", name: `${title(queued)}, judged`, spec });
      }
      location.hash = `#/jobs/${queued.id}`;
    } catch (error) {
      this.#showProblem(error);
    } finally {
      this.button.disabled = false;
    }
  }

  get #thenEvaluate() {
    return this.kind === "train" && this.train.querySelector("#field-then-evaluate").checked;
  }

  #job() {
    const spec = collect(this.form);
    const text = this.extra.value.trim();
    if (text !== "") {
      const extra = JSON.parse(text);
      const isObject = extra !== null && typeof extra === "object" && !Array.isArray(extra);
      if (!isObject) throw new Error("it is another kind of value");
      merge(spec, extra);
    }
    const name = this.name.value.trim();
    return { kind: this.kind, ...(name && { name }), spec };
  }

  #showProblem(error) {
    const strangers = showErrors(this.form, error.errors ?? []);
    const items = strangers.map(({ pointer, message }) =>
      h("li", {}, h("code", {}, pointer || "/"), " ", message));
    const count = error.errors?.length ?? 0;
    const text = count > 0 ? `Not queued: ${count} to correct.` : error.message;
    this.problem.replaceChildren(
      h("p", { class: "alert", role: "alert" }, text),
      items.length > 0 ? h("ul", {}, items) : "");
    if (strangers.length === count) this.problem.focus();
  }
}

const datasetName = (list, value) => [
  h("input", { type: "text", list, value, autocomplete: "off", placeholder: "fashion-mnist" }),
  h("datalist", { id: list }),
];

function trainFields() {
  const [dataset, names] = datasetName("datasets-train", "fashion-mnist");
  const then = field("/then-evaluate", "Then evaluate it beside its two baselines",
    h("input", { type: "checkbox", checked: true }));
  then.querySelector("input").dataset.ignored = "";
  return h("div", { class: "fields" },
    field("/preset", "Preset", choice(presets, "small"),
      "small takes minutes; seed, the published recipe, days."),
    field("/dataset/name", "Data set", dataset), names,
    field("/dataset/limit", "Images", numeric("all"), "Takes the first so many."),
    field("/epochs", "Epochs", numeric("preset's")),
    field("/max_steps", "Steps at most", numeric("no limit")),
    field("/batch_size", "Batch size", numeric("preset's")),
    field("/optimizer/lr", "Learning rate", numeric("preset's")),
    field("/seed", "Seed", numeric("0")),
    field("/checkpoint/every_epochs", "Checkpoint every", numeric("preset's"), "Epochs."),
    then);
}

function evaluateFields() {
  const [dataset, names] = datasetName("datasets-evaluate", "");
  return h("div", { class: "fields" },
    field("/checkpoint/job", "Training", h("select"), "It waits until that training has succeeded."),
    field("/protocol", "Protocol", choice(protocols, "linear"), "linear-seed: test images not normalised."),
    field("/features", "Features", choice(features, "cached"), "augmented: anew each epoch, as published."),
    field("/dataset/name", "Data set", dataset), names,
    field("/dataset/limit", "Images", numeric("all"), "Takes the first so many of each split."),
    field("/epochs", "Epochs of the head", numeric("50")),
    field("/seed", "Seed", numeric("0")),
    field("/baselines", "Also judge raw pixels and the untrained encoder",
      h("input", { type: "checkbox", checked: true })));
}
