#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     a (tap)         b (tap)         g (tap)        t (tap): ALPHA 10, BETA 20, GAMMA native
#        |               |               |               |  |  |
#     = ALPHA =====  = BETA ======  = GAMMA ======  =====+==+==+==
#
# Frames leave the trunk with the tag of their segment and come in by it; what hops is dropped and
# counted. The maps of a trunk change under traffic.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

# say NAMESPACE MARK [TAG...]: one broadcast frame with these VLAN ids.
say()
{
	ns "$1" python3 - "$@" <<-'PYTHON'
		import socket, sys
		name, mark, tags = sys.argv[1], sys.argv[2], sys.argv[3:]
		s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
		s.bind((name, 0))
		head = bytes([255] * 6 + [2, 0, 0, 0, 0, ord(name)])
		head += b"".join(b"\x81\x00" + int(tag).to_bytes(2, "big") for tag in tags)
		s.send(head + b"\x88\xb5" + mark.encode().ljust(46, b"."))
	PYTHON
}

# heard NAMESPACE TEXT...: its capture has each text, in one line.
heard()
{
	local line name=$1
	shift
	line=$(awk '/^[0-9:.]+ /{head=$0; next} {print head, $0}' "$run/$name.cap" | grep -F -- "$1") || return 1
	shift
	for text; do [[ $line == *$text* ]] || return 1; done
}

are_counted()
{
	[ "$(dropped t vlan)" -eq 1 ] && [ "$(dropped a tagged)" -eq 2 ]
}

listen()
{
	ip netns exec "$1" tcpdump -Q in -e -nn -l -A -i "$1" ether proto 0x88b5 or vlan \
		>"$run/$1.cap" 2>"$run/$1.err" &
	wait_for 5 "tcpdump listens in $1" grep -q 'listening on' "$run/$1.err"
}

ns_add a b g t
daemons_start
weft segment add ALPHA vni=100 vlan=10
weft segment add BETA vni=200
weft segment add GAMMA vni=300
weft port add a type=tap segment=ALPHA netns=a
weft port add b type=tap segment=BETA netns=b
weft port add g type=tap segment=GAMMA netns=g
weft port add t type=tap trunk=ALPHA,BETA:20 native=GAMMA netns=t
for port in a b g t; do port_up $port; listen $port; done

step "out: each segment with its tag, the native one without"
say a from-a
say b from-b
say g from-g
wait_for 5 "ALPHA leaves as VLAN 10" heard t from-a "vlan 10,"
wait_for 5 "BETA leaves as VLAN 20" heard t from-b "vlan 20,"
wait_for 5 "GAMMA leaves" heard t from-g
if heard t from-g vlan; then fail "the native segment has a tag"; fi

step "in: by the tag, without it"
say t to-a 10
say t to-b 20
say t to-g
say t prio-g 0
wait_for 5 "VLAN 10 is ALPHA" heard a to-a
wait_for 5 "VLAN 20 is BETA" heard b to-b
wait_for 5 "no tag is GAMMA" heard g to-g
wait_for 5 "VLAN 0 is GAMMA" heard g prio-g

step "nothing hops"
say t hop-30 30
say t hop-two 10 20
say a hop-access 20
say a hop-access-two 10 20
wait_for 5 "each is counted" are_counted
[ "$(dropped t tagged)" -eq 1 ] || fail "t: $(weft drops t)"
# Behind all that may have hopped.
say t last-a 10
say t last-b 20
say t last-g
say a last-t
for name in a b g t; do wait_for 5 "$name hears the last one" heard $name last-$name; done
if cat "$run"/?.cap | grep hop-; then fail "a frame has hopped"; fi

step "another map, under traffic"
weft port set t trunk=ALPHA:11 native=BETA
before=$(counter g tx_frames)
say a again-a
say t again-b
wait_for 5 "ALPHA leaves as VLAN 11" heard t again-a "vlan 11,"
wait_for 5 "no tag is BETA" heard b again-b
[ "$(counter g tx_frames)" -eq "$before" ] || fail "the trunk is still in GAMMA"
accounting
finish
