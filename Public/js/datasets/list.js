// The list of datasets, and the form that uploads one.
import { tolerate } from "../core/api.js";
import { h, refresh, repeat } from "../core/dom.js";
import { bytes, moment } from "../core/format.js";
import { tableHead, tableRow } from "../core/parts.js";
import { mayWrite } from "../core/role.js";
import { outside } from "../core/text.js";
import { UploadForm } from "../core/upload-form.js";
import { datasetsAPI, shapeText } from "./data.js";

const columns = [
  "Dataset",
  "State",
  "Training images",
  "Test images",
  "Classes",
  "Image size",
  "Files",
  "Source",
  "Created",
];
const figures = [2, 3, 4, 6];
const hint =
  "tar, tar.gz, tar.xz or zip of PNG, JPEG or WebP files in train/CLASS/ and test/CLASS/, in CLASS/, or in " +
  "no class; also CIFAR, MNIST, STL-10, .npz";

/** Fills `main` with the list and keeps it up to date; returns a function that stops. */
export function show(main) {
  const page = new DatasetsPage(main);
  const stopList = repeat(1, () => page.update());
  return () => {
    stopList();
    page.stopDrops?.();
  };
}

class DatasetsPage {
  constructor(main) {
    this.body = h("tbody", { role: "rowgroup" });
    this.table = h(
      "table",
      { class: "stack library", role: "table", hidden: true },
      tableHead(columns),
      this.body,
    );
    this.empty = h("p", { class: "empty", hidden: true }, "No datasets.");
    let form = null;
    if (mayWrite()) {
      form = new UploadForm({
        kind: "dataset",
        path: "/datasets/{name}",
        accept: ".tar,.gz,.tgz,.xz,.txz,.zip",
        hint,
        onDone: ({ name }) => {
          location.hash = `#/datasets/${encodeURIComponent(name)}`;
        },
      });
      this.stopDrops = form.acceptDrops(main);
    }
    for (const index of figures) this.table.querySelectorAll("thead th")[index].classList.add("figure");
    main.replaceChildren(
      h(
        "div",
        { class: "head" },
        h("h1", {}, "Datasets"),
        h(
          "div",
          { class: "buttons" },
          form ? h("a", { class: "button", href: "#/new?kind=import" }, "Import a path of the server") : null,
        ),
      ),
      ...(form ? [form.element] : []),
      this.table,
      this.empty,
    );
  }

  async update() {
    try {
      const datasets = await datasetsAPI.all();
      this.table.hidden = datasets.length === 0;
      this.empty.hidden = datasets.length > 0;
      refresh(this.body, datasets, (dataset) => dataset.name, row);
    } catch (error) {
      tolerate(error);
    }
  }
}

function row(dataset) {
  const { name, state, counts, classes, problem, created_at: createdAt } = dataset;
  const result = tableRow(columns, [
    h("a", { href: `#/datasets/${encodeURIComponent(name)}` }, outside(name)),
    [stateOf(dataset), state === "failed" ? outside(problem, { isCut: true, kind: "quiet" }) : null],
    count(counts?.train),
    count(counts?.test),
    classes ? classes.length : counts ? "unlabelled" : "–",
    shapeText(dataset),
    dataset.bytes === null || dataset.bytes === undefined ? "–" : bytes(dataset.bytes),
    outside(dataset.source, { isCut: true }),
    createdAt ? h("time", { datetime: createdAt }, moment(createdAt)) : "–",
  ]);
  for (const index of figures) result.children[index].classList.add("figure");
  return result;
}

/** Images with separators; a dash where that is not known. */
export const count = (images) => (Number.isFinite(images) ? images.toLocaleString("en") : "–");

/** The state of a dataset as a chip. */
export function stateOf({ state }) {
  const looks = { ready: "succeeded", importing: "running", failed: "failed" }[state] ?? "";
  return h("span", { class: `state ${looks}` }, state);
}
