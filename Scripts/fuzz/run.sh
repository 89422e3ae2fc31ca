#!/usr/bin/env bash
# Fuzzes with libFuzzer and AddressSanitizer what reads requests and files:
#   Scripts/fuzz/run.sh TARGET|all [SECONDS] [FLAGS OF LIBFUZZER…]    600 seconds each without a number
#   Scripts/fuzz/run.sh check    whether every target still compiles, which takes seconds for each
# TARGET is the name of a Swift file here without its ending; without TARGET, the targets are listed. First inputs are in
# Corpus/TARGET, words in TARGET.dict. New inputs are kept in .build/fuzz/TARGET/corpus; a finding is written to
# .build/fuzz/TARGET/crash-…, and `.build/fuzz/TARGET/TARGET FILE` repeats it.
#
# The sources that a target needs are compiled as one module, so their imports of each other are taken out.
# Each target names them in its first lines: `// sources: GLOB…`, relative to Sources/, and what it links beside
# zlib and OpenSSL: `// libraries: NAME…`. C targets that it imports are compiled with it. `// memory: MIB` is what it may
# take where 512 are too few.
set -euo pipefail
cd "$(dirname "$0")/../.."

targets=()
for file in Scripts/fuzz/*.swift; do targets+=("$(basename "$file" .swift)"); done
what=${1:-}
if [[ $what != all && $what != check ]]; then
  if [[ -z $what || ! -f Scripts/fuzz/$what.swift ]]; then
    echo "usage: Scripts/fuzz/run.sh TARGET|all|check [SECONDS] [FLAGS]; targets: ${targets[*]}" >&2
    exit 2
  fi
  targets=("$what")
fi
seconds=${2:-600}
shift $(($# < 2 ? $# : 2))

# The modules of this package, as a pattern: all but JSONText are named as their folders.
own=$(for folder in Sources/{System,Engine,Jobs,Workers,Web}/*/; do basename "$folder"; done | paste -sd '|')\|JSONText
libraries=()
for library in CCPU CLinux COpenSSL CZlib CSQLite CArchive; do libraries+=(-I "Sources/CLibraries/$library"); done

# gather TARGET: its sources in $build/sources, and the C targets that it imports in $wrappers, with their module maps
# in $modules, which SwiftPM makes by itself.
gather() {
  local pattern file name
  build=.build/fuzz/$1 wrappers=() modules=()
  rm -rf "$build/sources"
  mkdir -p "$build/sources" "$build/corpus"
  copy() { sed -E "/^(@testable )?import ($own)\$/d" "$1" > "$build/sources/$(tr / _ <<< "$1")"; }
  copy "Scripts/fuzz/$1.swift"
  for pattern in $(sed -n 's|^// sources: ||p' "Scripts/fuzz/$1.swift"); do
    for file in Sources/$pattern; do copy "$file"; done
  done
  for name in CPNG CJPEG CWebP; do
    grep -qx "import $name" "$build"/sources/*.swift || continue
    mkdir -p "$build/modules/$name"
    echo "module $name { header \"$PWD/Sources/CLibraries/$name/include/$name.h\" export * }" \
      > "$build/modules/$name/module.modulemap"
    wrappers+=("$name")
    modules+=(-I "$build/modules/$name")
  done
}

swift=(-parse-as-library -package-name vicregd -module-name FuzzTarget -swift-version 6 "${libraries[@]}")

# build TARGET: the executable .build/fuzz/TARGET/TARGET.
build() {
  local objects=() name file
  gather "$1"
  for name in "${wrappers[@]}"; do
    for file in Sources/CLibraries/"$name"/*.c; do
      clang -O1 -g -fsanitize=address,fuzzer-no-link -I "Sources/CLibraries/$name/include" \
        -c "$file" -o "$build/$(basename "$file" .c).o"
      objects+=("$build/$(basename "$file" .c).o")
    done
  done
  local linked=(-lz -lcrypto -lssl)
  for name in $(sed -n 's|^// libraries: ||p' "Scripts/fuzz/$1.swift"); do linked+=("-l$name"); done
  swiftc -O -wmo -sanitize=fuzzer,address "${swift[@]}" "${modules[@]}" "$build"/sources/*.swift "${objects[@]}" \
    "${linked[@]}" -o "$build/$1"
}

if [[ $what == check ]]; then
  for target in "${targets[@]}"; do
    gather "$target"
    swiftc -typecheck "${swift[@]}" "${modules[@]}" "$build"/sources/*.swift
  done
  exit
fi

for target in "${targets[@]}"; do
  build "$target"
  memory=$(sed -n 's|^// memory: ||p' "Scripts/fuzz/$target.swift")
  flags=(-max_total_time="$seconds" -max_len=65536 -use_value_profile=1 -rss_limit_mb="${memory:-512}"
    -malloc_limit_mb=256 -timeout=10 -artifact_prefix=./)
  dictionary=Scripts/fuzz/$target.dict
  [[ -f $dictionary ]] && flags+=(-dict="$PWD/$dictionary")
  seeds=$PWD/Scripts/fuzz/Corpus/$target
  # Leaks are not looked for: Swift's runtime keeps metadata for ever.
  (cd ".build/fuzz/$target" \
    && ASAN_OPTIONS=detect_leaks=0:${ASAN_OPTIONS:-} "./$target" "${flags[@]}" "$@" corpus "$seeds")
done
