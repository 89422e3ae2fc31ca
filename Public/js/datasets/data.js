// What the pages of datasets ask the daemon.
import { json, request } from "../core/api.js";

const path = (name) => `/datasets/${encodeURIComponent(name)}`;

export const datasetsAPI = {
  all: async () => (await json("/datasets")).datasets,
  one: (name) => json(path(name)),
  remove: (name) => request(path(name), { method: "DELETE" }),
  job: (id) => json(`/jobs/${encodeURIComponent(id)}`),
  /** A sheet of images; `version` keeps the browser from showing that of another dataset of the name. */
  samplePath: (name, { split, count, label, version }) => {
    const query = new URLSearchParams({ split, count });
    if (label) query.set("class", label);
    return `${path(name)}/sample.png?${query}#${version ?? ""}`;
  },
};

/** Whether it belongs to the program and can neither be imported nor deleted. */
export const isBuiltIn = (dataset) => dataset.source === "built in";

/** "32 × 32, colour"; the side is that of a view. */
export function shapeText({ shape, channels }) {
  if (!shape) return "–";
  const colour = channels === 1 ? ", grey" : channels === 3 ? ", colour" : "";
  return `${shape[1]} × ${shape[2]} px${colour}`;
}
