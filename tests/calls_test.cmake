# SPDX-License-Identifier: Apache-2.0
# Reads the code and fails with a line for each call whose result may be another one elsewhere.
# Run: cmake -DSOURCE_DIR=… -P calls_test.cmake
cmake_minimum_required(VERSION 3.25)
include(${CMAKE_CURRENT_LIST_DIR}/conclude.cmake)

file(GLOB_RECURSE sources RELATIVE "${SOURCE_DIR}" "${SOURCE_DIR}/kernels/*" "${SOURCE_DIR}/core/*"
     "${SOURCE_DIR}/statestore/*" "${SOURCE_DIR}/cli/*")
list(FILTER sources INCLUDE REGEX "\\.(cc|h|cu|cuh)$")

# The last bit of these differs from one C library to the next. kernels/exact/fixed_log.h and kernels/exact/math.h do not.
set(libm "std::(exp|exp2|expm1|log|log2|log10|log1p|pow|tanh|sin|cos|erf|cbrt)f?\\(")
# A perplexity, which is shown and not kept.
set(may_libm core/engine/quality.cc)
# Without a policy, or with one that lets it be put off, it may run when its result is asked for and not before.
set(async "std::async\\(([^s]|std::[^l]|std::launch::[^a])")

set(wrong "")
set(files_read 0)
foreach(source IN LISTS sources)
  math(EXPR files_read "${files_read} + 1")
  file(STRINGS "${SOURCE_DIR}/${source}" lines REGEX "${libm}")
  if(lines AND NOT source IN_LIST may_libm)
    list(APPEND wrong "${source}: calls the C library's exp, log or the like: ${lines}")
  endif()
  file(STRINGS "${SOURCE_DIR}/${source}" lines REGEX "${async}|std::async\\($")
  if(lines)
    list(APPEND wrong "${source}: std::async without std::launch::async: ${lines}")
  endif()
endforeach()

conclude("${files_read}" 300 "files" "${wrong}")
