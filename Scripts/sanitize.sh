#!/usr/bin/env bash
# Builds with a sanitizer and runs the tests of the engine and of what it stands on; any finding fails.
#   Scripts/sanitize.sh [thread|address]    without an argument: one after the other
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. Scripts/install.sh

suites='^(System|Kernels|NeuralNet|Datasets|Training)Tests\.'
case ${1:-all} in
  thread | address) sanitizers=("$1") ;;
  all) sanitizers=(thread address) ;;
  *) fail "Scripts/sanitize.sh [thread|address]" ;;
esac

prepare
for sanitizer in "${sanitizers[@]}"; do
  say "Sanitizer: $sanitizer"
  build=(--sanitize="$sanitizer" --scratch-path ".build/sanitize-$sanitizer")
  swift build "${build[@]}" --build-tests
  # Leaks are not looked for: Swift's runtime keeps metadata for ever.
  TSAN_OPTIONS=halt_on_error=1:${TSAN_OPTIONS:-} ASAN_OPTIONS=detect_leaks=0:${ASAN_OPTIONS:-} \
    swift test "${build[@]}" --skip-build --disable-xctest --filter "$suites"
done
say "No finding"
