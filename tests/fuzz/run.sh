#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs fuzz targets of a build for a bounded time each, one a core, beginning with their seeds; ends with the first
# failure.
#   tests/fuzz/run.sh [BUILD [SECONDS [TARGET...]]]   build/asan, 20 seconds a target, every target, unless told otherwise
# STATELIB_FUZZ_SEED makes a run begin the same way each time; without it, it is another search every time.
# What a run finds interesting stays in BUILD/fuzz/corpus, and the next one begins with it: for a long search, give more
# seconds, once or many times. An input that fails is left as BUILD/fuzz/TARGET-crash-…; the target run on that file shows
# the failure again.
set -euo pipefail
build=${1:-build/asan}
seconds=${2:-20}
wanted=("${@:3}")

programs=$build/tests/fuzz
corpus=$build/fuzz/corpus
mkdir -p "$corpus"
"$programs/fuzz_seeds" "$corpus"
if [ "${#wanted[@]}" -eq 0 ]; then
  for target in "$programs"/fuzz_*; do
    name=$(basename "$target")
    [[ ! -x $target || -d $target || $name == fuzz_seeds ]] || wanted+=("$name")
  done
fi

# fuzz NAME: one target; its result in a few lines.
fuzz() {
  local name=$1 log=$build/fuzz/$1.log rss_mb=1024
  mkdir -p "$corpus/$name"
  # 1 GiB: no input of at most 64 KiB may make a reader need more, but that SQLite may take as much by itself. 10 seconds:
  # or hang.
  [ "$name" != fuzz_index ] || rss_mb=2048
  if ! "$programs/$name" -max_total_time="$seconds" -max_len=65536 -rss_limit_mb=$rss_mb -timeout=10 -verbosity=0 \
    -seed="${STATELIB_FUZZ_SEED:-0}" -print_final_stats=1 -artifact_prefix="$build/fuzz/$name-" \
    "$corpus/$name" >"$log" 2>&1; then
    tail -n 40 "$log"
    echo "FAILED: $name; its log is $log"
    return 255  # which ends xargs
  fi
  echo "fuzzed $name for $seconds seconds: $(grep -oE '(number_of_executed_units|peak_rss_mb): +[0-9]+' "$log" | tr -s ' ' | paste -sd, -)"
}
export -f fuzz
export build seconds programs corpus
printf '%s\n' "${wanted[@]}" | xargs -P "$(nproc)" -I{} bash -c 'fuzz "$1"' fuzz {} || exit 1
