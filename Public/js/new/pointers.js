// Values in nested JSON by JSON pointer (RFC 6901), like "/optimizer/lr".

const keysOf = (pointer) =>
  pointer.split("/").slice(1).map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));

/** A key as it is written in a pointer. */
export const escaped = (key) => key.replaceAll("~", "~0").replaceAll("/", "~1");

export const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

/** The value at a pointer; undefined where there is none. */
export function at(document, pointer) {
  let value = document;
  for (const key of keysOf(pointer)) {
    if (value === null || typeof value !== "object" || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

/** Writes a value at a pointer; what is in the way and no object, like a null, becomes one. */
export function put(document, pointer, value) {
  const keys = keysOf(pointer);
  const last = keys.pop();
  let parent = document;
  for (const key of keys) {
    if (!isObject(parent[key])) define(parent, key, {});
    parent = parent[key];
  }
  define(parent, last, value);
}

/** Sets a member, also one whose name objects have by themselves, like "__proto__". */
const define = (object, key, value) =>
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });

/**
 * Removes the value at a pointer, and the objects around it that are then empty, except those that `keeps`.
 */
export function remove(document, pointer, keeps = () => false) {
  const keys = keysOf(pointer);
  const end = pointer.lastIndexOf("/");
  const parentPointer = pointer.slice(0, end);
  const parent = at(document, parentPointer);
  if (!isObject(parent)) return;
  delete parent[keys.pop()];
  if (parentPointer !== "" && Object.keys(parent).length === 0 && !keeps(parentPointer)) {
    remove(document, parentPointer, keeps);
  }
}

/** Whether two values are the same JSON; the order of members does not matter. */
export function isSame(one, other) {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((value, index) => isSame(value, other[index]));
  }
  if (!isObject(one) || !isObject(other)) return false;
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length
    && keys.every((key) => Object.hasOwn(other, key) && isSame(one[key], other[key]));
}

/** The members of `value` that differ from `base`, as nested objects; undefined where none does. */
export function difference(value, base) {
  if (isSame(value, base)) return undefined;
  if (!isObject(value) || !isObject(base)) return value;
  const found = {};
  for (const [key, part] of Object.entries(value)) {
    const differing = difference(part, base[key]);
    if (differing !== undefined) found[key] = differing;
  }
  return Object.keys(found).length > 0 ? found : undefined;
}
