// What a chart says: the values at the cursor or the last ones, and a description for screen readers.
import { number } from "../core/format.js";
import { shown } from "../core/text.js";
import { placeText } from "./axis.js";
import { paintCursor, paintLine } from "./paint.js";
import { color } from "./theme.js";

/** Most lines whose values the chart's head lists; with more, the pointer shows the nearest line. */
export const headLinesMax = 4;
/** A mark is at the cursor within this share of the window. */
const markShare = 1 / 150;

/** Shows what lies at the cursor of the chart's group; without one, the last values. */
export function showCursor(chart, isSource) {
  const context = overlayContext(chart);
  const { cursor } = chart.group;
  const lines = chart.lines.filter((line) => !line.isHidden && !line.isSilent && line.points.length > 0);
  if (cursor === null) {
    chart.tip.hidden = true;
    chart.emphasize(null);
    return showValues(chart, lines, (columns) => lastFinite(columns));
  }
  if (chart.near && lines.length > 1) paintNear(chart, context);
  const told = lines.length <= headLinesMax ? lines : lines.filter((line) => line === chart.near);
  // On a single line the cursor stays on its points.
  const only = lines.length === 1 ? chart.columnsOf(lines[0]) : null;
  const place = only ? only.x[only.nearest(cursor)] : cursor;
  const dots = told.map((line) => ({ y: chart.graph.toDomYCoord(smoothAt(chart, line, place)),
    paint: line.paint }));
  paintCursor(context, chart.graph.toDomXCoord(place), dots.filter(({ y }) => Number.isFinite(y)),
    chart.graph.getArea(),
    color("--quiet"));
  showValues(chart, lines, (columns) => columns.nearest(place), place);
  showTip(chart, isSource && lines.length > headLinesMax ? chart.near : null, place);
}

/** Draws the line that the pointer is nearest to once more, above the others. */
function paintNear(chart, context) {
  const { near, graph, group } = chart;
  const area = graph.getArea();
  const columns = chart.columnsOf(near);
  const scale = { toX: (x) => graph.toDomXCoord(x), toY: (y) => graph.toDomYCoord(y) };
  const part = columns.visible(group.shown);
  const look = { stride: Math.max(1, Math.ceil((part[1] - part[0]) / area.w)) };
  context.save();
  context.beginPath();
  context.rect(area.x, area.y, area.w, area.h);
  context.clip();
  const values = columns.smoothed(group.smoothing);
  paintLine(context, { ...near, paint: color("--sheet"), dash: null }, columns, values, part, scale,
    { ...look, width: 6, opacity: 0.8 });
  paintLine(context, near, columns, values, part, scale, { ...look, width: 2.6 });
  context.restore();
}

/** The value of a line at a point of the axis, smoothed as it is drawn. */
export function smoothAt(chart, line, place) {
  const columns = chart.columnsOf(line);
  return columns.smoothed(chart.group.smoothing)[columns.nearest(place)];
}

function lastFinite({ mean, count }) {
  for (let index = count - 1; index >= 0; index -= 1) if (!Number.isNaN(mean[index])) return index;
  return count - 1;
}

function overlayContext({ area, overlay }) {
  const { clientWidth: width, clientHeight: height } = area;
  const scale = devicePixelRatio;
  const [wide, high] = [Math.round(width * scale), Math.round(height * scale)];
  if (overlay.width !== wide || overlay.height !== high) [overlay.width, overlay.height] = [wide, high];
  const context = overlay.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/**
 * Writes values into the head: the last ones, or with `place` those at the cursor, with their bands and the
 * place in
 * the line below.
 */
function showValues(chart, lines, indexOf, place) {
  const { group, options } = chart;
  const isAtCursor = place !== undefined && lines.length > 0;
  const told = lines.length > headLinesMax ? [] : lines.map((line) => {
    const columns = chart.columnsOf(line);
    const index = indexOf(columns);
    const [mean, low, high] = [columns.mean, columns.low, columns.high].map((column) => column[index]);
    const smooth = group.smoothing > 0 ? ` (smoothed ${number(columns.smoothed(group.smoothing)[index])})`
      : "";
    return { text: number(mean) + smooth, band: low < high ? `${number(low)} to ${number(high)}`
      : number(mean) };
  });
  const values = told.map(({ text }) => text).join(" / ") || `${lines.length} lines`;
  const bands = options.hasBands && told.length > 0 ? `, ${told.map(({ band }) => band).join(" / ")}` : "";
  write(chart.value, values);
  write(chart.note, isAtCursor ? capital(placeText(group.axis, place)) + bands + markAt(chart, place)
    : options.note ?? "");
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** The mark near a place, in words. */
function markAt(chart, place) {
  const [from, to] = chart.group.shown;
  const near = chart.marksOn().find(({ x }) => Math.abs(x - place) < (to - from) * markShare);
  return near ? ` · ${near.text}` : "";
}

/** Names a line beside the cursor; null: none. */
function showTip(chart, line, place) {
  const { tip, area } = chart;
  tip.hidden = !line;
  if (!line) return;
  const columns = chart.columnsOf(line);
  tip.textContent = `${shown(line.label)}: ${number(columns.mean[columns.nearest(place)])}`;
  const left = chart.graph.toDomXCoord(place);
  const isRight = left > area.clientWidth / 2;
  tip.style.setProperty("left", isRight ? "auto" : `${left + 10}px`);
  tip.style.setProperty("right", isRight ? `${area.clientWidth - left + 10}px` : "auto");
}

/** What a screen reader says of the chart. */
export function describe(chart, lines) {
  lines = lines.filter((line) => !line.isSilent);
  const ends = lines.slice(0, headLinesMax).map((line) => {
    const columns = chart.columnsOf(line);
    const text = (index) => `${number(columns.mean[index])} ${placeText(chart.group.axis, columns.x[index])}`;
    const name = lines.length > 1 ? `${shown(line.label)} ` : "";
    return `${name}${text(0)}, ${text(columns.count - 1)}`;
  });
  const more = lines.length > headLinesMax ? `; and ${lines.length - headLinesMax} more lines` : "";
  chart.canvas.setAttribute("aria-label", `${chart.options.title}: ${ends.join("; ")}${more}. `
    + "Arrows move the cursor, plus and minus zoom, 0 shows all.");
}
