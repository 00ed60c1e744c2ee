# SPDX-License-Identifier: Apache-2.0
# statelib_options: what every target of this repository is compiled with.
add_library(statelib_options INTERFACE)
target_compile_features(statelib_options INTERFACE cxx_std_20)
target_include_directories(statelib_options INTERFACE ${PROJECT_SOURCE_DIR})
# -ffp-contract=off: a product and a sum become one fused operation only where the code says so, for otherwise the
# bits of a state would depend on the compiler's choice (DESIGN: same tokens, same bits).
target_compile_options(
  statelib_options
  INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wconversion;-Wshadow;-ffp-contract=off>
            # As GCC has it, whose -Wconversion leaves signs alone in C++.
            $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Wno-sign-conversion>)
target_link_libraries(statelib_options INTERFACE Threads::Threads)
# A process loads only the libraries that it calls.
target_link_options(statelib_options INTERFACE -Wl,--as-needed)
if(STATELIB_SANITIZE)
  target_compile_options(statelib_options
                         INTERFACE -fsanitize=${STATELIB_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(statelib_options INTERFACE -fsanitize=${STATELIB_SANITIZE})
endif()

# statelib_library(NAME SOURCES file... [LINK target...] [PRIVATE target...])
# A static library of one folder; LINK is part of its contract, PRIVATE is not.
function(statelib_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC statelib_options ${ARG_LINK} PRIVATE ${ARG_PRIVATE})
endfunction()

# statelib_test_options: what every test is compiled with. A test's own code is not optimised: it is built far more often
# than it runs, and what takes time in it is the library that it calls.
add_library(statelib_test_options INTERFACE)
target_compile_definitions(statelib_test_options INTERFACE STATELIB_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
target_compile_options(statelib_test_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-O0>)
target_link_libraries(statelib_test_options INTERFACE statelib_options)

# statelib_test(NAME SOURCES file... [LINK target...] [LABELS label...])
# One test executable of one folder, each of its cases a ctest of its own.
function(statelib_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE statelib_test_options ${ARG_LINK} GTest::gmock GTest::gtest_main)
  set(properties TIMEOUT 600)
  if(ARG_LABELS)
    list(APPEND properties LABELS "${ARG_LABELS}")
  endif()
  gtest_discover_tests(${name} PROPERTIES ${properties} DISCOVERY_TIMEOUT 120)
endfunction()
