// Pieces that the list of sweeps and the page of one share.
import { h } from "../core/dom.js";
import { isVisible, outside, shown } from "../core/text.js";

/** The states of trials in the order of the bar, and whether one has ended there. */
export const trialStates = ["succeeded", "stopped", "failed", "running", "queued"];

/** What a sweep is called: its name, or its id. */
export const sweepTitle = (
  sweep,
) => (isVisible(sweep.name) ? shown(sweep.name) : `sweep ${sweep.id.slice(-5)}`);

/** How many trials are in each state, as a bar and in words. */
export function trialsBar(sweep) {
  const { trials } = sweep;
  const all = Math.max(trials.total, sweep.spec?.max_trials ?? 0, 1);
  const counts = trialStates.filter((state) => trials[state] > 0);
  const words = counts.map((state) => `${trials[state]} ${state}`).join(", ");
  const isOver = ["succeeded", "failed", "cancelled"].includes(sweep.state);
  const total = isOver ? trials.total : all;
  return h(
    "div",
    { class: "trials-bar" },
    h(
      "div",
      { class: "segments", role: "img", "aria-label": `Trials: ${words || "none yet"}` },
      counts.map((state) =>
        h("span", {
          class: `segment ${state}`,
          style: { "flex-grow": trials[state] },
          title: `${trials[state]} ${state}`,
        })
      ),
      !isOver && all > trials.total
        ? h("span", { class: "segment", style: { "flex-grow": all - trials.total } })
        : null,
    ),
    h("span", { class: "quiet" }, words ? `${words} of ${total}` : `none of ${total} yet`),
  );
}

/** The values of a configuration, name by name. */
export function configuration(parameters, values) {
  return h(
    "dl",
    { class: "values" },
    parameters
      .filter(({ pointer }) => values[pointer] !== undefined)
      .map(({ pointer, name, scale }) =>
        h("div", {}, h("dt", {}, outside(name)), h("dd", {}, outside(scale.text(values[pointer]))))
      ),
  );
}
