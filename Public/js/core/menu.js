// A button that opens a small sheet of choices, and closes it on Escape or a click elsewhere.
import { h } from "./dom.js";

/** A menu with the title `title`; `content` gives what the sheet holds, each time that it is opened. */
export function menu(title, content, { kind = "", label } = {}) {
  const sheet = h("div", { class: "sheet", hidden: true });
  const name = h("span", {}, title);
  const summary = h("summary", { class: "button", "aria-label": label }, name);
  const element = h("details", { class: `menu ${kind}` }, summary, sheet);
  const close = (event) => {
    if (event.type === "keydown" ? event.key === "Escape" : !element.contains(event.target)) {
      if (event.type === "keydown") {
        event.stopPropagation();
        summary.focus();
      }
      element.open = false;
    }
  };
  element.addEventListener("toggle", () => {
    document.removeEventListener("pointerdown", close);
    document.removeEventListener("keydown", close, true);
    sheet.hidden = !element.open;
    if (!element.open) return;
    sheet.replaceChildren(...[content()].flat());
    document.addEventListener("pointerdown", close);
    document.addEventListener("keydown", close, true);
    // On a narrow window the sheet must not reach out of it.
    sheet.classList.remove("left");
    sheet.classList.toggle("left", sheet.getBoundingClientRect().right > innerWidth - 8);
  });
  return { element, rename: (text) => { if (name.textContent !== text) name.textContent = text; } };
}

/** A menu in which any of `options` [[value, title]] may be ticked; calls `change(values)`. */
export function choiceMenu(title, options, chosen, change) {
  const named = (values) => (values.length === 0 ? title
    : `${title}: ${options.filter(([value]) => values.includes(value)).map(([, name]) => name).join(", ")}`);
  let values = chosen;
  const one = menu(named(values), () => options.map(([value, name]) => {
    const box = h("input", { type: "checkbox", onchange: () => {
      const isChosen = (other) => (other === value ? box.checked : values.includes(other));
      values = options.map(([other]) => other).filter(isChosen);
      one.rename(named(values));
      change(values);
    } });
    box.checked = values.includes(value);
    return h("label", {}, box, " ", name);
  }));
  one.set = (next) => {
    values = next;
    one.rename(named(values));
  };
  return one;
}
