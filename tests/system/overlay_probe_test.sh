#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# weft overlay test, and what it says of ways that are not what they should be.
#
#          a1                a2
#           |                 |
#     [==== h1 ====]   [==== h2 ====]   k3: VXLAN of the kernel, k5: none
#        u0 |             u0 |            u0 |
#     ======+================+===============+=====  bridge; port p2 is made narrow

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=lib/hosts.sh
. "$(dirname "$0")/lib/hosts.sh"
# shellcheck source=lib/wire.sh
. "$(dirname "$0")/lib/wire.sh"

lab()
{
	local number=$1 prefix=$2 other=$((3 - $1))
	echo "segments: {ALPHA: {vni: 100}}"
	echo "ports:"
	echo "  up: {type: uplink, ifname: u0, vtep: '$prefix$number'}"
	echo "  a$number: {type: tap, segment: ALPHA, netns: a$number, ip: 10.0.1.$number/24}"
	echo "peers:"
	echo "  h$other: {vtep: '$prefix$other'}"
}

# tested CODE HOST PEER: the verdict is in $run/verdict
tested()
{
	local code=0
	on "$2" overlay test "$3" >"$run/verdict" || code=$?
	cat "$run/verdict"
	[ "$code" -eq "$1" ] || fail "exit code $code instead of $1"
}

# says RESULT CHECK WORDS
says()
{
	grep -E "^$1 +$2 " "$run/verdict" | grep -qF -- "$3" || fail "no line '$1 $2 ... $3'"
}

machine a1 a2
for i in 1 2; do
	underlay_join $i h$i
	host_start $i
done
underlay_join 3 k3
ip -n k3 link add vx3 type vxlan id 100 local 10.9.0.3 dstport 4789 dev u0
ip -n k3 link set vx3 up

for prefix in 10.9.0. fd09::; do
	step "a way that is as it should be, $prefix"
	for i in 1 2; do
		lab $i $prefix >"$run/lab$i.yaml"
		on $i apply -f "$run/lab$i.yaml"
	done
	link_up 1 up h2 a1
	link_up 2 up h1 a2
	tested 0 1 h2
	says ok reach "128 of 128"
	says ok path-mtu "packets of 1500 bytes pass, segments need 1500"
	says ok loss "0 of 128"
	says ok entropy "all of 64 source ports"
	says ok checksum "verified"
	[ $prefix != 10.9.0. ] || says ok checksum "64 with outer checksum verified, and as good without"
	says ok delay "median"
	on 1 overlay test
	on 1 overlay test -o json | jq -e '.tests[0] | .healthy and .peer == "h2"'
done

step "no machine hears of it"
capture a2 a2 a2 ether proto 0x88b5 or ether proto 0x88b6
tested 0 1 h2
shout a1 a1 behind-the-probes
wait_for 5 "the capture has what came before" has_heard a2 behind-the-probes
capture_end a2
[ "$(tcpdump -r "$run/a2.pcap" ether proto 0x88b6 2>/dev/null | wc -l)" -eq 0 ] || fail "a2 heard probes"
answered=$(lost 2 up answered)
[ "$answered" -ge 128 ] || fail "h2 has answered $answered"

step "1400 bytes in the middle"
# A bridge lets pass what a VLAN tag makes longer: 4 bytes more than its port's MTU.
ip -n core link set p2 mtu 1396
tested 1 1 h2
says fail path-mtu "packets of 1400 bytes pass, not more: segments need 1500"
grep -q "fix: raise the MTU on the way to 1500, or weft segment set NAME mtu=1330" "$run/verdict" ||
	fail "the fix"
says ok loss "0 of 128"
on 1 segment set ALPHA mtu=1330
tested 0 1 h2
ip -n core link set p2 mtu 1500
on 1 segment set ALPHA mtu=

step "curl, while weftd does other things"
socket=$run/h1/weftd.sock
curl -sS --unix-socket "$socket" -X POST http://weft/v1/ports/h2/test >"$run/answer" &
asking=$!
curl -sSf --unix-socket "$socket" http://weft/v1/status | jq -e .dataplane.connected
wait $asking
jq -e '.healthy and (.checks | length == 6)' "$run/answer"
code=$(curl -sS -o "$run/answer" -w '%{http_code}' --unix-socket "$socket" -X POST http://weft/v1/ports/a1/test)
[ "$code" = 409 ] || fail "a tap was tested: $code"

step "a client that hangs up, five times"
for i in 1 2 3 4 5; do
	curl -sS -m 0.1 --unix-socket "$socket" -X POST http://weft/v1/ports/h2/test && fail "it has ended"
done
tested 0 1 h2

step "who is no weft, and who is not there"
lab 1 10.9.0. | sed '$a\  k3: {vtep: 10.9.0.3}\n  h4: {vtep: 10.9.0.4}' >"$run/lab1.yaml"
on 1 apply -f "$run/lab1.yaml"
link_up 1 k3
tested 1 1 k3
says fail reach "the peer is no weft"
tested 1 1 h4
says fail way "no neighbour on u0 answers"

step "a host that runs nothing"
underlay_join 5 k5
on 1 port add k5 type=peer vtep=10.9.0.5
link_up 1 k5
tested 1 1 k5
says fail reach "nobody takes UDP port 4789"

step "a host that does not know this one"
lab 2 10.9.0. >"$run/lab2.yaml"
on 2 apply -f "$run/lab2.yaml"
link_up 1 h2
link_up 2 h1
tested 0 1 h2
on 2 port del h1
tested 1 1 h2
says fail reach "no answer"

step "a peer that is blocked there"
on 2 apply -f "$run/lab2.yaml"
link_up 2 h1
on 2 port set h1 state=blocked
tested 1 1 h2
says fail reach "no answer"

hosts_stop
finish
