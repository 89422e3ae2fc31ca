#!/usr/bin/env bash
# The proofs that nothing is lost, at full length: prove.sh WHAT, one of those below, or all.
# PROOF_SEED chooses what happens; a test run has short versions of each but speed and disk-full.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. Scripts/install.sh

run() { env "$1" swift test --skip-build --disable-xctest --filter "$2"; }

simulation() { run "PROOF_OPERATIONS=${PROOF_OPERATIONS:-1000000}" SimulationTests; }
fail_points() { run PROOF_POINTS=all FailPointTests; }
storm() { run "PROOF_KILLS=${PROOF_KILLS:-200}" StormTests; }
soak() { run "PROOF_JOBS=${PROOF_JOBS:-10000}" SoakTests; }
# A small file system in a mount namespace of its own, which goes with the tests; some 120 jobs fit in.
disk_full() {
  local disk
  disk=$(mktemp -d)
  # shellcheck disable=SC2016
  PROOF_DISK=$disk unshare --map-root-user --mount bash -c '
    mount -t tmpfs -o size=512m tmpfs "$PROOF_DISK"
    swift test --skip-build --disable-xctest --filter DiskFullTests' || return 1
  rmdir "$disk"
}
speed() {
  swift build -c release --product vicregd
  Scripts/prove_speed.py scale ingest latency
}

all=(simulation fail-points storm soak disk-full speed)
what=("${@:-all}")
[ "${what[*]}" = all ] && what=("${all[@]}")
for name in "${what[@]}"; do
  case " ${all[*]} " in *" $name "*) ;; *) fail "usage: Scripts/prove.sh all | ${all[*]}" ;; esac
done
prepare
swift build --build-tests
for name in "${what[@]}"; do "${name//-/_}"; done
