#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every fuzz target of a build for a bounded time, beginning with its seeds; ends with the first failure.
#   tests/fuzz/run.sh [BUILD] [SECONDS]   build/fuzz and 20 seconds a target, unless told otherwise
# An input that fails is left as BUILD/fuzz/TARGET-crash-…; the target run on that file shows the failure again.
set -euo pipefail
build=${1:-build/fuzz}
seconds=${2:-20}

programs=$build/tests/fuzz
corpus=$build/fuzz/corpus
mkdir -p "$corpus"
"$programs/fuzz_seeds" "$corpus"
for target in "$programs"/fuzz_*; do
  name=$(basename "$target")
  [[ -x $target && ! -d $target && $name != fuzz_seeds ]] || continue
  mkdir -p "$corpus/$name"
  echo "fuzzing $name for $seconds seconds"
  log=$build/fuzz/$name.log
  # 1 GiB: no input of at most 64 KiB may make a reader need more. 10 seconds: or hang.
  if ! "$target" -max_total_time="$seconds" -max_len=65536 -rss_limit_mb=1024 -timeout=10 -verbosity=0 \
    -print_final_stats=1 -artifact_prefix="$build/fuzz/$name-" "$corpus/$name" >"$log" 2>&1; then
    tail -n 40 "$log"
    echo "FAILED: $name; its log is $log"
    exit 1
  fi
  grep -E 'number_of_executed_units|peak_rss_mb' "$log" | sed 's/^/  /'
done
