// The compared runs: each with its colour, whether it is shown, and the way to its page.
import { h, replaceIfNew, svg } from "../core/dom.js";
import { percent, title } from "../core/format.js";
import { healthChip } from "../core/parts.js";
import { outside, shown } from "../core/text.js";
import { bestEvaluation } from "../runs/row.js";
import { seriesColor, seriesDash } from "../charts/theme.js";

/** A piece of the line by which the run of that number is drawn. */
export function swatch(index) {
  const dash = seriesDash(index);
  return svg(
    "svg",
    { class: "swatch", viewBox: "0 0 22 8", "aria-hidden": "true" },
    svg("path", {
      d: "M0 4H22",
      stroke: `var(${seriesColor(index)})`,
      ...(dash ? { "stroke-dasharray": dash.join(" ") } : {}),
    }),
  );
}

/** A run as tables name it: its line, and the way to its page. */
export const runName = ({ id, index, job }) =>
  h(
    "div",
    { class: "run-name" },
    swatch(index),
    h("a", { href: `#/jobs/${id}` }, outside(title(job), { kind: "line" })),
  );

/** The best accuracy of a run; null without one. */
export function accuracy(job) {
  const best = Number.isFinite(job.result?.top1) ? job.result : bestEvaluation(job.evaluations ?? []);
  return best ? { top1: best.top1, protocol: best.protocol } : null;
}

/**
 * `toggle(id)` shows a run's curves or hides them, `only(id)` hides all others, `remove(id)` takes it out.
 */
export class Legend {
  constructor(actions) {
    this.actions = actions;
    this.list = h("ul", { class: "compared" });
    this.all = h("button", { type: "button", class: "plain", onclick: () => actions.showAll() }, "Show all");
    this.element = h(
      "section",
      { class: "compare-legend", "aria-label": "Runs" },
      h("div", { class: "legend-head" }, h("h2", {}, "Runs"), this.all),
      this.list,
    );
  }

  show(runs, hidden) {
    this.all.hidden = hidden.size === 0;
    const shownOf = ({ id, job }) => [id, job.name, job.state, job.health, accuracy(job)];
    const version = JSON.stringify([runs.map(shownOf), [...hidden]]);
    replaceIfNew(this.list, version, () => runs.map((run) => this.#item(run, hidden.has(run.id))));
  }

  /** Has the run's item stand out while its curve does; null: none. */
  emphasize(id) {
    for (const item of this.list.children) item.classList.toggle("near", item.dataset.id === id);
  }

  #item({ id, index, job }, isHidden) {
    const { actions } = this;
    const name = title(job);
    const best = accuracy(job);
    const button = (text, label, onclick) =>
      h(
        "button",
        { type: "button", class: "plain", "aria-label": `${label} ${name}`, title: label, onclick },
        text,
      );
    return h(
      "li",
      {
        "data-id": id,
        class: isHidden ? "off" : null,
        onpointerenter: () => actions.point(id),
        onpointerleave: () => actions.point(null),
      },
      h("button", {
        type: "button",
        class: "toggle",
        "aria-pressed": String(!isHidden),
        title: isHidden ? "Show" : "Hide",
        "aria-label": `Curves of ${name}`,
        onclick: () => actions.toggle(id),
      }, swatch(index)),
      h("a", { href: `#/jobs/${id}`, title: shown(name) }, outside(name, { kind: "line" })),
      best ? h("span", { class: "quiet number", title: best.protocol }, percent(best.top1)) : null,
      healthChip(job),
      button("only", "Show only", () => actions.only(id)),
      button("×", "Remove from the comparison:", () => actions.remove(id)),
    );
  }
}
