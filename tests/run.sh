#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what statelib is built from, builds it and runs every test.
#
#   bash tests/run.sh                 the cpu preset
#   bash tests/run.sh cpu asan tsan   those presets, one after the other
#
# The last line is "N passed, N failed", taken from ctest's own summaries. A test that is skipped or
# that did not run has failed, unless expected-skips.txt says why it may be; then it is in neither
# number, and a line "left out: ..." before the last one says so, as for the tests that a preset's
# filter leaves out. Exit code: 0 when nothing failed.
# STATELIB_JOBS sets how many jobs run at once (default: one a core).
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
presets=("$@")
[ "${#presets[@]}" -gt 0 ] || presets=(cpu)
jobs=${STATELIB_JOBS:-$(nproc)}

bash scripts/install-dependencies.sh
if command -v ccache >/dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER-ccache}
  # Otherwise it keeps nothing that is compiled with precompiled headers.
  export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS-pch_defines,time_macros}
fi

source tests/count_results.sh

passed=0
failed=0
exit_code=0
left_out=()
for preset in "${presets[@]}"; do
  echo "== $preset: configure and build"
  cmake --preset "$preset"
  cmake --build --preset "$preset" --parallel "$jobs"
  echo "== $preset: built after $SECONDS seconds"

  echo "== $preset: test"
  log="$PWD/build/$preset/ctest-output.txt"
  code=0
  ctest --preset "$preset" --parallel "$jobs" --output-log "$log" </dev/null || code=$?
  [ "$code" -eq 0 ] || exit_code=$code
  ctest --test-dir "build/$preset" -N >"build/$preset/ctest-all.txt"
  report=$(judge_results "$preset" "$log" "build/$preset/ctest-all.txt" tests/expected-skips.txt)
  printf '%s\n' "$report" | grep '^unexpected: ' || true
  read -r _ preset_passed preset_failed < <(printf '%s\n' "$report" | grep '^count ')
  passed=$((passed + preset_passed))
  failed=$((failed + preset_failed))
  while IFS= read -r line; do
    left_out+=("$line")
  done < <(printf '%s\n' "$report" | grep '^left out: ' || true)
  echo "== $preset: tested after $SECONDS seconds"
done

[ "$failed" -eq 0 ] || [ "$exit_code" -ne 0 ] || exit_code=1
[ "${#left_out[@]}" -eq 0 ] || printf '%s\n' "${left_out[@]}"
echo "$passed passed, $failed failed"
exit "$exit_code"
