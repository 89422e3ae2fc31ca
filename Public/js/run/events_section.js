// What a run has reported beside its figures: attempts, checkpoints, evaluations, health, warnings.
import { request, tolerate } from "../core/api.js";
import { h } from "../core/dom.js";
import { bytes, healthWords, moment, number, percent, words } from "../core/format.js";
import { table } from "../core/parts.js";
import { outside } from "../core/text.js";
import { section } from "./section.js";

/** Metric lines among which events are looked for. */
const linesMax = 2_000;
const eventsMax = 500;

export class EventsSection {
  constructor({ id }) {
    this.id = id;
    this.events = null;
    this.body = h("div");
    this.details = h("details", { ontoggle: () => this.#ask().catch(tolerate) },
      h("summary", {}, "Show events"), this.body);
    this.element = section("Events", this.details);
  }

  update(job) {
    this.job = job;
    this.element.hidden = !job.started_at;
  }

  hear({ line }) {
    if (!this.events || !line || line.event === "metric" || line.event === "transition") return;
    this.events.push(line);
    this.#show();
  }

  /** The lines of the job but the metrics, from a step on that leaves few enough to read. */
  async #ask() {
    if (!this.details.open || this.events) return;
    this.events = [];
    const every = this.job.spec?.log_every_steps ?? 1;
    const from = Math.max(0, (this.job.latest?.step ?? 0) - linesMax * every);
    const text = await request(`/jobs/${this.id}/metrics?from_step=${from}`);
    this.from = from;
    this.events = text.split("\n").filter((line) => line && !line.startsWith('{"event":"metric"'))
      .map((line) => JSON.parse(line));
    this.#show();
  }

  #show() {
    const some = this.events.slice(-eventsMax).reverse();
    const note = this.from > 0 || this.events.length > some.length;
    this.body.replaceChildren(...[
      note ? h("p", { class: "quiet" }, this.from > 0 ? `Since step ${number(this.from, 9)}, newest first.`
        : `The last ${eventsMax}, newest first.`) : null,
      some.length > 0 ? table(["Time", "Event", "Step", "Details"], some.map((event) => [
        h("time", { datetime: event.time, title: event.time }, moment(event.time)), words(event.event),
        Number.isFinite(event.step) ? event.step.toLocaleString("en") : "", outside(details(event)),
      ])) : h("p", { class: "empty" }, "Nothing but figures so far."),
    ].filter(Boolean));
  }
}

/** An event in words. */
function details(event) {
  switch (event.event) {
    case "checkpoint": case "artifact": return `${event.name}, ${bytes(event.bytes)}`;
    case "health": return `${healthWords[event.state] ?? event.state}: ${event.message}`;
    case "started": {
      const machine = [event.cpu, event.threads && `${event.threads} threads`, event.isa];
      return `attempt ${event.attempt} on ${machine.filter(Boolean).join(", ")}`;
    }
    case "end": return [event.state, event.reason && words(event.reason), event.message].filter(Boolean)
      .join(", ");
    case "evaluation": return Object.entries(event)
      .filter(([key, value]) => Number.isFinite(value) && !["step", "epoch"].includes(key))
      .map(([key, value]) => `${words(key)} ${key.endsWith("top1") ? percent(value) : number(value)}`)
        .join(", ");
    default: return event.message ?? event.reason ?? "";
  }
}
