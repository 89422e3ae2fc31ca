// Building and refreshing the page without a framework.
import { isLive, onChange } from "./events.js";

/** An element: h("a", { href: "/", class: "x", onclick: f, "aria-label": "…" }, "text", [more, nodes]). */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "style") {
      // One by one: the page's policy forbids whole style attributes.
      for (const [property, part] of Object.entries(value)) element.style.setProperty(property, part);
    } else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  const isThere = (child) => child !== undefined && child !== null && child !== false;
  element.append(...children.flat(3).filter(isThere));
  return element;
}

/** An element of a drawing: svg("path", { d: "M0 0", class: "x" }). */
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** What each refreshed element shows, to build it again only when that has changed. */
const versions = new WeakMap();

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
    if (!child || versions.get(child) !== version) {
      const fresh = build(item);
      fresh.dataset.key = key;
      versions.set(fresh, version);
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
  if (versions.get(parent) === version) return;
  versions.set(parent, version);
  parent.replaceChildren(...[build()].flat().filter(Boolean));
}

/** Has screen readers read a text aloud. */
export function announce(text) {
  document.getElementById("announcements").textContent = text;
}

/** Seconds between two refreshes while the daemon reports changes by itself. */
const quietSeconds = 10;

/**
 * Calls `work` now, and again at once when something has changed, but at least `seconds` after the last call
 * has ended, while the page is visible and until `work` gives false; returns a function that stops it.
 * `concerns(change)`, if given, says which changes count.
 */
export function repeat(seconds, work, concerns = () => true) {
  let timer = 0;
  let endedAt = -Infinity;
  let isStopped = false;
  let isBusy = false;
  let isChanged = false;
  const run = async () => {
    if (isStopped || isBusy || document.hidden) return;
    clearTimeout(timer);
    isBusy = true;
    isChanged = false;
    let isOver = false;
    try {
      isOver = (await work()) === false;
    } finally {
      // Also after a fault of this page, which the browser's console reports: the next refresh may succeed.
      isBusy = false;
      endedAt = performance.now();
      if (isOver) stop();
      else if (!isStopped) wait(isChanged || !isLive() ? seconds : quietSeconds);
    }
  };
  const wait = (time) => {
    clearTimeout(timer);
    timer = setTimeout(run, time * 1000);
  };
  const note = (change) => {
    if (isChanged || !concerns(change)) return;
    isChanged = true;
    if (!isBusy) wait(Math.max(0, seconds - (performance.now() - endedAt) / 1000));
  };
  const stop = () => {
    isStopped = true;
    clearTimeout(timer);
    forget();
    document.removeEventListener("visibilitychange", run);
  };
  const forget = onChange(note);
  document.addEventListener("visibilitychange", run);
  run();
  return stop;
}
