#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     namespace a   namespace b   namespace evil
#     10.0.0.1      10.0.0.2      10.0.0.66, MAC guard
#        |             |             |
#     == pa ========== pb ========= evil ======= ALPHA
#
# weft trace --next: real frames, followed. What it says is what has come of them: pings that are
# delivered, frames that a guard drops. Their counters say so, too, and no ping is lost meanwhile.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

attack=$top/tests/system/attack.py
mac_a=02:00:00:00:00:0a mac_b=02:00:00:00:00:0b
children=()
at_exit 'kill "${children[@]}" 2>/dev/null'

# Nobody follows (any more): weftd learns of a client that has gone when it writes to it.
is_free()
{
	"$build/cli/weft" trace --next 1 port=evil udp port 9 --seconds 1 >/dev/null 2>&1 || [ $? -eq 1 ]
}

# follow NAME WORD...: weft trace --next in the background; comes back when frames are followed
follow()
{
	local name=$1
	shift
	"$build/cli/weft" trace "$@" >"$run/$name.out" 2>"$run/$name.err" &
	follower=$!
	children+=("$follower")
	wait_for 5 "frames are followed" grep -q '^following' "$run/$name.err"
}

# ended NAME CODE: it has
ended()
{
	local code=0
	wait "$follower" || code=$?
	[ "$code" -eq "$2" ] || fail "$1: exit code $code: $(cat "$run/$1.out" "$run/$1.err")"
}

# has NAME PATTERN
has()
{
	grep -qE -- "$2" "$run/$1.out" || fail "$1: no line '$2': $(cat "$run/$1.out" "$run/$1.err")"
}

ns_add a b evil
daemons_start
weft apply -f - >/dev/null <<-LAB
	segments: {ALPHA: {vni: 100}}
	ports:
	  pa: {type: tap, segment: ALPHA, netns: a, ip: 10.0.0.1/24, mac: "$mac_a"}
	  pb: {type: tap, segment: ALPHA, netns: b, ip: 10.0.0.2/24, mac: "$mac_b"}
	  evil: {type: tap, segment: ALPHA, netns: evil, mac: "02:00:00:00:00:66", addresses: 10.0.0.66, mac_guard: on}
LAB
for port in pa pb evil; do port_up $port; done
ns a busybox ping -c 1 -W 2 10.0.0.2 >/dev/null || fail "no ping"

step "pings, there and back"
follow pings --next 4 icmp
ns a busybox ping -c 3 -W 2 10.0.0.2 >"$run/ping" || fail "$(cat "$run/ping")"
grep -q ' 0% packet loss' "$run/ping" || fail "$(cat "$run/ping")"
ended pings 0
grep -q '^4 of 4 frames followed$' "$run/pings.err" || fail "$(cat "$run/pings.err")"
[ "$(grep -c '^frame' "$run/pings.out")" -eq 4 ] || fail "$(cat "$run/pings.out")"
has pings '^frame 1, ..:..:......, port pa, 98 bytes$'
has pings '^frame 2, ..:..:......, port pb, 98 bytes$'
has pings '^pass +port +pa +tap pa, a frame of 98 bytes$'
has pings '^pass +look-up +pa +the address is at port pb$'
has pings '^pass +link +pb +tap pb has taken it, 98 bytes$'
has pings '^pass +link +pa +tap pa has taken it, 98 bytes$'
grep -q evil "$run/pings.out" && fail "no ping went there: $(cat "$run/pings.out")"
sed -n '/^frame 1/,/^frame 2/p' "$run/pings.out" | head -n -1

step "what a guard drops, and why"
before=$(weft drops evil -o json | jq '[.. | objects | select(.reason? == "mac-spoof") | .frames] | add // 0')
follow drops --next 2 port=evil -o json
ns evil "$attack" send evil mac >/dev/null
ended drops 0
jq -es 'length == 2 and all(.[]; .port == "evil" and .receivers == 0 and
	(.steps[-1] | .stage == "guard" and .verdict == "drop" and .reason == "mac-spoof"))' \
	"$run/drops.out" >/dev/null || fail "$(cat "$run/drops.out")"
after=$(weft drops evil -o json | jq '[.. | objects | select(.reason? == "mac-spoof") | .frames] | add // 0')
[ "$after" -gt "$before" ] || fail "mac-spoof: $before before, $after after"
jq -rs '.[0].steps[-1] | .verdict + " " + .stage + " " + .port + " " + .reason + ": " + .detail' "$run/drops.out"

step "an ARP request goes to all, and only those that are asked for are followed"
follow flood --next 1 port=pa port=pb arp and ether dst ff:ff:ff:ff:ff:ff
ns b busybox ping -c 1 -W 2 10.0.0.1 >/dev/null
ns a ip neigh flush dev pa
ns a busybox ping -c 1 -W 2 10.0.0.2 >/dev/null
ended flood 0
has flood '^pass +flood +pa +to 2 ports of the segment$'
has flood '^pass +link +evil +tap evil has taken it'

