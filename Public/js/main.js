// The first module: signs the browser in and shows the page of the address.
import { onSignedOut } from "./core/api.js";
import { follow, unfollow } from "./core/events.js";
import { isAdmitted, loginPage, signIn, takeToken } from "./core/login.js";
import { hidePage, showPage } from "./core/router.js";

const main = document.getElementById("main");
let isIn = false;

function enter() {
  isIn = true;
  follow();
  showPage({ isFirst: true });
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
  hidePage();
  unfollow();
  loginPage(main, enter,
    "Your session has ended: its token was revoked, it was idle for long, or the daemon was restarted. "
      + "Sign in again.");
});

addEventListener("hashchange", () => {
  if (location.hash.startsWith("#token=")) start();
  else if (isIn) showPage();
});

await start();
