#!/bin/sh
# Starts keepstate with the Node.js of its package, or else with the system's. Found from this file's own place, so that
# an unpacked package runs where it lies; no program of PATH is needed.
case $0 in
*/*) here=${0%/*} ;;
*) here=/usr/bin ;;
esac
home=$here/../lib/keepstate
[ -d "$home" ] || home=/usr/lib/keepstate
node=$home/bin/keepstate
if [ ! -x "$node" ]; then node=$(command -v node) || node=/usr/bin/node; fi
# The thread of VRRP makes little garbage: its young generation stays small, which saves 10 MiB.
if [ "${1-}" = run ]; then exec "$node" --max-semi-space-size=1 "$home/app/bin/keepstate" "$@"; fi
exec "$node" "$home/app/bin/keepstate" "$@"
