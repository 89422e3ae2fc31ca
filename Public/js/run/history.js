// The history of a job: each state that it was in, from when to when, with the reason and the actor.
import { h } from "../core/dom.js";
import { duration, moment, words } from "../core/format.js";
import { table } from "../core/parts.js";
import { outside } from "../core/text.js";

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
  return table(["Time", "State", "Duration", "Reason", "Actor"], spans(transitions).map((span) => [
    h("time", { datetime: span.from, title: span.from }, moment(span.from)),
    h("span", { class: `state past ${span.state}` }, span.state),
    length(span),
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
