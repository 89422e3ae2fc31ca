// What a sweep's trials say: their order, the best so far, what they cost. No page here.
import { number, percent } from "../core/format.js";
import { shown } from "../core/text.js";
import { linear, logarithmic, measured, ordinal } from "../charts/scale.js";

/** A JSON pointer as people write it: "/optimizer/lr" as "optimizer.lr". */
export const pointerName = (pointer) =>
  shown(pointer.replace(/^\//, "").replaceAll("/", ".").replaceAll("~1", "/").replaceAll("~0", "~"));

/** The parameters of a sweep in the order of their names: { pointer, name, scale, isConditional }. */
export function parametersOf(sweep) {
  return Object.entries(sweep.spec?.space ?? {}).map(([pointer, range]) => ({
    pointer,
    name: pointerName(pointer),
    scale: scaleOf(range),
    isConditional: Boolean(range.if),
  }));
}

function scaleOf(range) {
  if (range.choice) return ordinal(range.choice);
  if (range.log_uniform) return logarithmic(...range.log_uniform);
  return linear(...(range.uniform ?? range.int ?? [0, 1]));
}

/** Whether the objective is a share of 1, shown as a percentage. */
const isShare = (metric) => /(^|[._])top[15]($|[._])/.test(metric);

/** How values of the sweep's objective are shown. */
export function valueText(sweep) {
  return isShare(sweep.spec?.objective?.metric ?? "") ? percent : (value) => number(value, 4);
}

/** The scale for values of the objective, with ticks in percent where it is a share. */
export function valueScaleOf(sweep, values) {
  const scale = measured(values);
  if (!isShare(sweep.spec?.objective?.metric ?? "")) return scale;
  const text = (value) => `${number(value * 100)}%`;
  return { ...scale, text, ticks: () => scale.ticks().map(({ value }) => ({ value, text: text(value) })) };
}

/** "max evaluation.top1" */
export function objectiveName(sweep) {
  const { metric, mode } = sweep.spec?.objective ?? {};
  return metric ? `${mode} ${shown(metric)}` : "–";
}

/** How a sweep searches: "tpe, seed 0". */
export function searchName(sweep) {
  const { name, seed } = sweep.spec?.search ?? {};
  return name === "grid" ? name : `${name}, seed ${seed}`;
}

/** The epochs after which a halving sweep decides; empty: it does not stop trials early. */
export function rungEpochs(sweep) {
  const halving = sweep.spec?.early_stopping;
  if (!halving) return [];
  const rungs = [];
  for (let epochs = halving.min_epochs; epochs < halving.max_epochs; epochs *= halving.reduction_factor) {
    rungs.push(epochs);
  }
  return [...rungs, halving.max_epochs];
}

/**
 * Sorts trials as the daemon ranks them: those that trained longest first, then by value; others are left
 * out.
 */
export function ranked(trials, mode) {
  const sign = mode === "max" ? -1 : 1;
  return trials.map((trial) => ({ trial, ...standing(trial) }))
    .filter(({ value }) => Number.isFinite(value))
    .sort((one, other) =>
      other.height - one.height || sign * (one.value - other.value) ||
      one.trial.number - other.trial.number
    )
    .map(({ trial }) => trial);
}

/** The value that counts for a trial, and the height of the rung that it has reported at. */
function standing(trial) {
  if (trial.state === "succeeded") return { value: trial.value, height: Infinity };
  const { rung_values: values } = trial;
  return { value: values.length > 0 ? values.at(-1) : null, height: values.length };
}

/** The value that counts for a trial; null: none yet. */
export const countingValue = (trial) => {
  const { value } = standing(trial);
  return Number.isFinite(value) ? value : null;
};

/** What each trial has cost: { seconds, endedAt } by number; `jobs` are all jobs of the sweep. */
export function costsOf(jobs) {
  const costs = new Map();
  for (const job of jobs) {
    if (!job.sweep) continue;
    const cost = costs.get(job.sweep.trial) ?? { seconds: 0, endedAt: "" };
    cost.seconds += job.running_seconds ?? 0;
    if (job.finished_at > cost.endedAt) cost.endedAt = job.finished_at;
    costs.set(job.sweep.trial, cost);
  }
  return costs;
}

/**
 * The best trial after each one that has a value, as [{ x, trial, value, best }]; `best` is the value of the
 * best so far. `by` "trials": x counts them in the order of their numbers; "compute": x is the seconds that
 * the trials which had ended by then have cost.
 */
export function bestSoFar(trials, mode, costs, by) {
  const places = new Map(ranked(trials, mode).map((trial, place) => [trial.number, place]));
  const all = trials.filter((trial) => places.has(trial.number));
  const cost = (trial) => costs.get(trial.number) ?? { seconds: 0, endedAt: "" };
  if (by === "compute") {
    all.sort((one, other) => {
      const [a, b] = [cost(one).endedAt, cost(other).endedAt];
      return a === b ? one.number - other.number : a < b ? -1 : 1;
    });
  } else all.sort((one, other) => one.number - other.number);
  let [seconds, best] = [0, null];
  return all.map((trial) => {
    seconds += cost(trial).seconds;
    if (best === null || places.get(trial.number) < places.get(best.number)) best = trial;
    return {
      x: by === "compute" ? seconds : trial.number + 1,
      trial,
      value: countingValue(trial),
      best: countingValue(best),
    };
  });
}

/** What became of the trials at each rung: [{ epochs, reached, left, stopped, waiting, best, median }]. */
export function rungTable(sweep, trials) {
  const { mode } = sweep.spec.objective;
  return rungEpochs(sweep).map((epochs, rung) => {
    const reached = trials.filter((trial) => trial.rung_values.length > rung);
    const values = reached.map((trial) => trial.rung_values[rung]).filter(Number.isFinite).sort((a, b) =>
      a - b
    );
    const went = trials.filter((trial) => trial.rung > rung).length;
    const stopped = trials.filter((trial) => trial.stopped_at === rung).length;
    return {
      rung,
      epochs,
      training: trials.filter((trial) => trial.rung === rung && trial.state === "running").length,
      reached: reached.length,
      went,
      stopped,
      best: values.length === 0 ? null : mode === "max" ? values.at(-1) : values[0],
      median: median(values),
    };
  });
}

function median(sorted) {
  if (sorted.length === 0) return null;
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** How good a value is, from 0 (worst) to 1 (best), on the scale of all values. */
export const goodness = (scale, mode) => (value) => {
  const place = scale.place(value);
  if (place === null) return null;
  return Math.min(1, Math.max(0, mode === "max" ? place : 1 - place));
};

/** The request that trains a configuration again: the sweep's base with these values. */
export function submissionOf(sweep, parameters, resolved) {
  const base = structuredClone(sweep.spec.base ?? {});
  const spec = base.spec ?? {};
  for (const [pointer, value] of Object.entries(parameters)) put(spec, steps(pointer), value, resolved);
  if (sweep.spec.early_stopping) spec.epochs = sweep.spec.early_stopping.max_epochs;
  return { ...base, kind: "train", spec };
}

const steps = (pointer) =>
  pointer.split("/").slice(1).map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));

/**
 * Sets a value; an array that `object` does not name is the one of `resolved`, the specification of a trial.
 */
function put(object, path, value, resolved) {
  const [key, ...rest] = path;
  if (rest.length === 0) {
    object[key] = value;
    return;
  }
  const known = resolved?.[key];
  if (object[key] === undefined || object[key] === null || typeof object[key] !== "object") {
    object[key] = Array.isArray(known) ? structuredClone(known) : {};
  }
  put(object[key], rest, value, known);
}
