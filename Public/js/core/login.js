// A daemon that others can reach asks for a token once; the browser then has a session.
import { api, tolerate } from "./api.js";
import { copyable } from "./clipboard.js";
import { h } from "./dom.js";
import { alert } from "./parts.js";
import { noteRole } from "./role.js";
import { outside } from "./text.js";

/**
 * Takes the token out of an address such as `http://HOST:8080/#token=…`, and out of the browser's history.
 */
export function takeToken() {
  const token = location.hash.match(/^#token=(.*)$/)?.[1];
  if (token === undefined) return null;
  history.replaceState(null, "", location.pathname + location.search);
  return token;
}

/**
 * Whether the daemon accepts this browser; true as well while it does not answer, because the pages report
 * that.
 */
export async function isAdmitted() {
  try {
    const session = await api.session();
    showSession(session);
    return !session.needs_token || session.name !== null;
  } catch (error) {
    tolerate(error);
    return true;
  }
}

/** Begins a session. */
export async function signIn(token) {
  await api.signIn(token);
  showSession(await api.session());
}

/**
 * Fills `main` with a form for the token and a notice; calls `enter` when the daemon has accepted a token.
 */
export function loginPage(main, enter, notice) {
  showSession(null);
  document.title = "Sign in · vicregd";
  const token = h("input", {
    type: "password", id: "token", autocomplete: "current-password", required: true, spellcheck: "false",
    "aria-describedby": "token-message",
  });
  const message = h("div", { id: "token-message" }, notice ? alert(notice) : null);
  const button = h("button", { type: "submit", class: "main" }, "Sign in");
  const submit = async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    try {
      await signIn(token.value.trim());
      enter();
    } catch (error) {
      tolerate(error);
      message.replaceChildren(alert(error.message));
      token.select();
    } finally {
      button.disabled = false;
    }
  };
  const command = h("div", {}, copyable("vicregd token create --name NAME --data DIR"));
  const folder = h("span", {}, " DIR must be the folder that the daemon was started with (",
    h("code", {}, "vicregd serve --data"), "): it accepts no token from another folder.");
  showCommand(command, folder);
  const form = h("form", { class: "card", onsubmit: submit },
    h("h1", {}, "Sign in"),
    h("p", {}, h("label", { for: "token" }, "Access token")), h("p", {}, token), message,
    h("p", {}, button),
    h("p", { class: "quiet" }, "To create a token, run this on the daemon's machine:"),
    command,
    h("p", { class: "quiet" }, "NAME is yours to choose.", folder));
  main.replaceChildren(form);
  token.focus();
}

/**
 * Shows the command with its folder, which the daemon gives a browser on its own machine, and no word about
 * DIR.
 */
async function showCommand(command, folder) {
  try {
    const exact = await api.tokenCommand();
    if (!exact) return;
    command.replaceChildren(copyable(exact));
    folder.remove();
  } catch (error) {
    tolerate(error);
  }
}

/** Shows who is signed in, and a button to sign out, in the page's header; nothing without a session. */
function showSession(session) {
  noteRole(session);
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
    h("p", { class: "quiet", id: "session" }, outside(session.name), ` (${session.role}) `,
      h("button", { type: "button", onclick: signOut }, "Sign out")));
}
