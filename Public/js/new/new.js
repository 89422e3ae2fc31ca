// The form that starts a training or an evaluation.
import { api, tolerate } from "../core/api.js";
import { h, repeat } from "../core/dom.js";
import { choice, clearErrors, collect, field, merge, numeric, showErrors } from "./fields.js";
import { title } from "../core/format.js";
import { submit } from "./submission.js";
import { outside } from "../core/text.js";

/** The fields whose choices the API's description names; an empty choice leaves the field to the preset. */
const choicesFromSchema = ["/preset", "/method", "/encoder/arch"];
const protocols = ["logistic", "knn", "linear", "linear-seed", "linear-official", "finetune"];
const layers = ["pooled", "fc", "embedding"];
const features = ["cached", "augmented"];
/** Characters of a job's name at most; the daemon refuses longer ones. */
const nameCharactersMax = 200;
/** The name by which the evaluation of a new training refers to it in the same request. */
const trainingRef = "training";

/** Fills `main` with the form; `query` may name kind and job. Returns a function that stops its requests. */
export function show(main, { query }) {
  const page = new NewPage(main, query);
  return () => page.stops.forEach((stop) => stop());
}

class NewPage {
  constructor(main, query) {
    this.stops = [];
    this.thenEvaluate = h("input", { type: "checkbox", checked: true, "data-ignored": true });
    this.training = h("select");
    this.train = trainFields(this.thenEvaluate);
    this.evaluate = evaluateFields(this.training, () => this.#untilAnswered(() => this.#addTrainings()));
    this.name = h("input", { type: "text", autocomplete: "off", dir: "auto", "data-ignored": true });
    this.extra = h("textarea",
      { rows: 4, spellcheck: "false", placeholder: '{"encoder": {"width": 32}}', "data-ignored": true });
    this.problem = h("div", { class: "problem", tabindex: -1 });
    this.button = h("button", { type: "submit", class: "main" });
    this.kinds = ["train", "evaluate"].map((kind) =>
      h("input", {
        type: "radio", name: "kind", value: kind, id: `kind-${kind}`, onchange: () => this.#showKind(),
      }));
    this.kinds[query.get("kind") === "evaluate" ? 1 : 0].checked = true;
    this.form = h("form", { novalidate: true, onsubmit: (event) => this.#submit(event) },
      h("fieldset", { class: "kinds" }, h("legend", {}, "Kind"),
        h("span", {}, this.kinds[0], h("label", { for: "kind-train" }, "Train an encoder")),
        h("span", {}, this.kinds[1], h("label", { for: "kind-evaluate" }, "Evaluate an encoder"))),
      h("div", { class: "fields" },
        field("/name", "Name", this.name, "Optional; shown in the list of jobs.")),
      this.train, this.evaluate,
      h("details", {}, h("summary", {}, "Any other field, as JSON"),
        field("/extra", "Merged into the specification", this.extra,
          "The keys are those of a job's specification, as its page shows it.")),
      this.problem, this.button);
    main.replaceChildren(h("h1", {}, "New job"), this.form);
    this.#showKind();
    const chosen = query.get("job");
    if (chosen) {
      this.#offer({ id: chosen, kind: "train" }, chosen);
      this.#untilAnswered(async () => this.#offer(await api.job(chosen), chosen));
    }
    this.#untilAnswered(() => this.#fillChoices());
    this.#untilAnswered(() => this.#fillDatasets());
    this.#untilAnswered(() => this.#addTrainings(chosen));
  }

  /**
   * Calls `load` until the daemon has answered; a refusal, as for a job that does not exist, is an answer.
   */
  #untilAnswered(load) {
    this.stops.push(repeat(1, async () => {
      try {
        await load();
        return false;
      } catch (error) {
        tolerate(error);
        return error.status === 0 || error.status >= 500 || error.status === 429;
      }
    }));
  }

  get kind() {
    return this.kinds.find((one) => one.checked).value;
  }

  #showKind() {
    this.train.hidden = this.kind !== "train";
    this.evaluate.hidden = this.kind !== "evaluate";
    this.button.textContent = this.kind === "train" ? "Start training" : "Start evaluation";
  }

