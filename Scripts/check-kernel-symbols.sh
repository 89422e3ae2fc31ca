#!/usr/bin/env bash
# Checks that the kernels of an instruction set share no function with the rest of the program.
#
# A function that the compiler marks as weak is kept once in the program, whichever object it came from: compiled for
# AVX-512 it would then run everywhere. So every weak function of a variant must carry its module's name.
#
#   Scripts/check-kernel-symbols.sh [BUILD_FOLDER]     default: .build/debug
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-.build/debug}
for module in KernelsBaseline KernelsAVX2 KernelsAVX512; do
  objects=("$build/$module.build"/*.o)
  [ -e "${objects[0]}" ] || { echo "no objects of $module in $build: build first" >&2; exit 2; }
  if nm "${objects[@]}" | awk '$2 == "W" || $2 == "w"' | grep -v "$module"; then
    echo "$module defines the weak functions above without its name" >&2
    exit 1
  fi
done
echo "no function of the kernels is shared"
