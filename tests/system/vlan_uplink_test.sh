#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#      a1    b1                          a2    b2        taps in namespaces, the same addresses
#       |     |                           |     |        in ALPHA and BETA
#     = host h1 =                       = host h2 =      ALPHA: VLAN 10, BETA: VLAN 20
#          | up0 ---------- veth ---------- up0 |
#
# The uplinks carry both segments apart, with the right tags, whole TCP segments, and a guest's own
# tags where allowed. weftd killed under traffic loses nothing; interfaces go and come back. With a
# VTEP the kernel keeps silent on its port.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=lib/hosts.sh
. "$(dirname "$0")/lib/hosts.sh"
# shellcheck source=lib/transfer.sh
. "$(dirname "$0")/lib/transfer.sh"

# say NAMESPACE DEVICE COUNT MARK [TAG...]: broadcast frames with these VLAN ids, marked and numbered.
say()
{
	ns "$1" python3 - "$@" <<-'PYTHON'
		import socket, sys
		name, device, count, mark, tags = *sys.argv[1:5], sys.argv[5:]
		s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
		s.bind((device, 0))
		head = bytes([255] * 6 + [2, 0, 0, 0, ord(name[0]), ord(name[1])])
		head += b"".join(b"\x81\x00" + int(tag).to_bytes(2, "big") for tag in tags)
		for i in range(int(count)):
		    s.send(head + b"\x88\xb5" + f"{mark}-{i}-".encode().ljust(46, b"."))
	PYTHON
}

# listen NAMESPACE DEVICE: what comes there goes to NAMESPACE.cap.
listen()
{
	ip netns exec "$1" tcpdump -Q in -B 8192 -e -nn -l -A -i "$2" ether proto 0x88b5 or vlan \
		>"$run/$1.cap" 2>"$run/$1.err" &
	wait_for 5 "tcpdump listens in $1" grep -q 'listening on' "$run/$1.err"
}

# heard NAMESPACE MARK TEXT...: its capture has a frame with the mark and these texts in its headers.
heard()
{
	local line name=$1 text
	line=$(awk -v mark="$2" '/^[0-9:.]+ /{head=$0; next} index($0, mark) {print head, $0; exit}' "$run/$name.cap")
	[ -n "$line" ] || return 1
	shift 2
	for text; do [[ $line == *$text* ]] || return 1; done
}

# has_all NAMESPACE MARK COUNT: each number of the mark came, once. (tcpdump prints a frame that it
# does not know in hexadecimal, too.)
has_all()
{
	local marks
	marks=$(grep -v '0x[0-9a-f]*:' "$run/$1.cap" | grep -o "$2-[0-9]*-")
	[ "$(wc -l <<<"$marks")" -eq "$3" ] && [ "$(sort -u <<<"$marks" | wc -l)" -eq "$3" ]
}

reason_has()
{
	on "$1" uplink show up0 -o json | jq -r .status.reason | grep -qF -- "$2"
}

is_dropped()
{
	[ "$(lost "$@")" -eq 1 ]
}

ns_add h1 h2 a1 b1 a2 b2
veth_up()
{
	ip -n h1 link add up0 type veth peer name up0 netns h2
	ip -n h1 link set up0 mtu 1504 up
	ip -n h2 link set up0 mtu 1504 up
}
veth_up
for i in 1 2; do
	host_start $i --workers 0,1
	on $i segment add ALPHA vni=100 vlan=10
	on $i segment add BETA vni=200
	on $i port add a$i type=tap segment=ALPHA netns=a$i ip=10.0.0.$i/24 ifname=eth0
	on $i port add b$i type=tap segment=BETA netns=b$i ip=10.0.0.$i/24 ifname=eth0
done

step "what cannot be is refused, in one line that says what to do"
refused 4 "interface up9 does not exist" on 1 uplink add up9 trunk=ALPHA
refused 4 "ip address add 10.9.0.1/24 dev up0" on 1 uplink add up0 vtep=10.9.0.1
refused 4 "not the address of a host" on 1 uplink add up0 vtep=224.0.0.1
refused 4 "segment is missing" on 1 uplink add up0
refused 4 "leave out this or vtep" on 1 uplink add up0 vtep=10.9.0.1 trunk=ALPHA
refused 4 "a1 is no uplink" on 1 uplink del a1

step "two hosts, two segments, one wire"
on 1 uplink add up0 trunk=ALPHA,BETA:20
on 2 uplink add wire ifname=up0 trunk=ALPHA,BETA:20
refused 4 "is that of uplink up0" on 1 uplink add up1 ifname=up0 trunk=ALPHA
on 2 uplink del wire
on 2 uplink add up0 trunk=ALPHA,BETA:20 queues=2
on 1 uplink list
for i in 1 2; do
	link_up $i up0
	on $i port doctor up0
	listen a$i eth0
	listen b$i eth0
	listen h$i up0
