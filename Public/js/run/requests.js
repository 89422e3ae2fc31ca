// What the page of a run asks the daemon for.
import { api, json, request } from "../core/api.js";

const path = (id, rest = "") => `/jobs/${encodeURIComponent(id)}${rest}`;

/**
 * Curves: { series: { key: [[step, mean, min, max], …] }, not_finite: { key: [[step, count], …] }, time_ms:
 * [[step,
 * milliseconds], …] }, of all steps or those `from` one `to` another. `time_ms` is missing where the daemon
 * has none.
 */
export async function curves(id, keys, points, steps = null) {
  const query = new URLSearchParams({ points, keys: keys.join(",") });
  if (await api.takes("/jobs/{id}/metrics", "x")) query.set("x", "time");
  if (steps) [["from", steps[0]], ["to", steps[1]]].forEach(([name, step]) => query.set(name, step));
  return json(`${path(id, "/metrics")}?${query}`);
}

/** Whether the daemon gives curves of a part of the steps. */
export const hasFinerCurves = () => api.takes("/jobs/{id}/metrics", "from");

/** The job with its entity tag: { job, tag }. */
export async function tagged(id) {
  let tag = null;
  const text = await request(path(id), { note: (headers) => { tag = headers.get("ETag"); } });
  return { job: JSON.parse(text), tag };
}

/** Changes name, notes, labels or priority, unless the job has changed since `tag`. */
export const patch = (id, changes, tag) => request(path(id), {
  method: "PATCH",
  headers: { "Content-Type": "application/merge-patch+json", ...(tag ? { "If-Match": tag } : {}) },
  body: JSON.stringify(changes),
});

/** The address of an artifact. */
export const artifactPath = (id, name) => path(id, `/artifacts/${encodeURIComponent(name)}`);

/** An artifact's JSON. */
export const artifactJSON = (id, name) => json(artifactPath(id, name));

/** The address of an image of a dataset. */
export const imagePath = (dataset, split, index) =>
  `/datasets/${encodeURIComponent(dataset)}/images/${index}.png?split=${split}`;
