#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds one fuzz target. usage: build.sh OUT DEPFILE TOP SEED CLEAN PACKAGE,... SOURCE...
#        build.sh probe: exit code 0 if clang has libFuzzer.
# SEED is '' or names seeds/SEED.sed, whose first line "# FILE: what" says which source it spoils.
# CLEAN is the target without the bug, built before: all other objects are taken from it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
flags=(-std=gnu17 -D_GNU_SOURCE -O1 -g -fno-omit-frame-pointer '-DWEFT_VERSION="fuzz"'
	'-fsanitize=fuzzer,address,undefined' -fno-sanitize-recover=all)

if [ "$1" = probe ]; then
	echo 'int LLVMFuzzerTestOneInput(const char *d, long n) { return !d && !n; }' |
		clang -fsanitize=fuzzer,address,undefined -x c - -o /dev/null 2>/dev/null
	exit
fi

out=$(realpath -m "$1") depfile=$(realpath -m "$2") target=$1 top=$3 seed=$4
clean=${5:+$(realpath -m "$5")}
IFS=, read -r -a packages <<<"$6"
shift 6
if [ ${#packages[@]} -gt 0 ]; then
	read -r -a found <<<"$(pkg-config --cflags "${packages[@]}" | sed 's/-I/-isystem /g')"
	flags+=("${found[@]}")
	read -r -a libs <<<"$(pkg-config --libs "${packages[@]}")"
fi

cd "$top"
rm -rf "$out.o"
mkdir "$out.o"
objects=() n_compiled=0
for source in "$@"; do
	object=$(tr / _ <<<"${source%.c}").o
	if [ -n "$seed" ]; then
		if [ "$source" != "$(sed -n '1s/^# \([^:]*\):.*/\1/p' "$here/seeds/$seed.sed")" ]; then
			objects+=("$clean.o/$object")
			continue
		fi
		sed -f "$here/seeds/$seed.sed" "$source" >"$out.o/$object.c"
		! cmp -s "$source" "$out.o/$object.c" ||
			{ echo "seeds/$seed.sed changes nothing in $source" >&2; exit 1; }
		source=$out.o/$object.c
	fi
	object=$out.o/$object
	objects+=("$object")
	clang "${flags[@]}" -I. -c -MMD -MT "$target" -MF "$object.d" -o "$object" "$source" &
	n_compiled=$((n_compiled + 1))
	[ $((n_compiled % 2)) -eq 1 ] || wait
done
wait
[ "$n_compiled" -gt 0 ] || { echo "seeds/$seed.sed names no source of this target" >&2; exit 1; }
clang "${flags[@]}" -o "$out" "${objects[@]}" "${libs[@]}"
cat "$out.o"/*.d >"$depfile"
