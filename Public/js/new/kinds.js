// What can be begun on the page of forms, and how it is sent.
import { isObject } from "./pointers.js";

function lackOfCheckpoint({ spec }) {
  const { checkpoint } = spec ?? {};
  const isMissing = checkpoint === undefined
    || (isObject(checkpoint) && !("job" in checkpoint) && !("model" in checkpoint));
  return isMissing ? "Choose a training or a model." : null;
}

/**
 * For each kind: `title` of its tab; `path` that takes it; `schema` of what is sent; `at`: where its
 * specification is; `specification`: that one's schema; `leave`: members without a field; `blank`: what an
 * empty form sends; `anchors` and `switches`: members of the specification on which the defaults of others
 * depend, the anchors always given; `lack`: what has to be chosen before the daemon is asked; `page`: of what
 * was begun.
 */
export const kinds = {
  train: {
    title: "Training", button: "Start training", path: "/jobs", schema: "TrainJob", at: "/spec",
    specification: "TrainSpecification", leave: ["kind", "spec", "ref", "max_duration"],
    blank: () => ({ kind: "train", spec: { preset: "small" } }),
    anchors: ["/preset"], switches: ["/method", "/dataset/name", "/encoder/arch", "/optimizer/name"],
    lack: () => null, page: (job) => `#/jobs/${job.id}`,
  },
  evaluate: {
    title: "Evaluation", button: "Start evaluation", path: "/jobs", schema: "EvaluateJob", at: "/spec",
    specification: "EvaluateSpecification", leave: ["kind", "spec", "ref", "max_duration"],
    blank: () => ({ kind: "evaluate", spec: {} }),
    anchors: ["/checkpoint"], switches: ["/protocol", "/dataset/name", "/label_share"],
    lack: lackOfCheckpoint, page: (job) => `#/jobs/${job.id}`,
  },
  embed: {
    title: "Embeddings", button: "Compute embeddings", path: "/jobs", schema: "EmbedJob", at: "/spec",
    specification: "EmbedSpecification", leave: ["kind", "spec", "ref", "max_duration"],
    blank: () => ({ kind: "embed", spec: {} }),
    anchors: ["/checkpoint"], switches: ["/dataset/name"],
    lack: lackOfCheckpoint, page: (job) => `#/jobs/${job.id}`,
  },
  sweep: {
    title: "Sweep", button: "Start sweep", path: "/sweeps", schema: "SweepSubmission", at: "/base/spec",
    specification: "TrainSpecification", leave: ["base", "space", "evaluate"],
    blank: () => ({ base: { kind: "train", spec: { preset: "small" } }, space: {}, max_trials: 20 }),
    anchors: ["/preset"], switches: ["/method", "/dataset/name", "/encoder/arch", "/optimizer/name"],
    lack: ({ space }) =>
      (isObject(space) && Object.keys(space).length === 0 ? "Choose at least one field to vary." : null),
    page: (sweep) => `#/sweeps/${sweep.id}`,
  },
  import: {
    title: "Dataset", button: "Import dataset", path: "/datasets", schema: "DatasetImport", at: "",
    specification: null, leave: [], blank: () => ({}), anchors: [], switches: [], lack: () => null,
    page: (dataset) => `#/datasets/${dataset.name}`,
  },
};

/** Characters of a job's name at most; the daemon refuses longer ones. */
const nameCharactersMax = 200;

/** What the evaluation of a training with that name is called. */
export function evaluationName(name) {
  const long = `${name}, evaluated`;
  return [...long].length <= nameCharactersMax ? long : name;
}
