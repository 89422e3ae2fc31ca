// The page of one sweep: what it has found so far, and by which trials.
import { api, tolerate } from "../core/api.js";
import { copyable } from "../core/clipboard.js";
import { announce, h, repeat, replaceIfNew } from "../core/dom.js";
import { onChange } from "../core/events.js";
import { duration, moment } from "../core/format.js";
import { alert, stateChip } from "../core/parts.js";
import { mayWrite } from "../core/role.js";
import { rememberQuery } from "../core/router.js";
import { isVisible, outside } from "../core/text.js";
import { SweepActions } from "./actions.js";
import { SweepData, sweepsAPI } from "./data.js";
import {
  costsOf,
  objectiveName,
  parametersOf,
  rungEpochs,
  searchName,
  submissionOf,
  valueText,
} from "./model.js";
import { configuration, sweepTitle, trialsBar } from "./parts.js";
import { Results } from "./results.js";

/** Milliseconds between two drawings while events arrive. */
const drawMilliseconds = 250;

/** Fills `main` with the sweep `groups[0]` and keeps it up to date; returns a function that stops. */
export function show(main, { groups: [id], query }) {
  const page = new SweepPage(main, id, query);
  return () => page.stop();
}

class SweepPage {
  constructor(main, id, query) {
    this.data = new SweepData(id);
    this.heading = h("h1", {}, "Sweep");
    this.state = h("p", {});
    this.actions = new SweepActions((name) => this.#acted(name));
    this.message = h("div", {});
    this.facts = h("div", {});
    this.best = h("section", { class: "card best-trial", hidden: true, "aria-label": "Best trial" });
    this.results = new Results(query, rememberQuery);
    main.replaceChildren(
      h(
        "div",
        { class: "head" },
        h("div", {}, this.heading, this.state),
        h(
          "div",
          { class: "buttons" },
          this.actions.buttons,
          h(
            "a",
            { class: "button", href: sweepsAPI.tablePath(id), download: `${id}-trials.csv` },
            "trials.csv",
          ),
          h("a", { class: "button", href: `#/?sweep=${id}` }, "Its runs"),
          mayWrite()
            ? h("a", { class: "button", href: `#/new?kind=sweep&from=${id}` }, "Duplicate & edit")
            : null,
        ),
      ),
      this.actions.problem,
      this.message,
      this.facts,
      this.best,
      this.results.element,
    );
    this.stops = [
      onChange((change) => this.#apply(change)),
      repeat(1, () => this.#load(), ({ name }) => name === "resync"),
    ];
  }

  stop() {
    this.stops.forEach((stop) => stop());
    clearTimeout(this.timer);
    this.timer = -1;
    this.results.destroy();
  }

  #apply(change) {
    if (this.data.apply(change) && this.data.sweep) this.#drawSoon();
  }

  async #load() {
    try {
      await this.data.load();
    } catch (error) {
      tolerate(error);
      if (error.status !== 404 && error.status !== 400 && error.status !== 422) return true;
      this.#showGone(error.message);
      return false;
    }
    this.#draw();
    return true;
  }

  #drawSoon() {
    this.timer ??= setTimeout(() => this.#draw(), drawMilliseconds);
  }

  #draw() {
    if (this.timer === -1) return;
    clearTimeout(this.timer);
    this.timer = null;
    const { sweep } = this.data;
    if (this.data.isDeleted) return this.#showGone("This sweep has been deleted.");
    document.title = `${sweepTitle(sweep)} · vicregd`;
    if (this.shownState && this.shownState !== sweep.state) announce(`${sweepTitle(sweep)}: ${sweep.state}`);
    this.shownState = sweep.state;
    const parameters = parametersOf(sweep);
    const trials = [...this.data.trials.values()].sort((one, other) => one.number - other.number);
    const costs = costsOf(this.data.jobs.values());
    replaceIfNew(this.heading, sweepTitle(sweep), () => outside(sweepTitle(sweep)));
    const hasFailed = sweep.state === "failed";
    replaceIfNew(this.state, JSON.stringify([sweep.state, sweep.message]), () => [
      stateChip({ state: sweep.state }),
      sweep.message && !hasFailed ? h("span", { class: "quiet" }, " · ", outside(sweep.message)) : null,
      h("code", { class: "id" }, sweep.id),
    ]);
    replaceIfNew(
      this.message,
      String(sweep.message),
      () => (hasFailed && sweep.message ? alert(sweep.message) : []),
    );
    this.actions.show(sweep);
    this.#drawFacts(sweep, costs);
    this.#drawBest(sweep, parameters);
    this.results.show({ sweep, trials, costs, parameters });
  }

