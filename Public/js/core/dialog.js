// A question that must be answered before something is lost.
import { h } from "./dom.js";

/**
 * Asks in a dialog and gives whether the button `action` was pressed. `content`: what the question is about,
 * texts or elements; a field in it is read by the caller. `isDanger`: the action cannot be undone.
 */
export function ask({ title, content, action, isDanger = false }) {
  const confirm = h("button", { type: "submit", class: isDanger ? "danger" : "main", value: "yes" }, action);
  const heading = h("h2", { id: "dialog-title" }, title);
  const leave = h(
    "button",
    { type: "button", onclick: () => dialog.close("") },
    isDanger ? "Keep it" : "Not now",
  );
  const form = h(
    "form",
    {
      method: "dialog",
      novalidate: true,
      onsubmit: (event) => {
        // Closed here: the page's policy forbids forms to lead anywhere.
        event.preventDefault();
        dialog.close("yes");
      },
    },
    heading,
    h("div", {}, content),
    h("div", { class: "buttons" }, confirm, leave),
  );
  const dialog = h("dialog", { class: "question", "aria-labelledby": "dialog-title" }, form);
  document.body.append(dialog);
  dialog.showModal();
  (form.querySelector("input") ?? leave).focus();
  return new Promise((resolve) => {
    // A page that is left takes its question with it.
    const leavePage = () => dialog.close("");
    addEventListener("hashchange", leavePage, { once: true });
    dialog.addEventListener("close", () => {
      removeEventListener("hashchange", leavePage);
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}
