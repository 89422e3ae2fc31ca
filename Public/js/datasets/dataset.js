// The page of one dataset: its images, its classes, and what its import left out.
import { Problem, tolerate } from "../core/api.js";
import { ask } from "../core/dialog.js";
import { h, repeat, replaceIfNew } from "../core/dom.js";
import { bytes, moment, number } from "../core/format.js";
import { alert, table } from "../core/parts.js";
import { mayWrite } from "../core/role.js";
import { rememberQuery } from "../core/router.js";
import { outside, shown } from "../core/text.js";
import { datasetsAPI, isBuiltIn, shapeText } from "./data.js";
import { count, stateOf } from "./list.js";

/** Images on a sheet; how many can be chosen. */
const sheetCounts = [36, 64, 144, 400];
const splits = ["train", "test", "unlabelled"];
/** Classes whose bars are shown before a button shows all. */
const classesMax = 200;

/** Fills `main` with the dataset `groups[0]` and keeps it up to date; returns a function that stops. */
export function show(main, { groups: [name], query }) {
  const page = new DatasetPage(main, decoded(name), query);
  return repeat(1, () => page.update());
}

/** Decodes a name from an address; a name that is not validly encoded is kept as written. */
function decoded(name) {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

class DatasetPage {
  constructor(main, name, query) {
    this.name = name;
    this.view = {
      split: query.get("split") ?? "",
      label: query.get("class") ?? "",
      count: query.get("count") ?? "64",
    };
    this.state = h("p", {});
    this.buttons = h("div", { class: "buttons" });
    this.problem = h("div", { class: "problem" });
    this.message = h("div", {});
    this.facts = h("div", {});
    this.sample = h("section", { hidden: true, "aria-label": "Sample" });
    this.classes = h("section", { hidden: true, "aria-label": "Classes" });
    this.skipped = h("section", { hidden: true });
    document.title = `${shown(name)} · vicregd`;
    main.replaceChildren(
      h("div", { class: "head" }, h("div", {}, h("h1", {}, outside(name)), this.state), this.buttons),
      this.problem,
      this.message,
      this.facts,
      h("div", { class: "dataset-parts" }, this.sample, this.classes),
      this.skipped,
    );
  }

  async update() {
    let dataset;
    try {
      dataset = await datasetsAPI.one(this.name);
    } catch (error) {
      tolerate(error);
      if (error.status !== 404 && error.status !== 422) return true;
      this.#showGone(error.message);
      return false;
    }
    this.dataset = dataset;
    replaceIfNew(this.state, dataset.state, () => stateOf(dataset));
    this.#drawButtons(dataset);
    await this.#drawMessage(dataset);
    replaceIfNew(this.facts, JSON.stringify(dataset), () => facts(dataset));
    this.#drawSample(dataset);
    this.#drawClasses(dataset);
    this.#drawSkipped(dataset);
    return !isBuiltIn(dataset);
  }

  #drawButtons(dataset) {
    if (!mayWrite()) return;
    const isReady = dataset.state === "ready";
    replaceIfNew(this.buttons, dataset.state, () => [
      isReady
        ? h("a", {
          class: "button main",
          href: `#/new?kind=train&dataset=${encodeURIComponent(this.name)}`,
        }, "Train on this")
        : null,
      isBuiltIn(dataset)
        ? null
        : h("button", { type: "button", onclick: (event) => this.#delete(event.currentTarget) }, "Delete…"),
    ]);
  }

  /** How far an import is, or why it failed. */
  async #drawMessage({ state, message, job: id }) {
    let job = null;
    try {
      if (state === "importing" && id) job = await datasetsAPI.job(id);
    } catch (error) {
      tolerate(error);
    }
    replaceIfNew(this.message, JSON.stringify([state, message, job?.latest, job?.state]), () => [
      message && state === "failed" ? alert(message) : message ? outside(message, { name: "p" }) : null,
      state === "importing"
        ? h(
          "div",
          { class: "card import" },
          h("p", {}, importText(job)),
          h("progress", { "aria-label": "Import" }),
          id ? h("p", {}, h("a", { href: `#/jobs/${id}` }, "The import's job")) : null,
        )
        : null,
      state === "failed" && id
        ? h("p", {}, h("a", { href: `#/jobs/${id}` }, "The import's job and its log"))
        : null,
    ]);
  }

  #drawSample(dataset) {
    const has = splits.filter((split) => dataset.counts?.[split] > 0);
    this.sample.hidden = dataset.state !== "ready" || has.length === 0;
    if (this.sample.hidden) return;
    if (!has.includes(this.view.split)) this.view.split = has[0];
    const labels = dataset.classes ?? [];
    if (!labels.includes(this.view.label)) this.view.label = "";
    replaceIfNew(
      this.sample,
      JSON.stringify([dataset.digest, has, labels]),
      () => this.#sampleParts(has, labels, dataset),
    );
    this.#showSheet();
  }

  #sampleParts(has, labels, dataset) {
    this.split = choice(
      "Split",
      has.map((split) => [split, `${split} (${count(dataset.counts[split])})`]),
      (split) => this.#look({ split }),
    );
    this.label = choice(
      "Class",
      [["", "all classes"], ...labels.map((label) => [label, shown(label)])],
      (label) => this.#look({ label }),
    );
    this.count = choice(
      "Images",
      sheetCounts.map((number) => [String(number), `${number} images`]),
      (number) => this.#look({ count: number }),
    );
    this.sheet = h("img", { class: "sample", decoding: "async" });
    this.sheetProblem = h(
      "p",
      { class: "quiet", hidden: true },
      "This part of the dataset has no such images.",
    );
    this.sheet.addEventListener("error", () => {
      this.sheetProblem.hidden = false;
    });
    this.sheet.addEventListener("load", () => {
      this.sheetProblem.hidden = true;
    });
    const isLabelled = labels.length > 0;
    return [
      h(
        "div",
        { class: "toolbar" },
        h("h2", {}, "Sample"),
        this.split,
        isLabelled ? this.label : null,
        this.count,
      ),
      this.sheet,
      this.sheetProblem,
    ];
  }

  #look(change) {
    Object.assign(this.view, change);
    const { split, label, count: images } = this.view;
    rememberQuery({ split, class: label, count: images === "64" ? "" : images });
    this.#showSheet();
    this.classes.querySelectorAll("tr[data-class]").forEach((row) =>
      row.classList.toggle("selected", row.dataset.class === this.view.label)
    );
  }

  #showSheet() {
    const { split, label, count: images } = this.view;
    this.split.value = split;
    this.label.value = label;
    this.count.value = images;
    const path = datasetsAPI.samplePath(this.name, {
      split,
      count: images,
      label,
      version: this.dataset.digest,
    });
    if (this.sheet.getAttribute("src") === path) return;
    this.sheet.setAttribute("src", path);
    this.sheet.setAttribute(
      "alt",
      `${images} images of the ${split} split${label ? `, class ${shown(label)}` : ""}`,
    );
  }

  #drawClasses(dataset) {
    const { classes, class_counts: counts } = dataset;
    this.classes.hidden = !classes || !counts;
    if (this.classes.hidden) return;
    replaceIfNew(this.classes, JSON.stringify([classes, counts]), () => {
      const most = Math.max(1, ...Object.values(counts).flatMap((split) => Object.values(split)));
      const has = Object.keys(counts).sort((one, other) => splits.indexOf(one) - splits.indexOf(other));
      // The bars, which are those of the first split, have a column of their own.
      const columns = ["Class", "", ...has];
      const body = h("tbody", {});
      const add = (labels) => body.append(...labels.map((label) => this.#classRow(label, has, counts, most)));
      add(classes.slice(0, classesMax));
      const more = classes.length > classesMax && h("button", {
        type: "button",
        onclick: () => {
          add(classes.slice(classesMax));
          more.remove();
        },
      }, `Show all ${classes.length} classes`);
      return [
        h("h2", {}, `${classes.length} classes`),
        h(
          "table",
          { class: "dense classes" },
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              columns.map((name) =>
                h(
                  "th",
                  { scope: "col", class: name !== "Class" && "figure" },
                  name || h("span", { class: "unseen" }, "Share of the largest class"),
                )
              ),
            ),
          ),
          body,
        ),
        more,
      ];
    });
  }

  #classRow(label, has, counts, most) {
    const pick = () => this.#look({ label: this.view.label === label ? "" : label });
    return h(
      "tr",
      { "data-class": label, class: this.view.label === label && "selected" },
      h(
        "th",
        { scope: "row" },
        h(
          "button",
          { type: "button", class: "plain", title: "Show its images", onclick: pick },
          outside(label),
        ),
      ),
      h(
        "td",
        { class: "share" },
        h("span", { class: "bar", style: { "--share": (counts[has[0]]?.[label] ?? 0) / most } }),
      ),
      has.map((split) => h("td", { class: "figure" }, count(counts[split]?.[label] ?? 0))),
    );
  }

  #drawSkipped({ skipped, skipped_count: total, job }) {
    this.skipped.hidden = !total;
    if (!total) return;
    replaceIfNew(this.skipped, JSON.stringify([skipped, total, job]), () => [
      h("h2", {}, `${count(total)} ${total === 1 ? "file" : "files"} skipped`),
      table(["File", "Reason"], skipped.map(({ path, reason }) => [outside(path), outside(reason)])),
      total > skipped.length
        ? h(
          "p",
          { class: "quiet" },
          `The first ${skipped.length}. `,
          job
            ? h(
              "a",
              { href: `/jobs/${job}/artifacts/skipped.json`, download: "skipped.json" },
              "skipped.json",
            )
            : null,
          job ? " has more." : null,
        )
        : null,
    ]);
  }

  async #delete(button) {
    const isSure = await ask({
      title: `Delete ${shown(this.name)}?`,
      action: "Delete the dataset",
      isDanger: true,
      content: h("p", {}, "Its images are removed from the daemon's disk. Runs that used it stay."),
    });
    if (!isSure) return;
    button.disabled = true;
    this.problem.replaceChildren();
    try {
      await datasetsAPI.remove(this.name);
      location.hash = "#/datasets";
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.problem.replaceChildren(alert(error.message));
    } finally {
      button.disabled = false;
    }
  }

  #showGone(text) {
    for (const part of [this.state, this.buttons, this.facts, this.sample, this.classes, this.skipped]) {
      part.hidden = true;
    }
    this.message.replaceChildren(alert(text), h("p", {}, h("a", { href: "#/datasets" }, "All datasets")));
  }
}

