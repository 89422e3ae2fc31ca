// Copying, also on pages that a browser does not count as secure (http:// at another address than loopback).
import { h } from "./dom.js";

/** Copies the text of `element`; gives whether it was copied. The text stays selected where it was not. */
export async function copy(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    // No clipboard for this page, or no permission: the older way.
  }
  const range = document.createRange();
  range.selectNodeContents(element);
  const selection = getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  }
}

/** A line that can be copied, with its button. */
export function copyable(text) {
  const code = h("code", {}, text);
  const result = h("span", { class: "quiet", role: "status" });
  const button = h("button", {
    type: "button", class: "plain",
    onclick: async () => {
      const isCopied = await copy(code);
      result.textContent = isCopied ? "Copied." : "Not copied: press Ctrl+C to copy the selected text.";
    },
  }, "Copy");
  return h("div", { class: "curl" }, code, h("span", {}, button, " ", result));
}
