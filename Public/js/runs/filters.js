// The bar above the table: search, filters, grouping and the choice of columns.
import { api, json, tolerate } from "../core/api.js";
import { h, replaceIfNew } from "../core/dom.js";
import { healthWords } from "../core/format.js";
import { choiceMenu, menu } from "../core/menu.js";
import { isVisible, outside, shown } from "../core/text.js";
import { chooseColumns, chosenColumns, columns } from "./columns.js";
import { healths, isFiltered, kinds, states, unfiltered } from "./view.js";

/** Milliseconds without a key before a search begins. */
const typingPause = 120;

/**
 * The bar; `change(part)` gives the view other members, `relayout()` shows other columns, `shownColumns()`
 * are the keys of those that are shown.
 */
export class Filters {
  constructor(view, { change, relayout, shownColumns, showKeys }) {
    Object.assign(this, { view, change, relayout, shownColumns });
    this.search = h("input", {
      type: "search",
      placeholder: "Search names, labels, notes",
      "aria-label": "Search",
      value: view.words,
      autocomplete: "off",
      spellcheck: "false",
      oninput: () => this.#typed(),
      onkeydown: (event) => this.#searchKey(event),
    });
    this.states = choiceMenu(
      "State",
      states.map((state) => [state, state]),
      view.states,
      (all) => change({ states: all }),
    );
    this.health = choiceMenu(
      "Health",
      healths.map((one) => [one, healthWords[one]]),
      view.health,
      (all) => change({ health: all }),
    );
    this.selects = {
      kind: this.#select("kind", "Any kind", async () => kinds.map((kind) => [kind, kind])),
      method: this.#select("method", "Any method", methods),
      dataset: this.#select("dataset", "Any dataset", datasets),
      sweep: this.#select("sweep", "Any sweep", sweeps),
      group: this.#select("group", "No groups", async () => this.#groupings()),
      sort: this.#select("sort", "Newest first", async () => orders()),
    };
    this.chips = h("span", { class: "chips" });
    this.count = h("span", { class: "quiet count", role: "status" });
    this.labelKeys = new Set();
    const columnMenu = menu("Columns", () => this.#columns(), { kind: "right" });
    const keys = h("button", {
      type: "button",
      title: "Keys (?)",
      "aria-label": "Show the keys",
      onclick: showKeys,
    }, "?");
    // On a narrow window the filters are behind a button, and a list has the place of the table's head.
    const toggle = h("button", {
      type: "button",
      class: "narrow",
      "aria-expanded": "false",
      onclick: () => {
        toggle.setAttribute("aria-expanded", String(this.element.classList.toggle("open")));
      },
    }, "Filters");
    this.element = h(
      "div",
      { class: "filters", role: "search" },
      this.search,
      toggle,
      this.states.element,
      this.health.element,
      ...Object.values(this.selects),
      columnMenu.element,
      keys,
      this.chips,
      this.count,
    );
    this.show(view, null);
  }

  /** Shows another view, and how many runs it leaves. */
  show(view, total) {
    this.view = view;
    if (document.activeElement !== this.search) this.search.value = view.words;
    this.states.set(view.states);
    this.health.set(view.health);
    for (const [name, select] of Object.entries(this.selects)) setValue(select, view[name], name);
    replaceIfNew(this.chips, JSON.stringify([view.labels, isFiltered(view)]), () => this.#chips());
    const text = total === null ? "" : `${total.toLocaleString("en")} ${total === 1 ? "run" : "runs"}`;
    if (this.count.textContent !== text) this.count.textContent = text;
  }

  /** Notes the keys of labels that rows have, for the choice of groups. */
  noteLabels(rows) {
    for (const row of rows) for (const key of Object.keys(row.labels)) this.labelKeys.add(key);
  }

  #typed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.change({ words: this.search.value }), typingPause);
  }

  #searchKey(event) {
    if (event.key === "Escape") this.search.blur();
    if (event.key !== "Enter") return;
    clearTimeout(this.timer);
    this.change({ words: this.search.value });
  }

  /** A choice whose options are read when it is first used. */
  #select(name, none, read) {
    const label = { group: "Group by", sort: "Sort by" }[name] ?? name[0].toUpperCase() + name.slice(1);
    const select = h("select", {
      "aria-label": label,
      "data-filter": name,
      onchange: () => this.change({ [name]: select.value }),
    }, h("option", { value: "" }, none));
    const fill = async () => {
      try {
        const options = await read();
        const value = select.value;
        select.replaceChildren(
          select.firstChild,
          ...options.map(([key, title]) => h("option", { value: key }, title)),
        );
        setValue(select, value, name);
      } catch (error) {
        tolerate(error);
      }
    };
    select.addEventListener("pointerdown", fill, { once: name !== "group" });
    select.addEventListener("focus", fill, { once: name !== "group" });
    return select;
  }

  #groupings() {
    return [
      ["sweep", "By sweep"],
      ...[...this.labelKeys].sort().map((key) => [`label:${key}`, `By ${shown(key)}`]),
    ];
  }

  #chips() {
    const chips = this.view.labels.map((label) =>
      h(
        "button",
        {
          type: "button",
          class: "chip",
          "aria-label": `Remove the filter ${shown(label)}`,
          onclick: () => this.change({ labels: this.view.labels.filter((other) => other !== label) }),
        },
        outside(label),
        " ×",
      )
    );
    const clear = h("button", {
      type: "button",
      class: "plain",
      onclick: () => this.change(unfiltered(this.view)),
    }, "Clear filters");
    return isFiltered(this.view) ? [...chips, clear] : chips;
  }

  #columns() {
    const chosen = chosenColumns() ?? this.shownColumns();
    const boxes = columns.filter((column) => column.key !== "name").map((column) => {
      const box = h("input", {
        type: "checkbox",
        value: column.key,
        onchange: () => {
          chooseColumns([
            "name",
            ...boxes.map((one) => one.querySelector("input")).filter((one) => one.checked)
              .map((one) => one.value),
          ]);
          this.relayout();
        },
      });
      box.checked = chosen.includes(column.key);
      return h("label", {}, box, " ", column.title);
    });
    const reset = h("button", {
      type: "button",
      class: "plain",
      onclick: (event) => {
        chooseColumns(null);
        this.relayout();
        event.target.closest("details").open = false;
      },
    }, "Standard columns");
    return [
      ...boxes,
      h(
        "p",
        { class: "quiet" },
        "They become narrower where there are many; the last ones are left out where they do not fit.",
      ),
      reset,
    ];
  }
}

/** Chooses a value, also one that the options do not have yet. */
function setValue(select, value, name) {
  if (![...select.options].some((option) => option.value === value)) {
    const title = name === "group" ? value.replace(/^label:/, "By ").replace(/^sweep$/, "By sweep") : value;
    select.append(h("option", { value }, shown(title)));
  }
  if (select.value !== value) select.value = value;
}

/** The orders that the table's head offers. */
function orders() {
  return columns.filter((column) => column.sort).flatMap((
    { sort, title },
  ) => [[sort, `${title}, ascending`], [`-${sort}`, `${title}, descending`]]);
}

async function methods() {
  const { TrainSpecification } = await api.schemas();
  return (TrainSpecification.properties.method.enum ?? []).map((method) => [method, method]);
}

async function datasets() {
  return (await api.datasets()).map(({ name }) => [name, shown(name)]);
}

async function sweeps() {
  const { sweeps: all } = await json("/sweeps?limit=100&fields=id,name");
  return all.map(({ id, name }) => [id, isVisible(name) ? shown(name) : `sweep ${id.slice(-5)}`]);
}
