#!/usr/bin/env bash
# Fuzzes the HTTP request parser with libFuzzer: Scripts/fuzz_http/run.sh [SECONDS]  (600 by default).
# New inputs are kept in .build/fuzz/corpus; a finding is written to .build/fuzz/crash-…
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p .build/fuzz/corpus
swiftc -O -wmo -sanitize=address -parse-as-library -package-name vicregd -module-name Text \
  -emit-module -emit-module-path .build/fuzz/Text.swiftmodule -emit-object -o .build/fuzz/Text.o \
  Sources/System/Text/*.swift
swiftc -O -wmo -sanitize=fuzzer,address -parse-as-library -package-name vicregd -module-name HTTPFuzz \
  -I .build/fuzz .build/fuzz/Text.o Sources/Web/HTTP/*.swift Scripts/fuzz_http/RequestParserFuzz.swift -o .build/fuzz/request_parser
cd .build/fuzz
exec ./request_parser -max_total_time="${1:-600}" -max_len=4096 -use_value_profile=1 \
  -artifact_prefix=./ -dict=../../Scripts/fuzz_http/http.dict corpus ../../Scripts/fuzz_http/Corpus
