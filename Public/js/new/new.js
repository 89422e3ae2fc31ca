// The page of forms: a training, an evaluation, embeddings, a sweep, or the import of a dataset.
import { api, tolerate } from "../core/api.js";
import { announce, h, repeat } from "../core/dom.js";
import { alert } from "../core/parts.js";
import { baseOf, Check } from "./check.js";
import { openDraft } from "./beginning.js";
import { blankDraft, draftBefore, forgetBefore } from "./draft.js";
import { defaultsFor } from "./defaults.js";
import { Form } from "./form.js";
import { JSONView, parse } from "./json_view.js";
import { kinds } from "./kinds.js";
import { metricControl } from "./metrics.js";
import { at } from "./pointers.js";
import { submit } from "./submission.js";
import { Verdict } from "./verdict.js";
import { curlText } from "../core/curl.js";
import { copyable } from "../core/clipboard.js";

/**
 * Fills `main` with a form. `query`: kind; from: a job or sweep to begin with; job, model or dataset: what it
 * is about. Returns a function that stops its requests.
 */
export function show(main, { query }) {
  const page = new NewPage(main, query);
  page.open();
  return () => page.stop();
}

class NewPage {
  constructor(main, query) {
    this.main = main;
    this.query = query;
    this.stops = [];
    this.kind = query.get("kind") in kinds ? query.get("kind") : "train";
    this.notice = h("div", { class: "notice", role: "status" });
    this.body = h("div", {}, h("p", { class: "quiet" }, "Loading the fields…"));
    main.replaceChildren(h("h1", {}, "New"), this.#tabs(), this.notice, this.body);
  }

  #tabs() {
    return h("nav", { class: "tabs", "aria-label": "Kind" }, Object.entries(kinds).map(([kind, { title }]) =>
      h("a", { href: `#/new?kind=${kind}`, "aria-current": kind === this.kind ? "page" : null }, title)));
  }

  stop() {
    this.isStopped = true;
    for (const stop of this.stops) stop();
  }

  /**
   * Calls `work` until the daemon has answered; a refusal, as for a job that does not exist, is an answer.
   */
  load = (work, refused = tolerate) => {
    this.stops.push(repeat(1, async () => {
      try {
        await work();
        return false;
      } catch (error) {
        tolerate(error);
        const isAnswer = error.status !== 0 && error.status < 500 && error.status !== 429;
        if (isAnswer) refused(error);
        return !isAnswer;
      }
    }));
  };

