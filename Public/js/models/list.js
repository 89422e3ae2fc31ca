// The models that were uploaded: what each is, and what may be done with it.
import { json, Problem, request, tolerate } from "../core/api.js";
import { ask } from "../core/dialog.js";
import { h, refresh, repeat, replaceIfNew } from "../core/dom.js";
import { bytes, moment, title } from "../core/format.js";
import { alert, tableHead, tableRow } from "../core/parts.js";
import { mayWrite } from "../core/role.js";
import { outside, shown } from "../core/text.js";
import { UploadForm } from "../core/upload-form.js";

const columns = ["Model", "Network", "Image size", "Parameters", "File", "SHA-256", "Uploaded", ""];
const figures = [3, 4];
const runColumns = ["Run", "Network", "Method", "Finished", "Export"];
/** Runs whose encoders can be exported, newest first. */
const runsMax = 20;
const hint = "a ResNet as a .safetensors file with torchvision's names, as a run's page exports it";
const path = (name) => `/models/${encodeURIComponent(name)}`;

/** Fills `main` with the list and keeps it up to date; returns a function that stops. */
export function show(main) {
  const page = new ModelsPage(main);
  const stopList = repeat(
    1,
    () => page.update(),
    ({ name }) => ["end", "state", "deleted", "resync"].includes(name),
  );
  return () => {
    stopList();
    page.stopDrops?.();
  };
}

class ModelsPage {
  constructor(main) {
    this.problem = h("div", { class: "problem" });
    this.body = h("tbody", { role: "rowgroup" });
    this.table = h(
      "table",
      { class: "stack library", role: "table", hidden: true },
      tableHead(columns),
      this.body,
    );
    for (const index of figures) this.table.querySelectorAll("thead th")[index].classList.add("figure");
    this.table.querySelector("thead th:last-child").append(h("span", { class: "unseen" }, "Actions"));
    this.empty = h(
      "div",
      { class: "empty", hidden: true },
      h("p", {}, "No models yet. An uploaded encoder can be evaluated, and training can start from it."),
    );
    this.runs = h("tbody", { role: "rowgroup" });
    this.exports = h(
      "section",
      { hidden: true },
      h("h2", {}, "Encoders of runs"),
      h("p", { class: "quiet" }, "Each can be exported from its run's page, with all its checkpoints."),
      h("table", { class: "stack library", role: "table" }, tableHead(runColumns), this.runs),
    );
    let form = null;
    if (mayWrite()) {
      form = new UploadForm({
        kind: "model",
        path: "/models/{name}",
        accept: ".safetensors",
        hint,
        onDone: () => this.update(),
      });
      this.stopDrops = form.acceptDrops(main);
    }
    main.replaceChildren(
      h("h1", {}, "Models"),
      ...(form ? [form.element] : []),
      this.problem,
      h("section", {}, this.table, this.empty),
      this.exports,
    );
  }

  async update() {
    try {
      const { models } = await json("/models");
      this.table.hidden = models.length === 0;
      this.empty.hidden = models.length > 0;
      refresh(this.body, models, (model) => model.name, (model) => this.#row(model));
      await this.#showRuns();
    } catch (error) {
      tolerate(error);
    }
  }

  #row(model) {
    const { name } = model;
    const result = tableRow(columns, [
      h(
        "a",
        { href: `${path(name)}/export`, download: `${name}.safetensors`, title: "Download the file" },
        outside(name),
      ),
      network(model),
      model.image_size ? `${model.image_size} px` : h("span", { class: "quiet" }, "of each dataset"),
      model.parameters.toLocaleString("en"),
      bytes(model.bytes),
      h("code", { title: model.digest }, `${model.digest.slice(0, 12)}…`),
      h("time", { datetime: model.created_at }, moment(model.created_at)),
      mayWrite()
        ? h(
          "span",
          { class: "row-actions" },
          h("a", { href: `#/new?kind=evaluate&model=${encodeURIComponent(name)}` }, "Evaluate"),
          h("a", { href: `#/new?kind=train&model=${encodeURIComponent(name)}` }, "Start from it"),
          h("button", {
            type: "button",
            class: "plain",
            onclick: (event) => this.#delete(name, event.currentTarget),
          }, "Delete…"),
        )
        : null,
    ]);
    for (const index of figures) result.children[index].classList.add("figure");
    return result;
  }

  async #showRuns() {
    const query = new URLSearchParams({
      kind: "train",
      state: "succeeded",
      sort: "-finished_at",
      limit: runsMax,
      fields: "id,kind,name,spec,finished_at",
    });
    const { jobs, total } = await json(`/jobs?${query}`);
    this.exports.hidden = jobs.length === 0;
    replaceIfNew(
      this.exports.querySelector("h2"),
      total,
      () => (total > jobs.length
        ? `Encoders of runs, the latest ${jobs.length} of ${total}`
        : "Encoders of runs"),
    );
    refresh(this.runs, jobs, (job) => job.id, runRow);
  }

  async #delete(name, button) {
    const isSure = await ask({
      title: `Delete ${shown(name)}?`,
      action: "Delete the model",
      isDanger: true,
      content: h("p", {}, "Its file is removed from the daemon's disk."),
    });
    if (!isSure) return;
    button.disabled = true;
    this.problem.replaceChildren();
    try {
      await request(path(name), { method: "DELETE" });
      await this.update();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.problem.replaceChildren(alert(error.message));
    } finally {
      button.disabled = false;
    }
  }
}

/** "resnet18, width 64, cifar stem, fc 512" */
function network({ arch, width, stem, fc }) {
  return [arch, `width ${width}`, `${stem} stem`, fc && `fc ${fc}`].filter(Boolean).join(", ");
}

function runRow(job) {
  const { encoder, method } = job.spec ?? {};
  const exported = (format) =>
    h(
      "a",
      { href: `/jobs/${job.id}/export?format=${format}`, download: "" },
      format === "onnx" ? "ONNX" : format,
    );
  return tableRow(runColumns, [
    h("a", { href: `#/jobs/${job.id}` }, outside(title(job), { isCut: true })),
    encoder ? network(encoder) : "–",
    method ?? "–",
    h("time", { datetime: job.finished_at }, moment(job.finished_at)),
    h("span", { class: "row-actions" }, exported("safetensors"), exported("onnx")),
  ]);
}
