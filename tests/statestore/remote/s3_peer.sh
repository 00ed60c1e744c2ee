#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Pushes to a store that others wrote (moto's server, from PyPI) and pulls from it into an empty library, on demand: the
# suite itself uses s3_server.h, which checks signatures too. Fails when a state that comes back is another one.
#
#   tests/statestore/remote/s3_peer.sh [STATELIB]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
statelib=${1:-$root/build/cpu/statelib}
venv=$root/build/s3-peer
port=${STATELIB_S3_PEER_PORT:-5555}
work=$(mktemp -d)
if [ ! -x "$venv/bin/moto_server" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet 'moto[server]'
fi
"$venv/bin/moto_server" -p "$port" >"$work/log" 2>&1 &
server=$!
trap 'kill "$server"; rm -rf "$work"' EXIT
export AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_REGION=us-east-1
export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing XDG_CONFIG_HOME=$work/config
for _ in $(seq 100); do
  curl --silent --fail --request PUT "$AWS_ENDPOINT_URL/shelf" >/dev/null && break
  sleep 0.1
done

"$statelib" key create me >/dev/null
for step in 1 2; do # the second push sends what is missing and no more
  "$statelib" ingest document "$root/examples/documents/story.md" "$root"/examples/documents/h*.md --library "$work/here" >/dev/null
  [ "$step" = 2 ] || "$statelib" remote add s3 s3://shelf/library --library "$work/here" >/dev/null
  "$statelib" push s3 document --library "$work/here"
done
"$statelib" remote add s3 s3://shelf/library --library "$work/there" >/dev/null
"$statelib" pull s3 --library "$work/there"
"$statelib" verify --library "$work/there"
id() { "$statelib" show document --json --library "$1" | sed 's/.*"id":"\([0-9a-f]*\)".*/\1/'; }
[ "$(id "$work/here")" = "$(id "$work/there")" ]
echo "pushed to and pulled from $("$venv/bin/pip" show moto | sed -n 's/^Version: /moto /p'): the same state"
