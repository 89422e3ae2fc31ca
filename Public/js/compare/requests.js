// What the comparison asks the daemon for.
import { json } from "../core/api.js";

/** Requests at the same time. */
const requestsMax = 6;

/** Results of `work` for each item, in order, several at the same time; `null` where the job is missing. */
async function each(items, work) {
  const results = new Array(items.length).fill(null);
  let index = 0;
  const next = async () => {
    while (index < items.length) {
      const at = index++;
      try {
        results[at] = await work(items[at]);
      } catch (error) {
        if (error.status !== 404) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: requestsMax }, next));
  return results;
}

/** The jobs of these ids, null for each that does not exist. */
export const readJobs = (ids) => each(ids, (id) => json(`/jobs/${encodeURIComponent(id)}`));

/**
 * Curves of many jobs: { curves: [{ job, width, series: { key: [[step, mean, min, max], …] }, time_ms, epoch
 * }] }. `range`: [from, to] steps.
 */
export function readCurves(ids, keys, points, range = null) {
  const query = new URLSearchParams({ jobs: ids.join(","), keys: keys.join(","), points, x: "time" });
  if (range) [["from", range[0]], ["to", range[1]]].forEach(([name, step]) => query.set(name, step));
  return json(`/curves?${query}`);
}

/** Values of metrics at one step: of each job { key: [step, mean] } of the finest bucket that holds it. */
export async function readStep(ids, keys, step) {
  const { curves } = await readCurves(ids, keys, 2, [step, step]);
  const valueAt = (points) => {
    const holds = points.filter((point) => point[0] <= step).at(-1) ?? points[0];
    return holds ? [holds[0], holds[1]] : null;
  };
  const valuesAt = (series) =>
    Object.fromEntries(Object.entries(series).map(([key, points]) => [key, valueAt(points)]));
  return new Map(curves.map(({ job, series }) => [job, valuesAt(series)]));
}