  #drawFacts(sweep, costs) {
    const seconds = [...costs.values()].reduce((sum, cost) => sum + cost.seconds, 0);
    const halving = sweep.spec?.early_stopping;
    const { max_failed: failed, max_concurrent: atOnce, seeds, evaluate, max_duration_seconds: limit } =
      sweep.spec ?? {};
    const entries = [
      ["Trials", trialsBar(sweep)],
      ["Objective", outside(objectiveName(sweep))],
      ["Search", searchName(sweep)],
      ["Early stopping", halving ? earlyStopping(halving, rungEpochs(sweep)) : null],
      ["Evaluation", evaluate ? outside(evaluate.protocol ?? "logistic") : null],
      ["Seeds per trial", seeds > 1 ? seeds : null],
      ["At a time", atOnce],
      ["Failures allowed", failed],
      ["Time limit", limit ? duration(limit) : null],
      ["Compute", duration(seconds)],
      ["Time left", sweep.finished_at ? null : duration(sweep.seconds_left ?? NaN)],
      ["Started", moment(sweep.started_at)],
      ["Finished", sweep.finished_at ? moment(sweep.finished_at) : null],
      ["Priority", sweep.priority],
      ["Labels", labels(sweep.labels)],
      ["Notes", isVisible(sweep.notes) ? outside(sweep.notes, { kind: "notes" }) : null],
    ].filter(([, value]) => value !== null && value !== undefined);
    const version = JSON.stringify([sweep, Math.round(seconds)]);
    replaceIfNew(
      this.facts,
      version,
      () =>
        h(
          "dl",
          { class: "facts" },
          entries.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
        ),
    );
  }

  #drawBest(sweep, parameters) {
    const { best } = sweep;
    this.best.hidden = !best;
    if (!best) return;
    const isOpen = this.best.querySelector("details")?.open;
    replaceIfNew(this.best, JSON.stringify(best), () => {
      const code = h("div", {});
      const details = h(
        "details",
        { ontoggle: () => details.open && this.#showCommand(code, sweep, best) },
        h("summary", {}, "Train it again with curl"),
        code,
      );
      details.open = isOpen ?? false;
      return [
        h(
          "div",
          { class: "best-head" },
          h(
            "h2",
            {},
            "Best: trial ",
            best.job ? h("a", { href: `#/jobs/${best.job}` }, `#${best.trial}`) : `#${best.trial}`,
          ),
          h("strong", { class: "best-value" }, valueText(sweep)(best.value)),
          h("span", { class: "quiet" }, outside(objectiveName(sweep))),
          best.job && mayWrite()
            ? h(
              "a",
              { class: "button", href: `#/new?kind=train&from=${best.job}` },
              "Duplicate & edit the run",
            )
            : null,
        ),
        configuration(parameters, best.parameters),
        details,
      ];
    });
  }

  async #showCommand(code, sweep, best) {
    let resolved = null;
    try {
      resolved = best.job ? (await api.job(best.job)).spec : null;
    } catch (error) {
      tolerate(error);
    }
    const body = JSON.stringify(submissionOf(sweep, best.parameters, resolved)).replaceAll("'", "'\\''");
    code.replaceChildren(
      copyable(`curl ${location.origin}/jobs -H 'Content-Type: application/json' -d '${body}'`),
    );
  }

  #acted(name) {
    if (name === "delete") location.hash = "#/sweeps";
    else this.#load();
  }

  #showGone(text) {
    this.stop();
    for (const part of [this.facts, this.best, this.results.element, this.state]) part.hidden = true;
    this.actions.buttons.replaceChildren();
    this.message.replaceChildren(alert(text), h("p", {}, h("a", { href: "#/sweeps" }, "All sweeps")));
  }
}

function earlyStopping({ name, reduction_factor: factor }, rungs) {
  return `${name}, best 1 of ${factor} after ${rungs.slice(0, -1).join(", ")} epochs`;
}

function labels(all) {
  const entries = Object.entries(all ?? {});
  if (entries.length === 0) return null;
  return h(
    "ul",
    { class: "labels" },
    entries.map(([key, value]) => h("li", {}, outside(key), ": ", outside(value))),
  );
}
