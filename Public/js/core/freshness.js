// Whether the page shows what the daemon reports now. Where an answer is missing, the header says since when,
// and the page greys until the daemon answers again.

/** Seconds without any answer after which the page counts as stale even if no request has failed yet. */
const silenceSecondsMax = 30;

/** Paths whose last request failed, each with what went wrong. */
const failures = new Map();
let lastAnswer = Date.now();
/** The time of the last answer before the page went stale; null: the page is fresh. */
let staleSince = null;

/** Notes that the daemon answered a request for `path`, or sent an event (without a path). */
export function heard(path) {
  failures.delete(path);
  const now = Date.now();
  if (failures.size === 0) staleSince = null;
  lastAnswer = now;
  show();
}

/** Notes that a request for `path` failed, so that what the page shows of it is old. */
export function lost(path, reason) {
  failures.set(path, reason);
  staleSince ??= lastAnswer;
  show();
}

/** Forgets the failures of a view that is no longer shown. */
export function forgetFailures() {
  failures.clear();
  staleSince = null;
  show();
}

/**
 * Notices a silence that no request has reported: a computer that slept, a page that was in the background.
 */
function look() {
  if (document.hidden || Date.now() - lastAnswer < silenceSecondsMax * 1000) return;
  staleSince ??= lastAnswer;
  show();
}

function show() {
  const element = document.getElementById("connection");
  const text = staleSince === null ? "" : notice();
  if (element.textContent !== text) element.textContent = text;
  element.classList.toggle("lost", staleSince !== null);
  document.body.classList.toggle("stale", staleSince !== null);
}

function notice() {
  const [reason] = failures.values();
  return `${reason ?? "The daemon does not answer."} Shown as of ${clock(staleSince)}. Trying again…`;
}

/** A time of the clock with seconds, and the date if it is not today's. */
function clock(time) {
  const date = new Date(time);
  const isToday = date.toDateString() === new Date().toDateString();
  const day = isToday ? "" : `${date.toLocaleDateString([], { day: "numeric", month: "short" })}, `;
  return day + date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

setInterval(look, 1000);
