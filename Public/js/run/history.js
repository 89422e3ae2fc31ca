// The history of a job: each state that it was in, from when to when, with the reason and the actor.
import { api, tolerate } from "../core/api.js";
import { h, replaceIfNew } from "../core/dom.js";
import { duration, moment, words } from "../core/format.js";
import { table } from "../core/parts.js";
import { outside } from "../core/text.js";
import { section } from "./section.js";

/** The section with the history. */
export class HistorySection {
  constructor({ id }) {
    this.id = id;
    this.body = h("div");
    this.element = section("History", this.body);
  }

  async update(job) {
    if (this.state === job.state && !this.element.hidden) return;
    this.state = job.state;
    await this.#ask();
  }

  hear({ name }) {
    if (name === "transition") this.#ask().catch(tolerate);
  }

  async #ask() {
    const transitions = await api.transitions(this.id);
    this.element.hidden = transitions.length === 0;
    replaceIfNew(this.body, JSON.stringify(transitions), () => historyTable(transitions));
  }
}

/** States in which time passes that is worth a figure. */
const timed = ["blocked", "queued", "running", "pausing", "paused", "cancelling"];

/**
 * The states that a job was in, oldest first, of its transitions: { state, from, to, seconds, … }. The last
 * one has no end yet: `to` and `seconds` are null.
 */
export function spans(transitions) {
  return transitions.map((transition, index) => {
    const next = transitions[index + 1];
    const seconds = next ? (new Date(next.time) - new Date(transition.time)) / 1000 : null;
    return { ...transition, state: transition.to, from: transition.time, to: next?.time ?? null, seconds };
  });
}

/** The history as a table. */
export function historyTable(transitions) {
  const isRetried = transitions.some(({ attempt }) => attempt > 1);
  const columns = ["Time", "State", "Duration", ...(isRetried ? ["Attempt"] : []), "Reason", "Actor"];
  return table(columns, spans(transitions).map((span) => [
    h("time", { datetime: span.from, title: span.from }, moment(span.from)),
    h("span", { class: `state past ${span.state}` }, span.state),
    length(span),
    ...(isRetried ? [span.attempt] : []),
    reason(span),
    outside(span.actor ?? "–"),
  ]));
}

/**
 * How long the state lasted. The one that goes on has no figure, because the clocks here and there may
 * differ.
 */
function length(span) {
  if (!timed.includes(span.state)) return "–";
  return span.seconds === null ? "not over" : duration(span.seconds);
}

function reason(span) {
  const text = [span.reason && words(span.reason), span.message].filter(Boolean).join(": ");
  return text ? outside(text) : "–";
}
