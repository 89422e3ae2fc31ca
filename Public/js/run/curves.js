// Live curves: one small dygraph per measure, with a common step axis. The line is the mean, the band around
// it goes from the lowest to the highest value.
import { h } from "../core/dom.js";
import { healthWords, number } from "../core/format.js";
import { api } from "../core/api.js";
import { shown } from "../core/text.js";

// The legend is never shown, and measures itself by an inline style, which the page's policy forbids.
if (window.Dygraph) {
  const { Legend } = window.Dygraph.Plugins;
  window.Dygraph.PLUGINS = window.Dygraph.PLUGINS.filter((plugin) => plugin !== Legend);
}

/**
 * What is drawn, in reading order: the loss, the parts of the job's method as the API describes them, the
 * spread, and what the training finds on images that it holds back, where it does. The `std` panel shows
 * gamma, where the method has it, as a dashed line and the band of collapse.
 */
function panelsOf(job, line) {
  // Trainings of versions with one method do not name it.
  const parts = line["x-parts"][job.spec?.method ?? "vicreg"] ?? [];
  const panel = (key) => {
    const { title, description } = line.properties[key];
    return { keys: [key], title, note: description.replace(/\.$/, "") };
  };
  return [
    ...["loss", ...parts].map(panel),
    {
      keys: ["std_mean", "std_min"], title: "Spread", std: true,
      note: "Standard deviations of the dimensions: mean (solid), smallest (dotted)",
    },
    ...(job.spec?.online ? line["x-online"] : []).map(panel),
  ];
}

/** Below this share of gamma all images lie in one point; the daemon's rule has the same. */
const collapseShare = 0.1;

/** The curves of one training job. Call `update` as often as you like; `destroy` when the page goes. */
export class Curves {
  /** `line` is the API's schema of a line. */
  constructor(job, line) {
    this.id = job.id;
    this.gamma = job.spec?.loss?.gamma ?? null;
    this.views = panelsOf(job, line).map((panel) => this.#view(panel));
    this.hint = h("p", { class: "hint", role: "status" });
    this.smoothing = h("input", {
      type: "range", min: 1, max: 30, value: 1,
      oninput: () => this.#option({ rollPeriod: Number(this.smoothing.value) }),
    });
    this.logarithmic = h("input", { type: "checkbox", onchange: () => this.#drawAll() });
    const controls = h("div", { class: "controls" },
      h("label", {}, "Smooth ", this.smoothing), h("label", {}, this.logarithmic, " Logarithmic"),
      h("span", { class: "quiet" },
        "Line: mean. Band: lowest to highest. Drag to zoom, double-click to show all."));
    this.element = h("div", { class: "curves" },
      h("div", { class: "charts" }, this.views.map((view) => view.element)), this.hint, controls);
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.redraw = () => this.#drawAll();
    this.scheme.addEventListener("change", this.redraw);
  }

  /** Fetches the series of the job and draws them. True if there were any. */
  async update(job) {
    const width = Math.max(200, this.views[0].canvas.clientWidth || 400);
    const known = { ...job.latest, ...job.summary };
    const keys = this.views.flatMap((view) => view.panel.keys).filter((key) => key in known);
    const series = keys.length > 0 ? await api.series(this.id, keys, Math.round(width / 2)) : {};
    for (const view of this.views) {
      view.rows = rows(view.panel.keys.map((key) => series[key] ?? []));
      this.#draw(view);
    }
    this.#hint(job.health);
    return this.views.some((view) => view.rows.length > 0);
  }

  destroy() {
    this.scheme.removeEventListener("change", this.redraw);
    for (const view of this.views) view.graph?.destroy();
  }

  #view(panel) {
    const value = h("span", { class: "value" }, "–");
    const canvas = h("div", { class: "canvas" });
    const element = h("figure", { class: "chart" },
      h("figcaption", {},
        h("span", { class: "name" }, panel.title), value, h("span", { class: "note" }, panel.note)),
      canvas);
    return { panel, element, canvas, value, rows: [], graph: null };
  }

  #drawAll() {
    for (const view of this.views) {
      view.graph?.destroy();
      view.graph = null;
      this.#draw(view);
    }
  }

  #draw(view) {
    if (view.rows.length === 0 || !window.Dygraph) return;
    const last = view.rows[view.rows.length - 1];
    this.#showValue(view, last);
    view.canvas.setAttribute("role", "img");
    view.canvas.setAttribute("aria-label",
      `${view.panel.title}: ${number(mean(view.rows[0][1]))} at step ${view.rows[0][0]}, `
      + `${number(mean(last[1]))} at step ${last[0]}`);
    if (view.graph) view.graph.updateOptions({ file: view.rows, ...this.#range(view) });
    else view.graph = new window.Dygraph(view.canvas, view.rows, this.#options(view));
  }

  #showValue(view, row) {
    view.value.textContent = row.slice(1).map((bar) => number(mean(bar))).join(" / ");
  }

  #options(view) {
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    const label = { axisLabelFormatter: (value) => number(value, 4), drawGrid: true };
    return {
      labels: ["step", ...view.panel.keys],
      colors: [color("--curve"), color("--curve-2")],
      series: Object.fromEntries(view.panel.keys.map((key, index) =>
        [key, { strokePattern: index > 0 ? [2, 2] : null }])),
      strokeWidth: 1.6,
      customBars: true,
      fillAlpha: 0.18,
      gridLineColor: color("--line"),
      axisLineColor: color("--line"),
      axisLabelFontSize: 11,
      axes: { y: { ...label, axisLabelWidth: 44, pixelsPerLabel: 30 }, x: { ...label, drawGrid: false } },
      logscale: this.logarithmic.checked && !view.panel.std,
      connectSeparatedPoints: true,
      drawPoints: view.rows.length < 3,
      pointSize: 2.5,
      rollPeriod: Number(this.smoothing.value),
      showRoller: false,
      legend: "never",
      highlightCircleSize: 3,
      underlayCallback: (context, area, graph) => {
        if (view.panel.std && this.gamma !== null) this.#band(context, area, graph, color);
      },
      highlightCallback: (_event, step) => this.#highlight(step),
      unhighlightCallback: () => this.#unhighlight(),
      zoomCallback: (from, to) => this.#zoom(view, from, to),
      ...this.#range(view),
    };
  }

  /** The spread is shown from zero to above gamma, so that collapse and health are always in sight. */
  #range(view) {
    if (!view.panel.std) return {};
    const highest = Math.max(this.gamma ?? 0, ...view.rows.map((row) => row[1][2] ?? 0));
    return { valueRange: [0, highest > 0 ? highest * 1.15 : null] };
  }

