#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds and runs one fuzz target for FUZZ_SECONDS (default 5), in the build folder.
# usage: run.sh [TARGET CORPUS]
# With FUZZ_SEEDED=1 the binary has a bug, which must be found within FUZZ_SEED_SECONDS (120).
# An input that breaks the target stays beside the binary; the last lines say how to repeat it.
set -u
[ $# -eq 2 ] || { echo "skipped: this clang has no libFuzzer (package libclang-rt-14-dev)"; exit 77; }
binary=$PWD/tests/fuzz/$1 corpus=$2
# Two targets run at a time, and two ninjas in one folder know nothing of each other.
flock tests/fuzz ninja --quiet "tests/fuzz/$1" || exit 1

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
seconds=${FUZZ_SECONDS:-5} prefix=$binary-found-
# What guests and users can send gets all of the time, the other parsers a third of it.
case $1 in
body_fuzz | frame_fuzz | guard_parse_fuzz | lab_fuzz | ring_fuzz | session_fuzz) ;;
*) seconds=$(((seconds + 2) / 3)) ;;
esac
if [ "${FUZZ_SEEDED:-0}" = 1 ]; then
	seconds=${FUZZ_SEED_SECONDS:-120} prefix=$fresh/found-
	mkdir "$fresh/corpus"
fi

mkdir -p "$fresh/corpus"
"$binary" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=4096 -use_value_profile=1 \
	-artifact_prefix="$prefix" -print_final_stats=1 -verbosity=1 "$fresh/corpus" "$corpus" \
	>"$fresh/log" 2>&1
code=$?
grep -E '^(==|SUMMARY|stat::|Done|#.*(INITED|DONE)|.*runtime error)' "$fresh/log"

if [ "${FUZZ_SEEDED:-0}" = 1 ]; then
	found=$(find "$fresh" -maxdepth 1 -name 'found-*' | head -n 1)
	[ "$code" -ne 0 ] && [ -n "$found" ] && { echo "the planted bug was found"; exit 0; }
	echo "the planted bug was not found in $seconds s"
	exit 1
fi
[ "$code" -eq 0 ] && exit 0
tail -n 40 "$fresh/log"
echo "again: $binary $prefix..."
exit 1