  open() {
    this.load(async () => {
      const session = await api.session();
      if (session.role === "read") {
        this.body.replaceChildren(
          alert("Your token has the role read: it may look at everything and start nothing."));
        return;
      }
      this.needsToken = session.needs_token;
      const schemas = await api.schemas();
      const { kind, draft, words, restore } = await openDraft(this.kind, this.query);
      if (this.isStopped) return;
      if (kind !== this.kind) {
        this.kind = kind;
        this.main.querySelector(".tabs").replaceWith(this.#tabs());
      }
      this.#build(schemas, draft);
      if (words) this.say(words);
      if (restore) this.#offerBefore();
    }, (error) => this.body.replaceChildren(alert(error.message)));
  }

  #build(schemas, draft) {
    this.schemas = schemas;
    this.draft = draft;
    this.notice.replaceChildren();
    this.check?.stop();
    this.check = new Check(() => this.#check());
    this.stops.push(() => this.check.stop());
    this.form = new Form(this.kind, schemas, draft, {
      changed: () => this.#changed(), load: this.load, say: (text, isReset) => this.say(text, isReset),
      metricControl: (field) => metricControl(field, schemas),
    });
    this.json = new JSONView((text) => this.#typed(text));
    this.json.discard.addEventListener("click", () => this.#typed(null));
    this.verdict = new Verdict(kinds[this.kind].button);
    this.curl = h("details", { class: "curl-view" }, h("summary", {}, "Equivalent curl command"),
      h("div", {}));
    this.curl.addEventListener("toggle", () => this.#showCurl());
    this.fieldset = h("fieldset", { class: "all" }, this.form.element);
    this.element = h("form", { class: "new", novalidate: true, onsubmit: (event) => this.#submit(event) },
      h("div", { class: "new-fields" }, this.#toolbar(), this.fieldset),
      h("aside", { class: "new-side" }, this.verdict.element,
        h("div", { class: "texts" }, this.json.element, this.curl)));
    this.body.replaceChildren(this.element);
    this.#show();
    this.#changed({ isEdit: false });
  }

  #toolbar() {
    const found = h("p", { class: "quiet", role: "status" });
    const filter = h("input", {
      type: "search", id: "filter", autocomplete: "off", placeholder: "learning rate, blur, checkpoint…",
      oninput: () => {
        const count = this.form.find(filter.value);
        found.textContent = filter.value.trim() === "" ? ""
          : `${count} ${count === 1 ? "field matches" : "fields match"}.`;
      },
      onkeydown: (event) => {
        if (event.key === "Enter") event.preventDefault();
      },
    });
    return h("div", { class: "toolbar" }, h("label", { for: "filter" }, "Find a field"), filter, found,
      h("button", { type: "button", class: "plain", onclick: () => this.#startOver() }, "Start over"));
  }

  /** Shows the blank form; what was filled in can be taken back. */
  #startOver() {
    const old = this.draft;
    this.#build(this.schemas, blankDraft(this.kind));
    if (!old.isTouched) return;
    this.notice.replaceChildren(h("p", {}, "The form is blank again. ",
      h("button", { type: "button", class: "plain", onclick: () => this.#build(this.schemas, old) },
        "Undo")));
  }

  #offerBefore() {
    const restore = () => {
      const before = draftBefore(this.kind);
      forgetBefore(this.kind);
      if (before) this.#build(this.schemas, before);
    };
    this.notice.append(h("p", {}, "What you had filled in before and not sent is kept. ",
      h("button", { type: "button", class: "plain", onclick: restore }, "Go back to it")));
  }

  /** Says something above the form. `isReset` offers to take all fields back to the preset. */
  say(text, isReset = false) {
    const reset = () => {
      this.form.resetAll();
      this.notice.replaceChildren();
    };
    this.notice.replaceChildren(h("p", {}, text, " ",
      isReset ? h("button", { type: "button", class: "plain", onclick: reset }, "Reset all") : null));
  }

  /** Keeps and checks what the form holds now. */
  #changed({ isEdit = true } = {}) {
    this.draft.save();
    this.json.write(this.draft.body, this.draft.text, this.draft.text === null ? null : this.problem);
    this.#showCurl();
    if (isEdit) this.verdict.wait();
    this.check.request(isEdit ? undefined : 0);
  }

  #show() {
    this.form.show();
    // A form beside text that is not valid shows the last that was: an edit there would overwrite the text.
    this.fieldset.disabled = this.draft.text !== null;
    if (this.draft.text !== null) this.problem = this.#problemOf(this.draft.text).problem;
  }

  #showCurl() {
    if (!this.curl.open) return;
    const path = kinds[this.kind].path;
    this.curl.lastChild.replaceChildren(copyable(curlText(path, this.draft.body, this.needsToken)));
  }

  /** { value } of text of the JSON view that this form can show, else { problem }. */
  #problemOf(text) {
    const { value, problem } = parse(text);
    if (problem) return { problem };
    const refusal = this.draft.refusal(value);
    return refusal ? { problem: `${refusal}.` } : { value };
  }

  /** Takes text of the JSON view; null takes back text that is not valid. */
  #typed(text) {
    const { value, problem } = text === null ? { value: this.draft.body } : this.#problemOf(text);
    this.problem = problem;
    this.draft.text = problem ? text : null;
    if (!problem) this.draft.body = value;
    this.#show();
    if (problem) {
      this.draft.save();
      this.json.write(this.draft.body, text, problem);
      this.verdict.say("The JSON has an error; the fields show what was valid last.");
    } else this.#changed();
  }

  /** Asks the daemon for defaults and for what it makes of the form; gives whether it answered. */
  async #check() {
    const { kind, draft } = this;
    const asked = JSON.stringify(draft.body);
    if (draft.text !== null) return true;
    if (kind === "import") {
      this.verdict.good({ lack: "The daemon checks this when it is sent." });
      return true;
    }
    try {
      const { at: place } = kinds[kind];
      const defaults = await defaultsFor(kind, at(draft.first, place) ?? {});
      if (this.isStopped || JSON.stringify(draft.body) !== asked) return true;
      this.form.adopt(defaults);
      if (JSON.stringify(draft.body) !== asked) return true;
      const result = await this.#resolve(asked);
      if (this.isStopped || JSON.stringify(draft.body) !== asked) return true;
      this.form.values.resolved = result.resolved ?? null;
      this.#show();
      this.#showErrors(result.errors ?? []);
      if (!result.errors) this.verdict.good(result);
      return true;
    } catch (error) {
      tolerate(error);
      this.verdict.say(error.status === 0 ? "The daemon does not answer. It will check this when it does."
        : error.message);
      return error.status !== 0 && error.status < 500 && error.status !== 429;
    }
  }

  /** What the daemon makes of the form: { lack } or { errors } or { resolved, jobs, sweep }. */
  async #resolve(asked) {
    const { kind } = this;
    const { path, lack } = kinds[kind];
    const body = JSON.parse(asked);
    const lacking = lack(body.jobs?.[0] ?? body);
    const resolved = kind === "sweep" ? await baseOf(body) : null;
    if (lacking) return { lack: lacking, resolved };
    try {
      const answer = await api.check(path, body);
      const jobs = answer.jobs ?? [answer];
      if (kind !== "sweep") return { jobs, resolved: { spec: jobs[0].spec } };
      return { sweep: answer, resolved: { ...answer.spec, ...resolved } };
    } catch (error) {
      if (error.status !== 422) throw error;
      return { errors: error.errors, resolved };
    }
  }

