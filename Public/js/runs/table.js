// A table of any number of rows, of which only those in sight are in the page. On a narrow screen each row is
// a card. One row is the cursor, which the keyboard moves.
import { h } from "../core/dom.js";
import { duration, title } from "../core/format.js";
import { shown } from "../core/text.js";
import { columns, fittingColumns } from "./columns.js";
import { runningSeconds } from "./row.js";

/** Pixels of a row; style sheets say the same. */
const heights = { row: 32, head: 34, group: 34, more: 40 };
const cardHeight = 92;
/** Below this width of the window rows are cards. */
const narrow = matchMedia("(max-width: 44rem)");
/**
 * Rows that are drawn above and below those in sight, at least; a multiple of them is drawn, to draw seldom.
 */
const spare = 8;
/** Pixels of the column of check boxes. */
const boxWidth = 36;

/**
 * `actions`: what the page does: `open(row)`, `select(row, event)`, `sort(column)`, `selectAll(isOn)`,
 * `isSelected(id)`, `build(entry)` for the entries that are no rows, `drawn(rows)` after each drawing,
 * `wantMore(section)` when the end of what has been read comes in sight.
 */
export class Table {
  constructor(actions) {
    this.actions = actions;
    this.entries = [];
    this.tops = new Float64Array(1);
    this.cursor = null;
    this.drawn = new Map();
    // The roles are written out because rows that are laid out as grids lose their own.
    this.above = h("tr", { role: "presentation", class: "spacer" });
    this.below = h("tr", { role: "presentation", class: "spacer" });
    this.head = h("thead", { role: "rowgroup" });
    this.body = h("tbody", { role: "rowgroup" }, this.above, this.below);
    this.element = h(
      "table",
      {
        class: "jobs",
        role: "grid",
        "aria-label": "Runs",
        "aria-multiselectable": "true",
        onclick: (event) => this.#click(event),
        onfocusin: (event) => this.#focused(event),
      },
      this.head,
      this.body,
    );
    this.frame = 0;
    this.redraw = () => {
      this.frame ||= requestAnimationFrame(() => this.#draw());
    };
    this.relayout = () => {
      this.width = 0;
      this.redraw();
    };
    addEventListener("scroll", this.redraw, { passive: true });
    narrow.addEventListener("change", this.relayout);
    this.observer = new ResizeObserver(() => this.redraw());
  }

  /** Starts to follow the width of its place, once it is in the page. */
  attach() {
    this.observer.observe(this.element.parentElement);
  }

  destroy() {
    removeEventListener("scroll", this.redraw);
    narrow.removeEventListener("change", this.relayout);
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
  }

  /** Shows other entries, in this order; `sort` is how the rest is sorted. */
  show(entries, sort) {
    this.entries = entries;
    this.sort = sort;
    const row = narrow.matches ? cardHeight : heights.row;
    this.tops = new Float64Array(entries.length + 1);
    entries.forEach((entry, index) => {
      this.tops[index + 1] = this.tops[index] + (entry.kind === "row" ? row : heights[entry.kind]);
    });
    if (!this.#indexOf(this.cursor)) this.cursor = entries.find((entry) => entry.kind === "row")?.key ?? null;
    this.redraw();
  }

  /** Rows, without the heads. */
  get rows() {
    return this.entries.filter((entry) => entry.kind === "row").map((entry) => entry.row);
  }

  /** The entry of the cursor. */
  get current() {
    return this.entries[this.#indexOf(this.cursor) - 1] ?? null;
  }

  /** One more than the entry's place; 0: it is not shown. */
  #indexOf(key) {
    return this.entries.findIndex((entry) => entry.key === key) + 1;
  }

  /** Moves the cursor by rows, or to the first or last one, and into sight; gives the row there. */
  move(by) {
    const places = this.entries.map((
      entry,
      index,
    ) => (entry.kind === "more" || entry.kind === "head" ? -1 : index))
      .filter((index) => index >= 0);
    if (places.length === 0) return null;
    const at = places.indexOf(this.#indexOf(this.cursor) - 1);
    const next = Math.min(places.length - 1, Math.max(0, at < 0 ? 0 : at + by));
    return this.put(this.entries[places[next]].key);
  }

  /** Puts the cursor on an entry, in sight and with the focus; gives the entry. */
  put(key) {
    const index = this.#indexOf(key) - 1;
    if (index < 0) return null;
    this.cursor = key;
    const top = this.body.getBoundingClientRect().top + scrollY + this.tops[index];
    const bottom = top + this.tops[index + 1] - this.tops[index];
    const [headHeight, margin] = [this.head.offsetHeight, 8];
    if (top < scrollY + headHeight + margin) scrollTo(scrollX, top - headHeight - margin);
    else if (bottom > scrollY + innerHeight - 64) scrollTo(scrollX, bottom - innerHeight + 64);
    this.#draw();
    this.drawn.get(key)?.element.focus({ preventScroll: true });
    return this.entries[index];
  }

  /** Shows running times as they are now; `find(id)` gives a row. */
  tick(find) {
    for (const element of this.body.querySelectorAll("[data-running]")) {
      const row = find(element.dataset.running);
      if (row) element.textContent = duration(runningSeconds(row));
    }
  }

  #layout() {
    const width = this.element.parentElement.clientWidth;
    if (width === this.width) return;
    this.width = width;
    this.isNarrow = narrow.matches;
    this.columns = this.isNarrow ? columns.slice(0, 10) : fittingColumns(width - boxWidth);
    this.version = `${this.isNarrow} ${this.columns.map((column) => column.key)}`;
    const widths = [boxWidth, ...this.columns.map((column) => column.width)];
    this.element.style.setProperty("--columns", widths.map((one) => `${one}px`).join(" "));
    this.headVersion = null;
    if (this.entries.length > 0) this.show(this.entries, this.sort);
  }

  #drawHead() {
    const rows = this.rows;
    const selected = rows.filter((row) => this.actions.isSelected(row.id)).length;
    const version = JSON.stringify([this.version, this.sort, selected, rows.length]);
    if (version === this.headVersion) return;
    this.headVersion = version;
    const focus = this.head.contains(document.activeElement) ? document.activeElement.dataset.column : null;
    const all = h("input", {
      type: "checkbox",
      "aria-label": "Select all runs that are loaded",
      "data-column": "all",
      onchange: () => this.actions.selectAll(all.checked),
    });
    all.checked = selected > 0 && selected === rows.length;
    all.indeterminate = selected > 0 && selected < rows.length;
    this.head.replaceChildren(
      h(
        "tr",
        { role: "row" },
        h("th", { role: "columnheader", class: "box" }, all),
        this.columns.map((column) => this.#headCell(column)),
      ),
    );
    if (focus) this.head.querySelector(`[data-column="${focus}"]`)?.focus();
  }

  #headCell(column) {
    const kind = column.isNumber ? "number" : "";
    if (!column.sort) return h("th", { role: "columnheader", class: kind }, column.title);
    const [isUp, isDown] = [this.sort === column.sort, this.sort === `-${column.sort}`];
    const order = isUp ? "ascending" : isDown ? "descending" : "none";
    return h(
      "th",
      { role: "columnheader", class: kind, "aria-sort": order },
      h(
        "button",
        {
          type: "button",
          class: "plain",
          "data-column": column.key,
          title: `Sort by ${column.title.toLowerCase()}`,
          onclick: () => this.actions.sort(column),
        },
        column.title,
        h("span", { "aria-hidden": "true", class: "arrow" }, isUp ? " ↑" : isDown ? " ↓" : ""),
      ),
    );
  }

  /** The entries in sight, as [from, to). */
  #window() {
    const start = -this.body.getBoundingClientRect().top;
    const at = (y) => {
      let [low, high] = [0, this.entries.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (this.tops[middle + 1] <= y) low = middle + 1;
        else high = middle;
      }
      return low;
    };
    return [at(Math.max(0, start)), Math.min(this.entries.length, at(start + innerHeight) + 1)];
  }

