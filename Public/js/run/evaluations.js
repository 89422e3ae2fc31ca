// The evaluations of a training beside their baselines.
import { api, tolerate } from "../core/api.js";
import { h, replaceIfNew } from "../core/dom.js";
import { isOver, percent, title } from "../core/format.js";
import { stateChip, table } from "../core/parts.js";
import { mayWrite } from "../core/role.js";
import { outside } from "../core/text.js";
import { section } from "./section.js";

/** Evaluations that are looked up one by one. */
const lookupsMax = 40;

export class EvaluationsSection {
  constructor({ id, reload }) {
    this.id = id;
    this.reload = reload;
    this.jobs = new Map();
    this.body = h("div");
    this.element = section("Evaluations", this.body);
  }

  async update(job) {
    this.element.hidden = job.kind !== "train" || !job.started_at;
    if (this.element.hidden) return;
    const list = job.evaluations ?? [];
    if (list.length === 0) return void replaceIfNew(this.body, `none ${job.state} ${mayWrite()}`,
      () => none(job));
    await Promise.all(list.slice(-lookupsMax).filter(({ id }) => !this.jobs.has(id)).map(async ({ id }) => {
      try {
        this.jobs.set(id, await api.job(id));
      } catch (error) {
        tolerate(error);
      }
    }));
    this.list = list;
    this.#show();
  }

  /** An evaluation of this training has begun, gone on or ended. */
  hearOther({ name, state, job }) {
    if (name !== "state" || state.kind !== "evaluate") return;
    if (!this.jobs.has(job) && state.spec?.checkpoint?.job !== this.id
      && !(state.needs ?? []).includes(this.id)) return;
    const isNew = !this.jobs.has(job);
    this.jobs.set(job, state);
    if (isNew || isOver(state)) this.reload();
    else this.#show();
  }

  #show() {
    const jobs = (this.list ?? []).map((one) => this.jobs.get(one.id)
      ?? { ...one, kind: "evaluate", state: "", result: null, spec: one });
    const best = Math.max(...jobs.map(({ result }) => result?.top1 ?? -1));
    const columns = ["Evaluation", "State", "Top-1", "95% interval", "Untrained", "Raw pixels", "Top-5"];
    replaceIfNew(this.body, JSON.stringify(jobs.map(({ id, name, state, reason, result }) =>
      [id, name, state, reason, result])), () =>
      h("div", { class: "evaluations" }, table(columns, jobs.map((job) => row(job, best)))));
  }
}

/** A training that nobody has evaluated. */
function none(job) {
  const link = mayWrite() ? h("a", { href: `#/new?kind=evaluate&job=${job.id}` }, "Evaluate it") : null;
  return h("p", { class: "empty" }, "Not evaluated yet. ", link,
    link ? " to compare it with raw pixels and with the untrained encoder." : "");
}

function row(job, best) {
  const { result, spec } = job;
  const share = spec?.label_share ?? result?.label_share ?? 1;
  const about = [spec?.protocol ?? result?.protocol, spec?.layer ?? result?.layer,
    share < 1 && `${percent(share)} of the labels`].filter(Boolean).join(" · ");
  const figure = (value) => (Number.isFinite(value) ? percent(value) : "");
  const top1 = result?.top1 ?? job.top1;
  return [
    [h("a", { href: `#/jobs/${job.id}` }, outside(job.name ? title(job) : about)),
      job.name ? h("span", { class: "quiet" }, ` ${about}`) : null],
    job.state ? stateChip(job) : "", h(top1 === best ? "strong" : "span", {}, figure(top1)),
    result?.top1_interval ? result.top1_interval.map(percent).join(" to ") : "",
    figure(result?.baselines?.untrained), figure(result?.baselines?.raw_pixels), figure(result?.top5),
  ];
}
