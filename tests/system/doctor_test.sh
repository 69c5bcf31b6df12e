#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     front-end ---- vhost-user web0 --+== ALPHA ==+-- tap c1 ---- namespace c1
#
# What keeps frames from a port is made to happen, one thing after the other: weft port doctor names
# it and what to do, the exit code follows, and done as it says the port is well again.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

# finds CODE RESULT CHECK TEXT PORT: the examination ends with CODE and has such a line.
finds()
{
	local code=0
	weft port doctor "$5" >"$run/doctor" || code=$?
	[ "$code" -eq "$1" ] || fail "weft port doctor $5: exit code $code instead of $1: $(cat "$run/doctor")"
	grep -E "^$2 +$3 " "$run/doctor" | grep -qF -- "$4" ||
		fail "weft port doctor $5 has no line '$2 $3 ... $4': $(cat "$run/doctor")"
	grep -E "^$2 +$3 " "$run/doctor"
}

# The shell command behind the last "fix: ".
fix()
{
	sed -n 's/^ *fix: //p' "$run/doctor" | tail -n 1
}

ns_add c1
daemons_start
weft segment add ALPHA vni=100
weft port add web0 type=vhost-user segment=ALPHA
weft port add c1 type=tap segment=ALPHA netns=c1 ip=10.0.1.1/24
port_up c1

step "a tap"
finds 0 ok device "c1 in namespace c1 is up" c1
finds 0 ok mtu "1500, as in segment ALPHA" c1
ip -n c1 link set c1 mtu 1400
finds 0 warn mtu "c1 has 1400, segment ALPHA 1500" c1
eval "$(fix)"
finds 0 ok mtu 1500 c1
ip -n c1 link set c1 down
finds 1 fail device "is down" c1
eval "$(fix)"
finds 0 ok device "is up" c1
weft port set c1 state=blocked
finds 1 fail state "other than active" c1
eval "$(fix)"
finds 0 ok device "is up" c1
ip netns del c1
wait_for 10 "the port notices" port_is c1 broken
finds 1 fail "(made|namespace|device)" "c1" c1
ns_add c1
port_up c1 15
finds 0 ok device "is up" c1

step "a guest's port"
finds 1 ok socket "vhost/web0.sock, 0660" web0
finds 1 fail connected "no front-end has connected" web0
"$build/tests/lib/weft-frontend" --socket "$run/vhost/web0.sock" --count 1 --within 60000 receive >/dev/null &
frontend=$!
port_up web0
finds 0 ok connected "1 time so far" web0
finds 0 ok memory "no huge pages" web0
finds 0 ok queues "1 of 1 pairs run" web0
finds 0 ok offloads "checksum and TSO" web0
weft port doctor web0 -o json | jq -e '.healthy and (.checks | length > 5)' >/dev/null ||
	fail "the answer as JSON: $(weft port doctor web0 -o json)"
kill "$frontend"
wait "$frontend" || true
wait_for 5 "the front-end is gone" port_is web0 down
"$build/tests/lib/weft-frontend" --plain --socket "$run/vhost/web0.sock" --count 1 --within 60000 receive >/dev/null &
frontend=$!
port_up web0
finds 0 warn offloads "no checksums, no TSO, no merged buffers" web0
kill "$frontend"
wait "$frontend" || true
wait_for 5 "the front-end is gone" port_is web0 down
rm "$run/vhost/web0.sock"
finds 1 fail socket "someone removed it" web0

step "a port of which QEMU makes the socket"
weft port add db0 type=vhost-user segment=ALPHA mode=client "socket=$run/db0.sock"
finds 1 fail socket "is not there" db0

step "no dataplane, no port"
refused 4 "there is no port nobody" weft port doctor nobody
weft port del web0 # its socket is gone
kill -STOP "$supervisor"
kill -9 "$(pid_of weft-dataplane)"
wait_for 5 "weftd notices" sh -c "! '$build/cli/weft' status >/dev/null"
finds 1 fail dataplane "is not connected" c1
kill -CONT "$supervisor"
port_up c1 15
finds 0 ok dataplane "connected" c1
finish
