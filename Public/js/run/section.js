// What the sections of a run share.
import { h } from "../core/dom.js";

/** A section with a heading, hidden until it has something to show. */
export const section = (heading, ...children) =>
  h("section", { class: "run-section", hidden: true, "aria-label": heading }, h("h2", {}, heading), children);

/**
 * Calls `callback` once when the element first comes near the window; returns a function that ends the wait.
 */
export function whenSeen(element, callback) {
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    callback();
  }, { rootMargin: "300px" });
  observer.observe(element);
  return () => observer.disconnect();
}

/** The artifact of that name; undefined: the job has none. */
export const artifactOf = (job, name) =>
  (Array.isArray(job.artifacts) ? job.artifacts : []).find((artifact) => artifact.name === name);
