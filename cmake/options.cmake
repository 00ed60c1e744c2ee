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
  # Where it is: a fifth of the time of linking.
  include(CheckLinkerFlag)
  check_linker_flag(CXX -fuse-ld=lld STATELIB_HAS_LLD)
  if(STATELIB_HAS_LLD)
    target_link_options(statelib_options INTERFACE -fuse-ld=lld)
  endif()
endif()

# What a fuzz target links is compiled so that the fuzzer sees which branches an input takes; nothing else is, for that
# makes it slower to compile and to run.
add_library(statelib_fuzzed_options INTERFACE)
if(STATELIB_FUZZ)
  target_compile_options(statelib_fuzzed_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# What computes nothing is not optimised for the sanitizers: most of it is built more often than it runs.
add_library(statelib_plain_options INTERFACE)
if(STATELIB_SANITIZE)
  target_compile_options(statelib_plain_options INTERFACE -O0)
endif()

# statelib_test_options: what every test is compiled with. A test's own code is not optimised: it is built far more often
# than it runs, and what takes time in it is the library that it calls.
add_library(statelib_test_options INTERFACE)
target_compile_definitions(statelib_test_options INTERFACE STATELIB_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
target_compile_options(statelib_test_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-O0>)
target_link_libraries(statelib_test_options INTERFACE statelib_options)

# Precompiled headers, for the sanitizers under clang, where they save a third of the time of building; with GCC they cost
# more than they save. Only headers from outside are in them, and the other presets see to it that each file includes
# what it uses.
set(STATELIB_PRECOMPILE OFF)
if(STATELIB_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  set(STATELIB_PRECOMPILE ON)
  # Otherwise ccache takes each precompiled header for another one.
  target_compile_options(statelib_options INTERFACE "SHELL:-Xclang -fno-pch-timestamp")
endif()

# statelib_precompiled(NAME OPTIONS target... HEADERS header...)
# One set of headers for every target with these options.
function(statelib_precompiled name)
  cmake_parse_arguments(ARG "" "" "OPTIONS;HEADERS" ${ARGN})
  if(NOT STATELIB_PRECOMPILE)
    return()
  endif()
  file(WRITE ${PROJECT_BINARY_DIR}/${name}.cc.new "")
  file(COPY_FILE ${PROJECT_BINARY_DIR}/${name}.cc.new ${PROJECT_BINARY_DIR}/${name}.cc ONLY_IF_DIFFERENT)
  add_library(${name} OBJECT ${PROJECT_BINARY_DIR}/${name}.cc)
  target_link_libraries(${name} PRIVATE statelib_options fmt::fmt nlohmann_json::nlohmann_json ${ARG_OPTIONS})
  target_precompile_headers(
    ${name}
    PRIVATE
    ${ARG_HEADERS}
    <algorithm>
    <array>
    <atomic>
    <chrono>
    <cmath>
    <condition_variable>
    <cstddef>
    <cstdint>
    <cstring>
    <exception>
    <filesystem>
    <fmt/format.h>
    <fstream>
    <functional>
    <iostream>
    <map>
    <memory>
    <mutex>
    <nlohmann/json.hpp>
    <optional>
    <random>
    <set>
    <span>
    <sstream>
    <stdexcept>
    <string>
    <string_view>
    <thread>
    <tuple>
    <unordered_map>
    <utility>
    <variant>
    <vector>)
endfunction()
statelib_precompiled(statelib_precompiled_plain OPTIONS statelib_plain_options)
statelib_precompiled(statelib_precompiled_optimised)
if(STATELIB_FUZZ)
  statelib_precompiled(statelib_precompiled_fuzzed OPTIONS statelib_fuzzed_options)
endif()

# statelib_use_precompiled(TARGET NAME): compiles a target with the headers of a set.
function(statelib_use_precompiled target name)
  if(STATELIB_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM ${name})
  endif()
endfunction()

# statelib_library(NAME SOURCES file... [LINK target...] [PRIVATE target...] [PLAIN] [FUZZED])
# A static library of one folder; LINK is part of its contract, PRIVATE is not. PLAIN: it computes nothing. FUZZED: fuzz
# targets link it.
function(statelib_library name)
  cmake_parse_arguments(ARG "PLAIN;FUZZED" "" "SOURCES;LINK;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC statelib_options ${ARG_LINK} PRIVATE ${ARG_PRIVATE})
  if(ARG_FUZZED AND STATELIB_FUZZ)
    target_link_libraries(${name} PRIVATE statelib_fuzzed_options)
    statelib_use_precompiled(${name} statelib_precompiled_fuzzed)
  elseif(ARG_PLAIN)
    target_link_libraries(${name} PRIVATE statelib_plain_options)
    statelib_use_precompiled(${name} statelib_precompiled_plain)
  else()
    statelib_use_precompiled(${name} statelib_precompiled_optimised)
  endif()
endfunction()

# statelib_test(NAME SOURCES file... [LINK target...] [LABELS label...])
# One test executable of one folder, each of its cases a ctest of its own.
function(statelib_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE statelib_test_options ${ARG_LINK} GTest::gmock GTest::gtest_main)
  statelib_use_precompiled(${name} statelib_precompiled_tests)
  set(properties TIMEOUT 600)
  if(ARG_LABELS)
    list(APPEND properties LABELS "${ARG_LABELS}")
  endif()
  gtest_discover_tests(${name} PROPERTIES ${properties} DISCOVERY_TIMEOUT 120)
endfunction()
