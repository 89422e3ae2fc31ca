// What a run has left: checkpoints, artifacts, and files for other programs.
import { api, tolerate } from "../core/api.js";
import { h, replaceIfNew } from "../core/dom.js";
import { bytes, moment, number } from "../core/format.js";
import { table } from "../core/parts.js";
import { outside } from "../core/text.js";
import { artifactPath } from "./requests.js";
import { section } from "./section.js";

const exports = [
  ["safetensors", "encoder", "Encoder, safetensors", "torchvision's names"],
  ["safetensors", "all", "Whole model, safetensors", "encoder, projector and what else was trained"],
  ["onnx", "encoder", "Encoder, ONNX", "images in [0, 1] as input, any batch size"],
];

export class FilesSection {
  constructor({ id }) {
    this.id = id;
    this.checkpoints = h("div");
    this.artifacts = h("div");
    this.exports = h("div");
    this.element = section("Files", h("div", { class: "files" }, this.exports, this.checkpoints,
      this.artifacts));
    this.list = [];
  }

  async update(job) {
    this.job = job;
    this.#showArtifacts(Array.isArray(job.artifacts) ? job.artifacts : []);
    if (job.kind === "train" && this.state !== job.state) await this.#ask();
    this.state = job.state;
    this.#showWhole();
  }

  hear({ name }) {
    if (name === "checkpoint") this.#ask().then(() => this.#showWhole()).catch(tolerate);
  }

  #showWhole() {
    this.element.hidden = this.list.length === 0 && (this.job.artifacts ?? []).length === 0;
  }

  async #ask() {
    this.list = await api.checkpoints(this.id);
    const version = JSON.stringify(this.list);
    replaceIfNew(this.checkpoints, version, () =>
      (this.list.length === 0 ? [] : [h("h3", {}, "Checkpoints"), this.#checkpointTable()]));
    replaceIfNew(this.exports, version, () => (this.list.length === 0 ? [] : this.#exportLinks()));
  }

  #checkpointTable() {
    return table(["File", "Step", "Size", "SHA-256"], this.list.map((checkpoint) => [
      h("a", { href: `/jobs/${this.id}/checkpoints/${encodeURIComponent(checkpoint.name)}`,
        download: checkpoint.name }, checkpoint.name),
      [number(checkpoint.step, 7), checkpoint.is_best ? " (best)" : ""],
      bytes(checkpoint.bytes), h("code", { title: checkpoint.sha256 }, `${checkpoint.sha256.slice(0, 16)}…`),
    ]));
  }

  /** Links to the model for other programs, of a checkpoint that is chosen. */
  #exportLinks() {
    const choices = [
      ["last", "the last checkpoint"], ...(this.list.some((one) => one.is_best)
        ? [["best", "the best checkpoint"]] : []),
      ...this.list.map(({ name, step }) => [name, `step ${step.toLocaleString("en")}`]),
    ];
    const address = (format, part) =>
      `/jobs/${this.id}/export?format=${format}&part=${part}&checkpoint=${encodeURIComponent(choice.value)}`;
    const choice = h("select", {
      "aria-label": "Checkpoint", onchange: () =>
        links.forEach((link, index) => { link.href = address(...exports[index]); }),
    }, choices.map(([value, text]) => h("option", { value }, text)));
    const links = exports.map(([format, part, text]) =>
      h("a", { href: address(format, part), download: "" }, text));
    return [h("h3", {}, "Use it elsewhere"),
      h("p", {}, h("label", {}, "Export ", choice)),
      h("ul", { class: "plain-list" }, links.map((link, index) =>
        h("li", {}, link, h("span", { class: "quiet" }, ` · ${exports[index][3]}`))))];
  }

  #showArtifacts(artifacts) {
    replaceIfNew(this.artifacts, JSON.stringify(artifacts),
      () => (artifacts.length === 0 ? [] : [h("h3", {}, "Artifacts"),
      table(["File", "Written", "Size", "SHA-256"], artifacts.map((artifact) => [
        h("a", { href: artifactPath(this.id, artifact.name), download: artifact.name },
          outside(artifact.name)),
        h("time", { datetime: artifact.created_at }, moment(artifact.created_at)), bytes(artifact.bytes),
        h("code", { title: artifact.sha256 }, `${artifact.sha256.slice(0, 16)}…`),
      ]))]));
  }
}
