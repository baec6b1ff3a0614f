#!/usr/bin/env bash
# Measure: set up, build the release, run every benchmark.
#
#   scripts/bench.sh [--json | --markdown] [--quick] [--bin DIR] [NAME…]
#
#   NAME        only these programs: net wire tlog merge domain project agent
#               load store evidence evidence_agent (tests/bench/bench_NAME.c says what each measures)
#   --json      one line a figure, nothing else:
#               {"name","value","unit","baseline","ratio","target","met"}
#   --markdown  the tables of docs/BENCHMARKS.md, with this machine's
#   --quick     small numbers, to see that everything runs; the figures mean
#               nothing
#   --bin DIR   programs that are built already: no set-up, no build
#
# Figures are medians, CPU time, or ratios to a baseline of the same run.  A
# quiet machine is needed all the same; the files stand below $TMPDIR, so give
# a folder on the disk that is meant.  Ends with 1 if a program failed, not if
# a target was missed.
set -euo pipefail
cd "$(dirname "$0")/.."

all=(net wire tlog merge domain project agent load store evidence evidence_agent)
form=table quick=() bin= names=()
while [ $# -gt 0 ]; do
	case $1 in
	--json) form=json ;;
	--markdown) form=markdown ;;
	--quick) quick=(--quick) ;;
	--bin) bin=$2; shift ;;
	-h | --help) sed -n '2,20s/^# \{0,1\}//p' "$0"; exit 0 ;;
	-*) echo "bench: no such option: $1" >&2; exit 2 ;;
	*) names+=("$1") ;;
	esac
	shift
done
[ ${#names[@]} -gt 0 ] || names=("${all[@]}")

say() { printf '· %s\n' "$*" >&2; }

if [ -z "$bin" ]; then
	scripts/setup.sh
	say "building"
	cmake --preset release >/dev/null
	cmake --build --preset release -j "$(nproc)" >/dev/null
	bin=build/release/bin
fi

out=$(mktemp) failed=()
trap 'rm -f "$out"' EXIT
for name in "${names[@]}"; do
	if [ ! -x "$bin/bench_$name" ]; then
		echo "bench: no such benchmark: $name (of: ${all[*]})" >&2
		exit 2
	fi
	say "$name"
	if [ $form = json ]; then
		"$bin/bench_$name" "${quick[@]}" | tee -a "$out" || failed+=("$name")
	else
		"$bin/bench_$name" "${quick[@]}" >>"$out" || failed+=("$name")
	fi
done
[ ${#failed[@]} -eq 0 ] || say "failed: ${failed[*]}"
if [ $form != json ]; then
	python3 scripts/bench_table.py "$form" <"$out" || failed+=(table)
fi
[ ${#failed[@]} -eq 0 ]