  /** Adds what the daemon offers to the choices that are there. */
  async #fillChoices() {
    const schema = (await api.schemas()).TrainSpecification;
    for (const pointer of choicesFromSchema) {
      const select = this.train.querySelector(`[data-pointer="${pointer}"]`);
      const known = new Set([...select.options].map((option) => option.value));
      const { enum: all } = pointer.split("/").slice(1).reduce((part, key) => part.properties[key], schema);
      const more = all.filter((value) => !known.has(value));
      select.append(...more.map((value) => h("option", { value }, value)));
    }
  }

  async #fillDatasets() {
    const names = (await api.datasets()).map((dataset) => dataset.name);
    for (const list of this.form.querySelectorAll("datalist")) {
      list.replaceChildren(...names.map((value) => h("option", { value })));
    }
  }

  /** Offers the next trainings of the list, newest first. */
  async #addTrainings(chosen) {
    const { jobs, next_cursor: cursor } =
      await api.jobs({ kind: "train", ...(this.cursor && { cursor: this.cursor }) });
    this.cursor = cursor;
    for (const job of jobs) {
      if (!["failed", "cancelled"].includes(job.state)) this.#offer(job, chosen);
    }
    this.evaluate.querySelector("button").hidden = !cursor;
    if (this.training.options.length === 0) {
      this.training.append(h("option", { value: "" }, "No training yet"));
    }
  }

  /** Adds a training to the choice, or says more about one that is there. */
  #offer(job, chosen) {
    for (const option of this.training.querySelectorAll('option[value=""]')) option.remove();
    const text = `${title(job)}${job.state ? ` (${job.state})` : ""}`;
    const known = [...this.training.options].find((option) => option.value === job.id);
    if (known) known.textContent = text;
    else this.training.append(h("option", { value: job.id, dir: "auto", selected: job.id === chosen }, text));
  }

  async #submit(event) {
    event.preventDefault();
    // The second click of two.
    if (this.button.disabled) return;
    clearErrors(this.form);
    this.problem.replaceChildren();
    let jobs;
    try {
      jobs = this.#jobs();
    } catch (error) {
      showErrors(this.form, [{ pointer: "/extra", message: `must be a JSON object: ${error.message}` }]);
      return;
    }
    this.button.disabled = true;
    try {
      const [first] = await submit(jobs);
      if (this.form.isConnected) location.hash = `#/jobs/${first.id}`;
    } catch (error) {
      tolerate(error);
      this.#showProblem(error);
    } finally {
      this.button.disabled = false;
    }
  }

  /** The jobs of the form: a training, with its evaluation if that is wanted, or an evaluation. */
  #jobs() {
    const spec = collect(this.form);
    const text = this.extra.value.trim();
    if (text !== "") {
      const extra = JSON.parse(text);
      const isObject = extra !== null && typeof extra === "object" && !Array.isArray(extra);
      if (!isObject) throw new Error(`got ${Array.isArray(extra) ? "an array" : String(extra)}`);
      merge(spec, extra);
    }
    const name = this.name.value.trim();
    const job = { kind: this.kind, ...(name && { name }), spec };
    if (this.kind !== "train" || !this.thenEvaluate.checked) return [job];
    const evaluation = {
      kind: "evaluate", ...(name && { name: evaluationName(name) }),
      spec: { checkpoint: { job: trainingRef, which: "last" }, protocol: protocols[0] },
    };
    return [{ ...job, ref: trainingRef }, evaluation];
  }

  #showProblem(error) {
    const errors = ownErrors(error.errors);
    const strangers = showErrors(this.form, errors, placeOf);
    const items = strangers.map(({ pointer, message }) =>
      h("li", {}, outside(pointer || "/", { name: "code" }), " ", outside(message)));
    const count = errors.length;
    let text = error.message;
    if (count > 0) text = `Not started: ${count} ${count === 1 ? "error" : "errors"}.`;
    else if (error.status === 0) {
      text += " If you send the form again unchanged, it starts only once.";
    }
    this.problem.replaceChildren(
      h("p", { class: "alert", role: "alert" }, outside(text)),
      items.length > 0 ? h("ul", {}, items) : "");
    if (strangers.length === count) this.problem.focus();
  }
}

