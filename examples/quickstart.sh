#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From a fresh machine to an answer out of a stored state: installs what is needed, builds statelib, reads the example
# documents into a library of their own, and shows what a library of states does. Run it again at will.
#
#   bash examples/quickstart.sh
#
# The library stays in build/quickstart to be looked at; nothing outside build/ is written, but for the packages.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

step() { if [ -t 1 ]; then printf '\n\033[1m== %s\033[0m\n' "$1"; else printf '\n== %s\n' "$1"; fi; }
run() {
  printf '$'
  printf ' %s' "${@@Q}" | sed "s/'\([][A-Za-z0-9_./@=:-]*\)'/\1/g"
  printf '\n'
  "$@"
}

step 'Install and build (minutes the first time, a moment afterwards)'
bash scripts/install-dependencies.sh
cmake --preset cpu
cmake --build --preset cpu --target statelib

PATH=$PWD/build/cpu:$PATH
work=$PWD/build/quickstart
rm -rf "$work"
mkdir -p "$work"
export STATELIB_HOME=$work/library XDG_CONFIG_HOME=$work/config
cd examples/documents

step 'Read documents into named states'
run statelib ingest handbook handbook.md
run statelib ingest minutes minutes.md

step 'Ask in another process: the document is not read again'
run statelib ask minutes 'What is the budget for the library index?'
run statelib ask minutes 'When does the museum visit take place?' --sources
run statelib ask minutes 'Who took the minutes?'
run statelib ask minutes 'Who wrote Don Quixote?'

step 'Go on from a state: a new version of its name; the old one stays'
run statelib append minutes story.md
run statelib log minutes
run statelib list

step 'Compare what two states have read and hold'
run statelib diff minutes@1 minutes

step 'A long document, once: 24,000 words'
awk -f ../chronicle.awk ../chronicle.grammar >"$work/chronicle.md"
run statelib ingest chronicle "$work/chronicle.md"
run statelib search toll house --in chronicle --limit 2

step 'Share: one signed file to another library, verified whole before anything is visible'
run statelib key create me
run statelib export handbook chronicle -o "$work/shelf.statelib"
run env STATELIB_HOME="$work/other-library" statelib import "$work/shelf.statelib"
run env STATELIB_HOME="$work/other-library" statelib list

step 'Check every object and every reference'
run statelib verify

printf '\nThe library is in %s\n' "$work"
