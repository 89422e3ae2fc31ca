// Text that people or other machines wrote: shown in its own direction, never able to change the page around
// it.
import { h } from "./dom.js";

/**
 * Characters that are invisible and change how others are shown: controls, marks of direction like U+202E,
 * spaces without width. Not among them: line feeds, tabs, the joiners of scripts and emoji, flags, Arabic
 * number signs.
 */
const invisible =
  /(?![\n\t\u200c\u200d\u0600-\u0605\u06dd\u070f\u08e2\u{e0020}-\u{e007f}])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The text with invisible characters as their code, like ⟨U+202E⟩. */
export function shown(text) {
  return String(text).replace(invisible, (character) =>
    `⟨U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}

/** Whether a reader would see anything of the text. */
export const isVisible = (text) => /[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(text ?? "");

/**
 * An element with text from outside. `name` is its tag, `kind` a further class; text that `isCut` ends after
 * two lines, with the whole on hover.
 */
export function outside(text, { name = "span", kind = "", isCut = false, role } = {}) {
  const safe = shown(text);
  const classes = ["outside", isCut && "cut", kind].filter(Boolean).join(" ");
  return h(name, { class: classes, dir: "auto", role, title: isCut ? safe : null }, safe);
}