/** The place in the form that an error's pointer means: "/jobs/0/spec/optimizer/lr" is "/optimizer/lr". */
function placeOf(pointer) {
  // Of the evaluation that goes with a training, the form has these two fields.
  if (pointer === "/jobs/1/name") return "/name";
  if (pointer.startsWith("/jobs/1/")) return "/then-evaluate";
  return pointer.replace(/^\/jobs\/0(?=\/)/, "").replace(/^\/spec(?=\/)/, "");
}

/**
 * The errors without those of the evaluation that only repeat one of its training, like a missing dataset.
 */
function ownErrors(errors) {
  const isOfEvaluation = ({ pointer }) => pointer.startsWith("/jobs/1/");
  const known = new Set(errors.filter((error) => !isOfEvaluation(error)).map((error) => error.message));
  return errors.filter((error) => !isOfEvaluation(error) || !known.has(error.message));
}

/** What the evaluation of a training with that name is called. */
function evaluationName(name) {
  const long = `${name}, evaluated`;
  return [...long].length <= nameCharactersMax ? long : name;
}

const datasetName = (list, value, placeholder) => [
  h("input", { type: "text", list, value, autocomplete: "off", dir: "auto", placeholder }),
  h("datalist", { id: list }),
];

const fromPreset = () => h("select", {}, h("option", { value: "" }, "from the preset"));

function trainFields(thenEvaluate) {
  const [dataset, names] = datasetName("datasets-train", "fashion-mnist", "fashion-mnist");
  return h("div", { class: "fields" },
    field("/preset", "Preset", choice(["small"], "small"),
      "small takes minutes; the others are published recipes and take days."),
    field("/method", "Method", fromPreset()),
    field("/encoder/arch", "Architecture", fromPreset()),
    field("/image_size", "Image size", numeric("that of the dataset"), "Side of the views in pixels."),
    field("/dataset/name", "Dataset", dataset), names,
    field("/dataset/limit", "Images", numeric("all"), "Use only the first N images."),
    field("/epochs", "Epochs", numeric("from the preset")),
    field("/max_steps", "Max steps", numeric("no limit")),
    field("/batch_size", "Batch size", numeric("from the preset")),
    field("/optimizer/lr", "Learning rate", numeric("from the preset")),
    field("/seed", "Seed", numeric("0")),
    field("/checkpoint/every_epochs", "Epochs between checkpoints", numeric("from the preset")),
    field("/then-evaluate", "Then evaluate it, next to raw pixels and the untrained encoder", thenEvaluate));
}

function evaluateFields(training, loadOlder) {
  const [dataset, names] = datasetName("datasets-evaluate", "", "that of the training");
  const trainingField = field("/checkpoint/job", "Training", training,
    "The evaluation waits for the last checkpoint of that training.");
  trainingField.append(h("button", { type: "button", class: "plain", hidden: true, onclick: loadOlder },
    "Load older trainings"));
  return h("div", { class: "fields" }, trainingField,
    field("/protocol", "Protocol", choice(protocols, protocols[0]),
      "logistic: regression to convergence; knn: nearest neighbours; linear: a linear layer " +
      "trained by SGD; finetune: the whole network trained by the labels."),
    field("/layer", "Layer", choice(layers, layers[0]),
      "pooled: last feature maps, averaged; fc: final linear layer; embedding: output of the projector."),
    field(
      "/label_share", "Share of the labels", numeric("1"),
      "0.01 uses 1% of them, equally many of each class."),
    field("/seeds", "Repeat with N seeds", numeric("1"), "The result has the mean and its 95% interval."),
    field("/features", "Features", choice(features, features[0]),
      "augmented: computed again in each epoch, as published; only for linear protocols."),
    field("/dataset/name", "Dataset", dataset), names,
    field("/dataset/limit", "Images", numeric("all"), "Use only the first N images of each split."),
    field("/epochs", "Epochs of the classifier", numeric("50"), "Only for linear protocols and finetune."),
    field("/seed", "Seed", numeric("0")),
    field("/baselines", "Also evaluate raw pixels and the untrained encoder",
      h("input", { type: "checkbox", checked: true })));
}
