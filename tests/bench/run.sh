#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs every benchmark, each figure beside what the hardware allows. STATELIB_BENCH_MODEL chooses another
# model than the demo model. Let the machine be quiet meanwhile.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
bash scripts/install-dependencies.sh
cmake --preset cpu >/dev/null
cmake --build --preset cpu --target statelib statelib_engine_bench statelib_state_bench
build/cpu/tests/bench/statelib_engine_bench
build/cpu/tests/bench/statelib_state_bench
tests/bench/start_to_first_token.sh build/cpu/statelib
