// Building and refreshing the page without a framework.

/** An element: h("a", { href: "/", class: "x", onclick: f, "aria-label": "…" }, "text", [more, nodes]). */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  const isThere = (child) => child !== undefined && child !== null && child !== false;
  element.append(...children.flat(3).filter(isThere));
  return element;
}

/**
 * Makes `parent` hold one child for each item, in order. A child is built again only when its item has
 * changed, so that focus, selection and scroll position survive a refresh.
 */
export function refresh(parent, items, keyOf, build) {
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  const focusKey = focused?.closest("[data-key]")?.dataset.key;
  items.forEach((item, index) => {
    const key = String(keyOf(item));
    const version = JSON.stringify(item);
    let child = old.get(key);
    if (child?.dataset.version !== version) {
      const fresh = build(item);
      fresh.dataset.key = key;
      fresh.dataset.version = version;
      child?.replaceWith(fresh);
      child = fresh;
    }
    old.delete(key);
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
  for (const child of old.values()) child.remove();
  if (focused && !focused.isConnected) {
    [...parent.children].find((child) => child.dataset.key === focusKey)?.querySelector("a, button")?.focus();
  }
}

/** Replaces the children of `parent` when `version` differs from the last time. */
export function replaceIfNew(parent, version, build) {
  if (parent.dataset.version === version) return;
  parent.dataset.version = version;
  parent.replaceChildren(...[build()].flat().filter(Boolean));
}

/** Says something to screen readers. */
export function announce(text) {
  document.getElementById("announcements").textContent = text;
}

/**
 * Calls `work` now and again `seconds` after each end, while the page is visible and until `work` gives
 * false; returns a function that stops it.
 */
export function repeat(seconds, work) {
  let timer = 0;
  let stopped = false;
  const run = async () => {
    if (stopped) return;
    if (!document.hidden && (await work()) === false) return;
    if (!stopped) timer = setTimeout(run, seconds * 1000);
  };
  const wake = () => {
    if (document.hidden) return;
    clearTimeout(timer);
    run();
  };
  document.addEventListener("visibilitychange", wake);
  run();
  return () => {
    stopped = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", wake);
  };
}
