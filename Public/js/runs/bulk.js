// What can be done with several runs at once.
import { Problem, request } from "../core/api.js";
import { ask } from "../core/dialog.js";
import { h } from "../core/dom.js";
import { actions, isOver, title } from "../core/format.js";
import { alert } from "../core/parts.js";
import { mayWrite } from "../core/role.js";
import { outside } from "../core/text.js";

/** Requests at the same time. */
const requestsMax = 4;
/** Refusals that are shown; the rest is counted. */
const refusalsMax = 5;

const count = (rows) => `${rows.length} ${rows.length === 1 ? "run" : "runs"}`;
const post = (row, action, body = {}) =>
  request(`/jobs/${row.id}/${action}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
/** Changes members of a job by a merge patch. */
export const patch = (row, body) =>
  request(`/jobs/${row.id}`, {
    method: "PATCH",
    headers: { "Content-Type": "application/merge-patch+json" },
    body: JSON.stringify(body),
  });

/** The bar for the selected runs. `clear()` ends the selection. */
export class Bulk {
  constructor({ clear }) {
    this.clear = clear;
    this.rows = [];
    this.text = h("b", { class: "count" });
    this.compare = h("a", { class: "button" }, "Compare");
    const change = (action, done) => this.#run(this.#able(action), (row) => post(row, action), done);
    this.buttons = {
      pause: this.#button("Pause", () => change("pause", "pausing")),
      resume: this.#button("Resume", () => change("resume", "resumed")),
      cancel: this.#button("Cancel…", () => this.#cancel()),
      label: this.#button("Label…", () => this.#label()),
      delete: this.#button("Delete…", () => this.#delete()),
    };
    this.result = h("div", { role: "status", class: "bulk-result" });
    const dismiss = h(
      "button",
      { type: "button", class: "plain", onclick: () => clear() },
      "Clear selection",
    );
    this.bar = h(
      "div",
      { class: "bulk", role: "toolbar", "aria-label": "Selected runs", hidden: true },
      this.text,
      this.compare,
      ...Object.values(this.buttons),
      dismiss,
    );
    this.element = h("div", { class: "bulk-place" }, this.bar, this.result);
  }

  /** Shows the bar for these runs. */
  show(rows) {
    this.rows = rows;
    this.bar.hidden = rows.length === 0;
    this.text.textContent = `${rows.length} selected`;
    this.compare.href = compareAddress(rows);
    const able = {
      pause: this.#able("pause").length,
      resume: this.#able("resume").length,
      cancel: this.#able("cancel").length,
      label: rows.length,
      delete: rows.filter(isOver).length,
    };
    for (const [name, button] of Object.entries(this.buttons)) {
      button.hidden = able[name] === 0 || !mayWrite();
    }
  }

  #button(text, onclick) {
    return h("button", { type: "button", onclick }, text);
  }

  #able(action) {
    return this.rows.filter((row) => actions(row).includes(action));
  }

  /** Sends a request for each row and says how it went. */
  async #run(rows, send, done) {
    this.result.replaceChildren();
    const refusals = [];
    let index = 0;
    const work = async () => {
      while (index < rows.length) {
        const row = rows[index++];
        try {
          await send(row);
        } catch (error) {
          if (!(error instanceof Problem)) throw error;
          refusals.push([row, error.message]);
        }
      }
    };
    await Promise.all(Array.from({ length: requestsMax }, work));
    const well = rows.length - refusals.length;
    this.result.replaceChildren(
      well > 0 ? h("p", { class: "quiet" }, `${well} ${well === 1 ? "run" : "runs"} ${done}.`) : "",
      ...refusals.slice(0, refusalsMax).map(([row, text]) => alert(`${title(row)}: ${text}`)),
      refusals.length > refusalsMax ? h("p", {}, `${refusals.length - refusalsMax} more were refused.`) : "",
    );
    clearTimeout(this.timer);
    // A refusal stays until the next action; a success need not.
    if (refusals.length === 0) this.timer = setTimeout(() => this.result.replaceChildren(), 6000);
  }

  async #cancel() {
    const rows = this.#able("cancel");
    const now = h("input", { type: "radio", name: "mode", value: "now" });
    const graceful = h("input", { type: "radio", name: "mode", value: "graceful", checked: true });
    const isRunning = rows.some((row) => ["running", "pausing"].includes(row.state));
    const isSure = await ask({
      title: `Cancel ${count(rows)}?`,
      action: `Cancel ${count(rows)}`,
      isDanger: true,
      content: [
        names(rows),
        isRunning &&
        h(
          "p",
          {},
          h("label", {}, graceful, " Write a checkpoint first"),
          h("br"),
          h("label", {}, now, " Stop at once, without a checkpoint"),
        ),
      ],
    });
    if (!isSure) return;
    const mode = now.checked ? "now" : "graceful";
    await this.#run(rows, (row) => post(row, "cancel", { mode }), "cancelled");
  }

  async #delete() {
    const rows = this.rows.filter(isOver);
    const left = this.rows.length - rows.length;
    const isSure = await ask({
      title: `Delete ${count(rows)}?`,
      action: `Delete ${count(rows)}`,
      isDanger: true,
      content: [
        names(rows),
        h("p", {}, "Metrics, checkpoints and artifacts are removed. This cannot be undone."),
        left > 0 &&
        h("p", {}, `${left} selected ${left === 1 ? "run has" : "runs have"} not finished and will be kept.`),
      ],
    });
    if (!isSure) return;
    await this.#run(rows, (row) => request(`/jobs/${row.id}`, { method: "DELETE" }), "deleted");
  }

  async #label() {
    const { rows } = this;
    const key = h("input", { type: "text", id: "label-key", autocomplete: "off", list: "label-keys" });
    const value = h("input", { type: "text", id: "label-value", autocomplete: "off" });
    const remove = h("input", {
      type: "checkbox",
      onchange: () => {
        value.disabled = remove.checked;
      },
    });
    const keys = [...new Set(rows.flatMap((row) => Object.keys(row.labels)))].sort();
    const isSure = await ask({
      title: `Label ${count(rows)}`,
      action: "Apply",
      content: [
        h(
          "p",
          { class: "field" },
          h("label", { for: "label-key" }, "Key"),
          key,
          h("datalist", { id: "label-keys" }, keys.map((one) => h("option", { value: one }))),
        ),
        h("p", { class: "field" }, h("label", { for: "label-value" }, "Value"), value),
        h("p", {}, h("label", {}, remove, " Remove the label with this key")),
        keys.length > 0 &&
        h(
          "p",
          { class: "quiet" },
          "Labels now: ",
          keys.map((one, index) => [index ? ", " : "", outside(one)]),
        ),
      ],
    });
    if (!isSure || key.value === "") return;
    const labels = { [key.value]: remove.checked ? null : value.value };
    const changed = remove.checked ? rows.filter((row) => key.value in row.labels) : rows;
    await this.#run(changed, (row) => patch(row, { labels }), "labelled");
  }
}

/** The address of the comparison of these runs. */
export const compareAddress = (rows) => `#/compare?jobs=${rows.map((row) => row.id).join(",")}`;

/** The first names of what an action concerns. */
function names(rows) {
  const shownMax = 6;
  return h(
    "ul",
    { class: "names" },
    rows.slice(0, shownMax).map((row) => h("li", {}, outside(title(row), { kind: "line" }))),
    rows.length > shownMax ? h("li", {}, `and ${rows.length - shownMax} more`) : null,
  );
}
