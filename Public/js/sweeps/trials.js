// The table of a sweep's trials.
import { h, refresh } from "../core/dom.js";
import { duration } from "../core/format.js";
import { outside, shown } from "../core/text.js";

/** Rows that are added at a time. */
const rowsAtATime = 100;
/** Trainings that can be compared. */
const comparedMax = 100;
const collator = new Intl.Collator("en", { numeric: true });

/**
 * The table. `onSort(text)` is called with the new order, like "-value"; "rank" is the best first. `show({
 * trials, parameters, sort, ...})` shows the trials that were kept.
 */
export class TrialTable {
  #shown = null;
  #selected = new Set();
  #count = rowsAtATime;

  constructor(onSort) {
    this.onSort = onSort;
    this.head = h("thead", { role: "rowgroup" });
    this.body = h("tbody", { role: "rowgroup" });
    this.table = h(
      "table",
      { class: "stack dense trials", role: "table" },
      h("caption", { class: "unseen" }, "Trials"),
      this.head,
      this.body,
    );
    this.more = h("button", {
      type: "button",
      hidden: true,
      onclick: () => {
        this.#count += rowsAtATime;
        this.#draw();
      },
    });
    this.compare = h("a", { class: "button", hidden: true });
    this.summary = h("p", { class: "quiet", role: "status" });
    this.element = h(
      "div",
      {},
      h("div", { class: "toolbar" }, this.summary, this.compare),
      h("div", { class: "trials-wide", tabindex: -1 }, this.table),
      this.more,
    );
  }

  show(shown) {
    this.#shown = shown;
    this.#draw();
  }

