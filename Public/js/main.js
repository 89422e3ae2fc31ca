// Which page is shown, by the part of the address behind the hash.
import { jobPage } from "./job.js";
import { jobsPage } from "./jobs.js";
import { isAdmitted, loginPage } from "./login.js";
import { newPage } from "./new.js";

const main = document.getElementById("main");
let stop = () => {};
let isFirst = true;

function show() {
  const [path, query] = location.hash.replace(/^#/, "").split("?");
  if (!isFirst && !path.startsWith("/")) return;
  stop();
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

function start() {
  addEventListener("hashchange", show);
  show();
}

if (await isAdmitted()) start();
else loginPage(main, start);
