// A form that uploads a file: dropped or chosen, named, with the parameters that the API's description lists.
import { api, Problem, tolerate } from "./api.js";
import { h } from "./dom.js";
import { bytes, duration, words } from "./format.js";
import { alert } from "./parts.js";
import { outside } from "./text.js";
import { runningUpload, Upload } from "./upload.js";

/** File extensions that are dropped when a dataset or model is named after its file. */
const endings = /\.(tar\.(gz|xz|bz2|zst)|tgz|txz|tar|zip|npz|npy|safetensors|gz)$/i;
const nameCharactersMax = 64;

/**
 * The form. `kind` is what is uploaded ("dataset"), `path` the API's path ("/datasets/{name}"), `accept` the
 * endings of files, `hint` what may be in one. `onDone(answer)`
 * is called with the daemon's answer.
 */
export class UploadForm {
  constructor({ kind, path, accept, hint, onDone }) {
    Object.assign(this, { kind, path, onDone });
    this.file = null;
    this.choose = h("input", {
      type: "file",
      class: "unseen",
      id: "upload-file",
      accept,
      onchange: () => this.#take(this.choose.files[0]),
    });
    this.chosen = h("span", { class: "quiet" }, hint);
    this.zone = h(
      "label",
      { class: "drop-zone", for: "upload-file" },
      h("strong", {}, "Drop a file here, or choose one"),
      this.chosen,
    );
    this.name = h("input", {
      type: "text",
      id: "upload-name",
      autocomplete: "off",
      spellcheck: "false",
      "aria-describedby": "upload-name-error",
    });
    this.fields = h(
      "div",
      { class: "fields" },
      field("name", "Name", this.name, "Letters, digits, “.”, “_” and “-”."),
    );
    this.problem = h("div", { class: "problem", tabindex: -1 });
    this.progress = h("div", { class: "upload-progress", hidden: true });
    this.button = h("button", { type: "submit", class: "main" }, "Upload");
    this.form = h(
      "form",
      { class: "upload", novalidate: true, onsubmit: (event) => this.#submit(event) },
      this.choose,
      this.zone,
      this.fields,
      this.problem,
      this.progress,
      h("p", {}, this.button),
    );
    this.element = h(
      "details",
      { class: "card upload-card" },
      h("summary", {}, `Upload a ${kind}`),
      this.form,
    );
    this.#readParameters();
    const upload = runningUpload(kind);
    if (upload) this.#follow(upload);
  }

  /** Takes files that are dropped anywhere on `target`; returns a function that ends that. */
  acceptDrops(target) {
    const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
    const over = (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      this.element.open = true;
      this.zone.classList.add("over");
    };
    const leave = () => this.zone.classList.remove("over");
    const drop = (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      leave();
      this.#take(event.dataTransfer.files[0]);
    };
    const all = { dragenter: over, dragover: over, dragleave: leave, drop };
    for (const [name, listener] of Object.entries(all)) target.addEventListener(name, listener);
    return () => {
      for (const [name, listener] of Object.entries(all)) target.removeEventListener(name, listener);
    };
  }

  /** Adds a field for each parameter that the API's description has. */
  async #readParameters() {
    let parameters;
    try {
      ({ parameters } = (await api.description()).paths[this.path].put);
    } catch (error) {
      return tolerate(error);
    }
    const fields = parameters.filter(({ in: place }) => place === "query")
      .map(({ name, schema, description }) =>
        field(name, capital(words(name)), control(name, schema), sentence(description))
      );
    this.fields.append(...fields);
  }

