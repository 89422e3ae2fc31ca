// The search space of a sweep: parameters, each with its values and the conditions under which it is there.
import { h } from "../core/dom.js";
import { shown } from "../core/text.js";
import { nameOf } from "./arrangement.js";
import { escaped, isObject, isSame } from "./pointers.js";

const types = [["choice", "one of these values"], ["uniform", "any number between"],
  ["log_uniform", "any number between, by powers"], ["int", "whole numbers between"]];
const base = "/base/spec";

/** The parameters that a field can be: itself, or each number of a list of a fixed length. */
export function parametersOf(field) {
  const pointer = field.pointer.slice(base.length);
  const isSimple = ["number", "integer", "choice", "boolean"].includes(field.type);
  if (isSimple) return [{ pointer, name: nameOf(field.pointer), field }];
  if (field.type !== "numbers" || !field.count || field.count > 2) return [];
  const item = { ...field, type: "number" };
  return ["first", "second"].map((word, index) =>
    ({ pointer: `${pointer}/${index}`, name: `${nameOf(field.pointer)}, ${word}`, field: item, index }));
}

/** What a parameter is given first: values around the present one, inside its range. */
export function proposal({ field, index }, current) {
  const value = Array.isArray(current) ? current[index ?? 0] : current;
  if (field.type === "choice") return { choice: field.options.filter((one) => one !== null) };
  if (field.type === "boolean") return { choice: [true, false] };
  const limits = field.limits;
  const low = limits.minimum ?? limits.exclusiveMinimum ?? 0;
  const high = limits.maximum ?? limits.exclusiveMaximum ?? 1e6;
  const middle = Number.isFinite(value) && value > 0 ? value : Math.min(high, Math.max(low, 1));
  if (field.type === "integer") {
    const step = limits.multipleOf ?? 1;
    const fit = (one) => Math.min(high, Math.max(low, Math.round(one / step) * step));
    return { int: [fit(middle / 2), fit(middle * 2)], ...(step > 1 && { step }) };
  }
  const isRate = limits.exclusiveMinimum === 0 && middle < 0.1;
  const factor = isRate ? 10 : 2;
  const ends = [Math.max(low, middle / factor), Math.min(high, middle * factor)]
    .map((one) => Number(one.toPrecision(3)));
  return isRate ? { log_uniform: ends } : { uniform: ends };
}

const write = (value) => {
  if (typeof value !== "string") return JSON.stringify(value);
  return /^[A-Za-z][\w.+/-]*$/.test(value) && !["true", "false", "null"].includes(value) ? value
    : JSON.stringify(value);
};

/** Values with commas between them; words need no quotation marks. */
function valuesOf(text) {
  try {
    return JSON.parse(`[${text}]`);
  } catch {
    return text.split(",").map((one) => one.trim()).filter(Boolean).map(valueOf);
  }
}

function valueOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

let cardCount = 0;

/** The editor of a space; `form` is asked with pointers into it: edit, remove, and add with a parameter. */
export class SpaceEditor {
  constructor(parameters, form) {
    this.form = form;
    this.parameters = new Map(parameters.map((one) => [one.pointer, one]));
    this.cards = new Map();
    this.list = h("div", { class: "cards space" });
    this.empty = h("p", { class: "quiet" },
      "Nothing varies yet. Press “Vary” at a field of the training below, or choose one here.");
    this.error = h("p", { class: "error", id: "space-error" });
    this.add = h("select", { id: "space-add", "data-pointer": "/space", "aria-describedby": "space-error" },
      h("option", { value: "" }, "choose a field…"),
      parameters.map((one) => h("option", { value: one.pointer }, `${one.name} (${one.pointer.slice(1)})`)));
    this.add.addEventListener("change", () => {
      const parameter = this.parameters.get(this.add.value);
      this.add.value = "";
      if (!parameter) return;
      form.add(parameter);
      this.cards.get(parameter.pointer)?.focus();
    });
    this.element = h("div", { class: "field wide" }, this.list, this.empty,
      h("div", { class: "field-head" }, h("label", { for: "space-add" }, "Add a parameter")), this.add,
        this.error);
  }

  /** Shows a space; `isObject` is not certain, as the JSON view may hold anything. */
  write(space) {
    const all = isObject(space) ? Object.entries(space) : [];
    const names = new Set(all.map(([pointer]) => pointer));
    for (const [pointer, card] of this.cards) {
      if (names.has(pointer)) continue;
      card.element.remove();
      this.cards.delete(pointer);
    }
    for (const [pointer, value] of all) {
      if (!this.cards.has(pointer)) {
        const card = new ParameterCard(pointer, this.parameters.get(pointer), this.form);
        this.cards.set(pointer, card);
        this.list.append(card.element);
      }
      this.cards.get(pointer)
        .write(isObject(value) ? value : {}, [...names].filter((one) => one !== pointer));
    }
    this.empty.hidden = all.length > 0;
    for (const option of this.add.options) option.hidden = names.has(option.value);
  }

  /** The things that can be at fault: { pointer, input, fault(messages) }. */
  get places() {
    const own = { pointer: "/space", input: this.add, element: this.element,
      fault: (messages) => fault(this.add, this.error, messages) };
    return [own, ...this.cards.values()];
  }
}

