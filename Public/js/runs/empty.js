// What the page of runs says where there are none.
import { h } from "../core/dom.js";
import { curl } from "../core/parts.js";
import { mayWrite } from "../core/role.js";

const example = { kind: "train", spec: { preset: "small", dataset: { name: "fashion-mnist" }, epochs: 5 } };

/** Before the first job. */
export function emptyState() {
  if (!mayWrite()) return h("div", { class: "empty" }, h("p", {}, "No runs yet."));
  return h(
    "div",
    { class: "empty" },
    h(
      "p",
      {},
      "No runs yet. ",
      h("a", { href: "#/new" }, "Start a first training"),
      " here, or from a terminal:",
    ),
    curl(example),
    h("p", { class: "quiet" }, "It trains on the 60,000 images of Fashion-MNIST; its curves appear here."),
  );
}

/** Where the filters leave none. */
export const noMatch = () => h("p", { class: "empty" }, "No run matches these filters.");
