"""What the pages must reach in Debian's Chromium."""

import contextlib
import gzip
import math
import os
import statistics
import time
from pathlib import Path

from .daemon import Daemon, note, rows

# Whether something is drawn on a visible canvas of a chart: a line of pixels across its middle half is enough.
PAINTED = """
window.paintedCanvases = (selector) => [...document.querySelectorAll(selector)].filter((canvas) => {
  const box = canvas.getBoundingClientRect();
  if (canvas.width < 50 || canvas.height < 20 || box.width === 0 || box.top > innerHeight) return false;
  const { data } = canvas.getContext("2d").getImageData(
    0, Math.floor(canvas.height / 4), canvas.width, Math.max(1, Math.floor(canvas.height / 2)));
  for (let i = 3; i < data.length; i += 4) if (data[i] !== 0) return true;
  return false;
}).length;
"""
# Milliseconds from the beginning of the navigation until `test` holds after a frame.
WHEN = """
([test, limit]) => new Promise((resolve) => {
  const look = () => {
    if (eval(test)) return resolve(performance.now());
    if (performance.now() > limit) return resolve(NaN);
    requestAnimationFrame(look);
  };
  look();
})
"""
# Frames per second while `act` runs at each of them.
FRAMES = """
([act, milliseconds]) => new Promise((resolve) => {
  const run = new Function("index", act);
  const begun = performance.now();
  let index = 0;
  const next = () => {
    const passed = performance.now() - begun;
    if (passed >= milliseconds) return resolve(index / passed * 1000);
    run(index++);
    requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
})
"""
# Moves the pointer over an element, by events as a mouse makes them.
MOVE = """
const target = document.querySelector("SELECTOR");
const box = target.getBoundingClientRect();
const at = (0.2 + 0.6 * Math.abs((index % 100) / 50 - 1)) * box.width;
const options = { bubbles: true, clientX: box.left + at, clientY: box.top + box.height / 2, buttons: BUTTONS, SHIFT
  pointerId: 1, pointerType: "mouse", isPrimary: true };
target.dispatchEvent(new PointerEvent("pointermove", options));
target.dispatchEvent(new MouseEvent("mousemove", options));
"""


def moving(selector, buttons=0, shift=False):
    text = MOVE.replace("SELECTOR", selector).replace("BUTTONS", str(buttons))
    return text.replace("SHIFT", "shiftKey: true," if shift else "")


class Pages:
    """One browser; each measurement begins with an empty cache."""

    def __init__(self, playwright, url):
        path = "/usr/bin/chromium"
        options = {"executable_path": path} if os.path.exists(path) else {}
        self.browser = playwright.chromium.launch(args=["--no-sandbox"], **options)
        self.url = url

    @contextlib.contextmanager
    def page(self, address, width=1440, height=900):
        context = self.browser.new_context(viewport={"width": width, "height": height})
        try:
            page = context.new_page()
            page.add_init_script(PAINTED)
            page.goto(self.url + "/" + address, wait_until="commit")
            yield page
        finally:
            context.close()

    def until(self, page, test, limit=60_000):
        return page.evaluate(WHEN, [test, limit])


def weight(arguments):
    """Kilobytes of everything that the whole page is made of, as files and as they are sent."""
    files = [path for path in Path(arguments.public).rglob("*") if path.suffix in (".js", ".css", ".html", ".svg")]
    charts = Path("/usr/share/javascript/dygraphs")
    files += [path for path in (charts / "dygraph.min.js", charts / "dygraph.css") if path.exists()]
    contents = [path.read_bytes() for path in files]
    return sum(map(len, contents)) / 1000, sum(len(gzip.compress(content)) for content in contents) / 1000


def median_of(count, measure):
    return statistics.median(measure() for _ in range(count))


def jobs_page(pages):
    row = "document.querySelectorAll('table.jobs tr.run').length > 5"

    def first():
        with pages.page("") as page:
            return pages.until(page, row)

    note("first view with rows of 10,000 jobs", median_of(3, first), 300, "ms")
    change = """
    ([click]) => new Promise((resolve) => {
      const begun = performance.now();
      const text = () => [...document.querySelectorAll('table.jobs tr.run .c-name')].slice(0, 12).map((cell) =>
        cell.textContent).join('|');
      const before = text();
      eval(click);
      const look = () => {
        if (text() !== before) return resolve(performance.now() - begun);
        if (performance.now() - begun > 20000) return resolve(NaN);
        requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    })
    """
    with pages.page("") as page:
        pages.until(page, row)
        page.wait_for_timeout(500)
        took = [page.evaluate(change, ["document.querySelector('[data-column=name]').click()"]) for _ in range(3)]
        note("sort of 10,000 jobs by a click", statistics.median(took), 100, "ms")
        filtered = page.evaluate(change, ["location.hash = '#/?q=gamma&sort=-priority'"])
        note("filter of 10,000 jobs by words", filtered, 100, "ms")


