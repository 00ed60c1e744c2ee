# SPDX-License-Identifier: Apache-2.0
# conclude(COUNT LEAST WHAT WRONG): how a test ends that reads the code. Fails where it has seen fewer than LEAST of
# WHAT, for then it looked in the wrong place or its pattern finds nothing any more, and with a line for each entry of
# the list WRONG.
function(conclude count least what wrong)
  if(count LESS least)
    message(FATAL_ERROR "expected at least ${least} ${what} in ${SOURCE_DIR}, found ${count}")
  endif()
  if(wrong)
    string(REPLACE ";" "\n" text "${wrong}")
    message(FATAL_ERROR "${text}")
  endif()
  message(STATUS "${count} ${what}, none of them wrong")
endfunction()
