#!/usr/bin/env bash
# Fuzzes what reads files, with libFuzzer and AddressSanitizer: Scripts/fuzz/run.sh TARGET [SECONDS]
# (600 by default). TARGET is the name of a Swift file here without its ending; without TARGET, the targets
# are listed. New inputs are kept in .build/fuzz/TARGET/corpus, a finding is written to .build/fuzz/TARGET/.
#
# The sources that a target needs are compiled as one module, so their imports of each other are taken out.
# Each target names them in its first lines: `// sources: GLOB…`, relative to Sources/.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${1:-}
if [[ -z $target || ! -f Scripts/fuzz/$target.swift ]]; then
  echo "usage: Scripts/fuzz/run.sh TARGET [SECONDS]; targets:" >&2
  for file in Scripts/fuzz/*.swift; do echo "  $(basename "$file" .swift)" >&2; done
  exit 2
fi
seconds=${2:-600}
build=.build/fuzz/$target
rm -rf "$build/sources"
mkdir -p "$build/sources" "$build/corpus"
own='Platform|Text|JobModel|Gzip|Crypto|RunFolder|JobStore|SQLite|Datasets|Training|NeuralNet|Tensors'
copy() { sed -E "/^(@testable )?import ($own)\$/d" "$1" > "$build/sources/$(tr / _ <<< "$1")"; }
copy "Scripts/fuzz/$target.swift"
for pattern in $(sed -n 's|^// sources: ||p' "Scripts/fuzz/$target.swift"); do
  for file in Sources/$pattern; do copy "$file"; done
done
libraries=()
for library in CCPU CLinux COpenSSL CZlib CSQLite; do libraries+=(-I "Sources/CLibraries/$library"); done
swiftc -O -wmo -sanitize=fuzzer,address -parse-as-library -package-name vicregd -module-name FileFuzz \
  -swift-version 6 "${libraries[@]}" "$build"/sources/*.swift -lz -lcrypto -lssl -o "$build/$target"
seeds=Scripts/fuzz/Corpus/$target
cd "$build"
exec "./$target" -max_total_time="$seconds" -max_len=65536 -use_value_profile=1 -rss_limit_mb=512 \
  -malloc_limit_mb=256 -timeout=10 -artifact_prefix=./ corpus "../../../$seeds"
