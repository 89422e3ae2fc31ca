#!/usr/bin/env python3
"""What the dashboard must reach, measured against a release daemon: prints a table of figures and their bounds.

  server   curves, lists, the state of the system, streams; needs Python's standard library only
  browser  the pages in Debian's Chromium; needs playwright

The data are what a daemon takes up by itself: run folders of trainings (one with a million metric lines, a
hundred with two thousand each, one with a projection of ten thousand points, and short ones), from which it
restores their jobs, and jobs that are queued by requests. It ends with status 1 if a figure is over its bound.

    Scripts/bench_dashboard.py BINARY [--only server|browser] [--keep FOLDER] [--lines N] [--jobs N]
"""

import argparse
import contextlib
import sys
import tempfile
from pathlib import Path

from dashboard_bench.browser import browser
from dashboard_bench.daemon import rows
from dashboard_bench.data import prepare
from dashboard_bench.server import server

ROOT = Path(__file__).resolve().parent.parent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--public", default=str(ROOT / "Public"), help="the dashboard's files")
    parser.add_argument("--migrations", default=str(ROOT / "migrations"))
    parser.add_argument("--only", choices=["server", "browser"])
    parser.add_argument("--parts", nargs="*", help="of the browser's: jobs, long, compare, projection")
    parser.add_argument("--keep", help="a folder for the data, which is used again")
    parser.add_argument("--lines", type=int, default=1_000_000, help="of the long run")
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=100, help="that are compared")
    parser.add_argument("--pages", type=int, default=50, help="that follow the stream")
    parser.add_argument("--seconds", type=float, default=10, help="that they follow it")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        data = arguments.keep or stack.enter_context(tempfile.TemporaryDirectory())
        Path(data).mkdir(parents=True, exist_ok=True)
        found = prepare(arguments, data)
        if arguments.only != "browser":
            server(arguments, data, found)
        if arguments.only != "server":
            browser(arguments, data, found)
    print()
    print("| what | measured | bound | |")
    print("|---|---|---|---|")
    for what, value, bound, unit, least, good in rows:
        limit = "" if bound is None else f"{'≥' if least else '≤'} {bound:,g}"
        print(f"| {what} | {value:,.4g} {unit} | {limit} | {'' if good else 'over'} |")
    sys.exit(any(not row[5] for row in rows))


if __name__ == "__main__":
    main()
