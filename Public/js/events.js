// What the daemon tells by itself: one stream for the page, open only while it is visible, as a browser has
// few connections to share among its tabs.

const changes = new EventTarget();
const names = ["state", "transition", "metric", "checkpoint", "health", "result", "end", "deleted", "resync"];
let source = null;

/** Whether changes are told, so that asking for them can be rare. */
export const isLive = () => source?.readyState === EventSource.OPEN;

/** Calls `callback` at each change of any job; returns a function that ends it. */
export function onChange(callback) {
  changes.addEventListener("change", callback);
  connect();
  return () => changes.removeEventListener("change", callback);
}

function connect() {
  if (document.hidden) {
    source?.close();
    source = null;
  } else if (!source || source.readyState === EventSource.CLOSED) {
    source = new EventSource("/events");
    for (const name of names) source.addEventListener(name, () => changes.dispatchEvent(new Event("change")));
  }
}

document.addEventListener("visibilitychange", connect);