step "it ends by time, and by Ctrl-C, and says how many came"
code=0
weft trace --next 3 port=evil tcp port 9 --seconds 1 >"$run/none.out" 2>"$run/none.err" || code=$?
[ "$code" -eq 1 ] && grep -q '^0 of 3 frames followed$' "$run/none.err" || fail "$code: $(cat "$run/none.err")"
follow interrupted --next 1000 port=pa icmp
ns a busybox ping -c 1 -W 2 10.0.0.2 >/dev/null
wait_for 5 "one frame came" grep -q '^frame 1' "$run/interrupted.out"
kill -INT "$follower"
ended interrupted 1
grep -q '^1 of 1000 frames followed$' "$run/interrupted.err" || fail "$(cat "$run/interrupted.err")"
wait_for 5 "weftd has heard of it" is_free

step "one at a time; who goes makes room"
follow first --next 9 port=evil udp
refused 4 "somebody follows frames already" weft trace --next 1
kill -KILL "$follower"
wait "$follower" 2>/dev/null || true
wait_for 10 "there is room" is_free

step "by curl"
curl -sN -m 20 --unix-socket "$run/weftd.sock" http://weft/v1/traces \
	-d '{"next": 1, "ports": ["pa"], "seconds": 15, "filter": [[40,0,0,12],[21,0,1,2048],[6,0,0,262144],[6,0,0,0]]}' >"$run/curl" &
children+=($!)
wait_for 5 "frames are followed" grep -q alive "$run/curl"
ns a busybox ping -c 1 -W 2 10.0.0.2 >/dev/null
wait_for 5 "the end" grep -q '"event":"end"' "$run/curl"
jq -es 'map(select(.event != "alive")) | length == 2 and .[0].event == "frame" and .[0].bytes == 98 and
	(.[0].head | startswith("02000000000b02000000000a0800")) and .[0].receivers == 1 and
	.[1].why == "count" and .[1].seen == 1 and .[1].missed == 0' "$run/curl" >/dev/null || fail "$(cat "$run/curl")"

step "under load no frame is lost or out of order by it, and what comes too fast is counted"
ns b python3 -Bc "import socket, struct, sys
take = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88b5))
take.bind(('pb', 0))
take.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)
take.settimeout(60)
open('$run/ready', 'w').close()
for i in range(3000):
    n = struct.unpack('>I', take.recv(2048)[14:18])[0]
    if n != i: sys.exit(f'frame {n} where {i} was due')
" &
receiver=$!
children+=("$receiver")
wait_for 5 "the receiver listens" test -e "$run/ready"
mkfifo "$run/go"
ns a python3 -Bc "import socket, struct, time
send = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
send.bind(('pa', 0))
open('$run/go').readline()
begin = time.monotonic()
for i in range(3000):
    while time.monotonic() < begin + i / 20000: pass
    send.send(bytes.fromhex('02000000000b02000000000a88b5') + struct.pack('>I', i) + bytes(42))
" &
children+=($!)
exec {go}>"$run/go" # the sender is there
follow load --next 1000 port=pa ether proto 0x88b5 --seconds 5
echo >&"$go"
wait "$receiver" || fail "a frame was lost, or out of order"
ended load 1
tail -n 1 "$run/load.err"
read -r n_followed _ _ _ _ n_missed _ < <(tail -n 1 "$run/load.err")
[ $((n_followed + n_missed)) -eq 3000 ] || fail "$n_followed followed, $n_missed not, of 3000"

step "a dataplane that goes ends it"
follow gone --next 9 port=evil udp
kill -9 "$(pid_of weft-dataplane)"
ended gone 3
grep -q 'weft-dataplane ended after 0 frames' "$run/gone.err" || fail "$(cat "$run/gone.err")"
port_up pa 15
port_up pb 15

step "what is asked wrongly"
refused 2 "--next 0: say a number, 1 to 1000" weft trace --next 0
refused 2 "1 to 1000" weft trace --next 1001
refused 2 "1 to 1000" weft trace --next x
refused 2 "pcap-filter" weft trace --next 1 port=pa no such filter
refused 2 "say which" weft trace --next 1 port=
refused 4 "there is no port nobody" weft trace --next 1 port=nobody
refused 4 "twice" weft trace --next 1 port=pa port=pa
refused 2 "one of them" weft trace pa --next 1 --frame 00
refused 2 "--seconds has no meaning" weft trace pa --frame 00 --seconds 1
refused 2 "one port sends" weft trace pa pb --frame 00

accounting
daemons_stop
finish
