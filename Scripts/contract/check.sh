#!/bin/sh
# check.sh [URL]: holds the API to its own description by schemathesis, in all its checks.
#
# Without a URL it starts the daemon that was built, on a data folder of its own; a daemon at a URL needs
# --stream-seconds 1, or its streams do not end. Needs schemathesis from PyPI in PATH, or in SCHEMATHESIS.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
schemathesis=${SCHEMATHESIS:-schemathesis}
url=${1:-}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
if [ -z "$url" ]; then
  data=$scratch/data
  mkdir "$data"
  "$here/../../.build/${CONFIGURATION:-release}/vicregd" serve --port 0 --data "$data" --stream-seconds 1 --workers 1 \
    >"$data/out.txt" 2>"$data/err.txt" &
  daemon=$!
  trap 'kill $daemon; wait $daemon || true; rm -rf "$scratch"' EXIT INT TERM
  while [ ! -s "$data/out.txt" ]; do kill -0 $daemon; sleep 0.1; done
  url=$(sed -n 's/.*"url":"\([^"]*\)".*/\1/p' "$data/out.txt")
fi
export VICREGD_URL="$url" SCHEMATHESIS_HOOKS=hooks PYTHONPATH="$here"
# What it remembers of failures stays with this run.
cd "$scratch"
"$schemathesis" run "$url/openapi.json" --url "$url" --checks all --max-examples "${EXAMPLES:-50}" \
  --phases examples,coverage,fuzzing,stateful --workers 1 --request-timeout 10
