#!/usr/bin/env bash
# Builds with a sanitizer and runs tests; any finding fails.
#   Scripts/sanitize.sh [thread|address|all] [engine|daemon|SUITE…]
# Without arguments: both sanitizers, one after the other, over the engine and the daemon. A SUITE is the name of a
# folder of Tests without its ending, such as HTTPServer.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. Scripts/install.sh

# The engine and what it stands on; then everything through which bytes from outside pass.
engine=(System Kernels NeuralNet Datasets Training)
daemon=(HTTP HTTPServer Access API JSONText Recipe JobModel JobStore RunFolder Dispatcher Simulation Images Archives
  Importing Inspector Embedder)

case ${1:-all} in
  thread | address) sanitizers=("$1") ;;
  all) sanitizers=(address thread) ;;
  *) fail "usage: Scripts/sanitize.sh [thread|address|all] [engine|daemon|SUITE…]" ;;
esac
shift $(($# > 0))
suites=()
for name in "${@:-all}"; do
  case $name in
    all) suites+=("${engine[@]}" "${daemon[@]}") ;;
    engine) suites+=("${engine[@]}") ;;
    daemon) suites+=("${daemon[@]}") ;;
    *)
      [ -d "Tests/${name}Tests" ] || fail "there is no folder Tests/${name}Tests"
      suites+=("$name")
      ;;
  esac
done
filter="^($(IFS='|'; printf '%s' "${suites[*]}"))Tests\."

prepare
for sanitizer in "${sanitizers[@]}"; do
  say "Sanitizer: $sanitizer, over ${suites[*]}"
  build=(--sanitize="$sanitizer" --scratch-path ".build/sanitize-$sanitizer")
  swift build "${build[@]}" --build-tests
  # Leaks are not looked for: Swift's runtime keeps metadata for ever.
  TSAN_OPTIONS=halt_on_error=1:${TSAN_OPTIONS:-} ASAN_OPTIONS=detect_leaks=0:${ASAN_OPTIONS:-} \
    swift test "${build[@]}" --skip-build --disable-xctest --filter "$filter"
done
say "No finding"
