// A daemon that others can reach asks for a token: once, then the browser has a session.
import { api } from "./api.js";
import { h } from "./dom.js";
import { alert } from "./parts.js";

/** The token of an address such as `http://HOST:8080/#token=…`, which leaves address bar and history. */
export function takeToken() {
  const token = location.hash.match(/^#token=(.*)$/)?.[1];
  if (token === undefined) return null;
  history.replaceState(null, "", location.pathname + location.search);
  return token;
}

/** Whether the daemon answers this browser; where that cannot be known, the pages will find out. */
export async function isAdmitted() {
  try {
    const session = await api.session();
    showSession(session);
    return !session.needs_token || session.name !== null;
  } catch {
    return true;
  }
}

/** Begins a session. */
export async function signIn(token) {
  await api.signIn(token);
  showSession(await api.session());
}

/** Fills `main` with a form for the token, and a notice; calls `enter` when the daemon has accepted it. */
export function loginPage(main, enter, notice) {
  showSession(null);
  document.title = "Sign in · vicregd";
  const token = h("input", {
    type: "password", id: "token", autocomplete: "current-password", required: true, spellcheck: "false",
  });
  const message = h("div", {}, notice ? alert(notice) : null);
  const submit = async (event) => {
    event.preventDefault();
    try {
      await signIn(token.value.trim());
      enter();
    } catch (error) {
      message.replaceChildren(alert(error.message));
      token.select();
    }
  };
  const form = h("form", { class: "card", onsubmit: submit },
    h("h1", {}, "Sign in"),
    h("p", {}, h("label", { for: "token" }, "Access token")), h("p", {}, token), message,
    h("p", {}, h("button", { type: "submit" }, "Sign in")),
    h("p", { class: "quiet" }, "Create one on the daemon's machine, with its data folder: ",
      h("code", {}, "vicregd token create --name NAME --data DIR")));
  main.replaceChildren(form);
  token.focus();
}

/** Shows who is signed in, and a button to sign out, in the page's header; nothing without a session. */
function showSession(session) {
  document.getElementById("session")?.remove();
  if (!session?.name) return;
  const signOut = async () => {
    try {
      await api.signOut();
    } finally {
      location.reload();
    }
  };
  document.querySelector("header.top").append(
    h("p", { class: "quiet", id: "session" }, `${session.name} (${session.role}) `,
      h("button", { type: "button", onclick: signOut }, "Sign out")));
}
