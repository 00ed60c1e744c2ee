#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Peak memory and time a token of `ingest` for documents of different lengths, with the demo model.
# Usage: tests/bench/memory.sh [STATELIB [TOKENS...]]   (default: 10000 100000; 1000000 takes minutes)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
statelib=${1:-$root/build/cpu/statelib}
shift || true
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export STATELIB_HOME=$work/library
bytes_per_token=3.56  # of the chronicle, as the demo model reads it
awk -f "$root/examples/chronicle.awk" "$root/examples/chronicle.grammar" >"$work/chronicle.txt"
"$statelib" ingest warm "$root/examples/documents/story.md" >/dev/null # weights are packed from here on
for tokens in "${@:-10000 100000}"; do
  for count in $tokens; do
    bytes=$(awk -v t="$count" -v b=$bytes_per_token 'BEGIN { printf "%d", t * b }')
    (while cat "$work/chronicle.txt"; do :; done) 2>/dev/null | head -c "$bytes" >"$work/document.txt" || true
    begin=${EPOCHREALTIME/./}
    read -r peak < <({ /usr/bin/time -f %M "$statelib" ingest "document-$count" "$work/document.txt" --json \
      >"$work/result.json"; } 2>&1)
    micros=$((${EPOCHREALTIME/./} - begin))
    read_tokens=$(sed -n 's/.*"tokens_read":\([0-9]*\).*/\1/p' "$work/result.json")
    awk -v n="$read_tokens" -v p="$peak" -v t=$micros \
      'BEGIN { printf "%9d tokens: peak %7.1f MB, %6.1f microseconds a token\n", n, p / 1024, t / n }'
  done
done
