// The values of a form: what its draft gives, what the daemon makes of the rest, and what an edit changes.
import { furtherConditions, nameOf } from "./arrangement.js";
import { kinds } from "./kinds.js";
import { at, escaped, isObject, isSame, remove } from "./pointers.js";

/** Where a sweep has the specification whose members it varies. */
export const baseSpec = "/base/spec";

export class Values {
  /** `fields`: all of the form, flat. */
  constructor(kind, fields, draft) {
    Object.assign(this, { kind, fields, draft });
    /** Specifications by the daemon's defaults, and all that it makes of the form; null until it has said. */
    this.defaults = { plain: null, full: null };
    this.resolved = null;
    this.fallbacks = new Map(fields.map((field) => [field.pointer, field.fallback]));
    this.parents = new Map(fields.flatMap((field) => (field.children ?? []).map((child) => [child, field])));
  }

  /** What a field has: what is given, else what the daemon makes of it. */
  value(pointer) {
    const given = this.draft.get(pointer);
    if (given !== undefined) return given;
    const made = at(this.resolved, pointer);
    return made !== undefined ? made : this.standard(pointer);
  }

  /** What a field has when it is not given, by preset and method. */
  standard(pointer) {
    const { at: prefix, switches } = kinds[this.kind];
    const isSpec = prefix !== "" && pointer.startsWith(`${prefix}/`);
    const key = isSpec ? pointer.slice(prefix.length) : null;
    const found = isSpec ? at(switches.includes(key) ? this.defaults.plain : this.defaults.full, key)
      : undefined;
    return found !== undefined ? found : this.fallbacks.get(pointer);
  }

  /** Whether the other choices leave a field its meaning. */
  applies(field) {
    return [...field.conditions, ...furtherConditions(field.pointer)].every(({ pointer, values, isNot }) => {
      const varied = this.varied(pointer)?.choice;
      const present = Array.isArray(varied) ? varied : [this.value(pointer)];
      return present.some((value) => value === undefined || value === null
        || values.includes(value) !== isNot);
    });
  }

  varied(pointer) {
    if (this.kind !== "sweep" || !pointer.startsWith(`${baseSpec}/`)) return undefined;
    const found = at(this.draft.body.space, `/${escaped(pointer.slice(baseSpec.length))}`);
    return isObject(found) ? found : undefined;
  }

  /** Whether all objects around a field are there. */
  isOn(field) {
    const parent = this.parents.get(field);
    if (!parent) return true;
    const value = this.value(parent.pointer);
    return (value === undefined || isObject(value)) && this.isOn(parent);
  }

  set(field, value) {
    const { pointer } = field;
    const standard = this.standard(pointer);
    if (value === undefined) {
      if (field.isNullable && standard !== null && standard !== undefined) this.draft.set(pointer, null);
      else this.reset(pointer);
      return;
    }
    const isChosen = (["choice", "boolean"].includes(field.type) || value === null)
      && !pointer.endsWith("/preset");
    if (isChosen && isSame(value, standard ?? null)) this.reset(pointer);
    else this.draft.set(pointer, value);
  }

  /** Takes a value back to its default, also in what the daemon has made of the form so far. */
  reset(pointer) {
    this.draft.reset(pointer, this.keeps);
    if (this.resolved) remove(this.resolved, pointer, () => true);
  }

  /** Turns an object on or off, or puts a word in its place; what was filled in comes back with it. */
  switchObject(field, value) {
    const { draft } = this;
    const { pointer } = field;
    const given = draft.get(pointer);
    if (isObject(given)) draft.aside[pointer] = given;
    const standard = this.standard(pointer);
    if (!isObject(value)) {
      if (isSame(value, standard ?? null)) this.reset(pointer);
      else draft.set(pointer, value);
      return;
    }
    const before = draft.aside[pointer];
    delete draft.aside[pointer];
    if (before !== undefined) draft.set(pointer, before);
    else if (isObject(standard)) this.reset(pointer);
    else draft.set(pointer, {});
  }

  /** Empty objects of these have a meaning. */
  keeps = (pointer) => {
    const field = this.fields.find((one) => one.pointer === pointer);
    return field?.type === "object" && (field.isNullable || field.fixed.length > 0)
      && !isObject(this.standard(pointer));
  };

  /**
   * Sets aside what does not belong to the choices any more, and brings back what does; gives the names of
   * what is set aside.
   */
  setAside() {
    const { draft } = this;
    const all = this.fields;
    const gone = [];
    for (const field of all) {
      const { pointer } = field;
      const isNeeded = all.some((one) => one.pointer === pointer && this.applies(one));
      if (!isNeeded && draft.get(pointer) !== undefined) {
        draft.aside[pointer] = draft.get(pointer);
        this.reset(pointer);
        gone.push(nameOf(pointer));
      } else if (isNeeded && field.type !== "object" && pointer in draft.aside
        && draft.get(pointer) === undefined) {
        draft.set(pointer, draft.aside[pointer]);
        delete draft.aside[pointer];
      }
    }
    return gone;
  }
}
