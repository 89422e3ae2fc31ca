// What a form holds: the JSON that it will send, what was set aside, and the keeping of both in the browser's
// tab until it is sent.
import { at, isObject, isSame, put, remove } from "./pointers.js";
import { evaluationName, kinds } from "./kinds.js";

/** The name by which the evaluation of a new training refers to it in the same request. */
const trainingRef = "training";
const thenPrefix = "/then";
/** Objects that are sent even if they are empty. */
const alwaysThere = ["/spec", "/base/spec", "/space"];

/** The draft of one kind. `body` is exactly what will be sent. */
export class Draft {
  constructor(kind, { body, aside = {}, text = null, origin = "", start = null }) {
    this.kind = kind;
    this.body = body;
    /** Values by pointer that do not belong to the chosen method; they come back when it is chosen again. */
    this.aside = aside;
    /** Text in the JSON view that is not valid yet. */
    this.text = text;
    /** What the form was opened for, like "from=ID"; and what it held then. */
    this.origin = origin;
    this.start = start ?? structuredClone(body);
  }

  /** The job or sweep that the fields show: the first one of a batch. */
  get first() {
    return Array.isArray(this.body.jobs) ? this.body.jobs[0] : this.body;
  }

  /** The evaluation that follows the training in the same request; undefined without one. */
  get then() {
    const { ref } = this.first;
    return ref === undefined ? undefined : this.body.jobs?.slice(1).find((job) =>
      job?.kind === "evaluate" && job.spec?.checkpoint?.job === ref);
  }

  get isTouched() {
    return this.text !== null || !isSame(this.body, this.start);
  }

  #place(pointer) {
    return pointer.startsWith(`${thenPrefix}/`) ? [this.then, pointer.slice(thenPrefix.length)]
      : [this.first, pointer];
  }

  get(pointer) {
    const [document, place] = this.#place(pointer);
    return document === undefined ? undefined : at(document, place);
  }

  set(pointer, value) {
    const oldName = this.first.name;
    const [document, place] = this.#place(pointer);
    put(document, place, value);
    if (pointer === "/name") this.#rename(oldName);
  }

  /** Takes a value back to its default. `keeps`: of which objects an empty one has a meaning. */
  reset(pointer, keeps) {
    const oldName = this.first.name;
    const [document, place] = this.#place(pointer);
    remove(document, place, (around) => alwaysThere.includes(around) || keeps(around));
    if (pointer === "/name") this.#rename(oldName);
  }

  /** The following evaluation is called after its training, until it is given another name. */
  #rename(oldName) {
    const { then } = this;
    if (!then || (then.name !== undefined && then.name !== evaluationName(oldName ?? ""))) return;
    if (this.first.name) then.name = evaluationName(this.first.name);
    else delete then.name;
  }

  /** Adds an evaluation that follows the training, or takes it away. */
  setThen(isWanted) {
    const { first, then } = this;
    if (isWanted === Boolean(then)) return;
    if (!isWanted) {
      this.body.jobs = this.body.jobs.filter((job) => job !== then);
      if (this.body.jobs.length > 1) return;
      delete first.ref;
      this.body = first;
      return;
    }
    const { kind, ref = trainingRef, ...rest } = first;
    const training = { kind, ref, ...rest };
    const evaluation = { kind: "evaluate",
      spec: { checkpoint: { job: ref, which: "last" }, protocol: "logistic" } };
    if (first.name) evaluation.name = evaluationName(first.name);
    this.body = { jobs: [training, ...(this.body.jobs ?? []).slice(1), evaluation] };
  }

  /** The place in the form that an error's pointer means; null: none. */
  placeOf(pointer) {
    const [, index, place = ""] = pointer.match(/^\/jobs\/(\d+)(\/.*)?$/) ?? [];
    if (index === undefined) return pointer;
    if (index === "0") return place;
    return this.body.jobs?.[index] === this.then && this.then ? `${thenPrefix}${place}` : null;
  }

  /** What is wrong with parsed JSON as a whole for this form; null if it can be shown and sent. */
  refusal(body) {
    if (!isObject(body)) return "must be an object";
    if (this.kind === "import") return null;
    if (this.kind === "sweep") return body.base === undefined || isObject(body.base) ? null
      : "base must be an object";
    const first = "jobs" in body ? body.jobs?.[0] : body;
    if ("jobs" in body && (!Array.isArray(body.jobs) || !body.jobs.every(isObject) || !first)) {
      return "jobs must be a list of jobs";
    }
    if (first.kind !== this.kind) {
      return `kind must be ${JSON.stringify(this.kind)} in this form, got ${JSON.stringify(first.kind)}`;
    }
    return first.spec === undefined || isObject(first.spec) ? null : "spec must be an object";
  }

  save() {
    const { body, aside, text, origin, start } = this;
    write(this.kind, { body, aside, text, origin, start });
  }

  forget() {
    write(this.kind, null);
  }
}

const place = (kind) => `vicregd-form-${kind}`;

/** The kept draft of a kind; null without one. */
export function keptDraft(kind) {
  const kept = read(kind);
  return isObject(kept?.body) ? new Draft(kind, kept) : null;
}

/** Keeps a draft aside, for one that takes its place; `restoreAside` brings it back. */
export const putAside = (draft) => {
  const { body, aside, text, origin, start } = draft;
  write(`${draft.kind}-before`, { body, aside, text, origin, start });
};

/** The draft that was put aside; null without one. */
export function draftBefore(kind) {
  const kept = read(`${kind}-before`);
  return isObject(kept?.body) ? new Draft(kind, kept) : null;
}

export const forgetBefore = (kind) => write(`${kind}-before`, null);

/** A draft of an empty form. */
export function blankDraft(kind, origin = "") {
  const draft = new Draft(kind, { body: kinds[kind].blank(), origin });
  if (kind === "train") draft.setThen(true);
  draft.start = structuredClone(draft.body);
  return draft;
}

function read(name) {
  try {
    return JSON.parse(sessionStorage.getItem(place(name)));
  } catch {
    // Storage is forbidden or damaged: nothing is kept then.
    return null;
  }
}

function write(name, value) {
  try {
    if (value === null) sessionStorage.removeItem(place(name));
    else sessionStorage.setItem(place(name), JSON.stringify(value));
  } catch {
    // As above.
  }
}
