// What a form begins with: what was kept of it, a blank one, or one made of a job, sweep, dataset or model.
import { api, tolerate } from "../core/api.js";
import { shortened } from "./defaults.js";
import { blankDraft, Draft, keptDraft, putAside } from "./draft.js";
import { kinds } from "./kinds.js";
import { isSame, put } from "./pointers.js";

/** Members of a job that its duplicate takes over where they are not the default. */
const jobMembers = ["name", "labels", "notes", "priority", "max_attempts", "max_duration_seconds",
  "on_dependency_failure"];
const sweepMembers = ["name", "labels", "notes", "priority"];

/**
 * The draft for an address: { kind, draft, words, restore }. `words`: what the user should know about it.
 * `restore`: another draft was put aside for it.
 */
export async function openDraft(kind, query) {
  const origin = ["from", "job", "model", "dataset"].filter((name) => query.get(name))
    .map((name) => `${name}=${query.get(name)}`).join("&");
  const from = query.get("from");
  const source = from ? await sourceOf(kind, from) : null;
  if (source?.kind && source.kind in kinds) kind = source.kind;
  const kept = keptDraft(kind);
  if (kept && (origin === "" || kept.origin === origin)) {
    return { kind, draft: kept,
      words: kept.isTouched ? "This is what you had filled in and not sent." : null };
  }
  let words = null;
  let draft = blankDraft(kind, origin);
  if (source?.problem) words = source.problem;
  else if (source) {
    draft = new Draft(kind, { body: await duplicate(kind, source.value), origin });
    words = "Filled in as it was begun. What differs from its preset is marked.";
    if (kind !== "train" && kind !== "sweep") words = "Filled in as it was begun.";
  } else fill(draft, kind, query);
  const restore = kept?.isTouched === true;
  if (restore) putAside(kept);
  return { kind, draft, words, restore };
}

/** The job or sweep of an id: { kind, value }, or { problem } where there is none. */
async function sourceOf(kind, id) {
  try {
    if (kind === "sweep") return { kind, value: await api.sweep(id) };
    const value = await api.job(id);
    return { kind: value.kind, value };
  } catch (error) {
    tolerate(error);
    if (error.status !== 404 && error.status !== 400) throw error;
    return { problem: `There is no ${kind === "sweep" ? "sweep" : "job"} ${id}. This is a blank form.` };
  }
}

/** What would begin the same again. */
async function duplicate(kind, value) {
  if (kind === "sweep") return { ...members(value, sweepMembers), ...withoutDefaults(value.spec) };
  if (kind === "import") return structuredClone(value.spec);
  return { kind, ...members(value, jobMembers), spec: await shortened(kind, value.spec) };
}

const jobDefaults = { labels: {}, priority: 50, max_attempts: 1, on_dependency_failure: "cancel" };

function members(value, names) {
  const isTold = (name) => value[name] !== null && value[name] !== undefined
    && !isSame(value[name], jobDefaults[name]);
  return Object.fromEntries(names.filter(isTold).map((name) => [name, value[name]]));
}

const withoutDefaults = (spec) =>
  Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== null));

/** Fills a blank form with what the address names. */
function fill(draft, kind, query) {
  const job = query.get("job");
  const model = query.get("model");
  const dataset = query.get("dataset");
  const { at: place } = kinds[kind];
  const isTrain = kind === "train" || kind === "sweep";
  const reference = isTrain ? `${place}/init_from` : `${place}/checkpoint`;
  if (kind === "import") return;
  if (job) put(draft.first, reference, { job, which: "last" });
  else if (model) put(draft.first, reference, { model });
  if (dataset) put(draft.first, `${place}/dataset/name`, dataset);
  draft.start = structuredClone(draft.body);
}
