#!/usr/bin/env bash
# Every planted fault of mutants.txt must make a test of merge fail.
#
#   mutants.sh [EVERY [SEEDS]]    each EVERY-th of them (1: all), over SEEDS
#                                 histories (400)
#
# Works on a copy; the sources are not touched.  Prints each fault with what
# saw it, and exits with 1 if any was seen by nobody or fits no more.
set -euo pipefail
every=${1:-1} seeds=${2:-400}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# A build of its own: quick, and without sanitizers, whose flags the caller's
# build may or may not have.
cc=${CC:-cc}
flags=(-std=c17 -O1 -g0 -w -D_GNU_SOURCE -DDAYBREAK_VERSION=\"0\"
	"-DTEST_VECTORS_DIR=\"$root/tests/vectors\"" -I "$dir" -I "$root/tests")
read -ra libs <<<"$(pkg-config --libs cmocka libsodium libcrypto)"
mkdir "$dir/o" "$dir/m" "$dir/b"
cp -r "$root/common/base" "$root/common/entry" "$dir/"
compile() { "$cc" "${flags[@]}" -c "$1" -o "$2"; }
for f in "$dir"/base/*.c; do
	compile "$f" "$dir/b/$(basename "$f" .c).o"
done
ar rc "$dir/base.a" "$dir"/b/*.o
for f in "$dir"/entry/*.c \
    "$root"/tests/support/{expect,vectors,merge_oracle,merge_oracle_put,merge_world}.c; do
	compile "$f" "$dir/o/$(basename "$f" .c).o"
done
for t in property/test_merge_laws unit/entry/test_merge_vectors; do
	compile "$root/tests/$t.c" "$dir/m/$(basename $t).o"
done

# try LAWS|VECTORS: 0 if the program passes with the objects as they are
try() {
	"$cc" "$dir/m/$1.o" "$dir"/o/*.o "$dir/base.a" "${libs[@]}" -o "$dir/$1" &&
		DAYBREAK_SEEDS=$seeds timeout 120 "$dir/$1" >"$dir/out" 2>&1
}

for t in test_merge_laws test_merge_vectors; do
	try $t || { cat "$dir/out"; echo "$t fails without a fault"; exit 1; }
done
bad=0 all=0 line=0
while IFS= read -r text; do
	[[ $text == \#* || -z $text ]] && continue
	file=${text%% | *} rest=${text#* | }
	what=${rest%% | *} how=${rest#* | }
	((line++ % every == 0)) || continue
	((++all))
	cp "$root/common/entry/$file" "$dir/entry/$file"
	sed -i -e "$how" "$dir/entry/$file"
	seen=
	if cmp -s "$root/common/entry/$file" "$dir/entry/$file"; then
		seen="NOTHING TO CHANGE"
		((++bad))
	else
		again=("$dir/entry/$file")
		[[ $file == *.h ]] && again=("$dir"/entry/merge*.c)
		for f in "${again[@]}"; do
			compile "$f" "$dir/o/$(basename "$f" .c).o" ||
				{ seen="DOES NOT COMPILE"; ((++bad)); break; }
		done
	fi
	if [[ -z $seen ]]; then
		if ! try test_merge_laws; then
			seen="laws, seed $(sed -n 's/^seed \([0-9]*\) fails.*/\1/p' "$dir/out")"
		elif ! try test_merge_vectors; then
			seen="vectors"
		else
			seen="NOBODY"
			((++bad))
		fi
	fi
	printf '%-14s %-44s %s\n' "$file" "$what" "$seen"
	cp "$root/common/entry/$file" "$dir/entry/$file"
	again=("$dir/entry/$file")
	[[ $file == *.h ]] && again=("$dir"/entry/merge*.c)
	for f in "${again[@]}"; do
		compile "$f" "$dir/o/$(basename "$f" .c).o"
	done
done <"$here/mutants.txt"
echo "$all faults, $bad not seen"
((all > 0 && bad == 0))
