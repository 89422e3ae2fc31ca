#!/usr/bin/env bash
# Installs what is missing, builds everything and runs all tests. Arguments go to `swift test`, like --filter Tidy;
# without any, the dashboard is tested too, by PYTHON (default python3), where playwright and Chromium are installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. Scripts/install.sh

prepare
swift build --build-tests
swift test --skip-build --disable-xctest "$@"
[ $# -eq 0 ] || exit 0
python=${PYTHON:-python3}
if command -v "$python" >/dev/null; then
  "$python" Tests/DashboardTests/run.py
else
  say "Dashboard tests skipped: $python is not installed."
fi
