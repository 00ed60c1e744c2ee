#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs every benchmark, each figure beside what the hardware allows. Arguments go to `statelib bench`, as
# --model large. Let the machine be quiet meanwhile.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
bash scripts/install-dependencies.sh
cmake --preset cpu >/dev/null
cmake --build --preset cpu --target statelib statelib_load_bench statelib_sample_bench statelib_scan_bench statelib_index_bench
for weights in auto f32 bf16 int8 int4; do
  build/cpu/statelib bench --weights $weights "$@"
  build/cpu/statelib eval quality --weights $weights "$@"
done
build/cpu/tests/bench/statelib_load_bench
build/cpu/tests/bench/statelib_sample_bench
build/cpu/tests/bench/statelib_scan_bench
build/cpu/tests/bench/statelib_index_bench 1000000
tests/bench/start_to_first_token.sh build/cpu/statelib
tests/bench/memory.sh build/cpu/statelib
