#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The tests of kernels/ on NEON, from a machine that has none: built by the cross compiler, run by QEMU. Equality with
# the reference is of bytes, so that a state goes from one kind of machine to the other.
#   tests/kernels/neon.sh [GTEST_FILTER]
# Needs g++-aarch64-linux-gnu, qemu-user and googletest. Takes minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=build/neon
compiler=aarch64-linux-gnu-g++
gtest=/usr/src/googletest
mkdir -p $build/include
# Of this machine's headers only those that are the same on every one.
for library in hwy fmt; do ln -sfn /usr/include/$library $build/include/$library; done

sources=(kernels/*.cc kernels/cpu/*.cc kernels/reference/*.cc kernels/cuda/no_cuda.cc $gtest/googletest/src/gtest-all.cc
  $gtest/googletest/src/gtest_main.cc $gtest/googlemock/src/gmock-all.cc)
# Those of CUDA kernels are no part of it.
for test in $(grep -L "kernels/cuda/" tests/kernels/*_test.cc) tests/kernels/host_backends.cc; do sources+=("$test"); done

# compile SOURCE: as kernels/CMakeLists.txt has it compiled.
compile() {
  local flags=(-O2 -ffp-contract=off)
  case $1 in
    kernels/cpu/cpu_kernels.cc | kernels/cpu/avx3_*) flags+=(-O3) ;;
    kernels/cpu/limits.cc) flags+=(-O3 -ffp-contract=fast) ;;
  esac
  "$compiler" -std=c++20 "${flags[@]}" -DFMT_HEADER_ONLY -DSTATELIB_SOURCE_DIR="\"$PWD\"" -I. -I$build/include \
    -I$gtest/googletest/include -I$gtest/googletest -I$gtest/googlemock/include -I$gtest/googlemock \
    -c "$1" -o "$build/$(echo "${1#/}" | tr / _).o"
}
export -f compile
export build compiler gtest
rm -f $build/*.o
printf '%s\0' "${sources[@]}" | xargs -0 -P "$(nproc)" -I{} bash -c 'compile {}'
"$compiler" -static -o $build/kernels_tests $build/*.o -pthread
qemu-aarch64 $build/kernels_tests --gtest_brief=1 --gtest_filter="${1:-*}"
