// The embedding of a training: held-back images in the plane, their classes or clusters, and their
// neighbours.
import { tolerate } from "../../core/api.js";
import { announce, h } from "../../core/dom.js";
import { percent } from "../../core/format.js";
import { mayWrite } from "../../core/role.js";
import { outside, shown } from "../../core/text.js";
import { paletteSize, seriesColor } from "../../charts/theme.js";
import { imageList } from "../images.js";
import { dropZone, showNeighbours } from "../neighbours.js";
import { artifactJSON, imagePath } from "../requests.js";
import { artifactOf, section, whenSeen } from "../section.js";
import { clusters } from "./kmeans.js";
import { Scatter } from "./scatter.js";

const name = "projection.json";
const clusterRange = [2, 30];
/** Milliseconds that the pointer must rest before an image is asked for. */
const restMilliseconds = 50;

export class EmbeddingSection {
  constructor({ id }) {
    this.id = id;
    this.body = h("div");
    this.element = section("Embedding", this.body);
  }

  update(job) {
    this.job = job;
    const artifact = artifactOf(job, name);
    this.element.hidden = !artifact;
    if (!artifact || artifact.sha256 === this.digest) return;
    this.digest = artifact.sha256;
    if (this.scatter) return this.#ask();
    this.forget ??= whenSeen(this.element, () => this.#ask().catch(tolerate));
  }

  destroy() {
    this.forget?.();
    clearTimeout(this.timer);
    this.scatter?.destroy();
  }

  async #ask() {
    this.data = await artifactJSON(this.id, name);
    this.scatter?.destroy();
    this.#build();
  }