function importText(job) {
  const { images, written, skipped } = job?.latest ?? {};
  if (!Number.isFinite(images)) {
    return job?.state === "queued" ? "The import waits for a free worker." : "Importing…";
  }
  return `${count(images)} images read, ${count(written)} written, ${count(skipped ?? 0)} skipped so far`;
}

function choice(label, options, onPick) {
  const select = h(
    "select",
    { "aria-label": label, onchange: () => onPick(select.value) },
    options.map(([value, text]) => h("option", { value }, text)),
  );
  return select;
}

function facts(dataset) {
  const { counts, classes, mean, std, digest, source, job, created_at: createdAt } = dataset;
  const isKnown = Array.isArray(mean);
  const figures = (values) => values.map((value) => number(value)).join(", ");
  const entries = [
    ...splits.filter((split) => counts?.[split] > 0).map((
      split,
    ) => [`Images, ${split}`, count(counts[split])]),
    ["Classes", classes ? classes.length : counts ? "unlabelled" : null],
    ["Image size", dataset.shape ? shapeText(dataset) : null],
    ["Mean per channel", isKnown ? figures(mean) : null],
    ["Std per channel", isKnown ? figures(std) : null],
    ["Files", Number.isFinite(dataset.bytes) ? bytes(dataset.bytes) : null],
    ["Source", outside(source)],
    ["Created", createdAt ? moment(createdAt) : null],
    ["Import", job ? h("a", { href: `#/jobs/${job}` }, h("code", {}, job.slice(-5))) : null],
    ["Digest", digest ? h("code", { title: digest, class: "digest" }, digest) : null],
  ];
  return h(
    "dl",
    { class: "facts" },
    entries.filter(([, value]) => value !== null && value !== undefined)
      .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}
