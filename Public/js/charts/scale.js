// From values to places on an axis and back.
import { number } from "../core/format.js";
import { shown } from "../core/text.js";

/** Ticks of an axis, about this many. */
const tickCount = 5;

/** Values from `low` to `high` at equal distances. */
export function linear(low, high) {
  const [from, to] = low === high
    ? [low - (Math.abs(low) || 1) / 2, high + (Math.abs(high) || 1) / 2]
    : [low, high];
  return {
    kind: "linear",
    domain: [from, to],
    place: (value) => (Number.isFinite(value) ? (value - from) / (to - from) : null),
    value: (place) => from + place * (to - from),
    ticks: () => roundTicks(from, to).map((value) => ({ value, text: number(value) })),
    text: (value) => number(value),
  };
}

/** Values above 0, each power of ten at the same distance. */
export function logarithmic(low, high) {
  const [from, to] = low === high ? [low / 2, high * 2] : [low, high];
  const [start, span] = [Math.log(from), Math.log(to) - Math.log(from)];
  return {
    kind: "log",
    domain: [from, to],
    place: (value) => (value > 0 && Number.isFinite(value) ? (Math.log(value) - start) / span : null),
    value: (place) => Math.exp(start + place * span),
    ticks: () => powerTicks(from, to).map((value) => ({ value, text: number(value) })),
    text: (value) => number(value),
  };
}

/** A few values in their order; numbers by size. */
export function ordinal(values) {
  const isNumeric = values.every((value) => typeof value === "number");
  const all = isNumeric ? [...values].sort((one, other) => one - other) : values;
  const last = Math.max(1, all.length - 1);
  const text = (value) => (typeof value === "number" ? number(value, 6) : shown(String(value)));
  return {
    kind: "ordinal",
    values: all,
    domain: [0, all.length - 1],
    place: (value) => {
      const index = all.indexOf(value);
      if (index < 0) return null;
      return all.length === 1 ? 0.5 : index / last;
    },
    value: (place) => all[Math.min(all.length - 1, Math.max(0, Math.round(place * last)))],
    ticks: () => thinned(all).map((value) => ({ value, text: text(value) })),
    text,
  };
}

/**
 * The scale for numbers that were measured: logarithmic where they span more than a power of ten and a half.
 */
export function measured(values) {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return linear(0, 1);
  let [low, high] = [Infinity, -Infinity];
  for (const value of finite) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > 0 && high / low > 30) return logarithmic(low, high);
  const margin = (high - low) * 0.03;
  return linear(low - margin, high + margin);
}

function roundTicks(from, to) {
  const rough = (to - from) / tickCount;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough);
  const ticks = [];
  for (let index = Math.ceil(from / step - 1e-9); index * step <= to + step * 1e-9; index += 1) {
    ticks.push(Number((index * step).toPrecision(12)));
  }
  return ticks;
}

function powerTicks(from, to) {
  const [first, last] = [Math.ceil(Math.log10(from) - 1e-9), Math.floor(Math.log10(to) + 1e-9)];
  const powers = [];
  for (let power = first; power <= last; power += 1) powers.push(Number((10 ** power).toPrecision(12)));
  if (powers.length < 2) {
    const halves = [1, 2, 5].flatMap((factor) =>
      [first - 1, first, last].map((power) => factor * 10 ** power)
    );
    return [...new Set(halves.map((value) => Number(value.toPrecision(12))))]
      .filter((value) => value >= from * 0.999 && value <= to * 1.001).sort((one, other) => one - other);
  }
  const stride = Math.ceil(powers.length / (tickCount + 2));
  return powers.filter((_, index) => index % stride === 0);
}

/** Some of many values, the first and the last among them. */
function thinned(values, most = 12) {
  if (values.length <= most) return values;
  const stride = Math.ceil(values.length / most);
  return values.filter((_, index) => index % stride === 0 || index === values.length - 1);
}
