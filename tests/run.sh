#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what statelib is built from, builds it and runs every test.
#
#   bash tests/run.sh                 the cpu preset
#   bash tests/run.sh cpu asan tsan   those presets, one after the other
#
# The last line is "N passed, N failed", taken from ctest's own summaries; skipped tests are in
# neither number. Exit code: 0 when every test of every preset passed.
# STATELIB_JOBS sets how many jobs run at once (default: one a core).
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
presets=("$@")
[ "${#presets[@]}" -gt 0 ] || presets=(cpu)
jobs=${STATELIB_JOBS:-$(nproc)}

bash scripts/install-dependencies.sh
if command -v ccache >/dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER-ccache}
fi

# Prints "PASSED FAILED" from the output that ctest wrote to the file $1.
count_results() {
  awk '
    / tests? failed out of [0-9]+$/ {
      for (i = 2; i <= NF; i++) if ($i ~ /^tests?$/ && $(i + 1) == "failed") failed = $(i - 1)
      total = $NF
    }
    /^[ \t]*[0-9]+ - .* \(Skipped\)$/ { skipped++ }
    END { print total - failed - skipped, failed + 0 }' "$1"
}

passed=0
failed=0
exit_code=0
for preset in "${presets[@]}"; do
  echo "== $preset: configure and build"
  cmake --preset "$preset"
  cmake --build --preset "$preset" --parallel "$jobs"

  echo "== $preset: test"
  log="$PWD/build/$preset/ctest-output.txt"
  code=0
  ctest --preset "$preset" --parallel "$jobs" --output-log "$log" </dev/null || code=$?
  [ "$code" -eq 0 ] || exit_code=$code
  read -r preset_passed preset_failed < <(count_results "$log")
  passed=$((passed + preset_passed))
  failed=$((failed + preset_failed))
done

echo "$passed passed, $failed failed"
exit "$exit_code"