  #columns() {
    const { parameters, hasRungs, objective } = this.#shown;
    return [
      { key: "number", name: "Trial", of: ({ trial }) => trial.number },
      { key: "state", name: "State", of: ({ trial }) => trial.state },
      { key: "value", name: objective, of: ({ trial }) => trial.value, isFigure: true },
      ...parameters.map((parameter) => ({
        key: parameter.pointer,
        name: parameter.name,
        parameter,
        isFigure: parameter.scale.kind !== "ordinal",
        of: ({ trial }) => trial.parameters[parameter.pointer],
      })),
      hasRungs && { key: "rung", name: "Rung", of: ({ trial }) => trial.rung, isFigure: true },
      { key: "epochs", name: "Epochs", of: ({ trial }) => trial.epochs, isFigure: true },
      { key: "seconds", name: "Time", of: ({ seconds }) => seconds, isFigure: true },
    ].filter(Boolean);
  }

  #draw() {
    const columns = this.#columns();
    this.#drawHead(columns);
    const rows = this.#sorted(columns);
    refresh(
      this.body,
      rows.slice(0, this.#count),
      ({ trial }) => trial.number,
      (row) => this.#row(columns, row),
    );
    this.more.hidden = rows.length <= this.#count;
    this.more.textContent = `Show ${Math.min(rowsAtATime, rows.length - this.#count)} more of ${rows.length}`;
    const { all } = this.#shown;
    const text = rows.length === all
      ? `${all} ${all === 1 ? "trial" : "trials"}`
      : `${rows.length} of ${all} trials`;
    if (this.summary.textContent !== text) this.summary.textContent = text;
    this.#drawCompare();
  }

  #drawHead(columns) {
    const { sort } = this.#shown;
    const version = JSON.stringify([columns.map(({ key, name }) => [key, name]), sort]);
    if (version === this.headVersion) return;
    this.headVersion = version;
    const focused = this.head.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const cells = columns.map(({ key, name, isFigure }) => {
      const order = sort === key ? "ascending" : sort === `-${key}` ? "descending" : null;
      const next = order === "ascending" ? `-${key}` : order === "descending" ? "rank" : key;
      return h(
        "th",
        { scope: "col", role: "columnheader", class: isFigure && "figure", "aria-sort": order },
        h(
          "button",
          { type: "button", class: "sort", "data-key": key, onclick: () => this.onSort(next) },
          h("span", {}, shown(name)),
        ),
      );
    });
    this.all = h("input", {
      type: "checkbox",
      "aria-label": "Select all shown trials",
      onchange: () => this.#selectAll(),
    });
    this.head.replaceChildren(
      h(
        "tr",
        { role: "row" },
        h("th", { scope: "col", role: "columnheader", class: "choice" }, this.all),
        cells,
      ),
    );
    if (focused) this.head.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  /** The rows in their order; those without a value in the column come last. */
  #sorted(columns) {
    const { rows, sort } = this.#shown;
    const isDescending = sort.startsWith("-");
    const column = columns.find(({ key }) => key === sort.replace(/^-/, ""));
    if (!column) {
      return [...rows].sort((one, other) => one.place - other.place || one.trial.number - other.trial.number);
    }
    const compare = (one, other) => {
      const [a, b] = [column.of(one), column.of(other)];
      const [isNoneA, isNoneB] = [a === null || a === undefined, b === null || b === undefined];
      if (isNoneA || isNoneB) return isNoneA - isNoneB;
      const order = typeof a === "number" && typeof b === "number" ? a - b : collator.compare(a, b);
      return isDescending ? -order : order;
    };
    return [...rows].sort((one, other) => compare(one, other) || one.trial.number - other.trial.number);
  }

  #row(columns, { trial, seconds, isBest }) {
    const box = h("input", {
      type: "checkbox",
      "aria-label": `Select trial ${trial.number}`,
      disabled: !trial.job,
      onchange: () => {
        this.#select(trial.number, box.checked);
        this.#drawCompare();
      },
    });
    box.checked = this.#selected.has(trial.number);
    return h(
      "tr",
      { role: "row", class: isBest && "best" },
      h("td", { role: "cell", class: "choice" }, box),
      columns.map((column) => this.#cell(column, { trial, seconds })),
    );
  }

  #select(number, isSelected) {
    if (isSelected) this.#selected.add(number);
    else this.#selected.delete(number);
  }

  #cell(column, row) {
    const { trial } = row;
    const label = { "data-label": column.name };
    if (column.key === "number") {
      const name = trial.job
        ? h("a", { href: `#/jobs/${trial.job}` }, `#${trial.number}`)
        : `#${trial.number}`;
      return h("th", { scope: "row", role: "rowheader", ...label }, h("div", {}, name));
    }
    return h(
      "td",
      { role: "cell", class: column.isFigure && "figure", ...label },
      h("div", {}, this.#content(column, row)),
    );
  }

  #content(column, row) {
    const { trial, seconds } = row;
    const value = column.of(row);
    if (column.key === "state") {
      return h(
        "span",
        { class: `state ${trial.state}`, title: trial.message && shown(trial.message) },
        trial.state,
        trial.state === "stopped" && trial.stopped_at !== null
          ? h("span", { class: "quiet" }, ` at rung ${trial.stopped_at}`)
          : null,
      );
    }
    if (column.key === "value") return this.#shown.text(value);
    if (column.key === "seconds") return seconds ? duration(seconds) : "–";
    const isNone = value === undefined || (value === null && !column.parameter);
    if (isNone) return h("span", { class: "quiet" }, "–");
    return column.parameter ? outside(column.parameter.scale.text(value)) : String(value);
  }

  #selectAll() {
    for (const row of this.body.children) {
      const box = row.querySelector("input");
      if (box.disabled) continue;
      box.checked = this.all.checked;
      this.#select(Number(row.dataset.key), box.checked);
    }
    this.#drawCompare();
  }

  #drawCompare() {
    const { jobs } = this.#shown;
    const chosen = [...this.#selected].filter((number) => jobs.get(number));
    const boxes = [...this.body.querySelectorAll("input:enabled")];
    this.all.checked = boxes.length > 0 && boxes.every((box) => box.checked);
    this.all.indeterminate = !this.all.checked && chosen.length > 0;
    this.compare.hidden = chosen.length < 2;
    if (chosen.length < 2) return;
    const some = chosen.slice(0, comparedMax);
    this.compare.setAttribute("href", `#/compare?jobs=${some.map((number) => jobs.get(number)).join(",")}`);
    this.compare.textContent = `Compare ${some.length}${
      some.length < chosen.length ? ` of ${chosen.length}` : ""
    } runs`;
  }
}
