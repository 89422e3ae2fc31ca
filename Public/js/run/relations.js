// What a run needs, and what was made of it.
import { json } from "../core/api.js";
import { h, replaceIfNew } from "../core/dom.js";
import { title } from "../core/format.js";
import { stateChip, table } from "../core/parts.js";
import { outside } from "../core/text.js";
import { section } from "./section.js";

/** Needed jobs that are looked up. */
const needsMax = 50;

export class RelationsSection {
  constructor() {
    this.body = h("div");
    this.element = section("Needs", this.body);
    this.known = new Map();
  }

  async update(job) {
    const needs = [...new Set([...(job.needs ?? []), job.spec?.checkpoint?.job, job.spec?.init_from?.job])]
      .filter(Boolean);
    this.element.hidden = needs.length === 0;
    if (needs.length === 0) return;
    const version = JSON.stringify([needs, job.state]);
    if (this.version === version) return;
    this.version = version;
    const found = await Promise.all(needs.slice(0, needsMax).map((id) =>
      json(`/jobs/${id}`).catch(() => ({ id, kind: "job", state: "no longer exists", isLost: true }))));
    this.#show(found);
  }

  /** A job that this one needs has changed. */
  hearOther({ name, state }) {
    if (name !== "state" || !this.found?.some(({ id }) => id === state.id)) return;
    this.#show(this.found.map((job) => (job.id === state.id ? state : job)));
  }

  #show(found) {
    this.found = found;
    replaceIfNew(this.body, JSON.stringify(found.map(({ id, name, state, reason }) =>
      [id, name, state, reason])), () =>
      table(["Job", "Kind", "State"], found.map((job) => [
        job.isLost ? job.id : h("a", { href: `#/jobs/${job.id}` }, outside(title(job))), job.kind,
          stateChip(job),
      ])));
  }
}
