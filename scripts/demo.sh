#!/usr/bin/env bash
# A court's morning from an empty machine: install, build, run, prove.
#
#   scripts/demo.sh [--json] [--keep]    --json: one last line of figures
#                                        --keep: leave the folder there
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
printf '· building\n' >&2
mkdir -p build
if ! { cmake --preset release && cmake --build --preset release \
	-j "$(nproc)" --target daybreak-server daybreak-agent daybreak-audit
} >build/demo.log 2>&1; then
	tail -n 40 build/demo.log >&2
	printf 'demo: the build failed; all of it is in build/demo.log\n' >&2
	exit 1
fi
exec python3 scripts/demo.py --bin build/release/bin "$@"
