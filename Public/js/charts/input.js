// Pointer and keyboard of a chart.
import { paintCursor } from "./paint.js";
import { color } from "./theme.js";

/** Pixels from which a drag is one. */
const dragMin = 5;
/** How far keys move: the cursor in points, the window as a share of it. */
const panShare = 0.2;
const zoomFactor = 0.7;

/** Has a chart follow the pointer and the keyboard. */
export function listen(chart) {
  const { canvas } = chart;
  const handlers = {
    pointerdown: (event) => start(chart, event),
    pointermove: (event) => move(chart, event),
    pointerup: (event) => end(chart, event),
    pointercancel: () => { chart.drag = null; },
    pointerleave: () => { if (!chart.drag) chart.group.point(null); },
    dblclick: () => chart.group.zoom(null),
    keydown: (event) => press(chart, event),
    focus: () => { if (canvas.matches(":focus-visible") && chart.group.cursor === null) moveCursor(chart, 0);
      },
    blur: () => chart.group.point(null),
  };
  for (const [name, handler] of Object.entries(handlers)) canvas.addEventListener(name, handler);
  // A pinch on a touchpad arrives as a wheel with Ctrl.
  canvas.addEventListener("wheel", (event) => wheel(chart, event), { passive: false });
}

function placeOfPointer(chart, event) {
  const box = chart.area.getBoundingClientRect();
  const x = event.clientX - box.left;
  return { x, y: event.clientY - box.top, place: chart.graph.toDataXCoord(x) };
}

function start(chart, event) {
  if (!chart.graph || event.button !== 0) return;
  const { x, place } = placeOfPointer(chart, event);
  // A finger scrolls the page up and down, and moves the cursor sideways.
  if (event.pointerType === "touch") return void chart.group.point(place, chart);
  chart.drag = { x, place, isPan: event.shiftKey, window: chart.group.shown };
  chart.canvas.setPointerCapture(event.pointerId);
}

function move(chart, event) {
  if (!chart.graph) return;
  const { x, y, place } = placeOfPointer(chart, event);
  const { drag } = chart;
  if (drag?.isPan) {
    const [from, to] = drag.window;
    const shift = ((drag.x - x) / chart.graph.getArea().w) * (to - from);
    return chart.group.zoom([from + shift, to + shift]);
  }
  if (drag && Math.abs(x - drag.x) >= dragMin) return select(chart, drag.x, x);
  chart.pick(place, y);
  chart.group.point(place, chart);
}

/** Shows the part that would be zoomed to. */
function select(chart, from, to) {
  chart.group.point(null);
  const context = chart.overlay.getContext("2d");
  const area = chart.graph.getArea();
  context.clearRect(0, 0, chart.area.clientWidth, chart.area.clientHeight);
  context.globalAlpha = 0.15;
  context.fillStyle = color("--accent");
  context.fillRect(Math.min(from, to), area.y, Math.abs(to - from), area.h);
  context.globalAlpha = 1;
  for (const x of [from, to]) paintCursor(context, x, [], area, color("--accent"));
}

function end(chart, event) {
  const { drag } = chart;
  chart.drag = null;
  if (!chart.graph || !drag || drag.isPan) return;
  const { x, y, place } = placeOfPointer(chart, event);
  if (Math.abs(x - drag.x) >= dragMin) return chart.group.zoom(
    [Math.min(place, drag.place), Math.max(place, drag.place)]);
  const line = chart.options.onPick && chart.pick(place, y);
  if (line) chart.options.onPick(line);
}

function wheel(chart, event) {
  if (!event.ctrlKey || !chart.graph) return;
  event.preventDefault();
  chart.group.zoomBy(Math.exp(event.deltaY / 200), placeOfPointer(chart, event).place);
}

function press(chart, event) {
  if (!chart.graph || event.ctrlKey || event.metaKey || event.altKey) return;
  const { group } = chart;
  const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20, Home: -Infinity, End: Infinity };
  const actions = {
    "+": () => group.zoomBy(zoomFactor, group.cursor), "=": () => group.zoomBy(zoomFactor, group.cursor),
    "-": () => group.zoomBy(1 / zoomFactor, group.cursor), 0: () => group.zoom(null),
    Escape: () => group.point(null),
  };
  if (event.shiftKey && (event.key === "ArrowLeft" || event.key === "ArrowRight")) {
    group.pan(event.key === "ArrowLeft" ? -panShare : panShare);
  } else if (event.key in steps) moveCursor(chart, steps[event.key]);
  else if (event.key in actions && !(event.key === "Escape" && group.cursor === null)) actions[event.key]();
  else return;
  event.preventDefault();
}

/** Moves the cursor by a number of points of the longest line, and reads the values aloud. */
function moveCursor(chart, count) {
  const lines = chart.lines.filter((line) => !line.isHidden).map((line) => chart.columnsOf(line));
  const longest = lines.reduce((best, columns) => (columns.count > (best?.count ?? 0) ? columns : best),
    null);
  if (!longest) return;
  const { group } = chart;
  const [first, end] = longest.visible(group.shown);
  const now = group.cursor === null ? end - 1 : longest.nearest(group.cursor);
  const next = Math.min(end - 1, Math.max(first, now + count));
  group.point(longest.x[next], chart);
  chart.speak();
}
