// Which trials are kept: for each axis the values from one to another.
import { h } from "../core/dom.js";
import { outside } from "../core/text.js";

/** Rounding of places that a brush allows. */
const slack = 1e-9;

/** A brush's ends as values, from places on the axis. */
export function fromPlaces(scale, [low, high]) {
  if (scale.kind !== "ordinal") return [scale.value(low), scale.value(high)];
  const inside = scale.values.filter((value) => {
    const place = scale.place(value);
    return place >= low - 0.02 && place <= high + 0.02;
  });
  return inside.length > 0
    ? [inside[0], inside.at(-1)]
    : [scale.value((low + high) / 2), scale.value((low + high) / 2)];
}

/** A brush's ends as places. */
export function toPlaces(scale, [low, high]) {
  return [scale.place(low) ?? -Infinity, scale.place(high) ?? Infinity];
}

/** Whether a row with these places lies in all brushes. */
export function passes(axes, places, brushes) {
  return axes.every(({ key, scale }, index) => {
    if (!brushes[key]) return true;
    const [low, high] = toPlaces(scale, brushes[key]);
    const place = places[index];
    return place !== null && place >= low - slack && place <= high + slack;
  });
}

/** Brushes as text for the address. */
export const brushText = (brushes) => (Object.keys(brushes).length === 0 ? "" : JSON.stringify(brushes));

/** The brushes of an address; what is not one is left out. */
export function readBrushes(text) {
  try {
    const entries = Object.entries(JSON.parse(text ?? "{}"))
      .filter(([, ends]) => Array.isArray(ends) && ends.length === 2);
    return Object.fromEntries(entries);
  } catch {
    return {};
  }
}

/**
 * Two fields per axis, so that brushing needs no pointer. `onBrush(key, [low, high] or null)` is called on
 * each change. `show(axes, brushes)` fills them.
 */
export class BrushFields {
  constructor(onBrush) {
    this.onBrush = onBrush;
    this.fields = h("div", { class: "brush-fields" });
    this.element = h("details", {}, h("summary", {}, "Filter by values"), this.fields);
  }

  show(axes, brushes) {
    const version = JSON.stringify(
      axes.map(({ key, scale }) => [key, scale.kind === "ordinal" ? scale.values : null]),
    );
    if (version !== this.version) {
      this.version = version;
      this.rows = axes.map((axis) => this.#row(axis));
      this.fields.replaceChildren(...this.rows.map(({ element }) => element));
    }
    axes.forEach((axis, index) => {
      const row = this.rows[index];
      row.axis = axis;
      const ends = brushes[axis.key];
      row.controls.forEach((control, end) => {
        if (document.activeElement === control && control.type === "number") return;
        control.value = ends ? this.#shown(axis.scale, ends[end]) : "";
      });
    });
  }

  #shown(scale, value) {
    return scale.kind === "ordinal"
      ? String(scale.values.indexOf(value))
      : String(Number(value.toPrecision(6)));
  }

  #row(axis) {
    const row = { axis };
    const change = () => this.onBrush(row.axis.key, this.#ends(row));
    row.controls = ["from", "to"].map((word) => {
      const label = `${axis.name} ${word}`;
      if (axis.scale.kind !== "ordinal") {
        return h("input", {
          type: "number",
          step: "any",
          "aria-label": label,
          placeholder: word,
          onchange: change,
        });
      }
      return h(
        "select",
        { "aria-label": label, onchange: change },
        h("option", { value: "" }, "any"),
        axis.scale.values.map((value, index) => h("option", { value: index }, axis.scale.text(value))),
      );
    });
    row.element = h("div", {}, outside(axis.name), h("span", {}, row.controls[0], " to ", row.controls[1]));
    return row;
  }

  /** The ends that the fields of an axis say; null: both are empty. */
  #ends({ axis: { scale }, controls }) {
    const texts = controls.map((control) => control.value);
    if (texts.every((text) => text === "")) return null;
    if (scale.kind === "ordinal") {
      const last = scale.values.length - 1;
      const [low, high] = [texts[0] === "" ? 0 : Number(texts[0]), texts[1] === "" ? last : Number(texts[1])];
      return [scale.values[Math.min(low, high)], scale.values[Math.max(low, high)]];
    }
    const [least, most] = scale.domain;
    const ends = [texts[0] === "" ? least : Number(texts[0]), texts[1] === "" ? most : Number(texts[1])];
    return ends.sort((one, other) => one - other);
  }
}
