#!/usr/bin/env bash
# Set up, build and run every test.  The last lines are ctest's own summary.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh --tests
jobs=$(nproc)
for preset in asan; do
	cmake --preset "$preset" >/dev/null
	cmake --build --preset "$preset" -j "$jobs" | tail -n 3
done
exec ctest --preset asan -j "$jobs" "$@"
