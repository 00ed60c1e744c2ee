#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What tests/count_results.sh makes of the output of a real ctest whose tests pass, fail, are skipped, disabled, filtered
# out and cannot be started.
#   tests/count_results_test.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tests/count_results.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/CTestTestfile.cmake" <<'END'
add_test(Suite.Passes true)
add_test(Suite.PassesToo true)
add_test(Suite.Fails false)
add_test(Suite.SkippedAsExpected echo SKIPPED)
set_tests_properties(Suite.SkippedAsExpected PROPERTIES SKIP_REGULAR_EXPRESSION SKIPPED)
add_test(Suite.SkippedForNoReason echo SKIPPED)
set_tests_properties(Suite.SkippedForNoReason PROPERTIES SKIP_REGULAR_EXPRESSION SKIPPED)
add_test(Suite.Disabled true)
set_tests_properties(Suite.Disabled PROPERTIES DISABLED TRUE)
add_test(Suite.CannotStart /no/such/program)
add_test(Suite.OnAGpu true)
set_tests_properties(Suite.OnAGpu PROPERTIES LABELS gpu)
add_test(programs_NOT_BUILT programs_NOT_BUILT)
END
printf '# why\n\nSuite\\.SkippedAs.*   there is no moon\n' >"$folder/expected"

# judged FILTER...: the judgement of a run with these arguments for ctest.
judged() {
  (cd "$folder" && ctest -LE gpu "$@" --output-log log >/dev/null 2>&1) || true
  (cd "$folder" && ctest -N >all)
  judge_results small "$folder/log" "$folder/all" "$folder/expected"
}

fail() {
  printf 'expected\n%s\nfound\n%s\n' "$1" "$2" >&2
  exit 1
}

all=$(judged -E NOT_BUILT)
wanted='unexpected: small: Suite.SkippedForNoReason did not run (Skipped)
unexpected: small: Suite.Disabled did not run (Disabled)
left out: small: Suite.SkippedAsExpected: there is no moon
left out: small: 1 tests by the filter of the preset
left out: small: 1 test programs that it does not build
count 2 4'
# ctest lists what did not run in an order of its own.
[ "$(sort <<<"$all")" = "$(sort <<<"$wanted")" ] || fail "$wanted" "$all"
[ "$(tail -n 1 <<<"$all")" = "count 2 4" ] || fail "the counts last" "$all"

some=$(judged -R 'Passes|SkippedAs')
wanted='count 2 0'
[ "$(tail -n 1 <<<"$some")" = "$wanted" ] || fail "$wanted" "$some"
! grep -q '^unexpected' <<<"$some" || fail "nothing unexpected" "$some"
