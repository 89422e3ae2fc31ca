#!/usr/bin/env bash
# From a bare Debian 12 with Swift to a trained encoder and a number that can be trusted:
# builds, starts the daemon, trains on Fashion-MNIST, evaluates with two baselines, shows it all as it comes.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. Scripts/install.sh

usage="Scripts/demo.sh [--short] [--epochs N] [--data DIR]

  --short      512 images, a few seconds, and no waiting at the end: does everything work?
  --epochs N   passes over the training images (default: those of the preset, 4: under ten minutes on two cores)
  --data DIR   keep the daemon's data in DIR (default: a temporary folder, removed at the end)"

is_short=false epochs= data=
while [ $# -gt 0 ]; do
  case $1 in
    --short) is_short=true ;;
    --epochs) epochs=${2:?"--epochs needs a number"}; shift ;;
    --data) data=${2:?"--data needs a folder"}; shift ;;
    --help | -h) say "$usage"; exit ;;
    *) fail "Unknown option $1

$usage" ;;
  esac
  shift
done

limit=null
if $is_short; then limit=512 epochs=1; fi

daemon= temporary= url= train= evaluation=
# Stops the daemon and its worker, and takes the temporary folder away.
clean_up() {
  trap - EXIT
  trap '' INT TERM
  if [ -n "$daemon" ] && kill -0 "$daemon" 2>/dev/null; then
    # What is thrown away needs no last checkpoint.
    local job
    for job in ${temporary:+$evaluation $train}; do
      curl -s -m 2 -o /dev/null -H 'Content-Type: application/json' -d '{"mode": "now"}' \
        "$url/jobs/$job/cancel" || true
    done
    kill -TERM "$daemon"
    wait "$daemon" 2>/dev/null || true
  fi
  [ -z "$temporary" ] || rm -rf "$temporary"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# field NAME: the value of a JSON member in the line on standard input, without quotes.
field() { sed -n 's/.*"'"$1"'":"\{0,1\}\([^",}]*\).*/\1/p' | head -n 1; }

# queue JSON: posts a job and prints its id; ends with the daemon's words if it refuses.
queue() {
  local answer
  answer=$(curl -sS -H 'Content-Type: application/json' -d "$1" "$url/jobs")
  local id
  id=$(printf '%s' "$answer" | grep -o '"id":"[0-9a-z]*"' | head -n 1 | cut -d '"' -f 4)
  [ -n "$id" ] || fail "The daemon refused the job: $answer"
  printf '%s' "$id"
}

state() { curl -sS "$url/jobs/$1" | grep -o '"state":"[a-z]*"' | head -n 1 | cut -d '"' -f 4; }

# end_badly ID WHAT: says why a job did not succeed.
end_badly() {
  say "" "The $2 ended as $(state "$1"). Its log:" >&2
  curl -sS "$url/jobs/$1/log?tail=20" >&2
  exit 1
}

# value NAME FORMAT: that member of the metric line in $line; as it stands where it is no number.
value() {
  local found=-
  [[ $line =~ \"$1\":([^,}]*) ]] && found=${BASH_REMATCH[1]}
  if [[ $found =~ ^-?[0-9] ]]; then printf "$2" "$found"; else printf '%s' "$found"; fi
}

# Metric lines on standard input as rows of a table; other events pass by.
as_rows() {
  local line
  while IFS= read -r line; do
    [[ $line == *'"event":"metric"'* ]] || continue
    printf '%7s %6s %9s %9s %9s %9s %9s %9s\n' "$(value step %d)" "$(value epoch %d)" "$(value loss %.3f)" \
      "$(value inv %.4f)" "$(value var %.4f)" "$(value cov %.4f)" "$(value std_mean %.3f)" \
      "$(value images_per_second %.0f)"
  done
}

prepare

say "Building the release (some minutes the first time)"
build_log=$(mktemp)
if ! swift build -c release --product vicregd >"$build_log" 2>&1; then
  cat "$build_log" >&2
  rm -f "$build_log"
  exit 1
fi
rm -f "$build_log"
binary=$(swift build -c release --show-bin-path)/vicregd

if [ -z "$data" ]; then
  temporary=$(mktemp -d)
  data=$temporary
fi
mkdir -p "$data"
"$binary" serve --port 0 --data "$data" --public Public --migrations migrations \
  >"$data/daemon.out" 2>"$data/daemon.err" &
daemon=$!
for _ in $(seq 100); do
  url=$(field url <"$data/daemon.out")
  [ -z "$url" ] || break
  kill -0 "$daemon" 2>/dev/null || break
  sleep 0.1
done
[ -n "$url" ] || fail "The daemon did not start: $(cat "$data/daemon.err")"
say "" "Dashboard: $url/" ""

train=$(queue '{"kind": "train", "name": "demo", "spec": {"preset": "small", '"${epochs:+\"epochs\": $epochs, }"'
  "dataset": {"name": "fashion-mnist", "limit": '"$limit"'}}}')
evaluation=$(queue '{"kind": "evaluate", "name": "demo, evaluated", "spec": {"protocol": "logistic",
  "layer": "pooled", "checkpoint": {"job": "'"$train"'"},
  "dataset": {"name": "fashion-mnist", "limit": '"$limit"'}}}')

say "Training $train"
printf '%7s %6s %9s %9s %9s %9s %9s %9s\n' step epoch loss inv var cov std_mean images/s
# In the background, because a shell hears signals while it waits, not while a command runs.
as_rows < <(exec curl -sSN "$url/jobs/$train/metrics?follow=true") &
wait $!
[ "$(state "$train")" = succeeded ] || end_badly "$train" training

say "" "Evaluating $evaluation: the trained encoder, the untrained one, raw pixels"
while :; do
  case $(state "$evaluation") in
    succeeded) break ;;
    failed | cancelled) end_badly "$evaluation" evaluation ;;
  esac
  sleep 0.5
done

result=$(curl -sS "$url/jobs/$evaluation")
# accuracy NAME [NEXT]: the share under that name in percent, before the member NEXT.
accuracy() {
  printf '%s' "$result" | grep -o '"result":{.*' | grep -o '"'"$1"'":[0-9][0-9.e-]*'"${2:+,\"$2\"}" | head -n 1 | awk -F : '{printf "%5.1f%%", 100 * $2}'
}
say "" "Top-1 accuracy on the test images of Fashion-MNIST, protocol logistic, pooled features:" \
  "  trained encoder    $(accuracy top1 top1_interval)" \
  "  untrained encoder  $(accuracy untrained)" \
  "  raw pixels         $(accuracy raw_pixels)" \
  "$(printf '%s' "$result" | grep -o '"verdict":"[^"]*"' | cut -d '"' -f 4)" \
  "" "Dashboard: $url/"
if $is_short; then
  say "" "This was a toy run: 8 steps on 512 images show that everything works, not what training is worth." \
    "An encoder needs some hundred steps before its features beat raw pixels. The whole demo" \
    "(Scripts/demo.sh, four passes over the images) takes it to about 88%, raw pixels stay at about 85%."
  exit
fi
say "The daemon goes on; Ctrl-C stops it."
wait "$daemon"
