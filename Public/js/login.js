// A daemon that others can reach asks for a token: once, then the browser keeps it in a cookie.
import { api } from "./api.js";
import { h } from "./dom.js";
import { alert } from "./parts.js";

/** Whether the daemon answers this browser; where that cannot be known, the pages will tell. */
export async function isAdmitted() {
  try {
    const session = await api.session();
    return !session.needs_token || session.name !== null;
  } catch {
    return true;
  }
}

/** Fills `main` with a form for the token; calls `enter` when the daemon has taken it. */
export function loginPage(main, enter) {
  const token = h("input", {
    type: "password", id: "token", autocomplete: "current-password", required: true, spellcheck: "false",
  });
  const message = h("div");
  const submit = async (event) => {
    event.preventDefault();
    try {
      await api.login(token.value.trim());
      enter();
    } catch (error) {
      message.replaceChildren(alert(error.message));
      token.select();
    }
  };
  const form = h("form", { class: "card", onsubmit: submit },
    h("h1", {}, "Who is there?"),
    h("p", {}, h("label", { for: "token" }, "Access token")), h("p", {}, token), message,
    h("p", {}, h("button", { type: "submit" }, "Enter")),
    h("p", { class: "quiet" }, "Made on the daemon's machine by ",
      h("code", {}, "vicregd token create --name NAME"), "."));
  main.replaceChildren(form);
  token.focus();
}
