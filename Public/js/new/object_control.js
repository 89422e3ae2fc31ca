// Controls for fields whose choices are more than values: whole objects, and datasets.
import { api } from "../core/api.js";
import { h } from "../core/dom.js";
import { number } from "../core/format.js";
import { controlFor, offer } from "./controls.js";
import { isObject } from "./pointers.js";

/**
 * The control that has an object or leaves it out, or chooses a word in its place. It gives {} for "there",
 * whose members have their own fields.
 */
export function objectControl(field) {
  if (field.fixed.length === 0) {
    const box = controlFor({ type: "boolean" });
    return { ...box, read: () => (box.input.checked ? {} : null),
      write: (value) => box.write(isObject(value)) };
  }
  const input = h("select", {}, h("option", { value: "" }, "random"),
    field.fixed.map((value) => h("option", { value }, value)));
  return {
    element: input, input,
    read: () => (input.value === "" ? {} : input.value),
    write: (value) => {
      input.value = field.fixed.includes(value) ? value : "";
    },
  };
}

/** The control for a dataset's name, with what the daemon says of the chosen one. */
export function choiceOf(field, load) {
  const control = controlFor(field);
  const note = h("p", { class: "quiet" });
  const known = new Map();
  const tell = () => {
    note.textContent = known.get(control.read()) ?? "";
  };
  control.input.addEventListener("change", tell);
  load(async () => {
    for (const dataset of await api.datasets()) known.set(dataset.name, datasetText(dataset));
    offer(control.input, [...known.keys()].map((name) => [name, name]));
    tell();
  });
  // The note says more than the schema.
  field.text = "";
  return {
    ...control, element: h("div", {}, control.element, note),
    write: (value) => {
      control.write(value);
      tell();
    },
  };
}

function datasetText({ state, counts, classes, shape }) {
  if (state && state !== "ready") return `Its state is ${state}.`;
  const parts = [
    counts?.train && `${number(counts.train)} training images`,
      classes ? `${classes.length} classes` : "unlabelled",
    shape && `${shape.at(-1)} px`,
  ];
  return parts.filter(Boolean).join(", ");
}
