#!/usr/bin/env python3
"""Tests of the dashboard in a real Chromium, against the real daemon.

    run.py [NAME…]      all tests, or those whose name contains one of the words

Needs Python's playwright and a Chromium of the system: on Debian `apt-get install chromium` and
`pip install playwright`. Where one of them is missing the tests are skipped, with a line that says so; no browser is
ever downloaded. DASHBOARD_DAEMON and DASHBOARD_CHROMIUM name another daemon and another browser.
"""

import importlib.util
import os
import sys
import unittest

FOLDER = os.path.dirname(os.path.abspath(__file__))


def missing():
    """What the tests need and do not find; None if all is there."""
    if importlib.util.find_spec("playwright") is None:
        return f"Python's playwright is not installed for {sys.executable}"
    import browser
    import daemon
    if browser.chromium() is None:
        return "no Chromium is installed"
    if not os.access(daemon.BINARY, os.X_OK):
        return f"there is no daemon at {daemon.BINARY}"
    return None


def main():
    sys.path.insert(0, FOLDER)
    lack = missing()
    if lack:
        print(f"Dashboard tests skipped: {lack}.")
        return 0
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{word}*" for word in sys.argv[1:]] or None
    suite = loader.discover(FOLDER, pattern="test_*.py", top_level_dir=FOLDER)
    import browser
    try:
        result = unittest.TextTestRunner(verbosity=2).run(suite)
    finally:
        browser.close_engine()
    return 0 if result.wasSuccessful() and result.testsRun > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
