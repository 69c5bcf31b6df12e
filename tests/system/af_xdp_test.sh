#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#      a1    b1                          a2    b2        taps in namespaces, the same addresses
#       |     |                           |     |        in ALPHA and BETA
#     = host h1 =                       = host h2 =      ALPHA: VLAN 10, BETA: VLAN 20
#          | up0 ---------- veth ---------- up0 |
#         10.9.0.1                      10.9.0.2         the kernel's own, untagged
#
# Uplinks with driver=af_xdp: tagged frames are weft's, whatever else comes is the kernel's, on the
# same interface. What is left of a process that was killed stands in no one's way. With a VTEP only
# VXLAN is taken.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=lib/hosts.sh
. "$(dirname "$0")/lib/hosts.sh"
# shellcheck source=lib/checksums.sh
. "$(dirname "$0")/lib/checksums.sh"
# shellcheck source=lib/transfer.sh
. "$(dirname "$0")/lib/transfer.sh"

# say NAMESPACE COUNT MARK: numbered broadcast frames out of eth0.
say()
{
	ns "$1" python3 - "$@" <<-'PYTHON'
		import socket, sys
		name, count, mark = sys.argv[1:4]
		s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
		s.bind(("eth0", 0))
		head = bytes([255] * 6 + [2, 0, 0, 0, ord(name[0]), ord(name[1])]) + b"\x88\xb5"
		for i in range(int(count)):
		    s.send(head + f"{mark}-{i}-".encode().ljust(46, b"."))
	PYTHON
}

# listen NAMESPACE DEVICE: what comes there goes to NAMESPACE.cap.
listen()
{
	ip netns exec "$1" tcpdump -Q in -B 8192 -e -nn -l -A -i "$2" ether proto 0x88b5 or vlan \
		>"$run/$1.cap" 2>"$run/$1.err" &
	at_exit "kill $! 2>/dev/null"
	wait_for 5 "tcpdump listens in $1" grep -q 'listening on' "$run/$1.err"
}

# has_all NAMESPACE MARK COUNT: each number of the mark came, once. (tcpdump prints a frame that it
# does not know in hexadecimal, too.)
has_all()
{
	local marks
	marks=$(grep -v '0x[0-9a-f]*:' "$run/$1.cap" | grep -o "$2-[0-9]*-")
	[ "$(wc -l <<<"$marks")" -eq "$3" ] && [ "$(sort -u <<<"$marks" | wc -l)" -eq "$3" ]
}

has_no_program()
{
	! has_program "$1"
}

has_program()
{
	ip -n "$1" -d link show up0 | grep -q "prog/xdp.* name weft_uplink"
}

reason_has()
{
	on "$1" uplink show up0 -o json | jq -r .status.reason | grep -qF -- "$2"
}

kernel_reaches()
{
	ns h1 busybox ping -c 3 -i 0.2 -W 5 10.9.0.2 >"$run/kernel.out" 2>&1 &&
		grep -q " 0% packet loss" "$run/kernel.out"
}

ns_add h1 h2
machine a1 b1 a2 b2
ip -n h1 link add up0 type veth peer name up0 netns h2
for i in 1 2; do
	ip -n h$i link set up0 mtu 1504 up
	ip -n h$i address add 10.9.0.$i/24 dev up0
	complete_checksums h$i up0
	host_start $i --workers 0,1
	on $i segment add ALPHA vni=100 vlan=10
	on $i segment add BETA vni=200
	on $i port add a$i type=tap segment=ALPHA netns=a$i ip=10.0.0.$i/24 ifname=eth0
	on $i port add b$i type=tap segment=BETA netns=b$i ip=10.0.0.$i/24 ifname=eth0
	listen a$i eth0
	listen b$i eth0
done

step "what cannot be is refused, in one line that says what to do"
refused 4 "use queues=1, or ethtool -L up0 combined 2" \
	on 1 uplink add up0 driver=af_xdp trunk=ALPHA queues=2
refused 4 "leaves untagged frames to the kernel" \
	on 1 uplink add up0 driver=af_xdp trunk=BETA:20 native=ALPHA
ip -n h1 link set up0 mtu 9000
refused 4 "use driver=af_packet" on 1 uplink add up0 driver=af_xdp trunk=ALPHA,BETA:20
ip -n h1 link set up0 mtu 1504

step "a trunk: segments apart, and the kernel's own frames beside them"
for i in 1 2; do
	on $i uplink add up0 driver=af_xdp trunk=ALPHA,BETA:20
done
for i in 1 2; do
	link_up $i up0
	wait_for 5 "h$i has its program on up0" has_program h$i
	on $i port doctor up0
done
for segment in a b; do
	ns ${segment}1 busybox ping -c 3 -W 5 10.0.0.2
done
for i in 1 2; do
	say a$i 500 alpha-from-$i
	say b$i 500 beta-from-$i