done
for segment in a b; do
	ns ${segment}1 busybox ping -c 3 -W 5 10.0.0.2
done

step "marked frames: each arrives in its segment once, with its tag on the wire, and in no other"
for i in 1 2; do
	say a$i eth0 200 alpha-from-$i
	say b$i eth0 200 beta-from-$i
done
for i in 1 2; do
	peer=$((3 - i))
	wait_for 10 "ALPHA of h$peer has all of h$i" has_all a$peer alpha-from-$i 200
	wait_for 10 "BETA of h$peer has all of h$i" has_all b$peer beta-from-$i 200
	wait_for 10 "ALPHA has VLAN 10 on the wire" heard h$peer alpha-from-$i "vlan 10,"
	wait_for 10 "BETA has VLAN 20 on the wire" heard h$peer beta-from-$i "vlan 20,"
done
# mark_all MARK: every machine has heard a frame of its own segment that came behind all others.
mark_all()
{
	local i segment
	for segment in a b; do
		for i in 1 2; do say $segment$i eth0 1 "$1-$segment$i"; done
		for i in 1 2; do
			wait_for 5 "$segment$((3 - i)) hears the last one" heard $segment$((3 - i)) "$1-$segment$i"
		done
	done
}
mark_all last
if grep -h beta- "$run"/a?.cap || grep -h alpha- "$run"/b?.cap; then fail "a foreign mark"; fi

step "TCP, in whole segments"
transfer 64 10.0.0.2 "in_ns a1" "in_ns a2"
transfer 64 10.0.0.1 "in_ns b2" "in_ns b1"
gso=$(WEFT_RUN_DIR=$run/h2 counter up0 rx_gso_frames)
[ "$gso" -gt 100 ] || fail "only $gso large frames came whole"

step "a guest's own tags: dropped, or payload where both ends allow it"
say a1 eth0 1 inner-no 7
wait_for 5 "it is counted" is_dropped 1 a1 tagged
for i in 1 2; do
	on $i uplink set up0 qinq=on
	on $i port set a$i qinq=on
done
say a1 eth0 1 inner-yes 7
wait_for 5 "the inner tag arrives" heard a2 inner-yes "vlan 7,"
wait_for 5 "the wire has both" heard h2 inner-yes "vlan 10," "vlan 7,"
mark_all tagged
if cat "$run"/[ab]?.cap | grep inner-no; then fail "a tag has passed"; fi
if cat "$run"/b?.cap | grep inner-; then fail "a tag has hopped"; fi

step "weftd is killed on both hosts under traffic"
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
if grep -q duplicates "$run/ping.out"; then fail "frames came twice"; fi
if grep -h "made anew" "$run"/h?.log; then fail "an uplink was made anew"; fi

step "interfaces go down, go away, and come back"
ip -n h1 link set up0 down
wait_for 5 "down is said" reason_has 1 "up0 is down"
wait_for 5 "no carrier is said" reason_has 2 "no carrier"
if on 1 port doctor up0; then fail "the doctor finds nothing"; fi
ip -n h1 link set up0 up
wait_for 5 "frames pass again" reaches a1 10.0.0.2
ip -n h1 link del up0
wait_for 10 "gone is said" reason_has 1 "does not exist"
veth_up
wait_for 10 "frames pass over the new one" reaches a1 10.0.0.2

step "with a VTEP the kernel keeps silent on the port, with weftd and without"
ip -n h1 address add 10.9.0.1/24 dev up0
ip -n h2 address add 10.9.0.2/24 dev up0
ping_port()
{
	ns h2 python3 - <<-'PYTHON'
		import socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.connect(("10.9.0.1", 4789))
		s.settimeout(0.5)
		try:
		    s.send(b"x"); s.recv(1)
		except socket.timeout:
		    sys.exit(0)
		except ConnectionRefusedError:
		    sys.exit(1)
	PYTHON
}
answers_port() { ! ping_port; }
wait_for 5 "nobody holds the port, and the kernel says so" answers_port
on 1 uplink del up0
on 1 uplink add under ifname=up0 vtep=10.9.0.1
on 1 port doctor under
refused 4 "is taken by port under" on 1 uplink add other ifname=up0 vtep=10.9.0.1
wait_for 5 "silence" ping_port
kill -9 "$(host_pid 1 weftd)"
ping_port || fail "the kernel answers while weftd is away"
wait_for 10 "weftd is back" on 1 status --wait=1
on 1 uplink set under queues=2
ping_port || fail "the kernel answers after a replace"
on 1 uplink del under
wait_for 5 "nobody holds the port after its uplink is gone" answers_port

for pid in $(jobs -p -r); do
	[[ " ${hosts[*]} " == *":$pid "* ]] || kill "$pid"
done
hosts_stop
finish
