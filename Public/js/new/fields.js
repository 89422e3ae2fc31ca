// Form fields that know their place in a job's JSON, so that each error is shown beside the field that it
// names.
import { h } from "../core/dom.js";
import { shown } from "../core/text.js";

let fieldCount = 0;

/**
 * A labelled control. `pointer` is its place in the specification, like "/optimizer/lr"; several fields may
 * have the same, in forms of which one is shown, so ids are numbered.
 */
export function field(pointer, label, control, hint) {
  fieldCount += 1;
  const id = `field-${fieldCount}`;
  control.id = id;
  control.dataset.pointer = pointer;
  const error = h("p", { class: "error", id: `${id}-error` });
  const note = hint && h("p", { class: "quiet", id: `${id}-hint` }, hint);
  control.setAttribute("aria-describedby", [`${id}-error`, hint && `${id}-hint`].filter(Boolean).join(" "));
  const isBox = control.type === "checkbox";
  const name = h("label", { for: id }, label);
  const both = isBox ? [control, name] : [name, control];
  return h("div", { class: `field${isBox ? " box" : ""}` }, both, note, error);
}

/** A line for a number. What is not a number is sent as typed, so that the daemon says what it expects. */
export const numeric = (placeholder, value) =>
  h("input", {
    type: "text", inputmode: "decimal", placeholder, value, autocomplete: "off", "data-numeric": true,
  });

export const choice = (options, chosen) =>
  h("select", {}, options.map((value) => h("option", { value, selected: value === chosen }, value)));

/** The value at every filled field, as nested objects: "/optimizer/lr" becomes { optimizer: { lr } }. */
export function collect(form) {
  const spec = {};
  for (const control of form.querySelectorAll("[data-pointer]")) {
    if (control.closest("[hidden]") || "ignored" in control.dataset) continue;
    const value = read(control);
    if (value !== undefined) put(spec, control.dataset.pointer.split("/").slice(1), value);
  }
  return spec;
}

function read(control) {
  if (control.type === "checkbox") return control.checked;
  const text = control.value.trim();
  if (text === "") return undefined;
  return "numeric" in control.dataset && Number.isFinite(Number(text)) ? Number(text) : text;
}

function put(object, path, value) {
  const last = path.pop();
  for (const key of path) object = object[key] ??= {};
  object[last] = value;
}

/** Merges `extra` into `base`, object by object. */
export function merge(base, extra) {
  for (const [key, value] of Object.entries(extra)) {
    const nests = (one) => one !== null && typeof one === "object" && !Array.isArray(one);
    if (nests(value) && nests(base[key])) merge(base[key], value);
    else base[key] = value;
  }
  return base;
}

export function clearErrors(form) {
  for (const error of form.querySelectorAll(".error")) error.replaceChildren();
  for (const control of form.querySelectorAll("[aria-invalid]")) control.removeAttribute("aria-invalid");
}

/**
 * Writes each error beside the field that it names and focuses the first. `placeOf` turns an error's pointer
 * into a field's. Returns the errors that have no field here.
 */
export function showErrors(form, errors, placeOf = (pointer) => pointer) {
  const strangers = [];
  let first = null;
  for (const error of errors) {
    const control = controlAt(form, placeOf(error.pointer));
    if (!control) {
      strangers.push(error);
      continue;
    }
    control.setAttribute("aria-invalid", "true");
    const element = control.closest(".field").querySelector(".error");
    const text = shown(error.message);
    const isThere = [...element.children].some((child) => child.textContent === text);
    if (!isThere) element.append(h("span", { dir: "auto" }, text), " ");
    const fold = control.closest("details");
    if (fold) fold.open = true;
    first ??= control;
  }
  first?.focus();
  return strangers;
}

/**
 * The shown control at a place, or at the nearest place around it: that of a list for a fault in its element.
 */
function controlAt(form, place) {
  const controls = [...form.querySelectorAll("[data-pointer]")].filter((one) => !one.closest("[hidden]"));
  for (let at = place; at; at = at.slice(0, at.lastIndexOf("/"))) {
    const found = controls.find((one) => one.dataset.pointer === at);
    if (found) return found;
  }
  return null;
}
