#!/usr/bin/env bash
# Install what Daybreak is built from, on Debian 12 or 13, and mbedTLS >= 3.6
# into build/deps/mbedtls where the system's is older.  Safe to run again.
#
#   scripts/setup.sh [--tests]     --tests: also what only the tests need
#
# The system's own package sources stay as they are: the newer mbedTLS comes
# as Debian's signed source package through an apt configuration of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
want_tests=no
[ "${1:-}" = --tests ] && want_tests=yes

say() { printf '== %s\n' "$*" >&2; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

log=$root/build/setup.log
mkdir -p "$root/build"
: >"$log"
quietly() { # what it printed is shown only where it failed
	"$@" >>"$log" 2>&1 && return
	local rc=$?
	tail -n 40 "$log" >&2
	return $rc
}

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"
	elif command -v sudo >/dev/null; then sudo "$@"
	else die "needs root or sudo to install packages: $*"; fi
}

build_packages=(gcc make cmake ninja-build pkg-config libc6-dev ca-certificates
	libsqlite3-dev libsodium-dev libzstd-dev libssl-dev libcurl4-openssl-dev
	libuv1-dev libqrencode-dev libpango1.0-dev fonts-noto-cjk
	libmagic-dev libjpeg-dev libpng-dev libwebp-dev
	libavformat-dev libavcodec-dev libavutil-dev libzbar-dev libseccomp-dev
	libcmocka-dev python3 bzip2 xz-utils dpkg-dev)
test_packages=(clang clang-format clang-tidy codespell libclang-rt-dev
	golang-go golang-golang-x-mod-dev openssl sqlite3 zstd curl procps poppler-utils iproute2
	zbar-tools ffmpeg chromium chromium-driver)

have() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q '^install ok installed'; }

missing() {
	local p
	for p in "$@"; do have "$p" || echo "$p"; done
}

install_packages() {
	local want=("${build_packages[@]}") lacking
	if apt-cache show libllhttp-dev >/dev/null 2>&1; then
		want+=(libllhttp-dev)
	else
		want+=(libhttp-parser-dev)
	fi
	if [ $want_tests = yes ]; then
		want+=("${test_packages[@]}")
		# Whoever has Node from elsewhere keeps it.
		if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
			want+=(nodejs npm)
		fi
		# Debian 12 has no unversioned package of clang's run time.
		if ! apt-cache show libclang-rt-dev >/dev/null 2>&1; then
			want=("${want[@]/libclang-rt-dev/libclang-rt-14-dev}")
		fi
	fi
	mapfile -t lacking < <(missing "${want[@]}")
	[ ${#lacking[@]} -eq 0 ] && return
	say "installing: ${lacking[*]}"
	quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
		--no-install-recommends "${lacking[@]}"
}

mbedtls_ok() { # DIR: a prefix with mbedTLS >= 3.6
	local h=$1/include/mbedtls/build_info.h v
	[ -f "$h" ] || return 1
	v=$(sed -n 's/^#define MBEDTLS_VERSION_NUMBER *\(0x[0-9A-Fa-f]*\).*/\1/p' "$h")
	[ -n "$v" ] && [ $((v)) -ge $((0x03060000)) ]
}

fetch_mbedtls() { # SUITE, into the current folder
	local suite=$1 mirror key=/usr/share/keyrings/debian-archive-keyring.gpg
	mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2>/dev/null |
		grep -E '/debian/?$' | head -n 1)
	mirror=${mirror:-http://deb.debian.org/debian}
	rm -rf apt && mkdir -p apt/lists/partial apt/cache/archives/partial
	echo "deb-src [signed-by=$key] $mirror $suite main" >apt/sources.list
	local o=(-q -o "Dir::Etc::sourcelist=$PWD/apt/sources.list"
		-o Dir::Etc::sourceparts=/dev/null
		-o "Dir::State::lists=$PWD/apt/lists"
		-o "Dir::Cache=$PWD/apt/cache" -o APT::Sandbox::User=root)
	quietly apt-get "${o[@]}" update &&
		quietly apt-get "${o[@]}" source --download-only mbedtls
}

build_mbedtls() {
	local prefix=$root/build/deps/mbedtls work=$root/build/deps/mbedtls-src src
	mbedtls_ok "$prefix" && return
	if mbedtls_ok /usr && [ -z "${DAYBREAK_OWN_MBEDTLS:-}" ]; then return; fi
	say "building mbedTLS 3.6 (the system's is older, or absent)"
	rm -rf "$work" && mkdir -p "$work"
	(
		cd "$work"
		fetch_mbedtls trixie || fetch_mbedtls sid ||
			die "no mbedTLS source package on this system's mirror"
		# apt has checked the .dsc's signature chain and the files' hashes.
		quietly dpkg-source --no-check -x ./*.dsc src
	)
	src=$work/src
	# Two settings differ from upstream's: threads on (two listeners share
	# one key), and a 4 KiB output record (12 kB less for each connection).
	quietly cmake -S "$src" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
		-DCMAKE_INSTALL_PREFIX="$prefix" -DENABLE_TESTING=OFF \
		-DENABLE_PROGRAMS=OFF -DUSE_SHARED_MBEDTLS_LIBRARY=OFF \
		-DCMAKE_POSITION_INDEPENDENT_CODE=ON -DCMAKE_INSTALL_LIBDIR=lib \
		-DMBEDTLS_FATAL_WARNINGS=OFF \
		-DMBEDTLS_USER_CONFIG_FILE="$root/cmake/daybreak_mbedtls_config.h"
	quietly cmake --build "$work/build"
	cmake --install "$work/build" >/dev/null
	cp "$root/cmake/daybreak_mbedtls_config.h" "$prefix/include/"
	mbedtls_ok "$prefix" || die "the built mbedTLS is not >= 3.6"
	rm -rf "$work"
}

[ -r /etc/debian_version ] || die "this script knows Debian 12 and 13 only"
# What is not known to apt yet is looked up once.
if ! apt-cache show libcmocka-dev >/dev/null 2>&1; then
	quietly as_root apt-get -q update
fi
install_packages || { quietly as_root apt-get -q update; install_packages; }
# tus's own reference server, which our handheld is tried against, and its own
# client, against our centre.  Their code is fetched, never run, here; a machine
# without the registry does without.
install_tus() {
	local at
	for at in tests/e2e/tus/node_modules/@tus/server \
		tests/interop/tusjs/node_modules/tus-js-client; do
		[ -d "$at" ] ||
			(cd "${at%%/node_modules/*}" &&
				quietly npm ci --ignore-scripts --no-audit --no-fund) ||
			say "no npm registry: tests leave out $at"
	done
}

# What reads QR codes from pictures on the page for papers (cmake/qr.cmake); a
# machine without npm builds a page that leaves it to the browser.
install_qr() {
	[ -f cmake/qr/node_modules/qr/decode.js ] && return
	command -v npm >/dev/null &&
		(cd cmake/qr && quietly npm ci --ignore-scripts --no-audit --no-fund) ||
		say "no npm, or no registry: the page for papers gets no reader of pictures"
}

build_mbedtls
install_qr
[ $want_tests = no ] || install_tus
say "set up"
