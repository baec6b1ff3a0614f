#!/usr/bin/env bash
# clang-tidy 14 (.clang-tidy says which checks, and why not the others) over
# agent, common and server.  Exits with 1 on any finding.
#
#   scripts/tidy.sh [--quick] [FILE.c …]
#
# --quick leaves the analyzer out, as scripts/test.sh does: all files in about
# a tenth of the time.  Without files: all of them.
set -euo pipefail
cd "$(dirname "$0")/.."
checks=()
if [ "${1:-}" = --quick ]; then
	checks=('--checks=-clang-analyzer-*')
	shift
fi
tidy=$(command -v clang-tidy-14 || command -v clang-tidy || true)
if [ -z "$tidy" ] || ! "$tidy" --version | grep -q 'version 14\.'; then
	echo "clang-tidy not run: wants version 14"
	exit 0
fi
[ -f build/clang/compile_commands.json ] || cmake --preset clang >/dev/null
files=("$@")
[ ${#files[@]} -gt 0 ] ||
	mapfile -t files < <(find agent common server -name '*.c' | sort)
# What the compiler says belongs to the builds; here only the checks count.
printf '%s\0' "${files[@]}" | xargs -0 -n 8 -P "$(nproc)" \
	"$tidy" -p build/clang --quiet ${checks+"${checks[@]}"} 2> >(
		grep -vE '^([0-9]+ warnings? generated|Suppressed |Use -)' >&2 || true)
echo "clang-tidy: ${#files[@]} files, no findings"
