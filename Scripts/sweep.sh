#!/usr/bin/env bash
# Posts a sweep, follows it to its end and prints the ranking of its trials. Needs curl and jq.
set -euo pipefail

usage="Scripts/sweep.sh [--url URL] [--token TOKEN] [--top N] [--no-wait] FILE|-
Scripts/sweep.sh [--url URL] [--token TOKEN] [--top N] --follow ID

  FILE        the body of POST /sweeps; - reads it from standard input
  --follow    goes on with a sweep that was posted before
  --top N     trials of the ranking (default 10)
  --no-wait   only posts it and prints its id

VICREGD_URL and VICREGD_TOKEN stand for --url and --token. Interrupted, it leaves the sweep running."

say() { printf '%s\n' "$@"; }
fail() { printf '%s\n' "$@" >&2; exit 1; }

for tool in curl jq; do
  command -v "$tool" >/dev/null || fail "Scripts/sweep.sh needs $tool: apt-get install curl jq"
done

url=${VICREGD_URL:-http://127.0.0.1:8080} token=${VICREGD_TOKEN:-} top=10 wait=true file= id=
while [ $# -gt 0 ]; do
  case $1 in
    --url) url=${2:?"--url needs an address"}; shift ;;
    --token) token=${2:?"--token needs a token"}; shift ;;
    --top) top=${2:?"--top needs a number"}; shift ;;
    --follow) id=${2:?"--follow needs the id of a sweep"}; shift ;;
    --no-wait) wait=false ;;
    --help | -h) say "$usage"; exit ;;
    -?*) fail "Unknown option $1" "" "$usage" ;;
    *) [ -z "$file" ] || fail "$usage"; file=$1 ;;
  esac
  shift
done
[ -n "$file" ] || [ -n "$id" ] || fail "$usage"
[ -z "$file" ] || [ -z "$id" ] || fail "$usage"
[[ $top =~ ^[0-9]{1,6}$ ]] || fail "--top must be a whole number, got \"$top\""
url=${url%/}

# Where answers are kept until their status is known.
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
# The token is not given as an argument of curl: every user of the machine could read it there.
credentials() { [ -z "$token" ] || printf 'header = "Authorization: Bearer %s"\n' "$token"; }

# ask METHOD PATH [ARGUMENT…]: the answer's status; its body is in $answer. 000: there was no answer.
ask() {
  local method=$1 path=$2
  shift 2
  credentials | curl -sS --config - -X "$method" -o "$answer" -w '%{http_code}' "$@" "$url$path" || true
}

# refused STATUS: prints what the daemon says of a request that it refuses, and ends.
refused() {
  [ "$1" != 000 ] || fail "$url does not answer."
  jq -r '"\(.status) \(.detail // .title)", (.errors // [] | .[] | "  \(.pointer): \(.message)")' \
    "$answer" >&2 2>/dev/null || { say "$1" >&2; cat "$answer" >&2; }
  exit 1
}

if [ -n "$file" ]; then
  [ "$file" = - ] || [ -r "$file" ] || fail "$file cannot be read."
  # One key for all tries of this run: a try whose answer was lost has had its effect.
  key=sweep.sh-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  # Standard input has the credentials: the body is read once, into a file.
  body=$(mktemp)
  trap 'rm -f "$answer" "$body"' EXIT
  cat -- "$file" >"$body"
  tries=5
  while true; do
    status=$(ask POST /sweeps -H 'Content-Type: application/json' -H "Idempotency-Key: $key" --data-binary "@$body")
    case $status in
      201) break ;;
      000 | 429 | 503) tries=$((tries - 1)); [ $tries -gt 0 ] || refused "$status"; sleep 2 ;;
      *) refused "$status" ;;
    esac
  done
  id=$(jq -r .id "$answer")
  if ! $wait; then say "$id"; exit; fi
fi

# One line whenever something has changed: state, trials, best.
summary='"\(.state)  \(.trials | "\(.succeeded) of \(.total) succeeded, \(.running) running, \(.queued) queued, \(
  .stopped) stopped, \(.failed) failed")\(if .best then "  best \(.best.value) by trial \(.best.trial)" else "" end)\(
  if .seconds_left then "  \(.seconds_left | ceil) s left" else "" end)"'
last= silent=0
while true; do
  status=$(ask GET "/sweeps/$id")
  case $status in
    200)
      silent=0
      state=$(jq -r .state "$answer")
      line=$(jq -r "$summary" "$answer")
      if [ "${line%  *left}" != "$last" ]; then say "$id  $line" >&2; last=${line%  *left}; fi
      case $state in succeeded | failed | cancelled) break ;; esac
      ;;
    000 | 429 | 5??)
      # It may be being restarted.
      silent=$((silent + 1))
      [ $silent -lt 300 ] || refused "$status"
      ;;
    *) refused "$status" ;;
  esac
  sleep 2
done
reason=$(jq -r '.reason // empty' "$answer")
importances=$(jq -r '.importances // [] | map("\(.parameter) \(.value * 100 | round)%") | join(", ")' "$answer")

status=$(ask GET "/sweeps/$id/trials?sort=rank&limit=$top")
[ "$status" = 200 ] || refused "$status"
{
  say $'trial\tvalue\tstate\tepochs\tjob\tparameters'
  jq -r '.trials[] | [.number, .value // "-", .state, .epochs // "-", .job // "-",
    (.parameters | to_entries | map("\(.key)=\(.value)") | join(" "))] | @tsv' "$answer"
} | if command -v column >/dev/null; then column -t -s $'\t'; else cat; fi
[ -z "$importances" ] || say "importances: $importances"
case $state in
  succeeded) ;;
  *) fail "sweep $id: $state${reason:+, $reason}" ;;
esac
