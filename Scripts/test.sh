#!/usr/bin/env bash
# Installs what is missing, builds everything and runs all tests. Arguments go to `swift test`, like --filter Tidy.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. Scripts/install.sh

prepare
swift build --build-tests
swift test --skip-build --disable-xctest "$@"
