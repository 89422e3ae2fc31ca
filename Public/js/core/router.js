// Which page is shown, by the part of the address after the hash. A page's module is fetched when it is first
// shown.
import { h } from "./dom.js";
import { forgetFailures } from "./freshness.js";
import { alert } from "./parts.js";

/**
 * The pages. `path`: of the addresses, whose groups the page gets. `title`: of the window until the page
 * sets its own. `nav`: the word in the navigation, at the address `#` + `at`; without it the page is found by
 * links. `under`: whose word is marked in the navigation meanwhile.
 *
 * A module exports `show(main, { groups, query })`, which fills `main`, keeps it up to date and gives a
 * function that stops that.
 */
const pages = [
  { path: /^\/$/, at: "/", nav: "Runs", title: "Runs", load: () => import("../runs/runs.js") },
  { path: /^\/jobs\/([0-9a-z]+)$/, under: "/", title: "Run", load: () => import("../run/run.js") },
  {
    path: /^\/compare$/,
    at: "/compare",
    under: "/",
    title: "Compare",
    load: () => import("../compare/compare.js"),
  },
  {
    path: /^\/sweeps$/,
    at: "/sweeps",
    nav: "Sweeps",
    title: "Sweeps",
    load: () => import("../sweeps/list.js"),
  },
  {
    path: /^\/sweeps\/([0-9a-z]+)$/,
    under: "/sweeps",
    title: "Sweep",
    load: () => import("../sweeps/sweep.js"),
  },
  {
    path: /^\/datasets$/,
    at: "/datasets",
    nav: "Datasets",
    title: "Datasets",
    load: () => import("../datasets/list.js"),
  },
  {
    path: /^\/datasets\/([^/]+)$/,
    under: "/datasets",
    title: "Dataset",
    load: () => import("../datasets/dataset.js"),
  },
  {
    path: /^\/models$/,
    at: "/models",
    nav: "Models",
    title: "Models",
    load: () => import("../models/list.js"),
  },
  {
    path: /^\/system$/,
    at: "/system",
    nav: "System",
    title: "System",
    load: () => import("../system/system.js"),
  },
  { path: /^\/new$/, at: "/new", nav: "New", title: "New", load: () => import("../new/new.js") },
];

const main = document.getElementById("main");
const links = document.getElementById("pages");
let stop = () => {};
/** Counts what was shown, so that a page which arrives late is not shown over a newer one. */
let turn = 0;

links.append(...pages.filter((page) => page.nav).map((page) => h("a", { href: `#${page.at}` }, page.nav)));

/** The address's path and query; null if the hash is a plain anchor, such as "Skip to content". */
function address() {
  const [path, query] = location.hash.replace(/^#/, "").split("?");
  if (path !== "" && !path.startsWith("/")) return null;
  return { path: path || "/", query: new URLSearchParams(query) };
}

/** Shows the page of the address. `isFirst`: the window has just been opened or signed in. */
export async function showPage({ isFirst = false } = {}) {
  const { path, query } = address() ?? (isFirst ? { path: "/", query: new URLSearchParams() } : {});
  if (path === undefined) return;
  hidePage();
  const mine = turn;
  const page = pages.find((one) => one.path.test(path)) ?? pages[0];
  document.title = page.at === "/" ? "vicregd" : `${page.title} · vicregd`;
  mark(page.under ?? page.at);
  let module;
  try {
    module = await page.load();
  } catch {
    const notice = "A part of this page did not load. Reload the page to try again.";
    if (mine === turn) main.replaceChildren(alert(notice));
    return;
  }
  if (mine !== turn) return;
  stop = module.show(main, { groups: path.match(page.path)?.slice(1) ?? [], query });
  if (isFirst) return;
  main.focus({ preventScroll: true });
  scrollTo(0, 0);
}

/** Ends what the page that is shown does. */
export function hidePage() {
  turn += 1;
  stop();
  stop = () => {};
  forgetFailures();
}

function mark(at) {
  for (const link of links.children) {
    if (link.getAttribute("href") === `#${at}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

/**
 * Writes query parameters into the address without showing the page again: a view that has changed by itself
 * stays a link. An empty value leaves its parameter out; a list gives it once for each of its values.
 */
export function rememberQuery(parameters) {
  const { path, query } = address() ?? { path: "/", query: new URLSearchParams() };
  for (const [name, value] of Object.entries(parameters)) {
    query.delete(name);
    for (const one of [value].flat()) {
      if (one !== null && one !== undefined && one !== "") query.append(name, one);
    }
  }
  const text = query.toString();
  history.replaceState(null, "", `#${path}${text ? `?${text}` : ""}`);
}
