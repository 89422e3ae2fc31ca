// The daemon's HTTP interface, as this page uses it.
import { heard, lost } from "./freshness.js";

/**
 * An answer that is not a success: RFC 9457's fields, `errors` as [{ pointer, message }]. Status 0: no
 * answer.
 */
export class Problem extends Error {
  constructor(status, body) {
    super(body?.detail || body?.title || `The daemon answered with status ${status}.`);
    this.status = status;
    this.title = body?.title;
    this.errors = Array.isArray(body?.errors) ? body.errors : [];
  }
}

/**
 * Ignores a refusal by the daemon, which the header or the next refresh shows; throws any other error again.
 */
export function tolerate(error) {
  if (!(error instanceof Problem)) throw error;
}

/** Calls `callback` when the daemon no longer accepts this browser: its session has ended. */
export const onSignedOut = (callback) => signedOut.addEventListener("signedout", callback);

const signedOut = new EventTarget();

/** Seconds in which the daemon must have answered a GET. */
const answerSecondsMax = 10;

/**
 * Sends a request and reads its answer to the end; gives the text. Throws a `Problem`. `options` are those of
 * fetch, and `note(headers)`, which gets the headers of the answer.
 */
export async function request(path, options = {}) {
  const isRead = options.method === undefined;
  const place = path.split("?")[0];
  let status, isSuccess, text;
  try {
    const signal = isRead ? AbortSignal.timeout(answerSecondsMax * 1000) : undefined;
    const response = await fetch(path, { signal, ...options });
    ({ status, ok: isSuccess } = response);
    text = await response.text();
    options.note?.(response.headers);
  } catch {
    const title = "The daemon does not answer.";
    if (isRead) lost(place, title);
    throw new Problem(0, { title });
  }
  if (isSuccess) {
    heard(place);
    return text;
  }
  const problem = new Problem(status, parsed(text));
  const isFault = status >= 500 || status === 429;
  if (isRead && isFault) lost(place, `The daemon answers with an error (${status}).`);
  else heard(place);
  if (status === 401 && !options.isSignIn) signedOut.dispatchEvent(new Event("signedout"));
  throw problem;
}

/** The JSON of an error's body; null where it is something else, so that its status has to do. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The JSON of an answer to GET. */
export async function json(path) {
  const text = await request(path);
  try {
    return JSON.parse(text);
  } catch {
    const title = "The answer is not valid JSON.";
    lost(path.split("?")[0], title);
    throw new Problem(0, { title });
  }
}

const post = (path, body, headers = {}, signal = undefined) =>
  request(path, {
    method: "POST", signal,
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

/**
 * The session { needs_token, name, role, token_command }; reports the end of the one that this browser had.
 */
async function session() {
  const answer = await json("/session");
  if (answer.needs_token && answer.name === null) signedOut.dispatchEvent(new Event("signedout"));
  return answer;
}

/** What the API says of itself, once it has been asked for: a promise. */
let description = null;

async function described() {
  description ??= json("/openapi.json");
  try {
    return await description;
  } catch (error) {
    description = null;
    throw error;
  }
}

export const api = {
  session,
  /** The command that creates a token for this daemon, for a browser on its machine; else null. */
  tokenCommand: async () => (await json("/session")).token_command,
  signIn: (token) => request("/session",
    { method: "POST", headers: { Authorization: `Bearer ${token}` }, isSignIn: true }),
  signOut: () => request("/session", { method: "DELETE" }),
  /**
   * { jobs, next_cursor }, newest first; `filter` has query parameters like { kind: "train", cursor: "7" }.
   */
  jobs: (filter = {}) => json(`/jobs?${new URLSearchParams({ limit: 50, ...filter })}`),
  job: (id) => json(`/jobs/${encodeURIComponent(id)}`),
  checkpoints: async (id) => (await json(`/jobs/${id}/checkpoints`)).checkpoints,
  datasets: async () => (await json("/datasets")).datasets,
  log: (id, lines) => request(`/jobs/${id}/log?tail=${lines}`),
  /** Posts to a path that creates something; gives that. A repeated key gives that of the first time. */
  create: async (path, body, key) => JSON.parse(await post(path, body, { "Idempotency-Key": key })),
  /** What a path that creates something would make of the body: resolved, with an estimate. */
  check: async (path, body) => JSON.parse(await post(`${path}?dry_run=true`, body, {},
    AbortSignal.timeout(answerSecondsMax * 1000))),
  sweep: (id) => json(`/sweeps/${encodeURIComponent(id)}`),
  models: async () => (await json("/models")).models,
  /** `action` is cancel, pause, resume or retry; a cancel has a `mode`. */
  change: (id, action, body = {}) => post(`/jobs/${id}/${action}`, body),
  /** The OpenAPI document. */
  description: () => described(),
  /** The OpenAPI schemas by name. */
  schemas: async () => (await described()).components.schemas,
  /** Whether a GET of that path in the OpenAPI document takes a query parameter. */
  takes: async (path, name) =>
    (await described()).paths[path]?.get?.parameters?.some((one) => one.name === name) ?? false,
  transitions: async (id) => (await json(`/jobs/${id}/transitions`)).transitions,
  /** Curves over equal buckets: { key: [[step, mean, min, max], …] }; nulls: no value is finite. */
  series: async (id, keys, points) =>
    (await json(`/jobs/${id}/metrics?points=${points}&keys=${keys.join(",")}`)).series,
};