def long_run(pages, found, lines):
    canvas = ".chart .canvas canvas"

    def painted():
        with pages.page(f"#/jobs/{found['long']}", height=2400) as page:
            return pages.until(page, f"paintedCanvases('{canvas}') > 0")

    note(f"first painted curve of {lines:,} lines", median_of(3, painted), 300, "ms")
    with pages.page(f"#/jobs/{found['long']}", height=2400) as page:
        pages.until(page, f"paintedCanvases('{canvas}') > 0")
        page.wait_for_timeout(1000)
        box = page.locator(".chart .canvas").first.bounding_box()
        middle = box["y"] + box["height"] / 2
        times = []
        page.on("requestfinished", lambda request: times.append(time.perf_counter())
                if "/metrics" in request.url and "from=" in request.url else None)
        page.mouse.move(box["x"] + box["width"] * 0.4, middle)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.5, middle, steps=4)
        begun = time.perf_counter()
        page.mouse.up()
        for _ in range(100):
            page.wait_for_timeout(20)
            if times:
                break
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        refined = (times[-1] - begun) * 1000 if times else math.nan
        note("finer curves after a zoom, until the answer has come", refined, 150, "ms")


def compared(pages, found):
    canvas = ".compare .chart .canvas canvas"
    with pages.page(f"#/compare?jobs={','.join(found['runs'])}") as page:
        took = pages.until(page, f"paintedCanvases('{canvas}') > 0")
        note("100 runs of 2,000 lines overlaid", took, 500, "ms")
        page.wait_for_timeout(1000)
        hover = page.evaluate(FRAMES, [moving(".compare .chart .canvas"), 2000])
        note("hover over 100 runs", hover, 50, "frames/s", least=True)
        zoom = """
        const target = document.querySelector(".compare .chart .canvas");
        const box = target.getBoundingClientRect();
        target.dispatchEvent(new WheelEvent("wheel", { bubbles: true, cancelable: true, ctrlKey: true,
          clientX: box.left + box.width / 2, clientY: box.top + box.height / 2, deltaY: index % 40 < 20 ? -20 : 20 }));
        """
        note("zoom of 100 runs", page.evaluate(FRAMES, [zoom, 2000]), 50, "frames/s", least=True)


def projection(pages, found):
    canvas = "canvas.scatter"
    with pages.page(f"#/jobs/{found['projected']}", height=1400) as page:
        page.wait_for_selector(canvas, timeout=30_000)
        page.locator(canvas).scroll_into_view_if_needed()
        took = pages.until(page, f"paintedCanvases('{canvas}') > 0")
        note("projection of 10,000 points, first painted", took, None, "ms")
        note("hover over it", page.evaluate(FRAMES, [moving(canvas), 2000]), 50, "frames/s", least=True)
        box = page.locator(canvas).bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        note("pan of it", page.evaluate(FRAMES, [moving(canvas, buttons=1), 2000]), 50, "frames/s", least=True)
        page.mouse.up()


def browser(arguments, data, found):
    # Imported here: the server's figures need nothing but the standard library.
    from playwright.sync_api import sync_playwright

    whole, sent = weight(arguments)
    note("whole page, all modules and charts", whole, 350, "KB")
    note("the same, compressed", sent, None, "KB")
    daemon = Daemon(arguments, data)
    try:
        with sync_playwright() as playwright:
            pages = Pages(playwright, daemon.url)
            parts = {
                "jobs": lambda: jobs_page(pages), "long": lambda: long_run(pages, found, arguments.lines),
                "compare": lambda: compared(pages, found), "projection": lambda: projection(pages, found)}
            for name, part in parts.items():
                if arguments.parts and name not in arguments.parts:
                    continue
                try:
                    part()
                except Exception as error:  # One page that cannot be measured leaves the others.
                    print(f"OVER {name}: {str(error).splitlines()[0]}", flush=True)
                    rows.append((name, math.nan, None, "", False, False))
            pages.browser.close()
    finally:
        daemon.stop()