  /** Shows errors at their fields, the others in a list; gives the first field at fault. */
  #showErrors(all, { isSubmitted = false } = {}) {
    const errors = ownErrors(all);
    const { strangers, first } = this.form.fault(errors);
    if (errors.length > 0) this.verdict.bad(errors.length, strangers, isSubmitted);
    return first;
  }

  async #submit(event) {
    event.preventDefault();
    const { button } = this.verdict;
    // The second click of two.
    if (button.disabled) return;
    if (this.draft.text !== null) {
      this.json.input.focus();
      return;
    }
    button.disabled = true;
    const { draft, kind } = this;
    try {
      const begun = await submit(kinds[kind].path, draft.body);
      draft.forget();
      this.check.stop();
      announce("Started.");
      if (this.element.isConnected) location.hash = kinds[kind].page(begun.jobs?.[0] ?? begun);
    } catch (error) {
      tolerate(error);
      this.#refused(error);
    } finally {
      button.disabled = false;
    }
  }

  #refused(error) {
    if (error.errors.length > 0) {
      const first = this.#showErrors(error.errors, { isSubmitted: true });
      (first?.input ?? this.verdict.problem).focus();
      return;
    }
    const again = error.status === 0 ? " If you send the form again unchanged, it starts only once." : "";
    this.verdict.refuse(error.message + again);
  }
}

/**
 * The errors without those of the evaluation that only repeat one of its training, like a missing dataset.
 */
function ownErrors(errors) {
  const isOfFollower = ({ pointer }) => /^\/jobs\/[1-9]/.test(pointer);
  const known = new Set(errors.filter((error) => !isOfFollower(error)).map((error) => error.message));
  return errors.filter((error) => !isOfFollower(error) || !known.has(error.message));
}
