#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs fuzz targets of a build for a bounded time each, beginning with their seeds; ends with the first failure.
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
for name in "${wanted[@]}"; do
  target=$programs/$name
  mkdir -p "$corpus/$name"
  echo "fuzzing $name for $seconds seconds"
  log=$build/fuzz/$name.log
  # 1 GiB: no input of at most 64 KiB may make a reader need more. 10 seconds: or hang.
  if ! "$target" -max_total_time="$seconds" -max_len=65536 -rss_limit_mb=1024 -timeout=10 -verbosity=0 \
    -seed="${STATELIB_FUZZ_SEED:-0}" -print_final_stats=1 -artifact_prefix="$build/fuzz/$name-" \
    "$corpus/$name" >"$log" 2>&1; then
    tail -n 40 "$log"
    echo "FAILED: $name; its log is $log"
    exit 1
  fi
  grep -E 'number_of_executed_units|peak_rss_mb' "$log" | sed 's/^/  /'
done
