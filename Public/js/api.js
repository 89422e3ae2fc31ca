// The daemon's HTTP interface, as this page uses it.

/** No success: RFC 9457's fields, `errors` as [{ pointer, message }]; status 0 is no answer at all. */
export class Problem extends Error {
  constructor(status, body) {
    super(body?.detail || body?.title || `The daemon answered ${status}.`);
    this.status = status;
    this.title = body?.title;
    this.errors = body?.errors ?? [];
  }
}

/** Leaves what the daemon refused to the header and the next refresh; a mistake of this page is thrown on. */
export function tolerate(error) {
  if (!(error instanceof Problem)) throw error;
}

/** Calls `callback` when the daemon no longer accepts this browser: its session has ended. */
export const onSignedOut = (callback) => signedOut.addEventListener("signedout", callback);

const signedOut = new EventTarget();

const connection = () => document.getElementById("connection");

async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    say("No answer from the daemon. Trying again…", true);
    throw new Problem(0, { title: "The daemon does not answer." });
  }
  if (response.ok) {
    say("", false);
    return response;
  }
  let body = null;
  try {
    body = await response.json();
  } catch {
    // The status alone has to do.
  }
  if (response.status === 401 && !options.isSignIn) signedOut.dispatchEvent(new Event("signedout"));
  throw new Problem(response.status, body);
}

function say(text, lost) {
  const element = connection();
  if (element.textContent !== text) element.textContent = text;
  element.classList.toggle("lost", lost);
}

const json = async (path) => (await request(path)).json();

const post = (path, body) =>
  request(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });

export const api = {
  /** { needs_token, name, role }: whether a token is needed, and which one this browser signed in with. */
  session: () => json("/session"),
  signIn: (token) => request("/session",
    { method: "POST", headers: { Authorization: `Bearer ${token}` }, isSignIn: true }),
  signOut: () => request("/session", { method: "DELETE" }),
  /** { jobs, next_cursor }, newest first. */
  jobs: (cursor) => json(`/jobs?limit=50${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`),
  job: (id) => json(`/jobs/${id}`),
  checkpoints: async (id) => (await json(`/jobs/${id}/checkpoints`)).checkpoints,
  datasets: async () => (await json("/datasets")).datasets,
  version: () => json("/version"),
  log: async (id, lines) => (await request(`/jobs/${id}/log?tail=${lines}`)).text(),
  queue: async (job) => (await post("/jobs", job)).json(),
  /** `action` is cancel, pause, resume or retry; a cancel has a `mode`. */
  change: (id, action, body = {}) => post(`/jobs/${id}/${action}`, body),
  transitions: async (id) => (await json(`/jobs/${id}/transitions`)).transitions,
  /** Curves over equal buckets: { key: [[step, mean, min, max], …] }; nulls: no value is finite. */
  series: async (id, keys, points) => {
    const response = await request(`/jobs/${id}/metrics?points=${points}&keys=${keys.join(",")}`);
    return (await response.json()).series;
  },
};
