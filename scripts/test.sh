#!/usr/bin/env bash
# Set up, build and run every test.  Three compilers' eyes on the code: gcc for
# release, clang, and gcc with ASan and UBSan; what runs threads runs under
# ThreadSanitizer as well.  Any warning or failure ends it.  The last lines are
# ctest's own summary of the largest run, which begins only when all else
# has passed.
#
#   scripts/test.sh [CTEST OPTIONS for the last run]
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh --tests
jobs=$(nproc)

build() { # PRESET [TARGET …]
	local preset=$1 began=$SECONDS log
	shift
	log=build/$preset.log
	printf '== building %s' "$preset"
	mkdir -p build
	if ! { cmake --preset "$preset" &&
		cmake --build --preset "$preset" -j "$jobs" ${@:+--target "$@"}
	} >"$log" 2>&1; then
		printf '\n'
		tail -n 60 "$log"
		exit 1
	fi
	printf ': %d s\n' $((SECONDS - began))
}

build release
build clang
scripts/tidy.sh --quick
build tsan threaded_tests
# ThreadSanitizer finds its place in memory only where addresses vary little;
# kernels with vm.mmap_rnd_bits = 32 are too wild for it.
still=(setarch "$(uname -m)" --addr-no-randomize)
"${still[@]}" true 2>/dev/null || still=()
${still[@]+"${still[@]}"} ctest --preset tsan -L threads -j "$jobs"
build asan
exec ctest --preset asan -j "$jobs" "$@"
