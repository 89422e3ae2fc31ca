// Spectrum and spread of the features over time: which dimensions are used, evaluation by evaluation.
import { tolerate } from "../core/api.js";
import { h } from "../core/dom.js";
import { Chart } from "../charts/chart.js";
import { ChartGroup } from "../charts/group.js";
import { artifactJSON } from "./requests.js";
import { artifactOf, section, whenSeen } from "./section.js";

const name = "spectrum.json";
/** Earlier evaluations that are drawn behind the chosen one. */
const shadowsMax = 12;

export class SpectrumSection {
  constructor({ id }) {
    this.id = id;
    this.body = h("div");
    this.element = section("Spectrum and spread of the features", this.body);
  }

  update(job) {
    const artifact = artifactOf(job, name);
    this.element.hidden = !artifact;
    if (!artifact || artifact.sha256 === this.digest) return;
    this.digest = artifact.sha256;
    if (this.rows) return this.#ask();
    this.forget ??= whenSeen(this.element, () => this.#ask().catch(tolerate));
  }

  async #ask() {
    const isAtEnd = !this.rows || this.chosen === this.rows.length - 1;
    this.rows = (await artifactJSON(this.id, name)).rows ?? [];
    if (this.rows.length === 0) return;
    if (!this.group) this.#build();
    if (isAtEnd) this.chosen = this.rows.length - 1;
    this.slider.max = this.rows.length - 1;
    this.slider.value = this.chosen;
    this.slider.closest("span").hidden = this.rows.length < 2;
    this.#draw();
  }

  #build() {
    this.group = new ChartGroup({ axes: ["dimension"], state: { log: true }, hasSmoothing: false });
    this.time = new ChartGroup({ axes: ["step"], hasSmoothing: false });
    this.slider = h("input", {
      type: "range", min: 0, max: 0, "aria-label": "Evaluation",
      oninput: () => { this.chosen = Number(this.slider.value); this.#draw(); },
    });
    this.label = h("output", { class: "quiet" });
    this.group.controls.prepend(h("span", {}, "Evaluation ", this.slider, " ", this.label));
    this.values = new Chart(this.group, {
      title: "Singular values", hasBands: false,
      note: "Largest first. A sharp fall means that few directions are used",
    });
    this.deviations = new Chart(this.group, {
      title: "Spread per dimension", hasBands: false, floor: 0, isLinear: true,
      note: "Standard deviations, largest first. Near 0: the dimension is not used",
    });
    this.spread = new Chart(this.time, {
      title: "Spread over time", floor: 0,
        note: "Standard deviations: median, in their band from smallest to largest",
    });
    this.body.replaceChildren(this.group.controls,
      h("div", { class: "charts few" }, this.values.element, this.deviations.element, this.spread.element));
  }

  #draw() {
    const { rows, chosen } = this;
    const every = Math.max(1, Math.ceil(rows.length / shadowsMax));
    const others = rows.map((_, index) => index).filter((index) => index !== chosen && index % every === 0);
    const lines = (key) => [...others, chosen].map((index) => {
      const ordered = [...(rows[index][key] ?? [])].sort((a, b) => b - a);
      const isChosen = index === chosen;
      return {
        id: String(index), label: `step ${rows[index].step}`, color: isChosen ? "--series-1" : "--series-8",
        opacity: isChosen ? 1 : 0.25, isSilent: !isChosen,
          points: ordered.map((value, at) => [at + 1, value, value, value]),
      };
    });
    this.values.set(lines("singular_values"));
    this.deviations.set(lines("standard_deviations"));
    this.spread.set([{
      id: "spread", label: "spread", color: "--series-1",
      points: rows.filter((row) => row.standard_deviations?.length > 0).map((row) => {
        const ordered = [...row.standard_deviations].sort((a, b) => a - b);
        return [row.step, median(ordered), ordered[0], ordered.at(-1)];
      }),
    }]);
    const row = rows[chosen];
    this.label.textContent = `step ${row.step.toLocaleString("en")}, epoch ${row.epoch}`;
    for (const group of [this.group, this.time]) group.draw();
  }

  destroy() {
    this.forget?.();
    this.group?.destroy();
    this.time?.destroy();
  }
}

/** Of numbers in order. */
const median = (ordered) => {
  const middle = (ordered.length - 1) / 2;
  return (ordered[Math.floor(middle)] + ordered[Math.ceil(middle)]) / 2;
};
