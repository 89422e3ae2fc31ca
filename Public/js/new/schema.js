// The fields of a form, made from the daemon's OpenAPI schemas.
import { escaped } from "./pointers.js";

/**
 * The fields of an object's schema. `prefix` is the place of that object in what is sent; `leave` names
 * members that get no field.
 *
 * A field: { pointer, key, type, text, conditions, isNullable, nullWords, range, options, fallback, children
 * }.
 * `type`: number, integer, boolean, choice, text, numbers, strings, labels, object, reference or json.
 * `conditions`: the values that other fields must have, as [{ pointer, values, isNot }]; all must hold.
 * Several fields may have one pointer, such as the `lambda` of two methods; at most one of them applies.
 */
export function fieldsOf(schema, schemas, { prefix = "", leave = [] } = {}) {
  const context = { schemas, prefix, root: whole(schema, schemas) };
  return membersOf(context.root, prefix, [], context).filter((field) => !leave.includes(field.key));
}

/** What a description says of null, as in "…; null: all." */
const nullPhrase = /[;,]?\s*\bnull(?:, [^:;.]*)?: ([^;.]+)/;

/** All fields, those of objects included. */
export const flat = (fields) => fields.flatMap((field) => [field, ...flat(field.children ?? [])]);

/** The schema with its reference followed. */
function whole(schema, schemas) {
  if (!schema.$ref) return schema;
  const { $ref: reference, ...rest } = schema;
  return { ...schemas[reference.split("/").pop()], ...rest };
}

function membersOf(schema, pointer, conditions, context) {
  return Object.entries(schema.properties ?? {}).flatMap(([key, part]) =>
    member(whole(part, context.schemas), key, `${pointer}/${escaped(key)}`, conditions,
      { ...context, siblings: schema.properties, siblingsAt: pointer }));
}

/** The fields of a member: one, or one for each method that gives it another meaning. */
function member(part, key, pointer, inherited, context) {
  const variants = (part.anyOf ?? [part]).map((one) => whole(one, context.schemas));
  const isNullable = variants.some((one) => one.type === "null")
    || (Array.isArray(part.type) && part.type.includes("null"));
  const shapes = variants.filter((one) => one.type !== "null");
  const byMethod = shapes.length > 1 && shapes.every((one) => /Only where /.test(one.description ?? ""));
  const groups = byMethod ? byText(shapes, key, context) : [{ shapes, ...meaning(part, key, context) }];
  return groups.map(({ shapes: own, text, conditions }) => {
    const field = {
      pointer, key, text, isNullable, conditions: [...inherited, ...conditions],
      nullWords: text.match(nullPhrase)?.[1], fallback: "default" in part ? part.default : own[0].default,
    };
    Object.assign(field, shape(own, field, context));
    // A choice names its null among the others; elsewhere an empty line stands for it and says what it means.
    if (field.type !== "choice") field.text = text.replace(nullPhrase, "")
      .replace(/[;,.]?\s*$/, text ? "." : "");
    return field;
  });
}

/** Variants of one meaning together, with the conditions of all of them. */
function byText(shapes, key, context) {
  const groups = new Map();
  for (const one of shapes) {
    const { text, conditions } = meaning(one, key, context);
    const known = groups.get(text);
    if (known) known.conditions[0].values.push(...conditions[0].values);
    else groups.set(text, { shapes: [one], text, conditions });
  }
  return [...groups.values()];
}

/**
 * What a description says, and the conditions that are in its words: `Only where method is "vicreg".` at its
 * end, and the values of another choice before a colon at its beginning, like "adam and adamw: …".
 */
function meaning(part, key, context) {
  const conditions = [];
  let text = (part.description ?? "").replace(/\s*Only where (\w+) is (not )?"([^"]+)"\./g,
    (_, name, not, value) => {
      conditions.push({ pointer: `${context.prefix}/${name}`, values: [value], isNot: Boolean(not) });
      return "";
    });
  const [start, list] = text.match(/^([a-z][a-z-]*(?:(?:, | and )[a-z][a-z-]*)*): /) ?? [];
  if (start) {
    const values = list.split(/, | and /);
    const owner = choiceWith(values, key, context);
    if (owner) {
      conditions.push({ pointer: owner, values, isNot: false });
      text = text.slice(start.length);
    }
  }
  text = text.trim();
  return { text: start ? text.charAt(0).toUpperCase() + text.slice(1) : text, conditions };
}

/** The place of another choice that has all of the values: next to the member, else at the top. */
function choiceWith(values, key, { siblings, siblingsAt, root, prefix }) {
  for (const [members, place] of [[siblings, siblingsAt], [root.properties, prefix]]) {
    const found = Object.entries(members).find(([name, part]) =>
      name !== key && Array.isArray(part.enum) && values.every((value) => part.enum.includes(value)));
    if (found) return `${place}/${found[0]}`;
  }
  return null;
}

/** The type of a field with what belongs to it. */
function shape(shapes, field, context) {
  const fixed = shapes.filter((one) => "const" in one).map((one) => one.const);
  const [first, second] = shapes.filter((one) => !("const" in one));
  if (!first) return { type: "json" };
  if (first.enum) return { type: "choice", options: first.enum };
  const type = Array.isArray(first.type) ? first.type.find((one) => one !== "null") : first.type;
  if (type === "object") return objectShape(first, fixed, field, context);
  if (type === "boolean") return { type };
  if (type === "array") return listShape(first);
  if (type === "number" || type === "integer") {
    if (second?.type === "array") return { ...listShape(second), mayBeOne: true };
    return { type, limits: first, range: rangeText(first) };
  }
  if (type === "string") return { type: "text", isLong: first.maxLength > 1000 };
  return { type: "json" };
}

function objectShape(schema, fixed, field, context) {
  if (!schema.properties) return { type: schema.additionalProperties?.type === "string" ? "labels" : "json" };
  const isReference = schema.properties.job && schema.properties.model;
  return {
    type: isReference ? "reference" : "object",
    // Values in place of the object, like "mirror".
    fixed,
    children: isReference ? [] : membersOf(schema, field.pointer, field.conditions, context),
    members: Object.keys(schema.properties),
  };
}

function listShape(schema) {
  const { items, minItems: least = 0, maxItems: most } = schema;
  if (items.type === "string") return { type: "strings" };
  const count = least === most ? `${most} numbers` : `${least} to ${most} numbers`;
  return { type: "numbers", limits: items, count: most, range: `${count}, each ${rangeText(items)}` };
}

const digits = (value) =>
  (Math.abs(value) < 1e-3 && value !== 0 ? String(value) : value.toLocaleString("en"));

/** The range of a number in words, like "above 0, at most 1,000". */
function rangeText(limits) {
  const { minimum: low, maximum: high, exclusiveMinimum: above, exclusiveMaximum: below } = limits;
  const steps = limits.multipleOf ? `, in steps of ${limits.multipleOf}` : "";
  if (low !== undefined && high !== undefined) {
    return high > 1e15 ? `${digits(low)} or more` : `${digits(low)} to ${digits(high)}${steps}`;
  }
  const parts = [
    low !== undefined && `at least ${digits(low)}`, above !== undefined && `above ${digits(above)}`,
    high !== undefined && `at most ${digits(high)}`, below !== undefined && `below ${digits(below)}`,
  ];
  return parts.filter(Boolean).join(", ") + steps;
}