done
for i in 1 2; do
	peer=$((3 - i))
	wait_for 10 "ALPHA of h$peer has all of h$i" has_all a$peer alpha-from-$i 500
	wait_for 10 "BETA of h$peer has all of h$i" has_all b$peer beta-from-$i 500
done
# Behind all others, and so heard after what should not be there.
for segment in a b; do
	for i in 1 2; do say $segment$i 1 last-$segment$i; done
	for i in 1 2; do
		wait_for 10 "$segment$((3 - i)) hears the last one" has_all $segment$((3 - i)) last-$segment$i 1
	done
done
if grep -h beta- "$run"/a?.cap || grep -h alpha- "$run"/b?.cap; then fail "a foreign mark"; fi
transfer 64 10.0.0.2 "in_ns a1" "in_ns a2" &
moving=$!
kernel_reaches || fail "the kernel lost frames beside ours: $(cat "$run/kernel.out")"
wait "$moving"
transfer 64 10.0.0.1 "in_ns b2" "in_ns b1"

step "another host with af_packet hears the right tags"
on 2 uplink set up0 driver=af_packet
wait_for 5 "the program goes with its uplink" has_no_program h2
wait_for 5 "frames pass again" reaches a1 10.0.0.2
listen h2 up0
say a1 1 tag-alpha
say b1 1 tag-beta
wait_for 5 "ALPHA has VLAN 10" sh -c "grep -A 9 'vlan 10,' $run/h2.cap | grep -q tag-alpha"
wait_for 5 "BETA has VLAN 20" sh -c "grep -A 9 'vlan 20,' $run/h2.cap | grep -q tag-beta"
transfer 16 10.0.0.2 "in_ns a1" "in_ns a2"
transfer 16 10.0.0.1 "in_ns a2" "in_ns a1"
on 2 uplink set up0 driver=af_xdp
wait_for 5 "frames pass again" reaches a1 10.0.0.2

step "weftd is killed under traffic"
ns a1 busybox ping -A -w 4 10.0.0.2 >"$run/ping.out" &
ping=$!
wait_for 5 "the ping passes" test -s "$run/ping.out"
for i in 1 2; do
	old=$(host_pid $i weftd)
	kill -9 "$old"
	wait_for 10 "another weftd of h$i" sh -c "[ \$(cat $run/h$i/weftd.pid) != $old ]"
	wait_for 10 "it has its dataplane" on $i status --wait=1
done
wait "$ping"
grep "packets transmitted" "$run/ping.out"
grep -q " 0% packet loss" "$run/ping.out" || fail "frames were lost"
if grep -h "made anew" "$run"/h?.log; then fail "an uplink was made anew"; fi

step "the dataplane is killed, both are: nothing of them is in the way"
for victims in weft-dataplane "weft-dataplane weftd"; do
	for victim in $victims; do
		kill -9 "$(host_pid 1 "$victim")"
	done
	wait_for 15 "frames pass again after $victims" reaches a1 10.0.0.2
	kernel_reaches || fail "the kernel lost frames: $(cat "$run/kernel.out")"
done

step "interfaces go down, go away, and come back"
ip -n h1 link set up0 down
wait_for 5 "down is said" reason_has 1 "up0 is down"
ip -n h1 link set up0 up
wait_for 5 "frames pass again" reaches a1 10.0.0.2
ip -n h1 link del up0
wait_for 10 "gone is said" reason_has 1 "does not exist"
ip -n h1 link add up0 type veth peer name up0 netns h2
for i in 1 2; do
	ip -n h$i link set up0 mtu 1504 up
	ip -n h$i address add 10.9.0.$i/24 dev up0
	complete_checksums h$i up0
done
wait_for 15 "frames pass over the new one" reaches a1 10.0.0.2

step "with a VTEP only VXLAN is taken, and its program takes the former one's place"
on 1 uplink del up0
wait_for 5 "the program goes with its uplink" has_no_program h1
on 1 uplink add under ifname=up0 vtep=10.9.0.1 driver=af_xdp
wait_for 5 "h1 has its program on up0" has_program h1
before=$(WEFT_RUN_DIR=$run/h1 counter under rx_frames)
ns h2 python3 - <<-'PYTHON'
	import socket
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	s.connect(("10.9.0.1", 4789))
	for i in range(50):
	    s.send(b"\x08\0\0\0\0\0\x64\0" + bytes(60))
PYTHON
took()
{
	[ $(($(WEFT_RUN_DIR=$run/h1 counter under rx_frames) - before)) -eq "$1" ]
}
wait_for 5 "50 frames of VXLAN are taken" took 50
kernel_reaches || fail "the kernel lost frames: $(cat "$run/kernel.out")"
on 1 uplink set under vxlan_port=8472
link_up 1 under
before=$(WEFT_RUN_DIR=$run/h1 counter under rx_frames)
ns h2 python3 - <<-'PYTHON'
	import socket
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	for port in (4789, 8472, 4789):
	    s.sendto(bytes(68), ("10.9.0.1", port))
PYTHON
wait_for 5 "of the new port alone" took 1
on 1 uplink del under

hosts_stop
finish
