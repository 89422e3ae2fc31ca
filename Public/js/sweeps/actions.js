// What can be asked of a sweep, as buttons; each refusal is shown in words.
import { Problem } from "../core/api.js";
import { ask } from "../core/dialog.js";
import { h } from "../core/dom.js";
import { alert } from "../core/parts.js";
import { mayWrite } from "../core/role.js";
import { sweepsAPI } from "./data.js";
import { sweepTitle } from "./parts.js";

/** The buttons of a sweep in its state. */
function actionsOf({ state }) {
  const goesOn = ["running", "pausing", "paused"].includes(state);
  return [
    state === "running" && "pause",
    ["paused", "pausing"].includes(state) && "resume",
    (goesOn || state === "succeeded") && "extend",
    goesOn && "cancel",
    ["succeeded", "failed", "cancelled"].includes(state) && "delete",
  ].filter(Boolean);
}

const labels = { pause: "Pause", resume: "Resume", extend: "Extend…", cancel: "Cancel…", delete: "Delete…" };

/** The buttons and the place for what the daemon refuses. `onDone()` is called after each success. */
export class SweepActions {
  constructor(onDone) {
    this.onDone = onDone;
    this.buttons = h("span", { class: "buttons" });
    this.problem = h("div", { class: "problem" });
  }

  show(sweep) {
    this.sweep = sweep;
    if (!mayWrite()) return;
    const names = actionsOf(sweep);
    if (this.buttons.dataset.names === names.join()) return;
    this.buttons.dataset.names = names.join();
    const hadFocus = this.buttons.contains(document.activeElement);
    this.buttons.replaceChildren(
      ...names.map((name) =>
        h("button", {
          type: "button",
          onclick: (event) => this.#press(name, event.currentTarget),
        }, labels[name])
      ),
    );
    if (hadFocus) this.buttons.querySelector("button")?.focus();
  }

  async #press(name, button) {
    const { id } = this.sweep;
    const work = {
      pause: () => sweepsAPI.change(id, "pause"),
      resume: () => sweepsAPI.change(id, "resume"),
      extend: () => this.#extend(),
      cancel: () => this.#cancel(),
      delete: () => this.#delete(),
    }[name];
    button.disabled = true;
    this.problem.replaceChildren();
    try {
      if (await work() !== false) this.onDone(name);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.problem.replaceChildren(alert(error.message));
    } finally {
      button.disabled = false;
    }
  }

  async #cancel() {
    const { running, queued } = this.sweep.trials;
    const isSure = await ask({
      title: `Cancel ${sweepTitle(this.sweep)}?`,
      action: "Cancel the sweep",
      isDanger: true,
      content: h(
        "p",
        {},
        `${running} running and ${queued} queued trials are stopped. A cancelled sweep cannot go on.`,
      ),
    });
    return isSure && sweepsAPI.change(this.sweep.id, "cancel");
  }

  async #delete() {
    const isSure = await ask({
      title: `Delete ${sweepTitle(this.sweep)}?`,
      action: "Delete the sweep",
      isDanger: true,
      content: h(
        "p",
        {},
        "The sweep and its table of trials are removed. Its jobs stay, and belong to no sweep then.",
      ),
    });
    return isSure && sweepsAPI.remove(this.sweep.id);
  }

  async #extend() {
    const least = Math.max(this.sweep.spec.max_trials ?? 0, this.sweep.trials.total);
    const field = h("input", {
      type: "number",
      id: "max-trials",
      min: least + 1,
      step: 1,
      value: least + 10,
    });
    const isSure = await ask({
      title: `Extend ${sweepTitle(this.sweep)}`,
      action: "Extend",
      content: [
        h("p", {}, h("label", { for: "max-trials" }, `Trials in all (up to now ${least})`)),
        h("p", {}, field),
      ],
    });
    // A number that the daemon refuses is refused in its words.
    const most = field.value === "" ? null : Number(field.value);
    return isSure && sweepsAPI.change(this.sweep.id, "extend", { max_trials: most });
  }
}
