// What is known of a job in words and figures.
import { h } from "../core/dom.js";
import { bytes, duration, isOver, moment, number, percent, runningTime } from "../core/format.js";
import { progress } from "../core/parts.js";
import { outside } from "../core/text.js";

/** The facts as a list. */
export function facts(job) {
  const latest = job.latest ?? {};
  const isWaiting = job.state === "queued" || job.state === "blocked";
  const entries = [
    ["Best accuracy", best(job.evaluations)],
    ["Progress", job.progress?.steps ? progress(job) : null],
    ["Method", job.spec?.method ?? null],
    ["Dataset", dataset(job.spec)],
    ["Network", network(job.spec)],
    ["Running time", job.started_at ? runningTime(job) : null],
    ["Queued", moment(job.created_at)],
    ["Started", job.started_at ? moment(job.started_at) : null],
    ["Finished", job.finished_at ? moment(job.finished_at) : null],
    ["Priority", isWaiting ? job.priority : null],
    ["Waits for", job.state === "blocked" ? jobLinks(job.needs) : null],
    ["Attempt", job.attempt > 1 ? job.attempt : null],
    ["Estimate", isOver(job) ? null : estimate(job.estimate)],
    ["Machine", machine(job.host)],
    ["Learning rate", Number.isFinite(latest.lr) ? number(latest.lr) : null],
    ["Gradient norm", Number.isFinite(latest.grad_norm) ? number(latest.grad_norm) : null],
    ["Trained by", job.kind !== "train" ? trainingLink(job) : null],
    ["Sweep", job.sweep ? h("a", { href: `#/sweeps/${job.sweep.id}` },
      `trial ${job.sweep.trial} of ${job.sweep.id.slice(-5)}`) : null],
  ];
  return h("dl", { class: "facts" },
    entries.filter(([, value]) => value !== null)
      .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

/** The highest accuracy that an evaluation of the training has found; null: there is none. */
function best(evaluations) {
  const done = (evaluations ?? []).filter(({ top1 }) => Number.isFinite(top1));
  if (done.length === 0) return null;
  const { id, protocol, layer, top1 } = done.reduce((first, next) => (next.top1 > first.top1 ? next : first));
  return [h("strong", {}, percent(top1)), " ", h("a", { href: `#/jobs/${id}` }, `${protocol}, ${layer}`)];
}

/** The dataset with the number of images where it is limited; null: the job names none. */
function dataset(spec) {
  const { name, limit } = spec?.dataset ?? {};
  if (!name) return null;
  return [h("a", { href: `#/datasets/${encodeURIComponent(name)}` }, outside(name)),
    limit ? `, ${limit.toLocaleString("en")} images` : ""];
}

/** The network of a training; null for other jobs. */
function network({ encoder, image_size: side } = {}) {
  if (!encoder) return null;
  const { arch, width, stem } = encoder;
  return [arch, `width ${width}`, stem && `${stem} stem`, side && `${side} px`].filter(Boolean).join(", ");
}

/** What the job will take, as far as this machine has measured it; null where nothing is known. */
function estimate(known) {
  const { seconds, memory_bytes: memory, disk_bytes: disk } = known ?? {};
  const parts = [
    Number.isFinite(seconds) && `about ${duration(seconds)}`,
    Number.isFinite(memory) && `${bytes(memory)} of memory`,
    Number.isFinite(disk) && `${bytes(disk)} of disk`,
  ].filter(Boolean);
  return parts.length > 0 ? parts.join(", ") : null;
}

/** The machine that the job ran on; null where that is not known. */
function machine(host) {
  const { cpu, threads, isa, version } = host ?? {};
  const parts = [
    cpu, Number.isFinite(threads) && `${threads} ${threads === 1 ? "thread" : "threads"}`, isa,
    version && `version ${version}`,
  ].filter(Boolean);
  return parts.length > 0 ? outside(parts.join(", ")) : null;
}

function trainingLink(job) {
  const { job: id, model } = job.spec?.checkpoint ?? {};
  if (id) return h("a", { href: `#/jobs/${id}` }, id);
  return model ? outside(`uploaded model ${model}`) : null;
}

const jobLinks = (ids) => ids.map((id, index) =>
  [index > 0 ? ", " : "", h("a", { href: `#/jobs/${id}` }, h("code", {}, id.slice(-5)))]);
