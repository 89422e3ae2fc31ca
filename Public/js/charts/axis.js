// Ticks and texts of the axes.
import { number } from "../core/format.js";

const axisNames = { step: "Step", epoch: "Epoch", time: "Time", dimension: "Dimension" };
const seconds = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];

/** The axes that a chart may have, by name. */
export const axisTitle = (axis) => axisNames[axis];

/** A place of the axis in words: "at step 1,200", "at epoch 3.25", "after 2 min 5 s". */
export function placeText(axis, x) {
  if (axis === "time") return `after ${elapsed(x, true)}`;
  return axis === "epoch" ? `at epoch ${number(x, 4)}` : `at ${axis} ${Math.round(x).toLocaleString("en")}`;
}

/** A length of the axis in words. */
export function lengthText(axis, x) {
  if (axis === "time") return elapsed(x, true);
  return axis === "epoch" ? `${number(x, 2)} epochs` : `${number(x, 2)} steps`;
}

/** Seconds since the start, short: "45 s", "2 min", "1 h 30". */
function elapsed(value, isExact = false) {
  const whole = Math.round(value);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  if (whole < 60) return isExact && value < 10 ? `${number(value, 2)} s` : `${whole} s`;
  if (hours === 0) return rest > 0 ? `${minutes} min ${rest} s` : `${minutes} min`;
  if (hours < 48) return minutes > 0 ? `${hours} h ${minutes} min` : `${hours} h`;
  return `${number(whole / 86400, 3)} d`;
}

/** A step between ticks that people read easily: 1, 2 or 5 times a power of ten. */
function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
}

function multiples(from, to, step) {
  const first = Math.ceil(from / step - 1e-9);
  const count = Math.min(200, Math.floor(to / step + 1e-9) - first + 1);
  return Array.from({ length: Math.max(0, count) }, (_, index) => (first + index) * step);
}

/** Ticks of an x axis, for dygraphs: [{ v, label }]. */
export function xTicks(axis, from, to, pixels) {
  const rough = (to - from) / Math.max(2, pixels / (axis === "time" ? 95 : 75));
  if (!(rough > 0)) return [{ v: from, label: "" }];
  const isTime = axis === "time";
  const step = isTime && rough > 1
    ? seconds.find((one) => one >= rough) ?? 86400 * niceStep(rough / 86400)
    : Math.max(niceStep(rough), axis === "epoch" ? 0 : 1);
  return multiples(from, to, step).map((v) => ({ v, label: isTime ? elapsed(v) : tickText(v, step) }));
}

/** Ticks of a y axis. */
export function yTicks(low, high, pixels, isLogarithmic) {
  const count = Math.max(2, pixels / 34);
  if (isLogarithmic && low > 0 && high / low > 8) return powers(low, high, count);
  const step = niceStep((high - low) / count);
  if (!(step > 0)) return [{ v: low, label: number(low) }];
  return multiples(low, high, step).map((v) => ({ v, label: tickText(v, step) }));
}

function powers(low, high, count) {
  const decades = Math.log10(high / low);
  const factors = decades < count / 3 ? [1, 2, 5] : [1];
  const every = Math.max(1, Math.ceil(decades / count));
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    if (factors.length === 1 && power % every !== 0) continue;
    for (const factor of factors) {
      const v = factor * 10 ** power;
      if (v >= low * (1 - 1e-9) && v <= high * (1 + 1e-9)) ticks.push({ v, label: number(v, 2) });
    }
  }
  return ticks;
}

/** A tick as short as its distance to the next one allows. */
function tickText(value, step) {
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(4))} M`;
  if (size >= 1e4 && step >= 100) return `${Number((value / 1e3).toPrecision(4))} k`;
  if (size > 0 && size < 1e-3) return number(value, 2);
  const digits = Math.max(0, Math.min(6, Math.ceil(-Math.log10(step) - 1e-9)));
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
