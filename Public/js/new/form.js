// The fields of a draft, in groups: what they show, which of them apply, and what an edit does to the draft.
import { h } from "../core/dom.js";
import { fieldView } from "./fields.js";
import { choiceOf, objectControl } from "./object_control.js";
import { furtherConditions, groupsOf } from "./arrangement.js";
import { fieldsOf, flat } from "./schema.js";
import { kinds } from "./kinds.js";
import { escaped, isObject } from "./pointers.js";
import { ReferenceControl } from "./reference.js";
import { parametersOf, proposal, SpaceEditor } from "./space.js";
import { thenFields } from "./then.js";
import { baseSpec, Values } from "./values.js";

export class Form {
  /** `page`: changed() after an edit, load(work) for what the controls need from the daemon, say(text). */
  constructor(kind, schemas, draft, page) {
    Object.assign(this, { kind, draft, page, filter: [] });
    this.fields = flat(allFields(kind, schemas));
    this.values = new Values(kind, this.fields, draft);
    const owners = this.fields.flatMap((field) => [...field.conditions, ...furtherConditions(field.pointer)]);
    this.owners = new Set(owners.map((one) => one.pointer));
    if (kind === "sweep") this.#makeSpace();
    this.views = this.fields.map((field) => this.#view(field)).filter(Boolean);
    this.then = kind === "train" ? thenFields(this, schemas) : null;
    this.element = h("div", { class: "groups" }, this.#groups());
  }

  #makeSpace() {
    const below = this.fields.filter((field) => field.pointer.startsWith(`${baseSpec}/`));
    this.space = new SpaceEditor(below.flatMap(parametersOf), {
      edit: (pointer, value) => this.#change(() => this.draft.set(pointer, value)),
      remove: (pointer) => this.#change(() => this.draft.reset(pointer, () => true)),
      add: (parameter) => this.#vary(parameter),
    });
  }

  #view(field) {
    const isPlainObject = field.type === "object" && !field.isNullable && field.fixed.length === 0;
    if (isPlainObject) return null;
    const options = { mayVary: this.kind === "sweep" && field.pointer.startsWith(`${baseSpec}/`)
      && parametersOf(field).length === 1
      && !field.pointer.endsWith("/preset") };
    if (field.type === "object") options.control = objectControl(field);
    if (field.type === "reference") {
      options.control = new ReferenceControl(field, {
        load: this.page.load, edited: () => this.edit(field, options.control.read()),
      });
    }
    if (field.pointer.endsWith("/dataset/name")) options.control = choiceOf(field, this.page.load);
    if (field.pointer === "/objective/metric") options.control = this.page.metricControl(field);
    return fieldView(field, this, options);
  }

  #groups() {
    const rest = new Set(this.views);
    this.groups = groupsOf[this.kind].map((group) => ({ ...group, views: [] }));
    const owner = (view) => {
      const fits = (place) => view.field.pointer === place || view.field.pointer.startsWith(`${place}/`);
      return this.groups.find((group) => group.of.some(fits));
    };
    for (const view of rest) owner(view)?.views.push(view) && rest.delete(view);
    if (rest.size > 0) this.groups.push({ title: "Other", of: [], often: [], views: [...rest] });
    return this.groups.map((group) => this.#group(group));
  }

