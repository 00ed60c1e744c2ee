#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Many processes ingest, read, tag, collect garbage and delete in one library. Fails when any command fails otherwise than
# by not finding what another has removed, when an update is lost, or when the library does not verify afterwards.
#
#   tests/crash/stress.sh PROGRAM [SECONDS] [PROCESSES]
set -euo pipefail

program=$1
seconds=${2:-300}
processes=${3:-16}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export STATELIB_HOME=$work/library
not_found=3

# Runs the program; remembers a failure that is none of the exit codes allowed.
run() {
  local allowed=$1 code=0
  shift
  "$program" "$@" >/dev/null 2>"$work/error.$worker" || code=$?
  if [[ ! " $allowed " == *" $code "* ]]; then
    echo "worker $worker: statelib $*: exit code $code: $(cat "$work/error.$worker")" >>"$work/failures"
  fi
  return "$code"
}

work_until_the_end() {
  worker=$1
  RANDOM=$worker
  local shared=0 step=0 file=$work/document.$worker
  while ((SECONDS < end)); do
    step=$((step + 1))
    local other=w$((RANDOM % processes + 1))
    printf 'Worker %s wrote line %s about %s.\n' "$worker" "$step" "$RANDOM" >"$file"
    case $((RANDOM % 10)) in
      0 | 1) run 0 ingest "w$worker" "$file" --threads 1 --checkpoint-every 8 || true ;;
      2 | 3) if run 0 ingest shared "$file" --threads 1 --checkpoint-every 8; then shared=$((shared + 1)); fi ;;
      4) run "0 $not_found" append "$other" "$file" --as "w$worker" --threads 1 || true ;;
      5) run "0 $not_found" generate "$other" --max-tokens 1 --threads 1 || true ;;
      6) run "0 $not_found" tag "$other" "t$worker" || true ;;
      7) run 0 list --limit 20 || true; run "0 $not_found" show "$other" || true ;;
      8) run 0 gc --grace 0 || true ;;
      9) run "0 $not_found" rm "w$worker" || true ;;
    esac
  done
  echo "$shared" >"$work/shared.$worker"
  echo "$step" >"$work/steps.$worker"
}

worker=0
touch "$work/failures"
printf 'The beginning.\n' >"$work/document.0"
run 0 ingest shared "$work/document.0"
end=$((SECONDS + seconds))
for ((i = 1; i <= processes; ++i)); do work_until_the_end "$i" & done
wait

wanted=$((1 + $(cat "$work"/shared.* | paste -sd+)))
steps=$(($(cat "$work"/steps.* | paste -sd+)))
found=$("$program" log shared --json | grep -o '"version":' | wc -l)
if [ "$found" -ne "$wanted" ]; then
  echo "of $wanted versions of 'shared' that were stored $found are there" >>"$work/failures"
fi
"$program" verify >"$work/verified" 2>&1 || cat "$work/verified" >>"$work/failures"
"$program" gc --grace 0 >/dev/null || echo "gc failed" >>"$work/failures"
"$program" verify >"$work/verified" 2>&1 || cat "$work/verified" >>"$work/failures"
echo "$processes processes, $seconds s: $steps steps, $found versions of one name; $(tail -1 "$work/verified")"
if [ -s "$work/failures" ]; then
  head -20 "$work/failures"
  exit 1
fi
