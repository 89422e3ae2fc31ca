// Small curves in rows: read once for each job and step, only for rows that are in sight.
import { json, tolerate } from "../core/api.js";
import { svg } from "../core/dom.js";
import { number } from "../core/format.js";

/** Points of a curve. */
const points = 24;
/** Rows whose curves are asked for at once. */
const rowsMax = 100;
/** A curve of a running job is read again when it has grown by this share. */
const growth = 1.04;

/** Of each job the curves { loss: [[step, mean, min, max], …] } up to `step`. */
const known = new Map();
let isReading = false;

/** What is known of a row's curves; null: nothing yet. */
export const curvesOf = (row) => known.get(row.id)?.series ?? null;

const lacks = ({ id, curves, step }) => {
  if (curves.length === 0 || step === null) return false;
  const at = known.get(id);
  return !at || at.keys !== curves.length || step >= at.step * growth + 1;
};

/**
 * Asks for the curves of the rows that lack them, all in one request; gives the ids of those that have come.
 */
export async function readCurves(rows) {
  const lacking = rows.filter(lacks).slice(0, rowsMax);
  if (lacking.length === 0 || isReading || document.hidden) return [];
  isReading = true;
  try {
    const keys = [...new Set(lacking.flatMap((row) => row.curves))];
    const jobs = lacking.map((row) => row.id);
    const query = new URLSearchParams({ jobs: jobs.join(","), keys: keys.join(","), points });
    const { curves } = await json(`/curves?${query}`);
    for (const { job, series } of curves) {
      const row = lacking.find((one) => one.id === job);
      if (row) known.set(job, { series, step: row.step, keys: row.curves.length });
    }
    return jobs;
  } catch (error) {
    tolerate(error);
    return [];
  } finally {
    isReading = false;
  }
}

/** Adds a line that a running job has recorded to its curves; whether it has any. */
export function extendCurves(id, line) {
  const at = known.get(id);
  if (!at) return false;
  for (const [key, curve] of Object.entries(at.series)) {
    const value = line[key];
    if (!Number.isFinite(value) || line.step <= (curve.at(-1)?.[0] ?? -1)) continue;
    // The lines since the curve was read are one point, which is their mean as the other points are.
    const live = curve.isLive ? curve.pop() : [0, 0, 0, 0];
    const count = (curve.count ?? 0) + 1;
    Object.assign(curve, { isLive: true, count });
    curve.push([line.step, live[1] + (value - live[1]) / count, value, value]);
  }
  return true;
}

const [width, height] = [100, 20];

/** A curve as a drawing, with its course in words. */
export function sparkline(name, curve) {
  const found = (curve ?? []).filter((point) => Number.isFinite(point[1]));
  if (found.length < 2) return null;
  const [low, high] = [Math.min(...found.map((one) => one[1])), Math.max(...found.map((one) => one[1]))];
  const [from, to] = [found[0][0], found.at(-1)[0]];
  const x = (step) => ((step - from) / (to - from || 1)) * width;
  const y = (value) => height - 1.5 - ((value - low) / (high - low || 1)) * (height - 3);
  const path = found.map(([step, mean], index) =>
    `${index === 0 ? "M" : "L"}${x(step).toFixed(1)} ${y(mean).toFixed(1)}`
  ).join("");
  return svg("svg", {
    class: "spark",
    viewBox: `0 0 ${width} ${height}`,
    preserveAspectRatio: "none",
    role: "img",
    "aria-label": `${name} from ${number(found[0][1])} to ${number(found.at(-1)[1])}`,
  }, svg("path", { d: path }));
}
