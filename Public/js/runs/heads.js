// The rows of the table between the runs: heads of sections and groups, and the ends of what has been read.
import { h } from "../core/dom.js";
import { percent } from "../core/format.js";
import { outside } from "../core/text.js";

/** What such a row shows, to build it again only when that has changed. */
export function headVersion({ kind, key, section, group, isOpen }) {
  return JSON.stringify([kind, key, section?.title, section?.total, section?.rows.length, group, isOpen]);
}

/** The content of such a row; `actions` has `toggle(group)` and `showQueue()`. */
export function buildHead(entry, actions) {
  const { kind, section } = entry;
  if (kind === "group") return groupHead(entry, actions);
  if (kind === "head") {
    return h("div", { class: "section-head" }, h("h2", {}, section.title), count(section.total));
  }
  if (entry.key !== "queue-more") return h("span", { class: "quiet" }, "Loading more…");
  return h("button", { type: "button", class: "plain", onclick: () => actions.showQueue() },
    `Show all ${section.total.toLocaleString("en")} queued runs`);
}

const count = (total) => h("span", { class: "quiet" }, total.toLocaleString("en"));

function groupHead({ group, isOpen, label }, actions) {
  const name = group.group === "" ? (label === null ? "In no sweep" : "Without this label")
    : label === null ? `Sweep ${group.group}` : group.group;
  return h("div", { class: "section-head" },
    h("button", {
      type: "button", class: "plain", "aria-expanded": String(isOpen), tabindex: -1,
      onclick: () => actions.toggle(group.group),
    }, h("span", { "aria-hidden": "true" }, isOpen ? "▾ " : "▸ "), outside(name, { kind: "line" })),
    count(group.count),
    group.top1 === null ? null : h("span", { class: "quiet" }, `best ${percent(group.top1)}`));
}