  #take(file) {
    if (!file || runningUpload(this.kind)) return;
    this.file = file;
    this.element.open = true;
    this.chosen.replaceChildren(outside(file.name), ` (${bytes(file.size)})`);
    if (this.name.value === "") this.name.value = nameOf(file.name);
    this.name.focus();
  }

  async #submit(event) {
    event.preventDefault();
    if (runningUpload(this.kind)) return;
    this.#clearErrors();
    if (!this.file) return this.#showProblem("Choose a file first.");
    if (this.name.value.trim() === "") {
      return this.#showErrors([{ pointer: "/name", message: "must be given" }]);
    }
    const name = this.name.value.trim();
    const query = new URLSearchParams();
    for (const part of this.fields.querySelectorAll("[data-parameter]")) {
      if (part.value.trim() !== "") query.set(part.dataset.parameter, part.value.trim());
    }
    // The API's path with the name, and the parameters that were filled in.
    const path = `${this.path.replace("{name}", encodeURIComponent(name))}${
      query.size > 0 ? `?${query}` : ""
    }`;
    await this.#follow(new Upload(this.kind, name, path, this.file));
  }

  /** Shows how far an upload is, and what the daemon answers. */
  async #follow(upload) {
    this.element.open = true;
    this.button.disabled = true;
    const bar = h("progress", { max: upload.file.size || 1, value: 0, "aria-label": "Upload" });
    const text = h("span", { class: "quiet" });
    this.progress.replaceChildren(
      outside(upload.name, { name: "strong" }),
      bar,
      text,
      h("button", { type: "button", onclick: () => upload.cancel() }, "Cancel the upload"),
    );
    this.progress.hidden = false;
    const show = () => {
      bar.value = upload.sent;
      const left = duration(upload.secondsLeft);
      text.textContent = upload.sent >= upload.file.size
        ? `All ${bytes(upload.file.size)} are sent; the daemon checks them.`
        : `${bytes(upload.sent)} of ${bytes(upload.file.size)}${left === "–" ? "" : `, ${left} left`}`;
    };
    upload.onProgress = show;
    show();
    try {
      const answer = await upload.answer;
      this.#reset();
      if (this.form.isConnected) this.onDone(answer);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.errors.length > 0) this.#showErrors(error.errors);
      else this.#showProblem(error.message);
    } finally {
      this.progress.hidden = true;
      this.button.disabled = false;
    }
  }

  #reset() {
    this.file = null;
    this.choose.value = "";
    this.name.value = "";
    this.element.open = false;
  }

  #clearErrors() {
    this.problem.replaceChildren();
    for (const error of this.fields.querySelectorAll(".error")) error.textContent = "";
    for (const part of this.fields.querySelectorAll("[aria-invalid]")) part.removeAttribute("aria-invalid");
  }

  /** Shows each error at its field, and the others together. */
  #showErrors(errors) {
    const strangers = errors.filter(({ pointer, message }) => {
      const error = this.fields.querySelector(`#upload-${CSS.escape(pointer.slice(1))}-error`);
      if (!error) return true;
      error.textContent = message;
      const part = error.closest(".field").querySelector("input, select");
      part.setAttribute("aria-invalid", "true");
      return false;
    });
    if (strangers.length > 0) {
      this.#showProblem(strangers.map(({ pointer, message }) => `${pointer} ${message}`).join("; "));
    } else this.fields.querySelector("[aria-invalid]")?.focus();
  }

  #showProblem(text) {
    this.problem.replaceChildren(alert(text));
    this.problem.focus();
  }
}

/** A name that the daemon takes, from that of a file. */
function nameOf(file) {
  const plain = file.replace(endings, "").normalize("NFKD").replace(/[^A-Za-z0-9._-]+/g, "-");
  return plain.replace(/^[^A-Za-z0-9]+|-+$/g, "").slice(0, nameCharactersMax);
}

const capital = (text) => `${text[0].toUpperCase()}${text.slice(1)}`;

const sentence = (text) => (text ? `${capital(text)}${text.endsWith(".") ? "" : "."}` : null);

function field(name, label, part, hint) {
  const id = `upload-${name}`;
  part.setAttribute("aria-describedby", [hint && `${id}-hint`, `${id}-error`].filter(Boolean).join(" "));
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    part,
    hint && h("p", { class: "quiet", id: `${id}-hint` }, hint),
    h("p", { class: "error", id: `${id}-error` }),
  );
}

/** A control for a parameter: a choice, or a line that the daemon checks. */
function control(name, schema) {
  const attributes = { id: `upload-${name}`, "data-parameter": name };
  if (schema.enum) {
    const open = schema.default === undefined ? [h("option", { value: "" }, "from the file")] : [];
    return h(
      "select",
      attributes,
      open,
      schema.enum.map((value) => h("option", { value, selected: value === schema.default }, value)),
    );
  }
  const placeholder = schema.default === undefined ? "from the file" : "default";
  return h("input", {
    type: "text",
    inputmode: "decimal",
    autocomplete: "off",
    placeholder,
    value: schema.default ?? undefined,
    ...attributes,
  });
}
