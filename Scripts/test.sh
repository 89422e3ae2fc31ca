#!/usr/bin/env bash
# Installs what is missing, builds everything and runs all tests. Arguments go to `swift test`, like --filter Tidy;
# without any, the dashboard is tested too, by PYTHON (default python3), where playwright and Chromium are installed,
# and the scripts for clients, for which Optuna is installed into .build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. Scripts/install.sh

prepare
swift build --build-tests
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! swift test --skip-build --disable-xctest "$@" 2>&1 | tee "$log"; then
  # The tests print thousands of lines: what failed is repeated where it is seen.
  say "" "Failed:"
  grep -A 4 -e '^✘' -e 'Fatal error' -e 'Precondition failed' "$log" | grep -v -e '^◇' -e '^✔' -e '^--$' || true
  exit 1
fi
[ $# -eq 0 ] || exit 0
python=${PYTHON:-python3}
if command -v "$python" >/dev/null; then
  "$python" Tests/DashboardTests/run.py
  "$(optuna_python)" Tests/ClientTests/run.py
else
  say "Dashboard and client tests skipped: $python is not installed."
fi
