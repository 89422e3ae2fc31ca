// Queueing without doubles: a double click, a network that repeats and a reload of the page queue the jobs
// once.
import { api } from "../core/api.js";

/** What the browser's tab has sent and not yet seen acknowledged: { body, key }. */
let sent = null;
const place = "vicregd-submission";

/**
 * Posts `value` to a path that creates something, and gives that. What was sent before without an answer is
 * sent under the same key again, so that the daemon creates it once. After an acknowledgement the same may be
 * created again on purpose.
 */
export async function submit(path, value) {
  const body = JSON.stringify([path, value]);
  recall();
  if (sent?.body !== body) sent = { body, key: newKey() };
  remember();
  const created = await api.create(path, value, sent.key);
  sent = null;
  remember();
  return created;
}

function recall() {
  try {
    sent ??= JSON.parse(sessionStorage.getItem(place));
  } catch {
    // Storage is forbidden or damaged: a reload then forgets what was sent.
  }
}

function remember() {
  try {
    if (sent) sessionStorage.setItem(place, JSON.stringify(sent));
    else sessionStorage.removeItem(place);
  } catch {
    // As above.
  }
}

/** 128 random bits; `crypto.randomUUID` is missing on pages over plain http. */
const newKey = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