function fault(input, error, messages) {
  error.textContent = messages.map(shown).join(" ");
  if (messages.length > 0) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

class ParameterCard {
  constructor(name, parameter, form) {
    cardCount += 1;
    this.name = name;
    this.form = form;
    this.pointer = `/space/${escaped(name)}`;
    const title = parameter?.name ?? nameOf(base + name);
    const id = `space-${cardCount}`;
    this.error = h("p", { class: "error", id: `${id}-error` });
    const labelled = (text, input, kind) => {
      input.id = `${id}-${kind}`;
      input.setAttribute("aria-describedby", `${id}-error`);
      return h("div", { class: "field", "data-kind": kind }, h("div", { class: "field-head" },
        h("label", { for: input.id }, text, h("span", { class: "unseen" }, ` of ${title}`))), input);
    };
    const line = () => h("input", { type: "text", autocomplete: "off", spellcheck: "false", class: "numeric",
      oninput: () => this.#edited() });
    this.input = h("select", { "data-pointer": this.pointer, onchange: () => this.#retype() },
      types.map(([value, text]) => h("option", { value }, text)));
    this.lines = { choice: line(), low: line(), high: line(), step: line() };
    this.fields = {
      choice: labelled("Values, with commas", this.lines.choice, "choice"),
        low: labelled("From", this.lines.low, "low"),
      high: labelled("To", this.lines.high, "high"), step: labelled("Step", this.lines.step, "step"),
    };
    this.other = h("select", { onchange: () => this.#edited() });
    this.others = line();
    this.condition = h("div", { class: "fields" }, labelled("Only where", this.other, "if"),
      labelled("is one of", this.others, "is"));
    this.element = h("div", { class: "card parameter" },
      h("div", { class: "field-head" }, h("strong", {}, title), h("code", { class: "key" }, name.slice(1)),
        h("button", { type: "button", class: "plain vary", "aria-label": `Do not vary ${title}`,
          onclick: () => form.remove(this.pointer) }, "Remove")),
      h("div", { class: "fields" }, labelled("Type", this.input, "type"), Object.values(this.fields)),
      this.condition, this.error);
    this.value = {};
  }

  focus() {
    (this.type === "choice" ? this.lines.choice : this.lines.low).focus();
  }

  get type() {
    return this.input.value;
  }

  /** What the lines say, in the form of the chosen type. */
  read() {
    const { choice, low, high, step } = this.lines;
    const conditions = this.other.value === "" ? {} : this.#conditions();
    if (this.type === "choice") return { choice: valuesOf(choice.value), ...conditions };
    const ends = [valueOf(low.value.trim()), valueOf(high.value.trim())];
    const hasStep = this.type === "int" && step.value.trim() !== "";
    return { [this.type]: ends, ...(hasStep && { step: valueOf(step.value.trim()) }), ...conditions };
  }

  #conditions() {
    const values = valuesOf(this.others.value);
    // Further conditions, which the JSON view can give, stay.
    const { [this.shownCondition]: _, ...rest } = isObject(this.value.if) ? this.value.if : {};
    return { if: { [this.other.value]: values.length === 1 ? values[0] : values, ...rest } };
  }

  #edited() {
    const value = this.read();
    this.shownCondition = this.other.value;
    this.form.edit(this.pointer, value);
  }

  /** Takes the numbers along to another kind of values. */
  #retype() {
    const numbers = (this.value.choice ?? this.value.uniform ?? this.value.log_uniform ?? this.value.int
      ?? [])
      .filter(Number.isFinite);
    const ends = numbers.length > 0 ? [Math.min(...numbers), Math.max(...numbers)] : [0, 1];
    if (this.type === "choice") this.lines.choice.value = numbers.map(write).join(", ");
    else [this.lines.low.value, this.lines.high.value] = ends.map(String);
    this.#edited();
  }

  write(value, others) {
    if (isSame(value, this.value) && isSame(others, this.knownOthers)) return;
    this.value = structuredClone(value);
    this.knownOthers = others;
    const type = types.map(([name]) => name).find((name) => name in value) ?? "choice";
    this.input.value = type;
    for (const [kind, field] of Object.entries(this.fields)) {
      field.hidden = kind === "choice" ? type !== "choice" : type === "choice"
        || (kind === "step" && type !== "int");
    }
    const list = Array.isArray(value[type]) ? value[type] : [];
    this.#show(this.lines.choice, type === "choice" ? list.map(write).join(", ") : "");
    this.#show(this.lines.low, type === "choice" ? "" : write(list[0] ?? ""));
    this.#show(this.lines.high, type === "choice" ? "" : write(list[1] ?? ""));
    this.#show(this.lines.step, value.step === undefined ? "" : write(value.step));
    const [pointer = "", values] = isObject(value.if) ? Object.entries(value.if)[0] ?? [] : [];
    this.shownCondition = pointer;
    const known = pointer !== "" && !others.includes(pointer) ? [pointer, ...others] : others;
    this.other.replaceChildren(h("option", { value: "" }, "always there"),
      ...known.map((one) => h("option", { value: one }, one.slice(1))));
    this.other.value = pointer;
    this.condition.hidden = known.length === 0;
    this.others.closest(".field").hidden = pointer === "";
    this.#show(this.others, values === undefined ? "" : [values].flat().map(write).join(", "));
  }

  #show(line, text) {
    if (document.activeElement !== line) line.value = text;
  }

  fault(messages) {
    fault(this.input, this.error, messages);
  }
}
