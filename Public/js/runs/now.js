// One glance at the trainings that run: how healthy, how far, and where the loss and the rank go.
import { h, replaceIfNew } from "../core/dom.js";
import { duration, healthWords, moment, number, percent, title } from "../core/format.js";
import { shown } from "../core/text.js";
import { curvesOf, sparkline } from "./sparklines.js";

/** Trainings that are shown; the table has all. */
const cardsMax = 3;

/** The cards of the running trainings. */
export class Now {
  constructor() {
    this.element = h("section", { class: "now", "aria-label": "Running trainings", hidden: true });
    this.cards = new Map();
  }

  /** Shows the trainings among the running rows; `version(row)` changes when its curves have. */
  show(rows, version) {
    const shownRows = rows.filter((row) => row.kind === "train" && row.step !== null).slice(0, cardsMax);
    this.element.hidden = shownRows.length === 0;
    for (const [id, card] of this.cards) {
      if (shownRows.some((row) => row.id === id)) continue;
      card.remove();
      this.cards.delete(id);
    }
    for (const row of shownRows) {
      const card = this.cards.get(row.id) ?? h("article", { class: "now-card" });
      if (!this.cards.has(row.id)) this.element.append(card);
      this.cards.set(row.id, card);
      const { name, health, progress, loss, rankme, state } = row;
      const shownNow = JSON.stringify([name, health, progress, loss, rankme, state, version(row)]);
      replaceIfNew(card, shownNow, () => content(row));
    }
  }
}

const tones = { good: "good", warning: "warn", unknown: "" };

function content(row) {
  const { state, message } = row.health ?? {};
  const verdict = message
    ? `${healthWords[state]}: ${shown(message)}`
    : "Health is judged after the first steps";
  const name = shown(title(row));
  return [
    h(
      "div",
      { class: "now-head" },
      h("h2", {}, h("a", { href: `#/jobs/${row.id}`, class: "outside cut", dir: "auto", title: name }, name)),
      h("p", { class: `hint ${tones[state] ?? (message ? "bad" : "")}` }, verdict),
    ),
    course(row),
    curve(row, "loss", "Loss"),
    curve(row, "rankme", "RankMe"),
  ];
}

/** A count with its thousands apart. */
const count = (value) => (Number.isFinite(value) ? value.toLocaleString("en") : "–");

function course(row) {
  const { step, steps, epoch, epochs, images_per_second: speed, seconds_left: left, finish_at: end } =
    row.progress;
  const share = steps ? Math.min(1, step / steps) : 0;
  const facts = [
    epochs && `epoch ${epoch} of ${epochs}`,
    Number.isFinite(speed) && `${number(speed)} images/s`,
    Number.isFinite(left) && `${duration(left)} left`,
    end && `ends about ${moment(end)}`,
  ].filter(Boolean);
  return h(
    "div",
    { class: "now-course" },
    h(
      "p",
      {},
      h("b", {}, percent(share)),
      " ",
      h("span", { class: "quiet" }, `step ${count(step)} of ${count(steps)}`),
    ),
    h("progress", {
      max: 1,
      value: share,
      "aria-label": `Progress of ${title(row)}: ${Math.floor(share * 100)}%`,
    }),
    h("p", { class: "quiet" }, facts.join(" · ")),
  );
}

function curve(row, key, name) {
  if (row[key] === null || row[key] === undefined) return null;
  return h(
    "div",
    { class: "now-curve" },
    h("p", {}, h("span", { class: "quiet" }, name), " ", h("b", {}, number(row[key]))),
    sparkline(name, curvesOf(row)?.[key]) ?? h("span", { class: "quiet" }, "first steps"),
  );
}
