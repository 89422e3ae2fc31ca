// The confusion matrix of an evaluation, whose cells open the images.
import { json } from "../core/api.js";
import { h } from "../core/dom.js";
import { alert } from "../core/parts.js";
import { mayWrite } from "../core/role.js";
import { outside, shown } from "../core/text.js";
import { imageList } from "./images.js";
import { showNeighbours } from "./neighbours.js";
import { readNpy } from "./npy.js";
import { artifactPath } from "./requests.js";
import { artifactOf } from "./section.js";

/** Classes up to which the matrix is a table; more, or a narrow window, make it a picture. */
const tableClassesMax = 12;
/** Pairs that are listed as confused most. */
const pairsMax = 12;
/** Embeddings in which the labels of the images are looked for. */
const embeddingsMax = 200;

export class Confusion {
  constructor(job, matrix) {
    this.job = job;
    this.matrix = matrix;
    this.classes = (job.result.per_class ?? []).map((one) => one.class);
    this.opened = h("div", { class: "opened" });
    this.element = h("article", { class: "card confusion" },
      h("h3", {}, "Confusion"),
      h("p", { class: "quiet" },
        "Row: the class. Column: what it was taken for. Click a cell to see its images."),
      h("div", { class: "confusion-body" },
        h("div", {}, this.classes.length <= tableClassesMax ? this.#table() : null, this.#picture()),
          this.#pairs()),
      this.opened);
  }

  #name(label) {
    return this.classes[label] ?? `class ${label}`;
  }

  #cellTitle(label, taken) {
    return shown(`${this.#name(label)} taken for ${this.#name(taken)}: ${this.matrix[label][taken]}`);
  }

  #table() {
    const sums = this.matrix.map((row) => Math.max(1, row.reduce((sum, count) => sum + count, 0)));
    return h("div", { class: "matrix-table" },
      h("table", { class: "matrix" },
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, h("span", { class: "unseen" }, "Class")),
          this.classes.map((name) => h("th", { scope: "col" }, h("div", {}, outside(name)))))),
        h("tbody", {}, this.matrix.map((row, label) => h("tr", {},
          h("th", { scope: "row" }, outside(this.#name(label))),
          row.map((count, taken) => h("td", {
            class: label === taken ? "right" : "wrong", style: { "--share": Math.sqrt(count / sums[label]) },
          }, count === 0 ? h("span", { class: "none" }, "0") : h("button", {
            type: "button", "aria-label": this.#cellTitle(label, taken),
            onclick: () => this.#open(label, taken),
          }, String(count)))))))));
  }

  /** Many classes as a picture of a few pixels for each cell. */
  #picture() {
    const count = this.classes.length;
    const side = Math.max(3, Math.floor(720 / count));
    const canvas = h("canvas", { width: count * side, height: count * side, class: "matrix-picture",
      role: "img",
      "aria-label": `Confusion of ${count} classes; the pairs that are confused most are listed below.` });
    const context = canvas.getContext("2d");
    const cell = (event) => {
      const box = canvas.getBoundingClientRect();
      return [(event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width]
        .map((share) => Math.min(count - 1, Math.max(0, Math.floor(share * count))));
    };
    this.matrix.forEach((row, label) => {
      const sum = Math.max(1, row.reduce((total, one) => total + one, 0));
      row.forEach((one, taken) => {
        context.fillStyle = label === taken ? "#15803d" : "#b3261e";
        context.globalAlpha = Math.sqrt(one / sum);
        context.fillRect(taken * side, label * side, side, side);
      });
    });
    canvas.addEventListener("pointermove", (event) => {
      const [label, taken] = cell(event);
      canvas.title = this.#cellTitle(label, taken);
    });
    canvas.addEventListener("click", (event) => this.#open(...cell(event)));
    return canvas;
  }

  #pairs() {
    const wrong = this.matrix.flatMap((row, label) => row.map((count, taken) => ({ label, taken, count })))
      .filter(({ label, taken, count }) => label !== taken && count > 0)
      .sort((a, b) => b.count - a.count).slice(0, pairsMax);
    if (wrong.length === 0) return h("p", {}, "Nothing is taken for anything else.");
    return h("div", { class: "confused" }, h("h4", {}, "Most confused"),
      h("ul", { class: "pairs" }, wrong.map(({ label, taken, count }) =>
      h("li", {}, h("button", { type: "button", onclick: () => this.#open(label, taken) },
        outside(this.#name(label)), " → ", outside(this.#name(taken)), ` ${count}`)))));
  }

  async #open(label, taken) {
    this.opened.replaceChildren(h("p", { class: "quiet" }, "Looking for the images…"));
    try {
      const found = await this.#indices(label, taken);
      const name = this.job.result.dataset?.name ?? this.job.result.dataset;
      const source = this.job.spec?.checkpoint?.job;
      const neighbours = h("div");
      const heading = label === taken ? `${shown(this.#name(label))}, recognised`
        : `${shown(this.#name(label))} taken for ${shown(this.#name(taken))}`;
      const onPick = mayWrite() && source ? (item) =>
        showNeighbours(neighbours, source, { dataset: name, split: "test", index: item.index }) : null;
      const items = found.map((index) => ({ index, title: `Image ${index}: ${heading}` }));
      this.opened.replaceChildren(
        imageList(name, "test", items, { heading: `${heading}: ${found.length.toLocaleString("en")}`, onPick,
          onClose: () => this.opened.replaceChildren() }),
        neighbours);
      this.opened.scrollIntoView({ block: "nearest" });
    } catch (error) {
      this.opened.replaceChildren(alert(error.message));
    }
  }

  /** The images of a class that the evaluation took for another; with several seeds those of the first. */
  async #indices(label, taken) {
    this.known ??= Promise.all([this.#array(this.job.id, "predictions.npy"), this.#labels()]);
    let arrays;
    try {
      arrays = await this.known;
    } catch (error) {
      this.known = null;
      throw error;
    }
    const [{ shape, values }, labels] = arrays;
    const count = shape.at(-1);
    if (labels.length !== count) {
      throw new Error("The dataset has changed since this evaluation: its images cannot be shown.");
    }
    const found = [];
    for (let index = 0; index < count; index += 1) {
      if (labels[index] === label && values[index] === taken) found.push(index);
    }
    return found;
  }

  async #array(id, name) {
    const response = await fetch(artifactPath(id, name));
    if (!response.ok) throw new Error(`${name} of this evaluation is not there any more.`);
    return readNpy(await response.arrayBuffer());
  }

  /** The classes of the test images: of the evaluation itself, or of an embedding of the same images. */
  async #labels() {
    if (artifactOf(this.job, "labels.npy")) return (await this.#array(this.job.id, "labels.npy")).values;
    const name = this.job.result.dataset?.name ?? this.job.result.dataset;
    const query = `kind=embed&state=succeeded&limit=${embeddingsMax}&fields=id,spec,artifacts`;
    const { jobs } = await json(`/jobs?${query}`);
    const embedding = jobs.find((job) => job.spec?.dataset?.name === name
      && (job.spec?.split ?? "test") === "test"
      && !job.spec?.dataset?.limit && artifactOf(job, "labels.npy"));
    if (embedding) return (await this.#array(embedding.id, "labels.npy")).values;
    throw new Error("This evaluation was made by a version that did not keep the classes of its images. "
      + "Evaluate again, or embed the test images of the dataset, to open them here.");
  }
}
