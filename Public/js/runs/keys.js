// The keys of the table.
import { h } from "../core/dom.js";

const keys = [
  [["j", "↓"], "Next run"],
  [["k", "↑"], "Previous run"],
  [["g", "Home"], "First run"],
  [["G", "End"], "Last run that is loaded"],
  [["Enter"], "Open the run"],
  [["Space", "x"], "Select the run"],
  [["Shift+↓", "Shift+↑"], "Select several runs"],
  [["a"], "Select all runs that are loaded"],
  [["Esc"], "Clear the selection"],
  [["c"], "Compare the selected runs"],
  [["+", "−"], "Change the priority of a queued run"],
  [["/"], "Search"],
  [["?"], "Show these keys"],
];

/** Where keys are text, or already mean something. */
const isTaken = (target) =>
  target.closest("input:not([type=checkbox]), textarea, select, dialog, details[open]") ||
  target.isContentEditable;

/**
 * Follows the keyboard for a table; `actions` has `move(by, isRange)`, `open`, `select`, `selectAll`,
 * `clear`, `compare`, `search`, `reprioritize(by)`. Gives a function that stops.
 */
export function followKeys(actions) {
  const moves = {
    j: 1,
    J: 1,
    ArrowDown: 1,
    k: -1,
    K: -1,
    ArrowUp: -1,
    g: -Infinity,
    Home: -Infinity,
    G: Infinity,
    End: Infinity,
  };
  const others = {
    a: actions.selectAll,
    x: actions.select,
    c: actions.compare,
    Escape: actions.clear,
    "/": actions.search,
    "?": showKeys,
    "+": () => actions.reprioritize(1),
    "-": () => actions.reprioritize(-1),
  };
  const press = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTaken(event.target)) return;
    const onControl = event.target.closest("button, a, summary, input");
    const { key } = event;
    if (key in moves) actions.move(moves[key], event.shiftKey && key !== "G");
    else if (key in others) others[key]();
    else if (key === "Enter" && !onControl) actions.open();
    else if (key === " " && !onControl) actions.select();
    else return;
    event.preventDefault();
  };
  document.addEventListener("keydown", press);
  return () => document.removeEventListener("keydown", press);
}

/** Shows the keys in a dialog. */
export function showKeys() {
  if (document.querySelector("dialog.keys")) return;
  const close = h("button", { type: "button", onclick: () => dialog.close() }, "Close");
  const dialog = h(
    "dialog",
    {
      class: "keys",
      "aria-labelledby": "keys-title",
      onclose: () => dialog.remove(),
    },
    h("h2", { id: "keys-title" }, "Keys"),
    h(
      "dl",
      {},
      keys.map(([names, meaning]) =>
        h(
          "div",
          {},
          h("dt", {}, names.map((name, index) => [index ? " or " : "", h("kbd", {}, name)])),
          h("dd", {}, meaning),
        )
      ),
    ),
    h("p", {}, close),
  );
  document.body.append(dialog);
  dialog.showModal();
}
