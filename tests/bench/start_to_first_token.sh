#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From process start to the first token: from a stored state of a long document, against reading the document again.
# Usage: tests/bench/start_to_first_token.sh [STATELIB [DOCUMENT]]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
statelib=${1:-$root/build/cpu/statelib}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export STATELIB_HOME=$work/library
document=${2:-$work/chronicle.txt}
[ -n "${2:-}" ] || awk -f "$root/examples/chronicle.awk" "$root/examples/chronicle.grammar" >"$document"

# Prints the median of RUNS runs of a command in milliseconds.
median_ms() {
  local runs=$1 i
  shift
  for ((i = 0; i < runs; ++i)); do
    local begin=${EPOCHREALTIME/./}
    "$@" >/dev/null 2>&1
    echo $((${EPOCHREALTIME/./} - begin))
  done | sort -n | awk '{ t[NR] = $1 } END { printf "%.1f", t[int((NR + 1) / 2)] / 1000 }'
}

echo "document: $(wc -w <"$document") words"
"$statelib" ingest chronicle "$document" --json
"$statelib" generate chronicle --max-tokens 1 >/dev/null 2>&1  # files are in the page cache from here on
empty=$(median_ms 21 "$statelib" --version)
restored=$(median_ms 21 "$statelib" generate chronicle --max-tokens 1)
read_again() { "$statelib" generate --no-state --max-tokens 1 - <"$document"; }
again=$(median_ms 3 read_again)
printf 'process that does nothing          %8s ms\n' "$empty"
printf 'stored state to first token        %8s ms\n' "$restored"
printf 'document again to first token      %8s ms\n' "$again"
awk -v a="$again" -v r="$restored" 'BEGIN { printf "ratio                              %8.0f\n", a / r }'