  /** The target spread as a dashed line, the collapse band shaded. */
  #band(context, area, graph, color) {
    const y = (value) => graph.toDomYCoord(value);
    context.save();
    context.beginPath();
    context.rect(area.x, area.y, area.w, area.h);
    context.clip();
    context.fillStyle = color("--bad-soft");
    context.fillRect(area.x, y(this.gamma * collapseShare), area.w, area.h);
    context.strokeStyle = color("--good");
    context.setLineDash([5, 4]);
    context.beginPath();
    context.moveTo(area.x, y(this.gamma));
    context.lineTo(area.x + area.w, y(this.gamma));
    context.stroke();
    context.restore();
  }

  /** The training's health as the daemon reports it. */
  #hint(health) {
    const text = health?.message ? `${healthWords[health.state]}: ${shown(health.message)}.` : "";
    if (this.hint.textContent !== text) this.hint.textContent = text;
    this.hint.className = `hint ${{ good: "good", warning: "warn", unknown: "" }[health?.state] ?? "bad"}`;
  }

  #option(options) {
    for (const view of this.views) view.graph?.updateOptions(options);
  }

  #highlight(step) {
    for (const view of this.views) {
      const index = view.rows.findIndex((row) => row[0] >= step);
      if (index < 0 || !view.graph) continue;
      view.graph.setSelection(index);
      const [at, ...bars] = view.rows[index];
      view.value.textContent = `${bars.map((bar) => number(mean(bar))).join(" / ")} at ${at}`;
    }
  }

  #unhighlight() {
    for (const view of this.views) {
      view.graph?.clearSelection();
      if (view.rows.length) this.#showValue(view, view.rows[view.rows.length - 1]);
    }
  }

  #zoom(source, from, to) {
    const zoomed = source.graph.isZoomed("x");
    for (const view of this.views) {
      if (view !== source) view.graph?.updateOptions({ dateWindow: zoomed ? [from, to] : null });
    }
  }
}

/** Of a bar [lowest, mean, highest]. */
const mean = (bar) => bar[1];

/**
 * Joins series of [step, mean, min, max] into rows [step, bar, bar, …], where a bar is [min, mean, max]; a
 * step that one series lacks has a bar of nulls there.
 */
function rows(series) {
  const bySteps = new Map();
  series.forEach((points, index) => {
    for (const [step, middle, low, high] of points) {
      if (!bySteps.has(step)) bySteps.set(step, [step, ...series.map(() => [null, null, null])]);
      bySteps.get(step)[index + 1] = [low, middle, high];
    }
  });
  return [...bySteps.values()].sort((a, b) => a[0] - b[0]);
}
