#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     weft replay ==> tap c1 --+
#     weft replay ==> tap c2 --+-- ALPHA -- tap c3 (receives)
#
# Captures enter ports as if their machines had sent them: when they are due, at a rate, or at once;
# damaged ones are refused, and who is killed leaves nothing.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

make_capture()
{
	python3 "$top/tests/system/replay.py" "$@"
}

# A number of the last report: said 'JQ'
said()
{
	jq "$1" "$run/report"
}

# Is it so? proves 'JQ'
proves()
{
	jq -e "$1" "$run/report" >/dev/null || fail "not so: $1 in $(cat "$run/report")"
}

# Sets $before to what c3 had until then.
replay()
{
	before=$(counter c3 tx_frames)
	weft replay "$@" report="$run/report" >"$run/out"
}

# The same up to five times, until it was as JQ says: a machine that others use may stall for some ms.
# Who can never keep the time fails: in_time 'JQ' WORD...
in_time()
{
	local jq=$1
	shift
	for _ in 1 2 3 4; do
		replay "$@"
		! jq -e "$jq" "$run/report" >/dev/null || return 0
	done
	replay "$@"
	proves "$jq"
}

# The counter of a port is COUNT above BEFORE: is_above PORT COUNTER BEFORE COUNT
is_above()
{
	[ $(($(counter "$1" "$2") - $3)) -eq "$4" ]
}

# has_mac PORT MAC: it was learned there
has_mac()
{
	weft fdb list "port=$1" -o json | jq -e --arg mac "$2" '[.entries[].mac] | index($mac)'
}

n_replays()
{
	curl -s --unix-socket "$run/weftd.sock" http://weft/v1/replays | jq '.replays | length'
}

none_runs()
{
	[ "$(n_replays)" = 0 ]
}

one_runs()
{
	[ "$(n_replays)" = 1 ]
}

queues()
{
	curl -s --unix-socket "$run/weftd.sock" http://weft/v1/workers | jq '.queues | length'
}

fds()
{
	find "/proc/$(pid_of weft-dataplane)/fd" -type l | wc -l
}

is_as_before()
{
	[ "$(queues)" = "$queues" ] && [ "$(fds)" = "$fds" ]
}

ns_add c1 c2 c3
daemons_start
weft segment add ALPHA vni=100
for port in c1 c2 c3; do
	weft port add "$port" type=tap segment=ALPHA netns="$port"
	port_up "$port"
done
queues=$(queues)
fds=$(fds)

step "every format, with its own times"
for form in us ns us-swapped ns-swapped pcapng; do
	make_capture "$run/$form" "$form" 21 10000
	in_time '.inputs[0] | .seconds > 0.195 and .seconds < 0.25 and .gap_error_us.p50 < 5000' "$run/$form" port=c1
	wait_for 5 "$form: all arrive" is_above c3 tx_frames "$before" 21
	proves '.result == "done" and .inputs[0].frames == 21'
done
proves '.ports[] | select(.port == "c1") | .rx_frames == 21'
grep -q "21 of 21 frames" "$run/out"
wait_for 5 "it is learned" has_mac c1 02:00:00:00:00:01

step "half as fast, at a rate, at once"
in_time '.inputs[0].seconds > 0.395 and .inputs[0].seconds < 0.45' "$run/us" port=c1 speed=0.5x
in_time '.inputs[0].pps > 980 and .inputs[0].pps < 1020' "$run/us" port=c1 pps=1000 loop=50
proves '.inputs[0].frames == 1050'
in_time '.inputs[0].pps > 980 and .inputs[0].pps < 1020' "$run/us" port=c1 rate=800k loop=50
c1_before=$(counter c1 rx_frames)
replay "$run/us" port=c1 speed=max loop=5000
wait_for 5 "max: all are sent" is_above c1 rx_frames "$c1_before" 105000
proves '.inputs[0].seconds < 5 and (.inputs[0] | has("gap_error_us") | not)'

step "two files on one timeline"
make_capture "$run/first" us 5 20000 0 1
make_capture "$run/second" ns 5 20000 10000 2
ip netns exec c3 timeout 60 tcpdump -i c3 -c 10 -w "$run/seen" --immediate-mode -Q in ether proto 0x88b5 \
	2>"$run/tcpdump.log" &
