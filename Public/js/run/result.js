// What an evaluation has found: its accuracy beside the baselines, the classes, and what is taken for what.
import { tolerate } from "../core/api.js";
import { h, replaceIfNew } from "../core/dom.js";
import { percent } from "../core/format.js";
import { resultSource, resultTable } from "../core/parts.js";
import { outside, shown } from "../core/text.js";
import { Confusion } from "./confusion.js";
import { artifactJSON } from "./requests.js";
import { artifactOf, section } from "./section.js";

/** The 97.5% quantile of the normal distribution. */
const quantile = 1.959964;

export class ResultSection {
  constructor({ id }) {
    this.id = id;
    this.body = h("div", { class: "result-grid" });
    this.element = section("Result", this.body);
    this.element.setAttribute("aria-label", "Result");
  }

  update(job) {
    const { result } = job;
    this.element.hidden = !result || !Number.isFinite(result.top1);
    if (this.element.hidden) return;
    replaceIfNew(this.body, JSON.stringify([result, job.artifacts]), () => {
      const parts = [summary(result)];
      if (result.per_class?.length > 0) parts.push(classes(result));
      if (Array.isArray(result.confusion)) parts.push(new Confusion(job, result.confusion).element);
      else if (artifactOf(job, "confusion.json")) this.#addMatrix(job).catch(tolerate);
      return parts;
    });
  }

  /** Adds the matrix of many classes, which only its file has. */
  async #addMatrix(job) {
    const { confusion } = await artifactJSON(job.id, "confusion.json");
    this.body.append(new Confusion(job, confusion).element);
  }
}

const whole = (count) => count.toLocaleString("en");

/** The figures of an evaluation. */
function summary(result) {
  const facts = [
    ["Top-5", Number.isFinite(result.top5) ? percent(result.top5) : null],
    ["On training images", Number.isFinite(result.train_top1) ? percent(result.train_top1) : null],
    ["95% interval", result.top1_interval ? result.top1_interval.map(percent).join(" to ") : null],
    ["Spread of seeds", Number.isFinite(result.top1_std) ? `${(result.top1_std * 100).toFixed(2)} points`
      : null],
    ["Images", Number.isFinite(result.test_images)
      ? `${whole(result.train_images ?? 0)} to fit, ${whole(result.test_images)} to test` : null],
    ["Ridge", Number.isFinite(result.ridge) ? String(result.ridge) : null],
  ].filter(([, value]) => value !== null);
  return h("article", { class: "card" }, h("h3", {}, "Top-1 accuracy"), resultTable(result),
    resultSource(result),
    h("dl", { class: "facts small" }, facts.map(([name, value]) =>
      h("div", {}, h("dt", {}, name), h("dd", {}, value)))));
}

/** Wilson's 95% interval of a share of `count` images. */
export function wilson(share, count) {
  const z2 = quantile ** 2;
  const middle = (share + z2 / (2 * count)) / (1 + z2 / count);
  const half = (quantile / (1 + z2 / count)) * Math.sqrt((share * (1 - share)) / count
    + z2 / (4 * count * count));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

/** The accuracy of each class as a bar with its interval, the lowest first on request. */
function classes({ per_class: all }) {
  const body = h("tbody");
  const order = h("select", { "aria-label": "Order of the classes", onchange: () => fill() },
    h("option", { value: "dataset" }, "as in the dataset"), h("option", { value: "worst" }, "lowest first"));
  const fill = () => {
    const rows = order.value === "worst" ? [...all].sort((a, b) => a.top1 - b.top1) : all;
    body.replaceChildren(...rows.map(classRow));
  };
  fill();
  return h("article", { class: "card" },
    h("h3", {}, "Accuracy per class"), h("p", { class: "quiet" },
      "Bar: share of the class that is recognised. Line: 95% interval. Order ", order),
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Accuracy per class" },
      h("table", { class: "class-bars" },
        h("thead", { class: "unseen" }, h("tr", {},
          ["Class", "Accuracy", "Images"].map((name) => h("th", { scope: "col" }, name)))), body)));
}

function classRow({ class: name, top1, images }) {
  const [low, high] = images > 0 ? wilson(top1, images) : [0, 1];
  return h("tr", {}, h("th", { scope: "row" }, outside(name)),
    h("td", { class: "wide" }, h("span", {
      class: "bar",
      title: shown(`${name}: ${percent(top1)}, 95% interval ${percent(low)} to ${percent(high)}`),
      style: { "--share": top1, "--low": low, "--high": high },
    }, h("i"))),
    h("td", { class: "figure" }, percent(top1)),
      h("td", { class: "figure quiet" }, images.toLocaleString("en")));
}
