#!/usr/bin/env bash
# The pure rooms (base, entry, tlog, wire, domain) and their unit tests on another
# kind of machine: 32 bit, or big-endian.  Not part of scripts/test.sh, for it
# needs a cross compiler and that machine's libraries.
#
#   scripts/other_arch.sh TRIPLET SYSROOT [RUNNER …]
#
#   scripts/other_arch.sh i686-linux-gnu /srv/i386
#   scripts/other_arch.sh s390x-linux-gnu /srv/s390x \
#       qemu-s390x-static -L /usr/s390x-linux-gnu
#
# SYSROOT: Debian's libsodium, libzstd, libssl, libsqlite3 and libcmocka packages
# of that architecture (with -dev), unpacked by dpkg -x.  Prints a line a test;
# exits with 1 if any fails.
set -euo pipefail
cd "$(dirname "$0")/.."
triplet=$1 sysroot=$2
shift 2
runner=("$@")
out=$PWD/build/arch/$triplet
cc=$triplet-gcc
libdir=$(find "$sysroot/usr/lib" -maxdepth 1 -name '*-linux-gnu' | head -n 1)
mkdir -p "$out"
flags=(-std=c17 -O1 -g -Wall -Wextra -Werror -Wconversion -Wsign-conversion
	-Wshadow -Wcast-qual -Wwrite-strings -fno-strict-aliasing -D_GNU_SOURCE
	-D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64
	'-DDAYBREAK_VERSION="arch"' "-DTEST_DATA_DIR=\"$PWD/tests/data\""
	"-DTEST_VECTORS_DIR=\"$PWD/tests/vectors\"" "-DSOURCE_DIR=\"$PWD\""
	-I. -Icommon -Itests -isystem "$sysroot/usr/include"
	-isystem "$libdir/../../include/$(basename "$libdir")")
libs=(-L"$libdir" -Wl,-rpath-link,"$libdir" -lsodium -lzstd -lcrypto -lsqlite3
	-lcmocka -lpthread -lm -ldl)

# Kinds and rules stand in the program; the names as cmake/embed.cmake has them.
names=$(cd common && find . -name '*.json' -o -name '*.dict' | sed 's,^\./,,' |
	LC_ALL=C sort | paste -sd'|')
cmake -DROOT="$PWD/common" "-DNAMES=$names" -DOUT="$out/embedded_files.c" \
	-P cmake/embed_file.cmake

# What narrows on 32 bit is an error in the product; tests count in size_t.
relaxed=(-Wno-conversion -Wno-sign-conversion)

compile() { # FILE.c
	local o more=()
	o=$out/$(echo "$1" | tr / _).o
	case $1 in tests/*) more=("${relaxed[@]}") ;; esac
	[ "$o" -nt "$1" ] ||
		$cc "${flags[@]}" ${more[@]+"${more[@]}"} -c "$1" -o "$o"
}
mapfile -t sources < <(find common/base common/entry common/tlog common/wire \
	common/domain -name '*.c'
	printf 'tests/support/%s.c\n' expect entries merge_oracle merge_oracle_put \
		merge_world morning morning_words plain_tree tile_store tmpdir vectors wire_craft wire_dump \
		wire_make made_state)
for s in "${sources[@]}"; do compile "$s"; done
$cc "${flags[@]}" -c "$out/embedded_files.c" -o "$out/embedded_files.o"
rm -f "$out/pure.a"
$triplet-ar rcs "$out/pure.a" "$out"/*.o

failed=0 count=0
for t in tests/unit/{base,entry,tlog,wire}/test_*.c tests/unit/domain/test_*.c; do
	name=$(basename "$t" .c)
	$cc "${flags[@]}" "${relaxed[@]}" "$t" "$out/pure.a" "${libs[@]}" -o "$out/$name"
	count=$((count + 1))
	if LD_LIBRARY_PATH=$libdir QEMU_SET_ENV=LD_LIBRARY_PATH=$libdir \
		${runner[@]+"${runner[@]}"} "$out/$name" >"$out/$name.log" 2>&1; then
		echo "$triplet $name: passed"
	else
		echo "$triplet $name: FAILED"
		tail -n 15 "$out/$name.log"
		failed=$((failed + 1))
	fi
done
echo "$triplet: $count tests, $failed failed"
[ $failed = 0 ]
