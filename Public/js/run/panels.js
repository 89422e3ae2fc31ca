// Which curves a job has, in reading order.
import { words } from "../core/format.js";

/** Below this share of its target the spread counts as collapsed; the daemon's rule has the same. */
const collapseShare = 0.1;

/** What the parts of a method's loss are multiplied by to give the loss; none where they are no summands. */
const weightsOf = {
  vicreg: ({ inv, var: variance, cov }) => ({ inv, var: variance, cov }),
  "barlow-twins": ({ lambda, scale }) => ({ on_diagonal: scale, off_diagonal: scale * lambda }),
  sigreg: ({ lambda }) => ({ inv: 1 - lambda, sigreg: lambda }),
};

/** The weights of the parts of a training's loss by metric; null: its parts are no summands of the loss. */
export function weights(spec) {
  const found = weightsOf[methodOf(spec)]?.(spec?.loss ?? {});
  return found && Object.values(found).every(Number.isFinite) ? found : null;
}

// Trainings of versions with one method do not name it.
const methodOf = (spec) => spec?.method ?? "vicreg";

/**
 * The panels of a job: { keys, title, note, labels, rule, floor, isLinear, weight }. `schema` is the API's
 * schema of a
 * line.
 */
export function panelsOf(job, schema) {
  const known = new Set(Object.keys({ ...job.summary, ...job.latest }));
  const panels = job.kind === "train" ? trainingPanels(job.spec, schema) : otherPanels(known, schema);
  return panels.map((panel) => ({ ...panel, keys: panel.keys.filter((key) => known.has(key)) }))
    .filter((panel) => panel.keys.length > 0);
}

function trainingPanels(spec, schema) {
  const factors = weights(spec) ?? {};
  const panel = (key) => {
    const { title = words(key), description = "" } = schema.properties[key] ?? {};
    return { keys: [key], title, note: description.replace(/\.$/, ""), weight: factors[key] };
  };
  return [
    ...["loss", ...(schema["x-parts"][methodOf(spec)] ?? [])].map(panel),
    {
      keys: ["std_mean", "std_min"], labels: ["mean", "smallest"], title: "Spread", isLinear: true, floor: 0,
      rule: spreadRule(spec), note: "Standard deviations of the dimensions: mean (solid), smallest (dashed)",
    },
    panel("rankme"), panel("corr"),
    {
      keys: ["probe_top1", "knn_top1"], labels: ["probe", "kNN"], title: "Online accuracy", isPercent: true,
      note: "Of held-back images: linear probe (solid), nearest neighbours (dashed)",
    },
    panel("holdout_loss"), panel("holdout_rankme"), panel("grad_norm"), panel("lr"),
      panel("images_per_second"),
  ];
}

/** The target of the mean spread, by docs/health.md. */
function spreadRule(spec) {
  const method = methodOf(spec);
  const width = spec?.projector?.widths?.at(-1);
  const isOfDirections = ["barlow-twins", "simclr", "byol", "simsiam"].includes(method) && width > 0;
  const value = { vicreg: spec?.loss?.gamma, sigreg: 1 }[method]
    ?? (isOfDirections ? 1 / Math.sqrt(width) : undefined);
  if (!Number.isFinite(value)) return undefined;
  const text = Number(value.toPrecision(3));
  return { value, shade: value * collapseShare, label: method === "vicreg" ? `γ ${text}` : `target ${text}` };
}

const subjects = ["", "_untrained", "_raw_pixels"];

/** The curves of an evaluation: the same figure of the encoder and of its baselines in one panel. */
function otherPanels(known, schema) {
  const bases = [...known].filter((key) => key in (schema.properties ?? {}) === false
    || "title" in schema.properties[key])
    .filter((key) => !subjects.slice(1).some((end) => key.endsWith(end)));
  return bases.sort().map((base) => {
    const keys = subjects.map((end) => base + end).filter((key) => known.has(key));
    return {
      keys, labels: keys.map((key) => words(key.slice(base.length + 1)) || "encoder"),
      title: schema.properties[base]?.title ?? capital(words(base)),
      note: keys.length > 1 ? "Encoder (solid) and baselines (dashed)" : "",
    };
  });
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