  #draw() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    if (!this.element.isConnected) return;
    this.#layout();
    this.#drawHead();
    const [from, to] = this.#window();
    const first = Math.max(0, (Math.floor(from / spare) - 1) * spare);
    const last = Math.min(this.entries.length, (Math.ceil(to / spare) + 1) * spare);
    const focusKey = this.body.contains(document.activeElement)
      ? document.activeElement.closest("tr")?.dataset.key
      : undefined;
    const inner = focusKey && document.activeElement.tagName === "INPUT";
    const old = this.drawn;
    this.drawn = new Map();
    let place = this.above;
    for (let index = first; index < last; index += 1) {
      const entry = this.entries[index];
      const element = this.#element(entry, index, old);
      if (place.nextElementSibling !== element) place.after(element);
      place = element;
    }
    while (place.nextElementSibling !== this.below) place.nextElementSibling.remove();
    this.above.style.setProperty("height", `${this.tops[first]}px`);
    this.below.style.setProperty("height", `${this.tops[this.entries.length] - this.tops[last]}px`);
    this.above.hidden = first === 0;
    this.below.hidden = last === this.entries.length;
    this.element.setAttribute("aria-rowcount", this.entries.length + 1);
    if (focusKey && !this.body.contains(document.activeElement)) {
      const element = this.drawn.get(focusKey)?.element;
      (inner ? element?.querySelector("input") : element)?.focus({ preventScroll: true });
    }
    const shown = this.entries.slice(from, to);
    this.actions.drawn(shown.filter((entry) => entry.kind === "row").map((entry) => entry.row));
    const more = this.entries.slice(from, last).find((entry) =>
      entry.kind === "more" && entry.key !== "queue-more"
    );
    if (more) this.actions.wantMore(more.section);
  }

  #element(entry, index, old) {
    const isCursor = entry.key === this.cursor;
    const isSelected = entry.kind === "row" && this.actions.isSelected(entry.key);
    // A row is never changed, only replaced.
    const { row } = entry;
    const version = row
      ? `${this.version} ${isSelected} ${entry.place} ${this.actions.version(row)}`
      : `${this.version} ${this.actions.headVersion(entry)}`;
    const before = old.get(entry.key);
    const isSame = before?.version === version && before.row === row;
    const element = isSame ? before.element : row ? this.#row(entry, isSelected) : this.#other(entry);
    element.dataset.key = entry.key;
    element.tabIndex = isCursor ? 0 : -1;
    element.setAttribute("aria-rowindex", index + 2);
    element.classList.toggle("cursor", isCursor);
    this.drawn.set(entry.key, { element, version, row });
    return element;
  }

  #row(entry, isSelected) {
    const { row } = entry;
    const box = h("input", { type: "checkbox", tabindex: -1, "aria-label": `Select ${shown(title(row))}` });
    box.checked = isSelected;
    return h(
      "tr",
      { role: "row", class: `run ${row.state}`, "aria-selected": String(isSelected) },
      h("td", { role: "gridcell", class: "box" }, box),
      this.columns.map((column) =>
        h(column.key === "name" ? "th" : "td", {
          role: column.key === "name" ? "rowheader" : "gridcell",
          class: column.isNumber ? `number c-${column.key}` : `c-${column.key}`,
          "data-label": column.title,
        }, column.cell(row, entry))
      ),
    );
  }

  #other(entry) {
    return h(
      "tr",
      { role: "row", class: `${entry.kind}-row` },
      h("td", { role: "gridcell", "aria-colspan": this.columns.length + 1 }, this.actions.build(entry)),
    );
  }

  #click(event) {
    const key = event.target.closest("tbody tr")?.dataset.key;
    const entry = key && this.entries[this.#indexOf(key) - 1];
    if (!entry) return;
    this.cursor = key;
    if (entry.kind !== "row") return this.redraw();
    const isBox = event.target.closest(".box");
    const step = event.target.closest("[data-priority]")?.dataset.priority;
    if (step) this.actions.reprioritize(entry.row, Number(step));
    else if (isBox || event.shiftKey || event.ctrlKey || event.metaKey) {
      if (!isBox && event.target.closest("a")) return;
      this.actions.select(entry.row, { isRange: event.shiftKey });
    } else if (event.target.closest("[data-label-filter], [data-sweep-filter]")) {
      this.actions.filter(event.target.closest("button").dataset);
    } else if (!event.target.closest("a, button, input")) this.actions.open(entry.row);
    this.redraw();
  }

  #focused(event) {
    const key = event.target.closest("tbody tr")?.dataset.key;
    if (key && key !== this.cursor) {
      this.cursor = key;
      this.redraw();
    }
  }
}