dump=$!
wait_for 5 "tcpdump listens" grep -q listening "$run/tcpdump.log"
replay "$run/first" port=c1 "$run/second" port=c2
wait "$dump"
[ "$(tcpdump -r "$run/seen" -e -nn 2>/dev/null | awk '/ethertype/ {print $2}' | uniq | wc -l)" = 10 ] ||
	fail "not in turn: $(tcpdump -r "$run/seen" -e -nn 2>&1)"
proves '[.inputs[].frames] == [5, 5]'

step "what is changed, and what is dropped"
replay "$run/us" port=c1 src_mac=02:00:00:00:00:77 speed=max
wait_for 5 "the address is changed" has_mac c1 02:00:00:00:00:77
weft port set c1 state=blocked
replay "$run/us" port=c1 speed=max
proves '[.ports[] | select(.port == "c1") | .drops[]] | add == 21'
weft port set c1 state=

step "what is expected"
replay "$run/us" port=c1 expect=c3:"$run/ns"
proves '.result == "done"'
make_capture "$run/other" us 22 10000
status=0
weft replay "$run/us" port=c1 expect=c3:"$run/other" >"$run/out" 2>&1 || status=$?
[ "$status" = 1 ] && grep -q "packet 22" "$run/out" || fail "exit code $status: $(cat "$run/out")"
no_capture() { [ "$(curl -s --unix-socket "$run/weftd.sock" http://weft/v1/captures | jq '.captures | length')" = 0 ]; }
wait_for 5 "no capture still runs" no_capture

step "what became of each"
ns_add f1 f2 f3
weft segment add FATES vni=200
weft port add f1 type=tap segment=FATES netns=f1 mac=02:00:00:00:00:01 mac_guard=on broadcast_pps=1
weft port add f2 type=tap segment=FATES netns=f2 macs=02:00:00:00:00:02
weft port add f3 type=tap segment=FATES netns=f3
for port in f1 f2 f3; do
	port_up "$port"
done
"$top/tests/system/replay_fates.py" "$run/known" known unknown spoof unknown known $(printf 'broadcast %.0s' {1..70})
replay "$run/known" port=f1 fates="$run/fates"
cat >"$run/fates.expected" <<'END'
1,f1,delivered,f2,
2,f1,delivered,f2,
2,f1,delivered,f3,
3,f1,dropped,f1,mac-spoof
4,f1,delivered,f2,
4,f1,delivered,f3,
5,f1,delivered,f2,
END
# 64 broadcasts pass at once, and then one a second.
for i in $(seq 6 69); do
	printf '%s\n' "$i,f1,delivered,f2," "$i,f1,delivered,f3,"
done >>"$run/fates.expected"
for i in $(seq 70 75); do
	echo "$i,f1,dropped,f1,storm-broadcast"
done >>"$run/fates.expected"
# FILE: what became of each, without times, in order.
untimed()
{
	tail -n +2 "$1" | cut -d , -f 1,2,4- | sed 's/,[0-9]*$//' | sort -t , -k 1,1n -k 4
}
diff "$run/fates.expected" <(untimed "$run/fates") || fail "not these fates: $(cat "$run/fates")"
# A frame entered when it was due, 5 ms after the one before, and left after that.
tail -n +2 "$run/fates" | awk -F , '$3 < ($1 - 1) * 5e6 || $7 < $3 || $7 > $3 + 1e9 {exit 1}' ||
	fail "odd times: $(cat "$run/fates")"
proves '.fates | .frames == 75 and .known == 75 and .unknown == 0 and .lost_events == 0'
proves '[.fates.rows[] | "\(.port) \(.fate) \(.reason) \(.frames)"] | sort ==
	["f1 dropped mac-spoof 1", "f1 dropped storm-broadcast 6", "f2 delivered  68", "f3 delivered  66"]'
grep -q "port f2: 68 delivered" "$run/out" || fail "not said: $(cat "$run/out")"

step "what still waits is told as such"
weft channel add SLOW tx.ceil=100k
weft port set f1 channel=SLOW
"$top/tests/system/replay_fates.py" "$run/many" $(printf 'known %.0s' {1..400})
replay "$run/many" port=f1 speed=max fates="$run/fates"
proves '.fates | .frames == 400 and .known == 400'
proves '[.fates.rows[].frames] | add == 400'
[ "$(tail -n +2 "$run/fates" | cut -d , -f 1 | sort -n | uniq | wc -l)" = 400 ] || fail "not 400: $(cat "$run/fates")"
queued=$(grep -c ",queued,f1,,$" "$run/fates")
[ "$queued" -gt 30 ] && proves ".fates.rows[] | select(.fate == \"queued\") | .frames == $queued" ||
	fail "$queued wait: $(cat "$run/report")"
