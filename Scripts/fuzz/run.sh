#!/usr/bin/env bash
# Fuzzes with libFuzzer: Scripts/fuzz/run.sh TARGET|all [SECONDS] [FLAGS OF LIBFUZZER…]    600 seconds without a number.
#
# A target NAME is the file NAMEFuzz.swift in this folder. The modules that it imports are built from Package.swift,
# with those that they depend on, and with the instrumentation of libFuzzer and AddressSanitizer. Its first inputs are
# in corpus/NAME, its words in NAME.dict, if there are any. New inputs are kept in .build/fuzz/corpus/NAME; an input
# that fails is written to .build/fuzz/NAME-crash-…, and run.sh NAME 0 FILE repeats it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=Scripts/fuzz
scratch=.build/fuzz

targets=()
for file in "$here"/*Fuzz.swift; do
  name=${file##*/}
  targets+=("${name%Fuzz.swift}")
done
if [ $# -eq 0 ]; then
  echo "usage: $here/run.sh TARGET|all [SECONDS] [FLAGS]; targets: ${targets[*]}" >&2
  exit 2
fi
[ "$1" = all ] || targets=("$1")
seconds=${2:-600}
shift $(($# < 2 ? $# : 2))

# The modules that a file imports, with those that they depend on, as Package.swift says.
closure() {
  swift package --scratch-path "$scratch/package" describe --type json | python3 -c '
import json, re, sys
table = {target["name"]: target.get("target_dependencies", []) for target in json.load(sys.stdin)["targets"]}
wanted = [name for name in re.findall(r"^(?:@testable )?import (\w+)", open(sys.argv[1]).read(), re.M) if name in table]
for name in wanted:
    wanted += [other for other in table[name] if other not in wanted]
print(*wanted)' "$1"
}

# build NAME: the executable .build/fuzz/NAME.
build() {
  local source=$here/$1Fuzz.swift modules module objects=() flags=(--scratch-path "$scratch/package" -c release)
  [ -f "$source" ] || { echo "$source does not exist" >&2; return 2; }
  modules=$(closure "$source")
  flags+=(--sanitize=address -Xswiftc -sanitize=fuzzer -Xswiftc -enable-testing)
  for module in $(sed -nE 's/^(@testable )?import ([A-Za-z]+)$/\2/p' "$source"); do
    swift build "${flags[@]}" --target "$module"
  done
  local folder
  folder=$(swift build "${flags[@]}" --show-bin-path)
  for module in $modules; do
    # System libraries have no objects.
    [ -d "$folder/$module.build" ] || continue
    mapfile -t -O "${#objects[@]}" objects < <(find "$folder/$module.build" -name '*.o')
  done
  local include=()
  for module in Sources/CLibraries/*; do include+=(-I "$module" -I "$module/include"); done
  swiftc -O -wmo -sanitize=fuzzer,address -parse-as-library -package-name vicregd -module-name "$1Fuzz" \
    -I "$folder/Modules" "${include[@]}" "$source" "${objects[@]}" -o "$scratch/$1"
}

for target in "${targets[@]}"; do
  build "$target"
  mkdir -p "$scratch/corpus/$target"
  flags=(-max_total_time="$seconds" -max_len=4096 -use_value_profile=1 -artifact_prefix="$scratch/$target-")
  [ -f "$here/$target.dict" ] && flags+=(-dict="$here/$target.dict")
  folders=("$scratch/corpus/$target")
  [ -d "$here/corpus/$target" ] && folders+=("$here/corpus/$target")
  # Zero seconds: only the files that are named.
  [ "$seconds" = 0 ] && folders=() flags=()
  # Leaks are not looked for: Swift's runtime keeps metadata for ever.
  ASAN_OPTIONS=detect_leaks=0:${ASAN_OPTIONS:-} "$scratch/$target" "${flags[@]}" "$@" "${folders[@]}"
done
