// Controls for values of a JSON Schema. A control: { element, input, read, write }. `read` gives the JSON
// value, undefined for "not given"; what is not of the right type is given as typed, so that the daemon says
// what it expects. `write` shows a value.
import { h } from "../core/dom.js";
import { shown } from "../core/text.js";
import { isObject } from "./pointers.js";

/** The control of a field; `list` is the id of a datalist with proposals. */
export function controlFor(field, list) {
  const make = { number, integer: number, numbers, boolean, choice, strings, labels, json }[field.type]
    ?? text;
  return make(field, list);
}

/** A text as a number, or the text itself where it is none or too large to be exact. */
function numberOr(typed) {
  const value = Number(typed);
  if (typed === "" || !Number.isFinite(value)) return typed;
  return /^-?\d+$/.test(typed) && !Number.isSafeInteger(value) ? typed : value;
}

const written = (value) => (typeof value === "string" ? value : JSON.stringify(value));

function line(attributes, parse, format) {
  const input = h("input", { type: "text", autocomplete: "off", spellcheck: "false", ...attributes });
  return {
    element: input, input,
    read: () => (input.value.trim() === "" ? undefined : parse(input.value.trim())),
    write: (value) => {
      input.value = value === undefined || value === null ? "" : format(value);
    },
  };
}

const number = (field) =>
  line({ inputmode: "decimal", placeholder: field.nullWords, class: "numeric" }, numberOr, written);

/** Numbers with commas between them; one number alone where the schema takes that in place of a list. */
function numbers(field) {
  const parse = (typed) => {
    const parts = typed.replace(/^\[|\]$/g, "").split(",").map((part) => numberOr(part.trim()));
    if (parts.length > 1 && parts.at(-1) === "") parts.pop();
    return field.mayBeOne && parts.length === 1 ? parts[0] : parts;
  };
  const format = (value) => (Array.isArray(value) ? value.map(written).join(", ") : written(value));
  return line({ placeholder: field.nullWords, class: "numeric" }, parse, format);
}

function text(field, list) {
  if (!field.isLong) return line(
    { dir: "auto", list, placeholder: field.isNullable ? "optional" : null }, (typed) => typed, written);
  return lines({ rows: 2, dir: "auto", placeholder: "optional" }, (typed) => typed, written);
}

function lines(attributes, parse, format) {
  const input = h("textarea", { spellcheck: "false", rows: 2, ...attributes });
  return {
    element: input, input,
    read: () => (input.value.trim() === "" ? undefined : parse(input.value)),
    write: (value) => {
      input.value = value === undefined || value === null ? "" : format(value);
    },
  };
}

const strings = () =>
  lines({ placeholder: "one per line" },
    (typed) => typed.split(/[\n,]/).map((one) => one.trim()).filter(Boolean),
    (value) => (Array.isArray(value) ? value.map(written).join("\n") : written(value)));

function labels() {
  const parse = (typed) => Object.fromEntries(typed.split("\n").filter((one) => one.trim()).map((one) => {
    const end = one.includes("=") ? one.indexOf("=") : one.length;
    return [one.slice(0, end).trim(), one.slice(end + 1).trim()];
  }));
  const format = (value) => (isObject(value)
    ? Object.entries(value).map(([key, one]) => `${key}=${written(one)}`).join("\n") : written(value));
  return lines({ placeholder: "key=value, one per line", dir: "auto" }, parse, format);
}

const json = () => lines({ placeholder: "JSON" }, (typed) => {
  try {
    return JSON.parse(typed);
  } catch {
    return typed;
  }
}, (value) => JSON.stringify(value));

function boolean() {
  const input = h("input", { type: "checkbox" });
  return {
    element: input, input,
    read: () => input.checked,
    write: (value) => {
      input.checked = value === true;
    },
  };
}

/** A choice among the field's options; another value that the JSON has is offered as well. */
function choice(field) {
  const name = (value) => (value === null ? field.nullWords ?? "none" : shown(value));
  const input = h("select", {}, field.options.map((value) => option(value, name(value))));
  return {
    element: input, input,
    read: () => JSON.parse(input.value),
    write: (value) => select(input, value),
  };
}

const option = (value, text) => h("option", { value: JSON.stringify(value), dir: "auto" }, text);

/** Chooses a value of a list, which gets it where it lacks it. */
export function select(input, value) {
  const wanted = JSON.stringify(value ?? null);
  for (const one of input.querySelectorAll("[data-strange]")) if (one.value !== wanted) one.remove();
  const known = [...input.options].find((one) => one.value === wanted);
  if (!known) {
    const words = value === undefined || value === null ? "choose…" : shown(written(value));
    const strange = option(value ?? null, words);
    strange.dataset.strange = "";
    input.prepend(strange);
  }
  input.value = wanted;
}

/** Fills a list of choices with [value, text], keeping what is chosen. */
export function offer(input, pairs) {
  const chosen = input.value === "" ? undefined : JSON.parse(input.value);
  input.replaceChildren(...pairs.map(([value, words]) => option(value, words)));
  select(input, chosen ?? undefined);
}
