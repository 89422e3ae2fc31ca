// Changes that the daemon reports by itself: one stream for the page, open only while the page is visible,
// because a browser has few connections to share among its tabs.
import { api, tolerate } from "./api.js";
import { heard } from "./freshness.js";

const names = [
  "state",
  "transition",
  "metric",
  "evaluation",
  "checkpoint",
  "artifact",
  "health",
  "result",
  "warning",
  "started",
  "yielded",
  "end",
  "deleted",
  "sweep",
  "trial",
  "sweep_deleted",
  "resync",
];
/** Seconds between two checks of the session and of a broken stream. */
const checkSeconds = 5;
const callbacks = new Set();
let source = null;
let isSignedIn = false;

/** Whether the stream is open, so that the page need not ask often. */
export const isLive = () => source?.readyState === EventSource.OPEN;

/**
 * Calls `callback` at each change of any job or sweep with `{ name, job, sweep, line, state }`; returns a
 * function that ends it. `name` is the event's; `line` is the line that a job has recorded; `state` is the
 * whole job, of the event `state`, or the whole sweep. The name `resync` says that changes may have been
 * missed: the stream has just been opened, or opened again.
 */
export function onChange(callback) {
  callbacks.add(callback);
  return () => callbacks.delete(callback);
}

/** Opens the stream, after the browser has signed in, and keeps it open. */
export function follow() {
  isSignedIn = true;
  connect();
}

/** Closes the stream. */
export function unfollow() {
  isSignedIn = false;
  connect();
}

function connect() {
  if (document.hidden || !isSignedIn) {
    source?.close();
    source = null;
  } else if (!source || source.readyState === EventSource.CLOSED) {
    source = new EventSource("/events");
    source.addEventListener("error", check);
    source.addEventListener("open", () => tell({ name: "resync" }));
    for (const name of names) source.addEventListener(name, pass);
  }
}

function pass(event) {
  heard();
  tell(changeOf(event.type, event.data));
}

/** An event of the stream as the pages get it. */
function changeOf(name, text) {
  const data = JSON.parse(text);
  if (name === "state") return { name, job: data.id, state: data };
  if (name === "sweep") return { name, sweep: data.id, state: data };
  return { name, job: data.job, sweep: data.sweep, line: data.line, trial: data.trial };
}

function tell(change) {
  // A fault in one part of the page must not keep the change from the others.
  for (const callback of [...callbacks]) {
    try {
      callback(change);
    } catch (error) {
      reportError(error);
    }
  }
}

/**
 * Asks for the session, which reports whether the daemon answers, and whether it still accepts this browser.
 */
async function check() {
  if (document.hidden || !isSignedIn) return;
  try {
    await api.session();
    connect();
  } catch (error) {
    tolerate(error);
  }
}

setInterval(check, checkSeconds * 1000);
document.addEventListener("visibilitychange", () => {
  connect();
  check();
});
