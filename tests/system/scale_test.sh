#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     weft-crowd: front-ends f0 f1 ...         namespace crowd: t0 t1 ...     nobody: v0 v1 ...
#        |     |     |     |     |                |     |     |                |     |     |
#     ===+=====+== CROWD ==+=====+===          ===+== TAPS +=====+==        ===+== S0 S1 ... ==
#
# How large a host may be, and what a change costs there. Small here; the figures of
# docs/performance.md: PORTS=4000 FRONTENDS=1000 TAPS=500 CYCLES=10000 RECONNECTS=1000
# Of each time the part that the kernel spends on tap devices is told apart, as weftd logs it.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

ports=${PORTS:-400} frontends=${FRONTENDS:-100} taps=${TAPS:-20}
cycles=${CYCLES:-100} reconnects=${RECONNECTS:-50}
socket=$run/weftd.sock

lab()
{
	echo "segments:"
	echo "  CROWD: {vni: 1}"
	echo "  TAPS: {vni: 2}"
	seq 100 139 | awk '{ print "  S" $1 ": {vni: " $1 "}" }'
	echo "ports:"
	seq -f '  f%g: {type: vhost-user, segment: CROWD}' 0 $((frontends - 1))
	seq -f '  t%g: {type: tap, segment: TAPS, netns: crowd}' 0 $((taps - 1))
	seq 0 $((ports - frontends - 1)) |
		awk '{ print "  v" $1 ": {type: vhost-user, segment: S" 100 + $1 % 40 "}" }'
}

# What a command took, in ms, and how much of it weftd spent on devices:
# timed NAME COMMAND...; $own_ms is the whole without devices, $carried_ms what weftd says it took
# from plan to commit, without devices.
timed()
{
	local name=$1 before devices_ms started
	shift
	before=$(stat -c %s "$daemon_log")
	started=$(now_us)
	"$@" >"$run/timed.out" || fail "$name: $*"
	whole_ms=$((($(now_us) - started) / 1000))
	devices_ms=$(tail -c "+$((before + 1))" "$daemon_log" |
		sed -n 's/.*committed in [0-9]* ms, \([0-9]*\) of it devices.*/\1/p' | tail -n 1)
	carried_ms=$(tail -c "+$((before + 1))" "$daemon_log" |
		sed -n 's/.*committed in \([0-9]*\) ms, \([0-9]*\) of it devices.*/\1 - \2/p' | tail -n 1)
	carried_ms=$((${carried_ms:-0}))
	own_ms=$((whole_ms - ${devices_ms:-0}))
	printf '%-32s %6d ms with the command, %6d of it making taps, %4d in weftd\n' "$name" \
		"$whole_ms" "${devices_ms:-0}" "$carried_ms"
}

rss_kb()
{
	awk '/^VmRSS/ { print $2 }' "/proc/$(pid_of "$1")/status"
}

held()
{
	"$build/tests/lib/weft-baseline" "$(pid_of "$1")"
}

# Whether a daemon holds what it held: returned NAME FDS MAPPINGS THREADS
returned()
{
	"$build/tests/lib/weft-baseline" "$(pid_of "$1")" "${@:2}" ||
		fail "$1 holds more than before"
}

# Sockets lie in memory, as under /run; the store on the disk.
state=$(mktemp -d "${TMPDIR:-/tmp}/weft.XXXXXX")
at_exit "umount $run; rm -rf $run $state"
mount -t tmpfs weft-test "$run"
traces >"$run/before"
ulimit -n "$(ulimit -Hn)"
ns_add crowd
daemons_start
lab >"$run/lab.yaml"

step "$ports vhost-user ports and $taps taps from one lab file"
timed "apply of $((ports + taps)) ports" weft apply -f "$run/lab.yaml"
apply_ms=$own_ms
timed "apply again, nothing to change" weft apply -f "$run/lab.yaml"
again_ms=$own_ms
grep -q 'no change' "$run/timed.out" || fail "the second apply changed something"
timed "port list" weft port list -o json

step "one more port"
add_ms=0
for i in 1 2 3 4 5; do
	timed "port add, number $i" weft port add "x$i" type=vhost-user segment=S100
	if [ "$add_ms" -eq 0 ] || [ "$carried_ms" -lt "$add_ms" ]; then add_ms=$carried_ms; fi
	timed "port del, number $i" weft port del "x$i"
done

step "$frontends front-ends"
mkfifo "$run/crowd.in"
exec {crowd_in}<>"$run/crowd.in"
"$build/tests/system/weft-crowd" "$run/vhost" f "$frontends" <"$run/crowd.in" >"$run/crowd.out" 2>"$run/crowd.log" &
crowd=$!

# Waits for an answer of the crowd that has KEY: crowd_says SECONDS KEY
crowd_says()
{
	wait_for "$1" "the crowd's word on $2" grep -q "\"$2\"" "$run/crowd.out"
	grep "\"$2\"" "$run/crowd.out"
}

crowd_says 60 attached
all_up()
{
	[ "$(weft status -o json | jq .ports.up)" -eq $((frontends + taps)) ]
}
wait_for 20 "all ports are up" all_up
echo ring >&"$crowd_in"
crowd_says 60 frames
weft status

step "$reconnects reconnects"
read -ra before < <(held weft-dataplane)
echo "reconnect $reconnects" >&"$crowd_in"
crowd_says 120 reconnects
wait_for 20 "all ports are up" all_up
returned weft-dataplane "${before[@]}"

step "$cycles times one port more and one less"
read -ra before < <(held weft-dataplane)
read -ra before_control < <(held weftd)
before_kb=$(rss_kb weft-dataplane)
for ((i = 0; i < cycles; i++)); do
	printf 'url = "http://weft/v1/ports/c%d"\nrequest = PUT\ndata = "%s"\noutput = /dev/null\nfail\nnext\n' \
		$i '{\"type\": \"vhost-user\", \"segment\": \"S100\"}'
	printf 'url = "http://weft/v1/ports/c%d"\nrequest = DELETE\noutput = /dev/null\nfail\n' $i
	[ $((i + 1)) -eq "$cycles" ] || echo next
done | sed "s|^url|unix-socket = \"$socket\"\nurl|" >"$run/cycles"
started=$(now_us)
curl -sS --fail-early -K "$run/cycles" || fail "a cycle failed"
printf '%-44s %6d us each\n' "$cycles adds and deletes" $((($(now_us) - started) / cycles))
returned weft-dataplane "${before[@]}"
returned weftd "${before_control[@]}"
after_kb=$(rss_kb weft-dataplane)

step "the crowd leaves"
exec {crowd_in}>&-
kill "$crowd"
wait "$crowd" 2>/dev/null || true
control_kb=$(rss_kb weftd)
echo "weftd $((control_kb / 1024)) MB resident; weft-dataplane $before_kb kB before the cycles, $after_kb after"

[ "$apply_ms" -le 2000 ] || fail "apply took weft $apply_ms ms, more than 2 s"
[ "$again_ms" -le 200 ] || fail "the second apply took weft $again_ms ms, more than 200"
[ "$add_ms" -le 20 ] || fail "one port more took weft $add_ms ms, more than 20"
[ "$control_kb" -le 51200 ] || fail "weftd is larger than 50 MB"
[ $((after_kb - before_kb)) -le 1024 ] || fail "weft-dataplane grew by $((after_kb - before_kb)) kB"
finish
