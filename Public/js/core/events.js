// Changes that the daemon reports by itself: one stream for the page, open only while the page is visible,
// because a browser has few connections to share among its tabs.
import { api, tolerate } from "./api.js";
import { heard } from "./freshness.js";

const changes = new EventTarget();
const names = [
  "state", "transition", "metric", "evaluation", "checkpoint", "health", "result", "end", "deleted", "resync",
];
/** Seconds between two checks of the session and of a broken stream. */
const checkSeconds = 5;
let source = null;
let isSignedIn = false;

/** Whether the stream is open, so that the page need not ask often. */
export const isLive = () => source?.readyState === EventSource.OPEN;

/** Calls `callback` at each change of any job; returns a function that ends it. */
export function onChange(callback) {
  changes.addEventListener("change", callback);
  return () => changes.removeEventListener("change", callback);
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
    for (const name of names) source.addEventListener(name, pass);
  }
}

function pass() {
  heard();
  changes.dispatchEvent(new Event("change"));
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
