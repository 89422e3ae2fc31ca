// Any set of runs next to each other: curves, values, the settings that differ, evaluations.
import { api, tolerate } from "../core/api.js";
import { h } from "../core/dom.js";
import { onChange } from "../core/events.js";
import { choiceMenu } from "../core/menu.js";
import { alert } from "../core/parts.js";
import { rememberQuery } from "../core/router.js";
import { CompareCurves } from "./curves.js";
import { Differences } from "./differences.js";
import { Evaluations, evaluationsOf } from "./evaluations.js";
import { Legend } from "./legend.js";
import { readJobs, readStep } from "./requests.js";
import { Values } from "./values.js";

/** Runs that are compared at most, as many as the daemon gives curves of at once. */
const runsMax = 200;
/** Metrics that are drawn unless others are chosen. */
const standardKeys = ["loss", "rankme"];
/** Evaluations whose intervals are read. */
const intervalsMax = 300;
/** Milliseconds in which changes are gathered. */
const gathering = 200;

/** Fills `main` and keeps it up to date; returns a function that stops. */
export function show(main, { query }) {
  const page = new ComparePage(main, query);
  return () => page.stop();
}

class ComparePage {
  constructor(main, query) {
    const list = (name) => (query.get(name) ?? "").split(",").filter(Boolean);
    const asked = [...new Set(list("jobs"))];
    this.runs = asked.slice(0, runsMax).map((id, index) => ({ id, index, job: null }));
    this.keys = list("keys").length > 0 ? list("keys") : standardKeys;
    this.hidden = new Set(list("hide"));
    const [metric, step, order] = ["metric", "step", "order"].map((name) => query.get(name) ?? "");
    this.view = { metric: metric || standardKeys[0], step, order };
    this.isAll = query.get("all") === "1";
    this.results = new Map();
    this.lineSchema = {};
    this.legend = new Legend({
      toggle: (id) => this.#hide(id),
      only: (id) => this.#only(id),
      showAll: () => this.#showAll(),
      remove: (id) => this.#remove(id),
      point: (id) => this.curves.emphasize(id),
    });
    this.curves = new CompareCurves({
      state: { axis: query.get("x"), smooth: query.get("smooth"), log: query.get("log") },
      onState: ({ axis, ...rest }) => rememberQuery({ x: axis, ...rest }),
      open: (id) => {
        location.hash = `#/jobs/${id}`;
      },
      point: (id) => this.legend.emphasize(id),
    });
    this.values = new Values((part) => this.#choose(part));
    this.differences = new Differences(({ all }) => {
      this.isAll = all;
      rememberQuery({ all: all ? "1" : "" });
      this.#draw();
    });
    this.evaluations = new Evaluations();
    this.refusal = h(
      "div",
      {},
      asked.length > runsMax
        ? alert(`Only the first ${runsMax} of ${asked.length} runs are compared.`)
        : null,
    );
    this.heading = h("h1", {}, "Compare");
    this.menuPlace = h("span");
    this.body = h(
      "div",
      { class: "compare" },
      h("div", { class: "compare-top" }, this.legend.element, this.curves.element),
      this.evaluations.element,
      this.values.element,
      this.differences.element,
    );
    main.replaceChildren(
      h("div", { class: "section-line" }, this.heading, this.menuPlace),
      this.refusal,
      this.body,
    );
    this.forget = onChange((change) => this.#apply(change));
    this.#load();
  }

  stop() {
    this.isStopped = true;
    clearTimeout(this.timer);
    this.forget();
    this.curves.destroy();
  }

  get ids() {
    return this.runs.map((run) => run.id);
  }
  /** The runs that have been read. */
  get known() {
    return this.runs.filter((run) => run.job);
  }

  async #load() {
    if (this.runs.length === 0) return this.#showEmpty();
    document.title = `Compare ${this.runs.length} runs · vicregd`;
    // Curves first: they need no more than the ids.
    const first = this.#readCurves().then(() => this.#draw(), () => {});
    try {
      const jobs = await readJobs(this.ids);
      if (this.isStopped) return;
      const missing = this.runs.filter((_run, at) => jobs[at] === null).map((run) => run.id);
      this.runs = this.runs.map((run, at) => ({ ...run, job: jobs[at] })).filter((run) => run.job);
      if (missing.length > 0) {
        const these = missing.length === 1 ? "This run does" : "These runs do";
        this.refusal.append(alert(`${these} not exist, or no longer: ${missing.join(", ")}.`));
      }
      if (this.runs.length === 0) return this.#showEmpty();
      this.lineSchema = (await api.schemas()).Line?.properties ?? {};
      await first;
      this.keys = this.keys.filter((key) => this.metrics.includes(key));
      if (this.keys.length === 0) this.keys = this.metrics.slice(0, 2);
      if (!this.metrics.includes(this.view.metric)) this.view.metric = this.metrics[0] ?? "";
      await this.#readCurves();
      this.#showMenu();
      this.#draw();
      await Promise.all([this.#readIntervals(), this.#readStep()]);
    } catch (error) {
      tolerate(error);
      if (error.status >= 400) this.refusal.replaceChildren(alert(error.message));
    }
  }

  /** Metrics that any of the runs has, as the daemon describes them; those without a title come last. */
  get metrics() {
    const trainings = this.known.filter(({ job }) => job.kind === "train");
    const found = new Set(trainings.flatMap(({ job }) => Object.keys({ ...job.summary })));
    const order = [...standardKeys, ...Object.keys(this.lineSchema)];
    const place = (key) => (order.includes(key) ? order.indexOf(key) : order.length);
    return [...found].sort((a, b) => place(a) - place(b));
  }

  titleOf = (key) => this.lineSchema[key]?.title ?? key;

  async #readCurves(isNew = false) {
    const keys = this.metrics.length > 0 ? this.keys.filter((key) => this.metrics.includes(key)) : this.keys;
    await this.curves.read(this.ids, keys, isNew);
  }

  async #readIntervals() {
    const wanted = this.known.flatMap(({ job }) => evaluationsOf(job))
      .filter((one) => !one.interval && !this.results.has(one.id));
    const ids = [...new Set(wanted.map((one) => one.id))].slice(0, intervalsMax);
    for (const job of await readJobs(ids)) if (job?.result) this.results.set(job.id, job.result);
    if (ids.length > 0) this.#draw();
  }

  async #readStep() {
    const { step, metric } = this.view;
    if (step === "" || metric === "") return this.#draw();
    const steps = await readStep(this.ids, [metric], Number(step));
    if (step === this.view.step && metric === this.view.metric) this.steps = steps;
    this.#draw();
  }

