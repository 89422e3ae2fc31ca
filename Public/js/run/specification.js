// The specification of a job: what differs from its preset, or all of it.
import { tolerate } from "../core/api.js";
import { request } from "../core/api.js";
import { h, replaceIfNew } from "../core/dom.js";
import { table } from "../core/parts.js";
import { mayWrite } from "../core/role.js";
import { outside, shown } from "../core/text.js";
import { section, whenSeen } from "./section.js";

export class SpecificationSection {
  constructor() {
    this.whole = h("input", { type: "checkbox", onchange: () => this.#show() });
    this.text = h("input", { type: "checkbox", onchange: () => this.#show() });
    this.body = h("div");
    this.note = h("p", { class: "quiet" });
    this.element = section("Specification",
      h("div", { class: "controls" }, h("label", { class: "whole" }, this.whole, " All fields"),
        h("label", {}, this.text, " As JSON")),
      this.note, this.body);
  }

  update(job) {
    this.job = job;
    this.element.hidden = !job.spec;
    const version = JSON.stringify([job.kind, job.spec]);
    if (this.element.hidden || version === this.version) return;
    this.version = version;
    this.note.textContent = "Comparing with the preset…";
    if (this.isSeen) return void this.#ask().catch(tolerate);
    this.forget ??= whenSeen(this.element, () => {
      this.isSeen = true;
      this.#ask().catch(tolerate);
    });
  }

  destroy() {
    this.forget?.();
  }

  /** Asks the daemon what the preset of the job, or its protocol, gives where nothing else is said. */
  async #ask() {
    const { kind, spec } = this.job;
    const base = {
      train: () => ({ preset: spec.preset, ...(spec.method ? { method: spec.method } : {}),
        dataset: { name: spec.dataset?.name } }),
      evaluate: () => ({ checkpoint: spec.checkpoint, protocol: spec.protocol,
        dataset: { name: spec.dataset?.name } }),
      embed: () => ({ checkpoint: spec.checkpoint, dataset: { name: spec.dataset?.name } }),
    }[kind]?.();
    this.preset = null;
    this.isAsked = true;
    if (base && mayWrite()) {
      try {
        const text = await request("/jobs?dry_run=true", {
          method: "POST", headers: { "Content-Type": "application/json" },
            body: JSON.stringify({ kind, spec: base }),
        });
        this.preset = JSON.parse(text).spec;
      } catch (error) {
        tolerate(error);
      }
    }
    this.#show();
  }

  #show() {
    if (!this.isAsked) return;
    const { job, preset } = this;
    const rows = differences(job.spec, preset ?? null);
    const isWhole = this.whole.checked || !preset;
    this.whole.closest("label").hidden = !preset || this.text.checked;
    const name = job.kind === "train" ? `preset “${job.spec.preset}”` : "the defaults";
    const count = rows.filter((row) => row.differs).length;
    this.note.textContent = !preset ? "Every field of this job, with defaults."
      : count === 0 ? `Nothing differs from ${name}.`
        : `${count} ${count === 1 ? "field differs" : "fields differ"} from ${name}.`;
    replaceIfNew(this.body, JSON.stringify([this.version, preset, isWhole, this.text.checked]), () => {
      if (this.text.checked) return jsonText(job);
      const some = isWhole ? rows : rows.filter((row) => row.differs);
      if (some.length === 0) return [];
      const columns = ["Field", "Value", ...(preset ? [job.kind === "train" ? "Preset" : "Default"] : [])];
      return table(columns, some.map((row) => [
        h("code", { class: preset && row.differs ? "differs" : "" }, row.path), outside(text(row.value)),
          ...(preset ? [outside(text(row.base))] : []),
      ]));
    });
  }
}

const jsonText = (job) => h("pre", { tabindex: 0, role: "region", "aria-label": "Specification as JSON" },
  shown(JSON.stringify({ kind: job.kind, name: job.name, spec: job.spec }, null, 2)));

const text = (value) => (value === undefined ? "not there" : typeof value === "string" ? value
  : JSON.stringify(value));

/**
 * Each field of a specification: { path, value, base, differs }; members of objects one by one, lists as a
 * whole.
 */
export function differences(spec, base) {
  const own = flat(spec);
  const other = base ? flat(base) : new Map();
  const paths = base ? [...own.keys(), ...[...other.keys()]
    .filter((path) => !own.has(path) && isLeafOf(path, own))] : [...own.keys()];
  return paths.sort().map((path) => {
    const [value, standard] = [own.get(path), other.get(path)];
    // Fields that this job's version did not have say nothing.
    const differs = base !== null && own.has(path) && JSON.stringify(value) !== JSON.stringify(standard);
    return { path, value, base: standard, differs };
  });
}

/** Whether a member of the base is missing in an object that the specification has. */
const isLeafOf = (path, own) => [...own.keys()]
  .some((one) => one.startsWith(path.slice(0, path.lastIndexOf(".") + 1)) && path.includes("."));

function flat(value, path = "", rows = new Map()) {
  if (value && typeof value === "object" && !Array.isArray(value)) {
    for (const [key, member] of Object.entries(value)) flat(member, path ? `${path}.${key}` : key, rows);
  } else rows.set(path, value);
  return rows;
}
