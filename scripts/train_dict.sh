#!/usr/bin/env bash
# Make a dictionary for the sync container, common/dict/<id>.dict.
#
#   scripts/train_dict.sh          a new one, under the next free id
#   scripts/train_dict.sh --again  the newest once more, under its own id:
#                                  only as long as it was never released;
#                                  golden containers are written anew
#
# Samples come from tests/support/morning: the same sources and the same
# libzstd give the same bytes.  An id that was released (a tag holds its file)
# is never used for other bytes: devices in the field name it in every frame,
# and servers keep every dictionary for ever.
set -euo pipefail
cd "$(dirname "$0")/.."
first=32769 # below it ids belong to zstd's own register

die() { printf 'train_dict: %s\n' "$*" >&2; exit 1; }

newest=$(find common/dict -name '*.dict' -printf '%f\n' 2>/dev/null |
	sed 's/\.dict$//' | sort -n | tail -1)
case "${1:-}" in
--again)
	[ -n "$newest" ] || die "there is none yet"
	id=$newest
	file=common/dict/$id.dict
	if [ -n "$(git tag --contains \
		"$(git log --diff-filter=A --format=%h -- "$file" | tail -1)" \
		2>/dev/null)" ]; then
		die "$file was released: make a new one"
	fi
	;;
'')	id=$((${newest:-$((first - 1))} + 1)) ;;
*)	die "usage: scripts/train_dict.sh [--again]" ;;
esac

cmake --preset release -DDAYBREAK_WERROR=OFF >&2
cmake --build --preset release --target train_dict >&2
mkdir -p common/dict
file=common/dict/$id.dict
build/release/bin/train_dict "$id" "$file.new"
mv "$file.new" "$file"
sha256sum "$file"

# Containers that are kept and name a dictionary that is not released yet go
# with it; those of released ones stay as they are.
if [ "${1:-}" = --again ] || [ "$id" = $first ]; then
	cmake --preset release -DDAYBREAK_WERROR=OFF >&2
	cmake --build --preset release --target test_wire_vectors >&2
	WIRE_VECTORS_WRITE=1 build/release/bin/test_wire_vectors >&2
	for f in tests/vectors/wire-v1/*.bin; do
		name=$(basename "$f" .bin)
		cp "$f" "tests/fuzz/corpus/sync_${name%%-*}/$name"
	done
fi