  #draw() {
    if (this.isStopped) return;
    this.heading.textContent = `Compare ${this.runs.length} ${this.runs.length === 1 ? "run" : "runs"}`;
    this.curves.show(this.runs, this.keys, this.hidden, this.titleOf);
    if (this.known.length === 0) return;
    this.legend.show(this.known, this.hidden);
    // An evaluation has a loss as well, of its own kind.
    const trainings = this.known.filter(({ job }) => job.kind === "train");
    this.values.show(trainings, this.metrics, { ...this.view, titles: this.titleOf, steps: this.steps });
    this.differences.show(this.known, this.isAll);
    this.evaluations.show(this.known, this.results);
  }

  #showMenu() {
    if (this.metrics.length === 0) return;
    const menu = choiceMenu(
      "Metrics",
      this.metrics.map((key) => [key, this.titleOf(key)]),
      this.keys,
      (keys) => {
        this.keys = keys;
        rememberQuery({ keys: keys.join(",") });
        this.#readCurves().then(() => this.#draw()).catch(tolerate);
      },
    );
    this.menuPlace.replaceChildren(menu.element);
  }

  #showEmpty() {
    document.title = "Compare · vicregd";
    this.body.replaceChildren(
      h(
        "div",
        { class: "empty" },
        h(
          "p",
          {},
          "No runs to compare. Select some in the ",
          h("a", { href: "#/" }, "table of runs"),
          " and press Compare.",
        ),
      ),
    );
  }

  #choose(part) {
    Object.assign(this.view, part);
    rememberQuery(part);
    this.#draw();
    if ("step" in part || "metric" in part) {
      this.#readStep().catch((error) => {
        tolerate(error);
        this.refusal.replaceChildren(alert(error.message));
      });
    }
  }

  #setHidden(ids) {
    this.hidden = new Set(ids);
    rememberQuery({ hide: [...this.hidden].join(",") });
    this.#draw();
  }

  #hide(id) {
    const others = [...this.hidden].filter((other) => other !== id);
    this.#setHidden(this.hidden.has(id) ? others : [...others, id]);
  }

  #only(id) {
    this.#setHidden(this.ids.filter((other) => other !== id));
  }
  #showAll() {
    this.#setHidden([]);
  }

  #remove(id) {
    this.runs = this.runs.filter((run) => run.id !== id);
    rememberQuery({ jobs: this.ids.join(",") });
    if (this.runs.length === 0) this.#showEmpty();
    else this.#draw();
  }

  /** A line goes on a curve at once; a changed job changes the tables soon. */
  #apply({ name, job: id, line, state }) {
    if (name === "resync") return this.#again();
    const run = this.runs.find((one) => one.id === id);
    if (!run?.job) return;
    if (name === "metric" || name === "evaluation") this.curves.append(id, line);
    if (name === "state") {
      this.runs = this.runs.map((one) => (one.id === id ? { ...one, job: state } : one));
      this.#soon();
    }
  }

  #soon() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.#draw();
      this.#readIntervals().catch(tolerate);
    }, gathering);
  }

  /** Reads again what may have changed while the stream was closed: the jobs that had not finished. */
  async #again() {
    const open = this.known.filter(({ job }) => !["succeeded", "failed", "cancelled"].includes(job.state));
    if (open.length === 0) return;
    try {
      const jobs = new Map(
        (await readJobs(open.map((run) => run.id))).filter(Boolean).map((job) => [job.id, job]),
      );
      this.runs = this.runs.map((run) => ({ ...run, job: jobs.get(run.id) ?? run.job }));
      await this.#readCurves(true);
      this.#draw();
    } catch (error) {
      tolerate(error);
    }
  }
}