  #group(group) {
    const place = (view) => group.often.indexOf(view.field.pointer);
    const often = group.views.filter((view) => place(view) >= 0)
      .sort((one, other) => place(one) - place(other));
    const seldom = group.views.filter((view) => place(view) < 0);
    group.summary = h("summary");
    group.fold = seldom.length > 0 ? h("details", { class: "more" }, group.summary,
      h("div", { class: "fields" }, seldom.map((view) => view.element))) : null;
    group.seldom = seldom;
    const isSpace = group.of.includes("/space");
    group.element = h("section", { class: "group" }, group.title ? h("h2", {}, group.title) : null,
      h("div", { class: "group-body" },
        h("div", { class: "fields" }, often.map((view) => view.element), isSpace ? this.space.element : null,
          group === this.groups[0] && this.then ? this.then.elements : null),
        group.fold));
    return group.element;
  }

  edit(field, value) {
    this.#change(() => {
      if (field.type === "object") this.values.switchObject(field, value);
      else this.values.set(field, value);
      if (this.owners.has(field.pointer)) this.#setAside();
      if (field.pointer.endsWith("/preset")) this.#tellKept(value);
    });
  }

  /** Lists the fields that are no longer sent, after the text `words`; `isReset` offers to reset all. */
  #setAside(words = "", isReset = false) {
    const gone = this.values.setAside();
    const names = gone.join(", ");
    const told = `Not sent, as the choice has no such field: ${names}. It is kept, should you go back.`;
    if (gone.length > 0) this.page.say(words + told, isReset);
    return gone.length > 0;
  }

  #tellKept(preset) {
    const kept = this.changed.map((view) => view.name);
    this.keptWords = kept.length === 0 ? ""
      : `Preset ${preset} fills in all fields except those that you changed: ${kept.join(", ")}. `;
    if (kept.length > 0) this.page.say(this.keptWords, true);
  }

  /**
   * Takes the daemon's defaults. Those of a new preset may be of another method, which lacks fields that
   * the old one had.
   */
  adopt(defaults) {
    this.values.defaults = defaults;
    if (this.keptWords === undefined) return;
    this.values.resolved = null;
    const isLess = this.#setAside(this.keptWords, true);
    this.keptWords = undefined;
    if (isLess) this.page.changed();
  }

  reset(field) {
    this.#change(() => {
      this.values.reset(field.pointer);
      delete this.draft.aside[field.pointer];
      this.#setAside();
    });
    this.views.find((view) => view.field === field)?.input.focus();
  }

  /** Takes all fields of the specification back to the preset. */
  resetAll() {
    this.#change(() => {
      for (const view of this.changed) {
        if (!view.field.pointer.endsWith("/preset")) this.values.reset(view.field.pointer);
      }
      this.draft.aside = {};
    });
  }

  vary(field) {
    const [parameter] = parametersOf(field);
    const pointer = `/space/${escaped(parameter.pointer)}`;
    if (this.draft.get(pointer) === undefined) this.#vary(parameter);
    else this.#change(() => this.draft.reset(pointer, () => true));
  }

  #vary(parameter) {
    this.#change(() => this.draft.set(`/space/${escaped(parameter.pointer)}`,
      proposal(parameter, this.values.value(parameter.field.pointer))));
  }

  #change(work) {
    work();
    this.show();
    this.page.changed();
  }

  /** The fields that the user has changed. */
  get changed() {
    return this.views.filter(
      (view) => this.#isMarked(view.field) && this.draft.get(view.field.pointer) !== undefined
      && this.values.applies(view.field));
  }

  #isMarked(field) {
    return !["text", "labels", "strings", "reference"].includes(field.type)
      && !/\/preset$/.test(field.pointer)
      && (kinds[this.kind].at !== "" || field.fallback !== undefined);
  }

  /** Shows the draft in all fields, and those fields only that apply and match the filter. */
  show() {
    for (const view of this.views) {
      const { field } = view;
      const given = this.draft.get(field.pointer);
      view.write({
        value: this.values.value(field.pointer), standard: this.values.standard(field.pointer),
        isChanged: given !== undefined && this.#isMarked(field) && this.values.applies(field),
        isVaried: this.values.varied(field.pointer) !== undefined,
      });
      const isThere = this.values.applies(field) || (given !== undefined && !this.#hasOther(field));
      view.isThere = isThere && this.values.isOn(field);
      view.element.hidden = !view.isThere || !this.#matches(view);
    }
    this.then?.show();
    this.space?.write(this.draft.body.space);
    for (const group of this.groups) this.#showGroup(group);
  }

  /** Whether another field of the same place applies. */
  #hasOther(field) {
    return this.views.some(
      ({ field: one }) => one !== field && one.pointer === field.pointer && this.values.applies(one));
  }

  /** Whether a field, or one of an object that may be turned off, has all words of the filter. */
  #matches(view) {
    const value = view.field.type === "object" ? this.values.value(view.field.pointer) : undefined;
    const isOff = value !== undefined && !isObject(value);
    const inside = isOff ? flat(view.field.children).map((one) => one.pointer) : [];
    return [view.words, ...inside].some((text) => this.filter.every((word) => text.includes(word)));
  }

  #showGroup(group) {
    const isFiltered = this.filter.length > 0;
    if (group.fold) {
      const there = group.seldom.filter((view) => !view.element.hidden);
      group.fold.hidden = there.length === 0;
      const changed = there.filter((view) => view.element.classList.contains("changed")).length;
      const text = `${there.length} more${changed > 0 ? `, ${changed} changed` : ""}`;
      if (group.summary.textContent !== text) group.summary.textContent = text;
      if (there.length > 0 && (isFiltered || changed > 0)) group.fold.open = true;
    }
    const hasOwn = group.of.includes("/space") || (group === this.groups[0] && this.then);
    group.element.hidden = group.views.every((view) => view.element.hidden) && (isFiltered || !hasOwn);
  }

  /** Shows only fields that have all words; gives how many. */
  find(text) {
    this.filter = text.toLowerCase().split(/\s+/).filter(Boolean);
    this.show();
    return this.views.filter((view) => !view.element.hidden).length;
  }

  /**
   * Shows each error at its field, or at the nearest place around it; gives those that have none, and the
   * first field at fault.
   */
  fault(errors) {
    const places = [...this.views.filter((view) => view.isThere), ...(this.then?.places ?? []),
      ...(this.space?.places ?? [])]
      .map((one) => ({ place: one.pointer ?? one.field.pointer, one }));
    const found = new Map(places.map(({ one }) => [one, []]));
    const strangers = [];
    for (const error of errors) {
      const { one } = nearest(places, this.draft.placeOf(error.pointer)) ?? {};
      if (!one) strangers.push(error);
      else if (!found.get(one).includes(error.message)) found.get(one).push(error.message);
    }
    let first = null;
    for (const { one } of places) {
      one.fault(found.get(one));
      if (found.get(one).length === 0) continue;
      first ??= one;
      const fold = one.element.closest("details");
      if (fold) fold.open = true;
    }
    return { strangers, first };
  }
}

/** The field at a place, or at the nearest place around it. */
function nearest(places, pointer) {
  if (pointer?.startsWith("/then")) {
    return places.find(({ place }) => place === pointer)
      ?? places.find(({ place }) => place === "/then-evaluate");
  }
  for (let place = pointer; place; place = place.slice(0, place.lastIndexOf("/"))) {
    const found = places.find((one) => one.place === place);
    if (found) return found;
  }
  return null;
}

/** The fields of a kind: of what is sent, and of the specification in it. */
function allFields(kind, schemas) {
  const { schema, at: prefix, specification, leave } = kinds[kind];
  const fields = fieldsOf(schemas[schema], schemas, { leave });
  if (specification) fields.push(...fieldsOf(schemas[specification], schemas, { prefix }));
  if (kind === "sweep") {
    const text = "An evaluation of each training, by which trials can be compared.";
    fields.push({
      pointer: "/evaluate", key: "evaluate", type: "object", text, conditions: [], isNullable: true,
        fixed: [],
      fallback: null, members: [],
      children: fieldsOf(schemas.EvaluateSpecification, schemas,
        { prefix: "/evaluate", leave: ["checkpoint"] }),
    });
  }
  return fields;
}
