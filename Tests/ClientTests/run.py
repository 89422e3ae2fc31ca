#!/usr/bin/env python3
"""Tests of the scripts that clients run, against the real daemon.

    run.py [NAME…]      all tests, or those whose name contains one of the words

Scripts/sweep.sh needs curl and jq, Scripts/optuna_sweep.py needs Optuna for this Python. Tests of a script whose
needs are missing are skipped, and the last line says so. DASHBOARD_DAEMON names another daemon.
"""

import os
import sys
import unittest

FOLDER = os.path.dirname(os.path.abspath(__file__))


def main():
    sys.path[:0] = [FOLDER, f"{FOLDER}/../DashboardTests"]
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{word}*" for word in sys.argv[1:]] or None
    suite = loader.discover(FOLDER, pattern="test_*.py", top_level_dir=FOLDER)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    for test, reason in result.skipped:
        print(f"Client tests skipped: {reason} ({test})")
    return 0 if result.wasSuccessful() and result.testsRun > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