weft port set f1 channel=
for port in f1 f2 f3; do
	weft port del "$port"
done
replay "$run/us" port=c1 speed=max
proves '.fates | .known == 21 and ([.rows[].port] | unique == ["c3"] or unique == ["c2", "c3"])'

step "what is refused"
head -c 500 "$run/us" >"$run/cut"
head -c 300 "$run/us" | tail -c 200 >"$run/junk"
: >"$run/empty"
before=$(counter c1 rx_frames)
refused 4 "cut" weft replay "$run/cut" port=c1
refused 4 "junk" weft replay "$run/junk" port=c1
refused 4 "empty" weft replay "$run/empty" port=c1
refused 4 "No such file" weft replay "$run/none" port=c1
refused 4 "nobody" weft replay "$run/us" port=nobody
refused 2 "port=PORT" weft replay "$run/us" "$run/us" port=c1
refused 2 "has a file already" weft replay "$run/us" port=c1 "$run/us" port=c1
refused 2 "one of them" weft replay "$run/us" port=c1 pps=1 speed=max
[ "$(counter c1 rx_frames)" = "$before" ] || fail "something was sent"

step "it ends with ctrl-C"
# A command in the background of a script ignores SIGINT, unless it is told otherwise.
python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$build/cli/weft" replay "$run/us" port=c1 loop=1000 report="$run/report" \
	>"$run/out" 2>&1 &
replayer=$!
wait_for 5 "it runs" one_runs
kill -INT "$replayer"
status=0
wait "$replayer" || status=$?
[ "$status" = 1 ] || fail "exit code $status: $(cat "$run/out")"
proves '.result == "interrupted" and .inputs[0].frames < 21000'
wait_for 5 "it has ended" none_runs
wait_for 5 "nothing is left" is_as_before

step "one at a time; who is killed leaves nothing"
"$build/cli/weft" replay "$run/us" port=c1 loop=1000 >"$run/out" 2>&1 &
replayer=$!
wait_for 5 "it runs" one_runs
refused 4 "already" weft replay "$run/us" port=c1
kill -9 "$replayer"
wait "$replayer" 2>/dev/null || true
# Within five seconds, and what a busy machine takes.
holds_within 15 none_runs || fail "it does not end by itself"
wait_for 5 "nothing is left" is_as_before
"$build/cli/weft" replay "$run/us" port=c1 loop=1000 >"$run/out" 2>&1 &
replayer=$!
wait_for 5 "it runs" one_runs
kill -9 "$(pid_of weftd)"
status=0
wait "$replayer" || status=$?
[ "$status" != 0 ] || fail "nothing was said: $(cat "$run/out")"
wait_for 20 "weftd is back" connected
wait_for 5 "it has ended" none_runs
wait_for 5 "nothing is left" is_as_before

step "the port goes in the middle"
"$build/cli/weft" replay "$run/us" port=c2 loop=1000 >"$run/out" 2>&1 &
replayer=$!
wait_for 5 "it runs" one_runs
weft port del c2
status=0
wait "$replayer" || status=$?
[ "$status" = 4 ] && grep -q "deleted" "$run/out" || fail "exit code $status: $(cat "$run/out")"
wait_for 15 "it ends" none_runs

step "captures that were made elsewhere are replayed, or refused in a line"
n=0
while read -r sample; do
	status=0
	weft replay "$sample" port=c1 speed=max >"$run/out" 2>&1 || status=$?
	[ "$status" = 0 ] || { [ "$status" = 4 ] && [ "$(wc -l <"$run/out")" = 1 ]; } ||
		fail "$sample: exit code $status: $(cat "$run/out")"
	n=$((n + 1))
done < <(find /usr/share /usr/lib -regextype egrep -iregex '.*\.(pcap|cap|pcapng)(\.gz)?' -type f 2>/dev/null)
[ "$n" -gt 0 ] || fail "no package brings a capture; scripts/install-deps installs some that do"
echo "$n captures of this machine's packages"
finish
