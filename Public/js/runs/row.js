// What the table keeps of a job.

/** The members of jobs that the table asks for. */
export const fields = [
  "id",
  "kind",
  "name",
  "labels",
  "notes",
  "priority",
  "state",
  "reason",
  "health",
  "created_at",
  "started_at",
  "finished_at",
  "running_seconds",
  "needs",
  "sweep",
  "progress",
  "latest",
  "evaluations",
  "result",
  "dataset",
  "method",
  "starts_at",
  "spec",
].join(",");

/** Metrics that are drawn as sparklines. */
export const sparkKeys = ["loss", "rankme"];

/** The row of a job; `readAt` is when its running time was that, in milliseconds. */
export function rowOf(job) {
  const spec = job.spec ?? {};
  const latest = job.kind === "train" ? job.latest : null;
  return {
    id: job.id,
    kind: job.kind,
    name: job.name,
    labels: job.labels ?? {},
    notes: job.notes,
    priority: job.priority,
    state: job.state,
    reason: job.reason,
    health: job.health,
    created_at: job.created_at,
    started_at: job.started_at,
    finished_at: job.finished_at,
    running_seconds: job.running_seconds,
    readAt: Date.now(),
    needs: job.needs,
    sweep: job.sweep,
    progress: job.progress,
    startsAt: job.starts_at,
    dataset: job.dataset,
    method: job.method,
    preset: spec.preset ?? null,
    trainedBy: spec.checkpoint?.job ?? null,
    step: latest?.step ?? null,
    loss: latest?.loss ?? null,
    rankme: latest?.rankme ?? null,
    curves: latest ? sparkKeys.filter((key) => key in latest) : [],
    evaluations: job.evaluations ?? [],
    best: bestOf(job),
  };
}

/** The accuracy that counts: an evaluation's own, a training's best evaluation; null: there is none. */
function bestOf(job) {
  if (job.result && Number.isFinite(job.result.top1)) {
    const { top1, protocol, top1_interval: interval, label_share: share } = job.result;
    return { top1, protocol, interval, share: share ?? 1, id: job.id };
  }
  return bestEvaluation(job.evaluations ?? []);
}

/** The best of a training's evaluations; null without one. */
export function bestEvaluation(evaluations) {
  const found = evaluations.filter((one) => Number.isFinite(one.top1));
  if (found.length === 0) return null;
  const { id, top1, protocol, label_share: share } = found.reduce((a, b) => (b.top1 > a.top1 ? b : a));
  return { top1, protocol, share: share ?? 1, id };
}

/** Of a training, after one of its evaluations has finished. */
export function withEvaluation(row, evaluation) {
  const { id, result } = evaluation;
  const one = {
    id,
    protocol: result.protocol,
    layer: result.layer,
    label_share: result.label_share,
    top1: result.top1,
  };
  const evaluations = [...row.evaluations.filter((other) => other.id !== id), one];
  return { ...row, evaluations, best: bestEvaluation(evaluations) };
}

/** The row after a metric line that its job has recorded. */
export function withLine(row, line) {
  const progress = { ...row.progress, step: line.step, epoch: line.epoch };
  const curves = sparkKeys.filter((key) => key in line);
  return {
    ...row,
    progress,
    step: line.step,
    loss: line.loss ?? null,
    rankme: line.rankme ?? row.rankme,
    curves: curves.length > row.curves.length ? curves : row.curves,
  };
}

/** Seconds that the job has been running, up to now. */
export function runningSeconds(row) {
  const isRunning = ["running", "pausing", "cancelling"].includes(row.state);
  if (!Number.isFinite(row.running_seconds)) return null;
  return row.running_seconds + (isRunning ? (Date.now() - row.readAt) / 1000 : 0);
}
