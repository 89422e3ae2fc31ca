// Specifications as flat lists of settings.

/**
 * A specification as a Map from "optimizer.lr" to its value as text; lists of plain values are one setting.
 */
export function flatten(value, place = "", into = new Map()) {
  const isPlain = (one) => one === null || typeof one !== "object";
  if (isPlain(value)) into.set(place, value === null ? "none" : String(value));
  else if (Array.isArray(value) && value.every(isPlain)) into.set(place, `[${value.join(", ")}]`);
  else {
    for (const [key, part] of Object.entries(value)) flatten(part, place ? `${place}.${key}` : key, into);
  }
  return into;
}

/**
 * The settings of jobs: [{ name, values, differs }], a value for each job, null where it has no such setting,
 * in the order in which the first job that has it names it.
 */
export function settings(jobs) {
  const all = jobs.map((job) => flatten({ kind: job.kind, ...job.spec }));
  const names = new Set(all.flatMap((one) => [...one.keys()]));
  return [...names].map((name) => {
    const values = all.map((one) => one.get(name) ?? null);
    return { name, values, differs: new Set(values).size > 1 };
  });
}

/** Values of a setting, each with the indices of the jobs that have it, the most frequent first. */
export function distinct(values) {
  const found = new Map();
  values.forEach((value, index) => found.set(value, [...(found.get(value) ?? []), index]));
  return [...found.entries()].sort((a, b) => b[1].length - a[1].length);
}
