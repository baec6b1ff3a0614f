#!/usr/bin/env bash
# A court's morning from an empty machine: install, build, run, prove.
#
#   scripts/demo.sh [--json] [--keep]    --json: one last line of figures
#                                        --keep: leave the folder there
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
printf '· building\n' >&2
cmake --preset release >/dev/null
cmake --build --preset release -j "$(nproc)" >/dev/null
exec python3 scripts/demo.py --bin build/release/bin "$@"
