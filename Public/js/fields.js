// Form fields that know their place in a job's JSON, so that an answer's errors find their way back.
import { h } from "./dom.js";

/** A labelled control. `pointer` is its place in the specification, like "/optimizer/lr". */
export function field(pointer, label, control, hint) {
  const id = `field${pointer.replaceAll("/", "-")}`;
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

/** A line for a number. What is no number is sent as typed, so that the daemon says what it wants. */
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

/** Lays `extra` over `base`, object by object. */
export function merge(base, extra) {
  for (const [key, value] of Object.entries(extra)) {
    const nests = (one) => one !== null && typeof one === "object" && !Array.isArray(one);
    if (nests(value) && nests(base[key])) merge(base[key], value);
    else base[key] = value;
  }
  return base;
}

export function clearErrors(form) {
  for (const error of form.querySelectorAll(".error")) error.textContent = "";
  for (const control of form.querySelectorAll("[aria-invalid]")) control.removeAttribute("aria-invalid");
}

/** Writes each error beside its field and focuses the first; returns the ones that have no field here. */
export function showErrors(form, errors) {
  const strangers = [];
  let first = null;
  for (const { pointer, message } of errors) {
    const place = pointer.replace(/^\/spec(?=\/)/, "");
    const control = [...form.querySelectorAll("[data-pointer]")]
      .find((one) => one.dataset.pointer === place && !one.closest("[hidden]"));
    if (!control) {
      strangers.push({ pointer, message });
      continue;
    }
    control.setAttribute("aria-invalid", "true");
    document.getElementById(`${control.id}-error`).textContent = message;
    first ??= control;
  }
  first?.focus();
  return strangers;
}
