// One line of a chart: what the daemon reports of a metric, placed on the axis and smoothed.

/** Marks of the axis: what a line needs to be placed on it. `clock` has [step, milliseconds] in order. */
const places = {
  step: (scale, step) => step,
  dimension: (scale, number) => number,
  epoch: (scale, step) => (scale.stepsPerEpoch ? step / scale.stepsPerEpoch : NaN),
  time: (scale, step) => (scale.clock?.length ? (between(scale.clock, 0, 1, step) - scale.clock[0][1]) / 1000
    : NaN),
};

/**
 * Where a step of a run lies on the axis "step", "epoch" or "time" (seconds since its start); NaN: unknown.
 */
export const placeOf = (axis, scale, step) => places[axis](scale ?? {}, step);

/** The step of a place on the axis: the inverse of `placeOf`. */
export function stepOf(axis, scale, place) {
  if (axis === "epoch") return place * (scale?.stepsPerEpoch ?? NaN);
  if (axis === "time") return scale?.clock?.length
    ? between(scale.clock, 1, 0, place * 1000 + scale.clock[0][1]) : NaN;
  return place;
}

/**
 * The value of column `to` where column `from` has `value`, between the rows; beyond them that of the last.
 */
function between(rows, from, to, value) {
  const at = lowerBound(rows.length, (index) => rows[index][from] >= value);
  if (at === 0) return rows[0][to];
  if (at === rows.length) return rows[at - 1][to];
  const [before, after] = [rows[at - 1], rows[at]];
  const width = after[from] - before[from];
  return before[to] + (after[to] - before[to]) * (width > 0 ? (value - before[from]) / width : 0);
}

/**
 * The first of `count` places at which `isThere` holds, which it does for all that follow; `count`: nowhere.
 */
export function lowerBound(count, isThere) {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isThere(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The points of a line in columns: `x`, `step`, `mean`, `low`, `high`; NaN where no value is finite. */
export class Columns {
  /** `points` are [step, mean, min, max]. */
  constructor(points, axis, scale) {
    const column = (value) => Float64Array.from(points, value);
    this.count = points.length;
    this.step = column((point) => point[0]);
    this.x = axis === "step" ? this.step : this.step.map((step) => placeOf(axis, scale, step));
    [this.mean, this.low, this.high] = [1, 2, 3].map((index) => column((point) => point[index] ?? NaN));
  }

  /**
   * The mean smoothed over `length` of the axis: an exponential moving average whose weights depend on the
   * distance, so that it does not depend on how fine the points are.
   */
  smoothed(length) {
    if (!(length > 0)) return this.mean;
    if (this.smooth?.length !== length) this.smooth = { length, values: this.#smoothed(length) };
    return this.smooth.values;
  }

  #smoothed(length) {
    const result = new Float64Array(this.count);
    let [sum, weight, last] = [0, 0, NaN];
    for (let index = 0; index < this.count; index += 1) {
      const value = this.mean[index];
      if (Number.isNaN(value)) {
        result[index] = NaN;
        continue;
      }
      const kept = Number.isNaN(last) ? 0 : Math.exp((last - this.x[index]) / length);
      sum = sum * kept + value;
      weight = weight * kept + 1;
      last = this.x[index];
      result[index] = sum / weight;
    }
    return result;
  }

  /** The index of the point whose x is nearest; -1 without points. */
  nearest(x) {
    if (this.count === 0) return -1;
    const at = lowerBound(this.count, (index) => this.x[index] >= x);
    if (at === 0) return 0;
    if (at === this.count) return at - 1;
    return x - this.x[at - 1] < this.x[at] - x ? at - 1 : at;
  }

  /** The indices [first, after the last] that a window shows, with one more on each side. */
  visible([from, to]) {
    const first = lowerBound(this.count, (index) => this.x[index] >= from);
    const end = lowerBound(this.count, (index) => this.x[index] > to);
    return [Math.max(0, first - 1), Math.min(this.count, end + 1)];
  }
}
