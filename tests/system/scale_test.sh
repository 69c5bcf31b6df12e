#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     weft-crowd: front-ends f0 f1 ...         namespace crowd: t0 t1 ...     nobody: v0 v1 ...
#        |     |     |     |     |                |     |     |                |     |     |
#     ===+=====+== CROWD ==+=====+===          ===+== TAPS +=====+==        ===+== S0 S1 ... ==
#
# How large a host may be, and what a change costs there. Small here; the figures of
# docs/performance.md: PORTS=4000 FRONTENDS=1000 TAPS=500 SEGMENTS=4000 MACS=1000 CYCLES=10000
# RECONNECTS=1000 (MACS: addresses behind each front-end).
# Of each time the part that the kernel spends on tap devices is told apart, as weftd logs it.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

ports=${PORTS:-400} frontends=${FRONTENDS:-100} taps=${TAPS:-20}
segments=${SEGMENTS:-100} macs=${MACS:-200}
cycles=${CYCLES:-100} reconnects=${RECONNECTS:-50}
socket=$run/weftd.sock

lab()
{
	echo "segments:"
	echo "  CROWD: {vni: 1}"
	echo "  TAPS: {vni: 2}"
	seq 100 $((99 + segments)) | awk '{ print "  S" $1 ": {vni: " $1 "}" }'
	echo "ports:"
	seq -f '  f%g: {type: vhost-user, segment: CROWD}' 0 $((frontends - 1))
	seq -f '  t%g: {type: tap, segment: TAPS, netns: crowd}' 0 $((taps - 1))
	seq 0 $((ports - frontends - 1)) |
		awk -v n="$segments" '{ print "  v" $1 ": {type: vhost-user, segment: S" 100 + $1 % n "}" }'
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
	printf '%-32s %6d ms with the command, %6d of it devices, %4d in weftd itself\n' "$name" \
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

step "$ports vhost-user ports and $taps taps in $segments segments from one lab file"
timed "apply of $((ports + taps)) ports" weft apply -f "$run/lab.yaml"
apply_ms=$own_ms
# The best of five, as below: others use the machine.
again_ms=
for i in 1 2 3 4 5; do
	timed "apply again, nothing to change" weft apply -f "$run/lab.yaml"
	grep -q 'no change' "$run/timed.out" || fail "the second apply changed something"
	[ "${again_ms:-$own_ms}" -lt "$own_ms" ] || again_ms=$own_ms
	[ "$again_ms" -gt 200 ] || break
done
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

step "$((frontends * macs)) addresses behind the front-ends"
# The table may grow under the list, which then begins again.
addresses()
{
	weft fdb list segment=CROWD 2>"$run/list.err" | grep -c CROWD
}
# What is lost on the way to main, its ring being full, is told again.
learned()
{
	echo "macs $macs" >&"$crowd_in"
	said=$((said + 1))
	wait_for 120 "the crowd has sent" says_times "$said"
	[ "$(addresses)" -ge $((frontends * macs)) ]
}
says_times()
{
	[ "$(grep -c '"macs"' "$run/crowd.out")" -ge "$1" ]
}
said=0
holds_within 200 learned || fail "only $(addresses) addresses are learned"
tail -n 1 "$run/crowd.out"
before_list_kb=$(rss_kb weftd)
timed "fdb list of $((frontends * macs)) addresses" weft fdb list
echo "weftd $before_list_kb kB before the list, $(rss_kb weftd) after; weft-dataplane $(rss_kb weft-dataplane) kB"
timed "where is one of them" weft where 06:01:00:02:00:00
[ "$(grep -c f1 "$run/timed.out")" -eq 1 ] || fail "not found: $(cat "$run/timed.out")"
# Each asks main for something, which sweeps the table meanwhile.
for ((i = 0; i < 200; i++)); do
	printf 'unix-socket = "%s"\nurl = "http://weft/v1/status"\noutput = /dev/null\n' "$socket"
	printf 'write-out = "%%{time_total}\\n"\nfail\n'
	[ $i -eq 199 ] || echo next
done >"$run/asks"
curl -sS --fail-early -K "$run/asks" | sort -n | awk '{ t[NR] = $1 * 1000 } END {
	printf "status asked %d times: median %.1f ms, longest %.1f ms\n", NR, t[int(NR / 2)], t[NR] }'
timed "port add beside them" weft port add y1 type=vhost-user segment=S100
timed "port del beside them" weft port del y1

step "$cycles times one port more and one less"
# cycle FROM TO
cycle()
{
	local i started
	for ((i = $1; i < $2; i++)); do
		printf 'url = "http://weft/v1/ports/c%d"\nrequest = PUT\ndata = "%s"\noutput = /dev/null\nfail\nnext\n' \
			$i '{\"type\": \"vhost-user\", \"segment\": \"S100\"}'
		printf 'url = "http://weft/v1/ports/c%d"\nrequest = DELETE\noutput = /dev/null\nfail\n' $i
		[ $((i + 1)) -eq "$2" ] || echo next
	done | sed "s|^url|unix-socket = \"$socket\"\nurl|" >"$run/cycles"
	started=$(now_us)
	curl -sS --fail-early -K "$run/cycles" || fail "a cycle failed"
	printf '%-44s %6d us each\n' "$(($2 - $1)) adds and deletes" $((($(now_us) - started) / ($2 - $1)))
}
# The history and the log of events have their full length after some hundreds.
cycle 0 $((cycles / 10))
read -ra before < <(held weft-dataplane)
read -ra before_control < <(held weftd)
before_kb=$(rss_kb weft-dataplane) before_control_kb=$(rss_kb weftd)
cycle $((cycles / 10)) "$cycles"
returned weft-dataplane "${before[@]}"
returned weftd "${before_control[@]}"
after_kb=$(rss_kb weft-dataplane) after_control_kb=$(rss_kb weftd)
echo "descriptors, mappings, threads: weft-dataplane ${before[*]}, weftd ${before_control[*]}, as before"
echo "resident: weft-dataplane $before_kb kB, then $after_kb; weftd $before_control_kb kB, then $after_control_kb"

step "the crowd leaves"
exec {crowd_in}>&-
kill "$crowd"
wait "$crowd" 2>/dev/null || true
control_kb=$(rss_kb weftd)
echo "weftd $((control_kb / 1024)) MB resident"

[ "$apply_ms" -le 2000 ] || fail "apply took weft $apply_ms ms, more than 2 s"
[ "$again_ms" -le 200 ] || fail "the second apply took weft $again_ms ms, more than 200"
[ "$add_ms" -le 20 ] || fail "one port more took weft $add_ms ms, more than 20"
[ "$control_kb" -le 51200 ] || fail "weftd is larger than 50 MB"
[ $((after_kb - before_kb)) -le 1024 ] || fail "weft-dataplane grew by $((after_kb - before_kb)) kB"
[ $((after_control_kb - before_control_kb)) -le 4096 ] || fail "weftd grew by $((after_control_kb - before_control_kb)) kB"
finish
