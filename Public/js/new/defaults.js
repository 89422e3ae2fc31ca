// The values that the daemon gives to fields that are not given: those of a preset, with what depends on the
// method and other choices.
import { api, tolerate } from "../core/api.js";
import { kinds } from "./kinds.js";
import { at, difference, isSame, put } from "./pointers.js";

/** Resolved specifications by what was asked, of all forms of this page. */
const known = new Map();

/** The specification that the daemon makes of a short one; null where it refuses that. */
async function resolved(kind, spec) {
  const jobKind = kind === "sweep" ? "train" : kind;
  const key = JSON.stringify([jobKind, spec]);
  if (!known.has(key)) {
    try {
      known.set(key, (await api.check("/jobs", { kind: jobKind, spec })).spec);
    } catch (error) {
      tolerate(error);
      if (error.status !== 422) throw error;
      known.set(key, null);
    }
  }
  return known.get(key);
}

function excerpt(spec, pointers) {
  const found = {};
  for (const pointer of pointers) {
    const value = at(spec, pointer);
    if (value !== undefined) put(found, pointer, value);
  }
  return found;
}

/**
 * { plain, full }: the defaults by the anchors of a specification alone, and by its switches as well; null
 * where the daemon refuses it. Without an anchor, such as a checkpoint, there are none.
 */
export async function defaultsFor(kind, spec) {
  const { anchors, switches } = kinds[kind];
  if (!anchors.every((pointer) => at(spec, pointer) !== undefined)) return { plain: null, full: null };
  const plain = await resolved(kind, excerpt(spec, anchors));
  const wanted = excerpt(spec, [...anchors, ...switches]);
  const isPlain = plain === null || isSame(wanted, excerpt(plain, [...anchors, ...switches]));
  if (isPlain) return { plain, full: plain };
  return { plain, full: (await resolved(kind, wanted)) ?? plain };
}

/** The short specification that gives a resolved one: its anchors, and what differs from the defaults. */
export async function shortened(kind, spec) {
  const { anchors, switches } = kinds[kind];
  const { plain, full } = await defaultsFor(kind, spec);
  if (full === null) return structuredClone(spec);
  const short = { ...excerpt(spec, anchors), ...structuredClone(difference(spec, full) ?? {}) };
  for (const pointer of switches) {
    const value = at(spec, pointer);
    if (value !== undefined && !isSame(value, at(plain, pointer))) put(short, pointer, value);
  }
  return short;
}
