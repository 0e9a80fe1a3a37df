#!/bin/bash
# Builds the addon with AddressSanitizer in a folder of its own and runs the tests of src/net with it.
# Leaks are not reported: V8 and libuv keep memory until the process ends.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=build/asan
mkdir -p "$folder/src/net"
cp binding.gyp "$folder/"
rm -rf "$folder/src/net/native" "$folder/package.json"
cp -r src/net/native "$folder/src/net/"
node scripts/nodeGyp.cjs rebuild --directory "$folder" -- -Dkeepstate_asan=1 >"$folder/build.log" 2>&1 ||
  { cat "$folder/build.log"; exit 1; }
library=$(gcc -print-file-name=libasan.so)
export KEEPSTATE_NATIVE="$PWD/$folder/build/Release/keepstate_native.node"
nm -D "$KEEPSTATE_NATIVE" | grep __asan_report >/dev/null || { echo 'not instrumented' >&2; exit 1; }
export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:handle_segv=0
export LD_PRELOAD="$library"
jest=(node node_modules/jest/bin/jest.js --runInBand test/net)
"${jest[@]}" --selectProjects unit
"${jest[@]}" --selectProjects namespace
