#!/usr/bin/env bash
# Goal of this test: what we sign and write can be checked by code that is not
# ours (golang.org/x/mod/sumdb), and we can check what that code signs and
# writes; and both notice when a byte was changed on the way.
#
# usage: interop_sumdb.sh OURS GO-CACHE     77: Go is not here
set -euo pipefail
ours=$1
export GOCACHE=$2 GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS=
here=$(cd "$(dirname "$0")" && pwd)

if ! command -v go >/dev/null; then
	echo "skipped: no go (Debian package golang-go)"
	exit 77
fi
if [ ! -d "$GOPATH/src/golang.org/x/mod/sumdb" ]; then
	echo "skipped: no x/mod (Debian package golang-golang-x-mod-dev)"
	exit 77
fi

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
go build -o "$dir/theirs" "$here/sumdb.go"

mkdir "$dir/a" "$dir/b"
"$ours" write "$dir/a"
"$dir/theirs" check "$dir/a"
"$dir/theirs" write "$dir/b"
"$ours" check "$dir/b"

# A check that cannot fail is none: one byte of each file in turn.
refused() { # refused FILE COMMAND...: must fail once FILE's byte is changed
	local file=$1
	shift
	cp "$file" "$dir/kept"
	python3 - "$file" <<-'PY'
		import sys
		b = bytearray(open(sys.argv[1], "rb").read())
		b[len(b) * 2 // 3] ^= 1
		open(sys.argv[1], "wb").write(b)
	PY
	if "$@" >"$dir/out" 2>&1; then
		echo "FAILED: $file was changed, and $* did not notice"
		exit 1
	fi
	cp "$dir/kept" "$file"
}
for side in a b; do
	check=("$dir/theirs" check "$dir/$side")
	[ $side = b ] && check=("$ours" check "$dir/$side")
	for file in checkpoint.1000 cosigned inclusion consistency \
		tile/0/002 tile/1/000 tile/0/257.p/208 tile/entries/003 \
		place.tlog-proof; do
		refused "$dir/$side/$file" "${check[@]}"
	done
	"${check[@]}" >/dev/null
done
echo "ours and theirs agree, and notice 18 changed bytes"
