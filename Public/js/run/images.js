// Images of a dataset in rows, with what is known of each.
import { h } from "../core/dom.js";
import { shown } from "../core/text.js";
import { imagePath } from "./requests.js";

/** Images that are shown at first, and more with each press of the button. */
const imagesAtOnce = 60;

/**
 * A list of images: `items` are { index, caption, title }. A press on one calls `onPick(item)`, where that is
 * given.
 * `heading` says what they are.
 */
export function imageList(dataset, split, items, { heading, onPick = null, onClose = null } = {}) {
  const list = h("ul", { class: "images" });
  const more = h("button", { type: "button", onclick: () => add() }, "Show more");
  let count = 0;
  const add = () => {
    const next = items.slice(count, count + imagesAtOnce);
    list.append(...next.map((item) => h("li", {}, imageOf(dataset, split, item, onPick))));
    count += next.length;
    more.hidden = count >= items.length;
    more.textContent = `Show more (${count} of ${items.length.toLocaleString("en")})`;
  };
  add();
  return h("div", { class: "image-list", role: "group", "aria-label": heading },
    h("p", { class: "image-head" }, h("strong", {}, heading),
      onClose ? h("button", { type: "button", class: "plain", onclick: onClose }, "Close") : null),
    items.length === 0 ? h("p", { class: "quiet" }, "There are none.") : list, more);
}

function imageOf(dataset, split, item, onPick) {
  const text = item.title ?? `Image ${item.index}`;
  const picture = h("img", { src: imagePath(dataset, split, item.index), alt: shown(text), loading: "lazy",
    width: 64, height: 64 });
  const caption = h("span", {}, shown(item.caption ?? String(item.index)));
  return onPick
    ? h("button", { type: "button", class: "image", title: `${shown(text)}. Show its neighbours.`,
      onclick: () => onPick(item) }, picture, caption)
    : h("span", { class: "image", title: shown(text) }, picture, caption);
}
