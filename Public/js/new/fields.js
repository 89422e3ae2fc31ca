// A field of the form: a control with its name, its key, its description and range, its default to go back
// to, and what the daemon says against it.
import { h } from "../core/dom.js";
import { shown } from "../core/text.js";
import { controlFor } from "./controls.js";
import { nameOf } from "./arrangement.js";

let fieldCount = 0;

/**
 * The element of a field, with `write(state)` to show what is current: { value, isChanged, standard,
 * isVaried, isOff }. `form` is asked with the field: edit(field, value), reset(field), vary(field).
 * `control` replaces the one that the field's type asks for.
 */
export function fieldView(field, form, { control = controlFor(field), mayVary = false } = {}) {
  fieldCount += 1;
  const id = `field-${fieldCount}`;
  const { input } = control;
  input.id = id;
  input.dataset.pointer = field.pointer;
  const name = nameOf(field.pointer);
  const isBox = input.type === "checkbox";
  const label = h("label", { for: id }, name);
  const keyText = field.pointer.replace(/^\/(base\/spec\/|spec\/|evaluate\/)?/, "").replaceAll("/", ".");
  const key = field.pointer.startsWith("/then") ? null : h("code", { class: "key", title: keyText }, keyText);
  const vary = mayVary
    ? h("button", { type: "button", class: "plain vary", onclick: () => form.vary(field) }, "Vary") : null;
  const hint = h("p", { class: "quiet hint-text", id: `${id}-hint` },
    [field.text, field.range && `Range: ${field.range}.`]
    .filter(Boolean).join(" "));
  const back = h("button", { type: "button", class: "plain", onclick: () => form.reset(field) });
  const was = h("p", { class: "was", hidden: true }, h("span", { class: "mark-word" }, "Changed."), " ",
    back);
  const error = h("p", { class: "error", id: `${id}-error` });
  input.setAttribute("aria-describedby", `${id}-error ${id}-hint`);
  const head = h("div", { class: "field-head" }, isBox ? control.element : null, label, key, vary);
  const element = h("div",
    { class: `field${isBox ? " box" : ""}${field.type === "reference" ? " wide" : ""}` },
    head, isBox ? null : control.element, was, error, hint);

  const isTyped = input.matches("input[type=text], textarea");
  input.addEventListener(isTyped ? "input" : "change", () => form.edit(field, control.read()));
  if (isTyped) input.addEventListener("change", () => form.show());

  return {
    field, element, control, input, name,
    words: `${name} ${field.pointer} ${field.text}`.toLowerCase(),
    write({ value, isChanged, standard, isVaried, isOff }) {
      if (!(isTyped && document.activeElement === input)) control.write(value);
      element.classList.toggle("changed", Boolean(isChanged));
      was.hidden = !isChanged || standard === undefined;
      if (!was.hidden) {
        const text = `Reset to ${standardWords(standard, field)}`;
        if (back.textContent !== text) back.textContent = text;
        back.setAttribute("aria-label", `${text}: ${name}`);
      }
      input.disabled = Boolean(isVaried || isOff);
      if (!vary) return;
      vary.textContent = isVaried ? "Do not vary" : "Vary";
      vary.setAttribute("aria-label", isVaried ? `Do not vary ${name}` : `Vary ${name}`);
    },
    /** Shows what is wrong about it; an empty list takes it away. */
    fault(messages) {
      const text = messages.map(shown).join("\n");
      if (error.dataset.text !== text) {
        error.dataset.text = text;
        error.replaceChildren(...messages.flatMap((one) => [h("span", { dir: "auto" }, shown(one)), " "]));
      }
      if (text) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    },
  };
}

function standardWords(value, field) {
  if (value === null) return field.nullWords ?? "none";
  if (value === true) return "on";
  if (value === false) return "off";
  if (Array.isArray(value)) return value.join(", ") || "nothing";
  if (typeof value === "object") return field.type === "object" ? "on" : Object.keys(value).length
    ? JSON.stringify(value) : "nothing";
  return shown(String(value));
}
