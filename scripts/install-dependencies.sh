#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that packages.txt lists. Does nothing, and needs no right to do
# anything, when all of them are there.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
list="$root/packages.txt"

mapfile -t packages < <(sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "$list")

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "install-dependencies: this machine has no apt-get; install what $list names by its own" \
    "package manager, then run cmake --preset cpu" >&2
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
[ "${#missing[@]}" -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "install-dependencies: missing packages: ${missing[*]}; run as root: apt-get install" \
      "${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

echo "install-dependencies: installing ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
install=("${as_root[@]}" apt-get install --yes --quiet --no-install-recommends "${missing[@]}")
# A fresh machine knows no package yet, and an old list may name versions that are gone.
"${as_root[@]}" apt-get update --quiet </dev/null >&2 ||
  echo "install-dependencies: apt-get update failed; trying with the lists that are here" >&2
if ! "${install[@]}" </dev/null >&2; then
  echo "install-dependencies: apt-get could not install: ${missing[*]}; its reason stands above" >&2
  exit 1
fi
