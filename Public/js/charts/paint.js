// Drawing on the canvas of a chart. `toX` and `toY` give the pixels of values.

/** Draws the band between the lowest and the highest values. */
export function paintBand(context, line, columns, [first, end], { toX, toY }, opacity) {
  context.fillStyle = line.paint;
  context.globalAlpha = opacity;
  for (const [from, to] of runs(columns.mean, first, end)) {
    context.beginPath();
    for (let index = from; index < to; index += 1) context.lineTo(toX(columns.x[index]),
      toY(columns.high[index]));
    for (let index = to - 1; index >= from; index -= 1) context.lineTo(toX(columns.x[index]),
      toY(columns.low[index]));
    context.fill();
  }
  context.globalAlpha = 1;
}

/**
 * Draws a line through `values`; a single point between gaps as a dot. `stride`: how many points are drawn as
 * one, by
 * their mean, where there are more than can be seen.
 */
export function paintLine(context, line, columns, values, [first, end], { toX, toY }, look = {}) {
  const { width = 1.6, opacity = 1, stride = 1, hasDashes = true } = look;
  context.strokeStyle = line.paint;
  context.fillStyle = line.paint;
  context.globalAlpha = opacity;
  context.lineWidth = width;
  context.lineJoin = stride > 1 || width <= 1 ? "bevel" : "round";
  context.setLineDash(hasDashes ? line.dash ?? [] : []);
  context.beginPath();
  for (const [from, to] of runs(values, first, end)) {
    if (stride > 1) tracePart(context, columns.x, values, [from, to], { toX, toY }, stride);
    else {
      context.moveTo(toX(columns.x[from]), toY(values[from]));
      for (let index = from + 1; index < to; index += 1) context.lineTo(toX(columns.x[index]),
        toY(values[index]));
    }
  }
  context.stroke();
  context.setLineDash([]);
  // Few points are easier to see as what they are.
  const isSparse = end - first <= 24;
  for (const [from, to] of runs(values, first, end)) {
    if (!isSparse && to - from > 1) continue;
    for (let index = from; index < to; index += 1) dot(context, toX(columns.x[index]), toY(values[index]),
      2.2);
  }
  context.globalAlpha = 1;
}

/** Traces a stretch by the means of `stride` points at a time. */
function tracePart(context, x, values, [from, to], { toX, toY }, stride) {
  for (let start = from; start < to; start += stride) {
    const stop = Math.min(to, start + stride);
    let [place, sum] = [0, 0];
    for (let index = start; index < stop; index += 1) {
      place += x[index];
      sum += values[index];
    }
    const [px, py] = [toX(place / (stop - start)), toY(sum / (stop - start))];
    if (start === from) context.moveTo(px, py);
    else context.lineTo(px, py);
  }
}

/** The stretches [from, to) without a gap. */
function* runs(values, first, end) {
  let start = -1;
  for (let index = first; index <= end; index += 1) {
    const isThere = index < end && !Number.isNaN(values[index]);
    if (isThere && start < 0) start = index;
    if (!isThere && start >= 0) {
      yield [start, index];
      start = -1;
    }
  }
}

function dot(context, x, y, radius) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

/** Draws a cross at the top for each place where values are not finite. */
export function paintNotFinite(context, places, area, toX, paint) {
  context.strokeStyle = paint;
  context.lineWidth = 1.5;
  context.beginPath();
  for (const place of places) {
    const [x, y] = [toX(place), area.y + 6];
    context.moveTo(x - 3.5, y - 3.5);
    context.lineTo(x + 3.5, y + 3.5);
    context.moveTo(x - 3.5, y + 3.5);
    context.lineTo(x + 3.5, y - 3.5);
  }
  context.stroke();
}

/** Draws the marks of a run: an attempt as a dashed line, a checkpoint as a tick at the bottom. */
export function paintMarks(context, marks, area, toX, paint) {
  context.strokeStyle = paint;
  context.fillStyle = paint;
  context.lineWidth = 1;
  for (const { x, kind } of marks) {
    const at = Math.round(toX(x)) + 0.5;
    context.beginPath();
    if (kind === "attempt") {
      context.setLineDash([3, 3]);
      context.moveTo(at, area.y);
      context.lineTo(at, area.y + area.h);
      context.stroke();
      context.setLineDash([]);
    } else {
      const bottom = area.y + area.h;
      context.moveTo(at, bottom - 5);
      context.lineTo(at + 3, bottom);
      context.lineTo(at - 3, bottom);
      context.fill();
    }
  }
}

/** Draws a value that lines are compared with as a dashed line, and what is bad below `shade`. */
export function paintRule(context, rule, area, toY, { good, bad }) {
  if (rule.shade !== undefined) {
    context.fillStyle = bad;
    context.fillRect(area.x, toY(rule.shade), area.w, Math.max(0, area.y + area.h - toY(rule.shade)));
  }
  context.strokeStyle = good;
  context.lineWidth = 1;
  context.setLineDash([5, 4]);
  context.beginPath();
  context.moveTo(area.x, toY(rule.value));
  context.lineTo(area.x + area.w, toY(rule.value));
  context.stroke();
  context.setLineDash([]);
  context.fillStyle = good;
  context.font = "11px system-ui, sans-serif";
  context.textAlign = "right";
  // Above the line, or below it if there is no room above.
  const y = toY(rule.value);
  context.fillText(rule.label, area.x + area.w - 4, y - area.y > 16 ? y - 4 : y + 12);
}

/** Draws the cursor: a line at `x`, and a dot for each line at its value. */
export function paintCursor(context, x, dots, area, paint) {
  context.strokeStyle = paint;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(Math.round(x) + 0.5, area.y);
  context.lineTo(Math.round(x) + 0.5, area.y + area.h);
  context.stroke();
  for (const { y, paint: own } of dots) {
    context.fillStyle = own;
    dot(context, x, y, 3.5);
  }
}
