#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# statelib beside llama.cpp built for this machine, on the same random-weight GGUF files.
# Usage: tests/bench/peers.sh [--pairs N] [--types F32 BF16 Q8_0 Q4_K --] [SIZE...]   (130m 370m 790m 1.4b 2.8b)
# What it fetches and makes stays in $STATELIB_PEERS (default: build/peers), some 3 GB a size up to 790m. Building
# llama.cpp from PyPI's source package takes minutes the first time. Let the machine be quiet meanwhile.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
peers=${STATELIB_PEERS:-build/peers}
statelib=${STATELIB:-build/cpu/statelib}
mkdir -p "$peers/models"
if [ ! -x "$peers/venv/bin/python" ]; then python3 -m venv "$peers/venv"; fi
if ! "$peers/venv/bin/python" -c 'import llama_cpp, gguf' 2>/dev/null; then
  CMAKE_ARGS="-DGGML_NATIVE=ON -DLLAVA_BUILD=OFF -DMTMD_BUILD=OFF" \
    "$peers/venv/bin/pip" install --quiet gguf numpy --no-binary llama-cpp-python llama-cpp-python
fi
if [ ! -x "$statelib" ]; then
  bash scripts/install-dependencies.sh
  cmake --preset cpu >/dev/null
  cmake --build --preset cpu --target statelib
fi
exec "$peers/venv/bin/python" tests/bench/peers.py --statelib "$statelib" --folder "$peers/models" "$@"
