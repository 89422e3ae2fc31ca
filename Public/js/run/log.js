// The log of a run: followed, searched, wrapped or not, from a level on.
import { request } from "../core/api.js";
import { h } from "../core/dom.js";
import { isOver } from "../core/format.js";
import { shown } from "../core/text.js";
import { section } from "./section.js";

/** Lines that are shown at first, and with each "Earlier lines" more by this factor. */
const linesAtFirst = 200;
const moreFactor = 5;
const linesMax = 5_000;
/** Lines that a look for new ones asks for at first. */
const newLines = 20;
/** Seconds between two looks while the log is in sight. */
const lookSeconds = 2;
const levels = ["info", "warning", "error"];
const levelOf = (line) => line.match(/^\S+ (debug|info|notice|warning|error|critical)\b/)?.[1] ?? "info";
const rank = (level) => Math.max(0, ["info", "warning", "error", "critical"].indexOf(level));

export class LogSection {
  constructor({ id }) {
    this.id = id;
    this.lines = [];
    this.count = linesAtFirst;
    this.pre = h("pre", {
      tabindex: 0,
      role: "region",
      "aria-label": "Lines of the log",
      class: "log wraps",
    });
    this.search = h("input", {
      type: "search",
      "aria-label": "Search the log",
      placeholder: "Search",
      oninput: () => this.#render(),
    });
    this.level = h(
      "select",
      { "aria-label": "Level", onchange: () => this.#render() },
      levels.map((level) => h("option", { value: level }, level === "info" ? "All levels" : `From ${level}`)),
    );
    this.follow = h("input", { type: "checkbox", checked: true, onchange: () => this.#toEnd() });
    const wrap = h("input", {
      type: "checkbox",
      checked: true,
      onchange: () => this.pre.classList.toggle("wraps", wrap.checked),
    });
    this.found = h("span", { class: "quiet", role: "status" });
    this.more = h("button", { type: "button", onclick: () => this.#earlier() }, "Earlier lines");
    this.element = section(
      "Log",
      h(
        "div",
        { class: "controls log-controls" },
        this.search,
        this.level,
        h("label", {}, this.follow, " Follow"),
        h("label", {}, wrap, " Wrap"),
        this.found,
      ),
      this.pre,
      h("p", { class: "controls" }, this.more, h("a", { href: `/jobs/${id}/log` }, "Full log")),
    );
    this.sight = new IntersectionObserver(([entry]) => {
      this.isInSight = entry.isIntersecting;
      if (this.isInSight) this.#look();
    });
    this.sight.observe(this.element);
  }

  async update(job) {
    const isNew = this.state !== job.state;
    this.state = job.state;
    this.isOver = isOver(job);
    if (!this.isKnown) {
      this.isKnown = true;
      await this.#load();
    } else if (isNew) await this.#append();
    this.#wait();
  }

  destroy() {
    this.isEnded = true;
    clearTimeout(this.timer);
    this.sight.disconnect();
  }

  #wait() {
    clearTimeout(this.timer);
    if (this.isEnded || this.isOver) return;
    this.timer = setTimeout(() => this.#look(), lookSeconds * 1000);
  }

  async #look() {
    if (this.isBusy || this.isEnded) return;
    // A log that is not in sight is looked at only until it has a first line.
    if (document.hidden || (!this.isInSight && this.lines.length > 0)) return this.#wait();
    try {
      await this.#append();
    } catch {
      // The page's other requests report it.
    }
    this.#wait();
  }

  async #tail(count) {
    const text = await request(`/jobs/${this.id}/log?tail=${count}`);
    const lines = text.split("\n");
    if (lines.at(-1) === "") lines.pop();
    return lines;
  }

  async #load() {
    this.lines = await this.#tail(this.count);
    this.element.hidden = this.lines.length === 0;
    this.more.hidden = this.lines.length < this.count || this.count >= linesMax;
    this.#render();
  }

  /**
   * Adds what is new: the end of the log is asked for, and more of it until it overlaps with what is there.
   */
  async #append() {
    if (this.isBusy) return;
    this.isBusy = true;
    try {
      for (let count = newLines;; count *= 4) {
        const tail = await this.#tail(Math.min(count, linesMax));
        const at = overlap(this.lines, tail);
        if (at === 0 && tail.length === count && count < linesMax) continue;
        if (at === 0) this.lines = tail;
        else if (tail.length > at) this.lines.push(...tail.slice(at));
        else return;
        if (this.lines.length > linesMax) this.lines = this.lines.slice(-linesMax);
        this.element.hidden = this.lines.length === 0;
        return this.#render();
      }
    } finally {
      this.isBusy = false;
    }
  }

  async #earlier() {
    this.count = Math.min(linesMax, this.count * moreFactor);
    const height = this.pre.scrollHeight;
    this.follow.checked = false;
    await this.#load();
    this.pre.scrollTop += this.pre.scrollHeight - height;
  }

  #render() {
    const wanted = this.search.value.trim().toLowerCase();
    const least = rank(this.level.value);
    const lines = this.lines.filter((line) =>
      rank(levelOf(line)) >= least && (!wanted || line.toLowerCase().includes(wanted))
    );
    const isFiltered = wanted || least > 0;
    this.found.textContent = isFiltered
      ? `${lines.length} of ${this.lines.length} lines`
      : `${this.lines.length} lines`;
    this.pre.replaceChildren(...lines.map((line) => {
      const level = levelOf(line);
      return h(
        "span",
        { class: rank(level) > 0 ? `line ${level}` : "line" },
        ...marked(shown(line), wanted),
        "\n",
      );
    }));
    this.#toEnd();
  }

  #toEnd() {
    if (this.follow.checked) this.pre.scrollTop = this.pre.scrollHeight;
  }
}

/** How many lines of `tail` are the last ones of `lines`; 0: it has none of them. */
export function overlap(lines, tail) {
  for (let length = Math.min(lines.length, tail.length); length > 0; length -= 1) {
    let at = 0;
    while (at < length && lines[lines.length - length + at] === tail[at]) at += 1;
    if (at === length) return length;
  }
  return 0;
}

/** A line with what was searched for marked. */
function marked(line, wanted) {
  if (!wanted) return [line];
  const parts = [];
  const low = line.toLowerCase();
  let from = 0;
  for (let at = low.indexOf(wanted); at >= 0; at = low.indexOf(wanted, from)) {
    parts.push(line.slice(from, at), h("mark", {}, line.slice(at, at + wanted.length)));
    from = at + wanted.length;
  }
  return [...parts, line.slice(from)];
}
