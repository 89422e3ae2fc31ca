// Which page is shown, by the part of the address after the hash.
import { onSignedOut } from "./api.js";
import { follow, unfollow } from "./events.js";
import { forgetFailures } from "./freshness.js";
import { jobPage } from "./job.js";
import { jobsPage } from "./jobs.js";
import { isAdmitted, loginPage, signIn, takeToken } from "./login.js";
import { newPage } from "./new.js";

const main = document.getElementById("main");
let stop = () => {};
let isFirst = true;

function show() {
  const [path, query] = location.hash.replace(/^#/, "").split("?");
  if (!isFirst && !path.startsWith("/")) return;
  stop();
  forgetFailures();
  const job = path.match(/^\/jobs\/([0-9a-z]+)$/);
  const page = path === "/new" ? "new" : "jobs";
  document.title = path === "/new" ? "New job · vicregd" : "vicregd";
  for (const link of document.querySelectorAll("nav a")) {
    if (link.dataset.page === page) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (job) stop = jobPage(main, job[1]);
  else if (page === "new") stop = newPage(main, new URLSearchParams(query));
  else stop = jobsPage(main);
  if (!isFirst) main.focus({ preventScroll: true });
  if (!isFirst) scrollTo(0, 0);
  isFirst = false;
}

let isIn = false;

function enter() {
  isIn = true;
  follow();
  show();
}

/** Shows the pages if the daemon answers this browser, else the form for a token. */
async function start() {
  const token = takeToken();
  // The token of an address never replaces a session that is still valid.
  if (await isAdmitted()) return enter();
  let notice = null;
  if (token) {
    try {
      await signIn(token);
      return enter();
    } catch (error) {
      notice = error.message;
    }
  }
  loginPage(main, enter, notice);
}

onSignedOut(() => {
  if (!isIn) return;
  isIn = false;
  stop();
  stop = () => {};
  unfollow();
  forgetFailures();
  isFirst = true;
  loginPage(main, enter,
    "Your session has ended: its token was revoked, it was idle for long, or the daemon was restarted. "
      + "Sign in again.");
});

addEventListener("hashchange", () => {
  if (location.hash.startsWith("#token=")) start();
  else if (isIn) show();
});

await start();
