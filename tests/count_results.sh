# SPDX-License-Identifier: Apache-2.0
# For tests/run.sh, which sources it: what ctest's output says, judged.

# judge_results PRESET LOG ALL EXPECTED
#   LOG: ctest's output. ALL: `ctest -N` without a filter. EXPECTED: expected-skips.txt.
# Prints "unexpected: PRESET: TEST was skipped" for each test that should have run, "left out: ..." for
# what did not run as expected, and "count PASSED FAILED" last.
judge_results() {
  awk -v preset="$1" '
    FILENAME == ARGV[1] {  # expected-skips.txt
      if ($0 ~ /^[ \t]*(#|$)/) next
      pattern[++patterns] = "^(" $1 ")$"
      $1 = ""
      sub(/^ +/, "")
      reason[patterns] = $0
      next
    }
    FILENAME == ARGV[2] {  # every test that the tree has
      if ($0 ~ /^ *Test +#[0-9]+: .*_NOT_BUILT$/) not_built++
      if ($0 ~ /^Total Tests: /) total = $NF
      next
    }
    / tests? failed out of [0-9]+$/ {
      for (i = 2; i <= NF; i++) if ($i ~ /^tests?$/ && $(i + 1) == "failed") failed = $(i - 1)
      chosen = $NF
    }
    # "The following tests did not run" has skipped and disabled ones, "... FAILED" those that ctest
    # could not start, which are in its count.
    /^[ \t]*[0-9]+ - .* \((Skipped|Disabled)\)$/ {
      how = $NF
      name = $0
      sub(/^[ \t]*[0-9]+ - /, "", name)
      sub(/ \([A-Za-z]+\)$/, "", name)
      in_total += how == "(Skipped)"
      disabled += how == "(Disabled)"
      why = ""
      for (i = 1; i <= patterns && how == "(Skipped)"; i++) if (name ~ pattern[i]) why = reason[i]
      if (why != "") {
        left[++lefts] = name ": " why
      } else {
        print "unexpected: " preset ": " name " did not run " how
        unexpected++
      }
    }
    END {
      for (i = 1; i <= lefts; i++) print "left out: " preset ": " left[i]
      filtered = total - not_built - chosen - disabled
      if (filtered > 0) print "left out: " preset ": " filtered " tests by the filter of the preset"
      if (not_built > 0) print "left out: " preset ": " not_built " test programs that it does not build"
      print "count", chosen - failed - in_total, failed + unexpected
    }' "$4" "$3" "$2"
}
