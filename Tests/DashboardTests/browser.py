"""A Chromium that reports everything that a page does wrong."""

import functools
import importlib.util
import os
import shutil
import unittest
from urllib.parse import urlsplit

from daemon import PATIENCE_SECONDS, Daemon, wait_until


def chromium():
    """The path of the system's Chromium; None without one."""
    names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    named = os.environ.get("DASHBOARD_CHROMIUM")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, names)), None)


@functools.cache
def engine():
    """The one browser of all tests, playwright's `expect` with this suite's patience, and playwright itself."""
    from playwright.sync_api import expect, sync_playwright
    playwright = sync_playwright().start()
    # Root needs --no-sandbox; the pages are the daemon's own.
    browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
    expect.set_options(timeout=PATIENCE_SECONDS * 1000)
    return browser, expect, playwright


def close_engine():
    """Ends the browser, if a test has started it."""
    if engine.cache_info().currsize > 0:
        browser, _, playwright = engine()
        browser.close()
        playwright.stop()


# Collected before any script of the page runs.
WITNESS = """
window.witness = { violations: [], graphs: [] };
addEventListener("securitypolicyviolation", (event) =>
  witness.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
let Dygraph;
Object.defineProperty(window, "Dygraph", {
  get: () => Dygraph,
  set: (original) => {
    Dygraph = new Proxy(original, {
      construct(target, args) {
        const graph = new target(...args);
        witness.graphs.push(graph);
        return graph;
      },
    });
  },
});
"""

DUPLICATE_IDS = """() => {
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  return ids.filter((id, index) => ids.indexOf(id) !== index);
}"""

# Elements that reach out of the window; what a parent clips does not.
OVERFLOW = """() => {
  const found = [];
  if (document.documentElement.scrollWidth > innerWidth) {
    found.push(`the page is ${document.documentElement.scrollWidth} px wide`);
  }
  for (const element of document.querySelectorAll("body *")) {
    const box = element.getBoundingClientRect();
    if (element.closest(".unseen, .skip") || box.width === 0) continue;
    if (box.right > innerWidth + 1 || box.left < -1) {
      found.push(`${element.tagName}.${element.className} from ${box.left} to ${box.right}`);
    }
    const style = getComputedStyle(element);
    if (["auto", "scroll"].includes(style.overflowX) && element.scrollWidth > element.clientWidth + 1) {
      found.push(`${element.tagName}.${element.className} scrolls sideways`);
    }
  }
  return found;
}"""

# Controls that a screen reader cannot name, and errors or hints that no field refers to.
NAMELESS = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, [role=img], pre")]
  .filter((element) => element.checkVisibility() && !(element.getAttribute("aria-label")
    || element.textContent.trim() || [...(element.labels ?? [])].some((label) => label.textContent.trim())))
  .map((element) => element.outerHTML.slice(0, 200))"""


# What axe-core finds wrong, in lines. It is loaded by the test, not by the page, whose policy would forbid it.
AXE = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations.flatMap((one) => one.nodes.map((node) =>
    `${one.id}: ${node.html.slice(0, 200)} | ${node.failureSummary.replace(/\\s+/g, " ").slice(0, 300)}`));
}"""


@functools.cache
def axe_source():
    """The script of axe-core from Python's axe-playwright-python; None without it."""
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None:
        return None
    with open(f"{found.submodule_search_locations[0]}/axe.min.js") as script:
        return script.read()


class DashboardTest(unittest.TestCase):
    """A daemon for each class, a fresh browser profile for each test, and what must hold of every page."""

    flags = []
    token = None

    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon(*cls.flags, token=cls.token)
        cls.addClassCleanup(cls.daemon.stop)
        cls.browser, expect, _ = engine()
        cls.expect = staticmethod(expect)

    def setUp(self):
        self.errors = []
        # Parts of console errors that a test causes on purpose.
        self.expected_errors = []
        self.hosts = set()
        self.open_context()

    def open_context(self, **options):
        """A fresh profile with one page."""
        self.context = self.browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        self.addCleanup(self.context.close)
        self.context.set_default_timeout(PATIENCE_SECONDS * 1000)
        self.context.add_init_script(WITNESS)
        self.page = self.context.new_page()
        self.page.on("console", self.note_console)
        self.page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))

    def note_console(self, message):
        if message.type in ("error", "warning"):
            self.errors.append(f"{message.type}: {message.text}")

    def tearDown(self):
        self.check_page()
        self.check_access()
        strange = [error for error in self.errors if not any(part in error for part in self.expected_errors)]
        self.assertEqual(strange, [], "the console has errors")
        self.assertLessEqual(self.hosts, {urlsplit(self.daemon.url).netloc}, "another host was asked")

    def check_page(self):
        """What must hold of every view."""
        self.assertEqual(self.page.evaluate(DUPLICATE_IDS), [], "ids are repeated")
        self.assertEqual(self.page.evaluate(NAMELESS), [], "controls without a name")
        self.assertEqual(self.page.evaluate("() => window.witness?.violations ?? []"), [], "the policy was violated")

    def check_access(self):
        """What axe-core asks of a page, contrast included."""
        if axe_source() is None or not self.page.url.startswith("http"):
            return
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(axe_source())
        self.assertEqual(self.page.evaluate(AXE), [], "the page is not accessible")

    def check_width(self, what):
        self.assertEqual(self.page.evaluate(OVERFLOW), [], f"{what} is wider than the window")

    def open(self, view="#/"):
        """Opens a view as if its address had been typed."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.daemon.url}/{view}")

    def find(self, selector, **options):
        return self.page.locator(selector, **options)

    def see(self, selector, text=None):
        """Waits until the element is there, with the text."""
        element = self.find(selector)
        if text is None:
            self.expect(element.first).to_be_visible()
        else:
            self.expect(element.first).to_contain_text(text)
        return element.first

    def wait_until(self, condition, what):
        """As `daemon.wait_until`, with the browser's events handled while it waits."""
        def look():
            self.page.wait_for_timeout(20)
            return condition()
        return wait_until(look, what)
