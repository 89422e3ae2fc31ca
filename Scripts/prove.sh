#!/usr/bin/env bash
# The proofs that nothing is lost, at full length: prove.sh simulation | fail-points | storm | soak | all.
# PROOF_SEED chooses what happens; a test run has short versions of each.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. Scripts/install.sh

prepare
swift build --build-tests

run() { env "$1" swift test --skip-build --disable-xctest --filter "$2"; }

simulation() { run "PROOF_OPERATIONS=${PROOF_OPERATIONS:-1000000}" SimulationTests; }
fail_points() { run PROOF_POINTS=all FailPointTests; }
storm() { run "PROOF_KILLS=${PROOF_KILLS:-200}" StormTests; }
soak() { run "PROOF_JOBS=${PROOF_JOBS:-10000}" SoakTests; }

case "${1:-all}" in
  simulation) simulation ;;
  fail-points) fail_points ;;
  storm) storm ;;
  soak) soak ;;
  all) simulation; fail_points; storm; soak ;;
  *) echo "usage: Scripts/prove.sh simulation | fail-points | storm | soak | all" >&2; exit 2 ;;
esac
