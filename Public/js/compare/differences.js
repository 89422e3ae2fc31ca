// The settings in which the compared runs differ.
import { h, replaceIfNew } from "../core/dom.js";
import { title } from "../core/format.js";
import { outside } from "../core/text.js";
import { distinct, settings } from "./flatten.js";
import { swatch } from "./legend.js";

/** Runs up to which each has a column of its own. */
const columnsMax = 6;

/** `choose({ all })` shows all settings, or those alone that differ. */
export class Differences {
  constructor(choose) {
    this.all = h("input", { type: "checkbox", onchange: () => choose({ all: this.all.checked }) });
    this.place = h("div", { class: "wide-table" });
    this.element = h(
      "section",
      { class: "compare-settings" },
      h(
        "div",
        { class: "section-line" },
        h("h2", {}, "Settings that differ"),
        h("label", {}, this.all, " Show all settings"),
      ),
      this.place,
    );
  }

  show(runs, isAll) {
    this.all.checked = isAll;
    this.element.querySelector("h2").textContent = isAll ? "Settings" : "Settings that differ";
    const rows = settings(runs.map(({ job }) => job)).filter((row) => isAll || row.differs);
    replaceIfNew(
      this.place,
      JSON.stringify([isAll, rows, runs.map(({ index, job }) => [index, job.name])]),
      () => {
        if (rows.length === 0) {
          return h(
            "p",
            { class: "quiet" },
            runs.length < 2 ? "There is one run." : "These runs have the same settings.",
          );
        }
        return runs.length <= columnsMax ? matrix(runs, rows) : lists(runs, rows);
      },
    );
  }
}

const name = (setting) => h("code", {}, setting);

/** A column for each run. */
function matrix(runs, rows) {
  return h(
    "table",
    { class: "figures settings stack", role: "table" },
    h(
      "thead",
      { role: "rowgroup" },
      h(
        "tr",
        { role: "row" },
        h("th", { scope: "col", role: "columnheader" }, "Setting"),
        runs.map(({ index, job }) =>
          h(
            "th",
            { scope: "col", role: "columnheader" },
            h("div", { class: "run-name" }, swatch(index), outside(title(job), { kind: "line" })),
          )
        ),
      ),
    ),
    h(
      "tbody",
      { role: "rowgroup" },
      rows.map((row) =>
        h(
          "tr",
          {
            role: "row",
            class: row.differs ? "is-different" : null,
          },
          h("th", { scope: "row", role: "rowheader", "data-label": "Setting" }, name(row.name)),
          row.values.map((value, index) =>
            h("td", { role: "cell", "data-label": title(runs[index].job) }, valueText(value))
          ),
        )
      ),
    ),
  );
}

const valueText = (value) => (value === null ? h("span", { class: "quiet" }, "not set") : outside(value));

/** Of each setting its values, each with the runs that have it. */
function lists(runs, rows) {
  return h(
    "table",
    { class: "figures settings", role: "table" },
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "col" }, "Setting"),
        h("th", { scope: "col" }, "Values and the runs that have them"),
      ),
    ),
    h(
      "tbody",
      {},
      rows.map((row) =>
        h(
          "tr",
          { class: row.differs ? "is-different" : null },
          h("th", { scope: "row" }, name(row.name)),
          h(
            "td",
            {},
            h(
              "ul",
              { class: "value-list" },
              distinct(row.values).map(([value, indices]) =>
                h(
                  "li",
                  {},
                  h("b", {}, valueText(value)),
                  h(
                    "span",
                    { class: "quiet" },
                    ` ${indices.length} ${indices.length === 1 ? "run" : "runs"} `,
                  ),
                  h("span", {
                    class: "swatches",
                    title: indices.slice(0, 20).map((index) => title(runs[index].job)).join("\n"),
                  }, indices.slice(0, 24).map((index) => swatch(runs[index].index))),
                )
              ),
            ),
          ),
        )
      ),
    ),
  );
}