  get #dataset() {
    const { name: dataset, split = "train" } = this.job.spec?.dataset ?? {};
    return { dataset, split };
  }

  get #hasLabels() {
    return Array.isArray(this.data.labels) && this.data.labels.some((label) => label !== null);
  }

  #build() {
    const { points, explained_variance: shares, step } = this.data;
    const axes = shares?.length === 2
      ? ` The axes have ${percent(shares[0])} and ${percent(shares[1])} of the variance.` : "";
    const [count, at] = [points.length, step ?? 0].map((value) => value.toLocaleString("en"));
    const about = `${count} held-back images at step ${at}, on the two principal axes of their features.`
      + axes;
    this.scatter = new Scatter(points, {
      label: about, onPoint: (index) => this.#showImage(index), onPick: (index) => this.#pick(index),
        onLasso: (indices) => this.#catch(indices),
    });
    this.tip = h("div", { class: "scatter-tip", hidden: true, "aria-hidden": "true" });
    this.legend = h("ul", { class: "legend" });
    this.opened = h("div");
    this.neighbours = h("div");
    this.body.replaceChildren(
      h("p", { class: "quiet" }, about), this.#controls(),
      h("div", { class: "embedding" },
        h("div", { class: "scatter-area" }, this.scatter.canvas, this.tip),
        h("div", { class: "embedding-side" }, this.legend, this.#drop(), this.neighbours, this.opened)));
    this.#group();
  }

  #drop() {
    if (!mayWrite()) return null;
    const { dataset, split } = this.#dataset;
    return dropZone((file) => showNeighbours(this.neighbours, this.id, { dataset, searched: split, file }));
  }

  #controls() {
    const options = [...(this.#hasLabels ? [["class", "Class"]] : []), ["cluster", "Cluster"]];
    this.by = h("select", { "aria-label": "Colour by", onchange: () => this.#group() },
      options.map(([value, text]) => h("option", { value }, text)));
    this.count = h("input", {
      type: "number", min: clusterRange[0], max: clusterRange[1],
        value: this.data.classes?.length > 1 ? Math.min(clusterRange[1], this.data.classes.length) : 8,
      class: "cluster-count", "aria-label": "Number of clusters", oninput: () => this.#group(),
    });
    const lasso = h("button", { type: "button", "aria-pressed": "false", onclick: () => {
      this.scatter.isLasso = !this.scatter.isLasso;
      lasso.setAttribute("aria-pressed", String(this.scatter.isLasso));
    } }, "Lasso");
    const button = (text, label, act) => h("button",
      { type: "button", "aria-label": label, title: label, onclick: act }, text);
    this.countLabel = h("label", {}, this.count, " clusters");
    return h("div", { class: "controls chart-controls" },
      h("label", {}, "Colour by ", this.by), this.countLabel, lasso,
      h("span", { class: "zoom-buttons" }, button("+", "Zoom in", () => this.scatter.zoomBy(1.5)),
        button("−", "Zoom out", () => this.scatter.zoomBy(1 / 1.5)),
        button("Show all", "Show all points", () => this.scatter.reset())),
      h("span", { class: "quiet" }, "Drag to move, Shift-drag for a lasso, wheel after a click to zoom."));
  }

  /** Colours the points by class or by cluster, and lists these. */
  #group() {
    const isCluster = this.by.value === "cluster";
    this.countLabel.hidden = !isCluster;
    const { points, labels, classes } = this.data;
    const count = Math.min(clusterRange[1], Math.max(clusterRange[0],
      Math.round(Number(this.count.value)) || clusterRange[0]));
    this.groups = isCluster ? clusters(points, count) : labels.map((label) => label ?? -1);
    const total = Math.max(0, ...this.groups) + 1;
    const colors = Array.from({ length: total }, (_, index) => groupColor(index, total));
    this.names = Array.from({ length: total }, (_, index) =>
      (isCluster ? `Cluster ${index + 1}` : String(classes?.[index] ?? `class ${index}`)));
    this.scatter.paint(this.groups, colors);
    this.#showLegend(colors, isCluster);
  }

  #showLegend(colors, isCluster) {
    const members = this.names.map(() => []);
    this.groups.forEach((group, index) => members[group]?.push(index));
    this.legend.replaceChildren(...members.map((indices, group) => {
      const button = h("button", {
        type: "button", "aria-pressed": "false", onclick: () => this.#choose(group, indices, button),
      }, h("i", { class: "swatch", style: { background: colors[group].startsWith("--")
        ? `var(${colors[group]})` : colors[group] } }),
      outside(this.names[group]), h("span", { class: "quiet" },
        ` ${indices.length.toLocaleString("en")}${isCluster ? this.#majority(indices) : ""}`));
      return h("li", {}, button);
    }));
  }

  /** Which class most images of a cluster have. */
  #majority(indices) {
    if (!this.#hasLabels || indices.length === 0) return "";
    const counts = new Map();
    for (const index of indices) counts.set(this.data.labels[index],
      (counts.get(this.data.labels[index]) ?? 0) + 1);
    const [[label, count]] = [...counts].sort((a, b) => b[1] - a[1]);
    return label === null ? ""
      : `, ${percent(count / indices.length)} ${shown(this.data.classes?.[label] ?? `class ${label}`)}`;
  }

  /** Lets one group stand out and shows its images, or none again. */
  #choose(group, indices, button) {
    const isOn = button.getAttribute("aria-pressed") === "true";
    for (const other of this.legend.querySelectorAll("button")) other.setAttribute("aria-pressed",
      String(other === button && !isOn));
    this.scatter.show(isOn ? null : group);
    if (isOn) this.opened.replaceChildren();
    else this.#open(indices, this.names[group]);
  }

  #catch(indices) {
    this.scatter.mark(indices);
    this.#open(indices, "Selected with the lasso");
    announce(`${indices.length} images`);
  }

  #open(indices, heading) {
    const { dataset, split } = this.#dataset;
    const items = indices.map((point) => ({ index: this.data.indices[point], caption: this.#className(point),
      title: this.#title(point) }));
    const onPick = mayWrite() ? (item) => this.#find(item.index) : null;
    this.opened.replaceChildren(imageList(dataset, split, items, {
      heading: `${shown(heading)}: ${indices.length.toLocaleString("en")}`, onPick,
      onClose: () => { this.opened.replaceChildren(); this.scatter.mark([]); },
    }));
  }

  #className(point) {
    const label = this.data.labels?.[point];
    return label === null || label === undefined ? String(this.data.indices[point])
      : String(this.data.classes?.[label] ?? `class ${label}`);
  }

  #title(point) {
    const label = this.data.labels?.[point];
    const kind = label === null || label === undefined ? "" : `: ${this.#className(point)}`;
    return `Image ${this.data.indices[point]}${kind}`;
  }

  /** Shows the image of the point at the pointer. */
  #showImage(index) {
    clearTimeout(this.timer);
    this.tip.hidden = index < 0;
    if (index < 0) return;
    const [x, y] = this.scatter.placeOf(index);
    const isRight = x > this.scatter.width / 2;
    this.tip.style.setProperty("left", isRight ? "auto" : `${x + 14}px`);
    this.tip.style.setProperty("right", isRight ? `${this.scatter.width - x + 14}px` : "auto");
    this.tip.style.setProperty("top", `${Math.min(Math.max(0, y - 40), this.scatter.height - 110)}px`);
    this.tip.replaceChildren(h("span", {}, shown(this.#title(index))));
    if (document.activeElement === this.scatter.canvas) announce(this.#title(index));
    this.timer = setTimeout(() => {
      const { dataset, split } = this.#dataset;
      this.tip.prepend(h("img", { src: imagePath(dataset, split, this.data.indices[index]), alt: "",
        width: 80, height: 80 }));
    }, restMilliseconds);
  }

  #pick(index) {
    this.scatter.mark([index]);
    if (mayWrite()) this.#find(this.data.indices[index]);
    else this.#open([index], this.#title(index));
  }

  #find(index) {
    const { dataset, split } = this.#dataset;
    showNeighbours(this.neighbours, this.id, { dataset, split, searched: split, index }).catch(tolerate);
  }
}

/** The palette where it has enough colours, else hues at equal distances, light and dark by turns. */
function groupColor(index, total) {
  if (total <= paletteSize) return seriesColor(index);
  return `oklch(${index % 2 === 0 ? 60 : 72}% 0.15 ${Math.round((360 * index) / total)})`;
}
