// The JSON view of a form: the same state as text, editable; and where it is not valid JSON.
import { h } from "../core/dom.js";

/** Parsed JSON, or where and why it is none: { value } or { problem }. */
export function parse(text) {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { problem: whereIn(text, error.message) };
  }
}

/**
 * The line and column of a parser's message, in words. Browsers give a position, a line and column, or
 * neither.
 */
function whereIn(text, message) {
  const reason = message.replace(/^JSON\.parse: /, "").replace(/\s*(in JSON )?at (position|line) .*$/, "")
    .replace(/,? ?\.{3}.*is not valid JSON$/s, "").replace(/ in JSON$/, "");
  const [, line, column] = message.match(/line (\d+) column (\d+)/) ?? [];
  if (line) return `Line ${line}, column ${column}: ${reason}.`;
  const [, position] = message.match(/position (\d+)/) ?? [];
  const isCut = /unexpected end/i.test(message);
  if (position === undefined && !isCut) return `${reason}.`;
  const before = text.slice(0, isCut ? text.length : Number(position)).split("\n");
  return `Line ${before.length}, column ${before.at(-1).length + 1}: ${reason}.`;
}

/** The view; `edited` is called with the text after each change by hand. */
export class JSONView {
  constructor(edited) {
    this.error = h("p", { class: "error", id: "json-error", role: "status" });
    this.input = h("textarea",
      { id: "json", spellcheck: "false", rows: 16, "aria-describedby": "json-error json-hint",
      autocomplete: "off", autocapitalize: "off" });
    this.discard = h("button", { type: "button", class: "plain", hidden: true }, "Discard this text");
    this.input.addEventListener("input", () => edited(this.input.value));
    this.element = h("div", { class: "field" },
      h("div", { class: "field-head" }, h("label", { for: "json" }, "JSON"), this.discard), this.input,
        this.error,
      h("p", { class: "quiet", id: "json-hint" }, "Exactly what is sent. Edit it here, or in the fields."));
  }

  /** Shows what is sent, or text that is not valid yet, with its problem. */
  write(body, text, problem) {
    const wanted = text ?? JSON.stringify(body, null, 2);
    const isTyping = document.activeElement === this.input;
    if (!isTyping && this.input.value !== wanted) this.input.value = wanted;
    if (this.error.textContent !== (problem ?? "")) this.error.textContent = problem ?? "";
    if (problem) this.input.setAttribute("aria-invalid", "true");
    else this.input.removeAttribute("aria-invalid");
    this.discard.hidden = text === null;
  }
}
