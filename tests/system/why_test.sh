#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     namespace a   namespace b   namespace evil     weft-frontend      namespace far
#     10.0.0.1      10.0.0.2      10.0.0.66              |              10.9.0.2, a VTEP
#        |             |             |                   |                   |
#     == pa ========== pb ========= evil ======= ALPHA = g0 ====== u0 ======= h2 (peer)
#
# A table of misconfigurations: each is made, weft why must name it as the cause, with exit code 1, and
# when it is undone must find nothing. Then what it says where nothing is wrong: that is proved by pings.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

attack=$top/tests/system/attack.py
mac_a=02:00:00:00:00:0a mac_b=02:00:00:00:00:0b mac_far=02:00:00:00:00:fa
n_rows=0

# names CAUSE WORDS FROM TO [size=N]: weft why says so
names()
{
	local cause=$1 words=$2 code=0
	shift 2
	weft why "$@" -o json >"$run/why.json" 2>"$run/why.err" || code=$?
	[ "$code" -eq 1 ] && jq -e --arg cause "$cause" --arg words "$words" \
		'(.cause | test("^(" + $cause + ")$")) and (.verdict | contains($words)) and .blocked' \
		"$run/why.json" >/dev/null
}

reaches()
{
	weft why "$@" >/dev/null
}

# row 'WHAT' CAUSE 'WORDS' 'FROM TO' 'SEED' ['UNDO']: cause is a pattern; seed and undo are shell lines
row()
{
	local what=$1 cause=$2 words=$3 ends=$4
	eval "$5" >/dev/null
	# shellcheck disable=SC2086 # two words or three
	holds_within 30 names "$cause" "$words" $ends ||
		fail "$what: weft why $ends does not name $cause: $(cat "$run/why.err") $(weft why $ends)"
	n_rows=$((n_rows + 1))
	printf '%2d  %-44s %-16s %.100s\n' "$n_rows" "$what" "$(jq -r .cause "$run/why.json")" \
		"$(jq -r .verdict "$run/why.json")"
	eval "${6:-:}" >/dev/null
}

# The port evil as new: its counters begin at nothing. fresh [KEY=VALUE]...
fresh()
{
	weft port del evil >/dev/null 2>&1 || true
	weft port add evil type=tap netns=evil mac=02:00:00:00:00:66 addresses=10.0.0.66,fd00::66 \
		"${@:-segment=ALPHA}" >/dev/null
	port_up evil
}

# VXLAN from the far host: a frame of a machine there to all: outer VNI
outer()
{
	ns far python3 -Bc "import socket
inner = bytes.fromhex('ffffffffffff' + '$mac_far'.replace(':', '') + '88b5') + b'WEFT' * 12
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(5): out.sendto(bytes([8, 0, 0, 0]) + ($1 << 8).to_bytes(4, 'big') + inner, ('10.9.0.1', 4789))"
}

# Broadcasts of EVIL through the port evil with these tags, hex
tagged()
{
	ns evil python3 -Bc "import socket
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind(('evil', 0))
for i in range(20): out.send(bytes.fromhex('ffffffffffff' + '020000000066' + '$1' + '88b5') + b'WEFT' * 12)"
}

# A guest that is half there: half_guest start [memory] | stop
half_guest()
{
	if [ "$1" = start ]; then
		mkfifo "$run/half.in"
		"$top/tests/system/half_guest.py" "$run/vhost/g1.sock" ${2:+"$2"} <"$run/half.in" &
		half=$!
		exec {half_in}>"$run/half.in"
	else
		exec {half_in}>&-
		wait "$half"
		rm "$run/half.in"
	fi
}

# Frames to b as fast as they go, until they are stopped: load_start NAMESPACE DEVICE MAC
loads=()
load_start()
{
	ip netns exec "$1" python3 -c "import socket, time
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind(('$2', 0))
frame = bytes.fromhex('$mac_b$3'.replace(':', '') + '88b5') + bytes(1386)
end = time.monotonic() + 120
while time.monotonic() < end:
    try: out.send(frame)
    except OSError: pass" &
	loads+=("$!")
}

load_stop()
{
	kill "${loads[@]}"
	wait "${loads[@]}" 2>/dev/null || true
}

ns_add a b evil far
ip link add u0 type veth peer name u0 netns far
ip addr add 10.9.0.1/24 dev u0
ip link set u0 up
ip -n far addr add 10.9.0.2/24 dev u0
ip -n far addr add 10.9.0.3/24 dev u0
ip -n far link set u0 up
daemons_start
weft apply -f - >/dev/null <<-LAB
	segments: {ALPHA: {vni: 100, mtu: 1400}, BETA: {vni: 200, mtu: 1400}}
	ports:
	  pa: {type: tap, segment: ALPHA, netns: a, ip: 10.0.0.1/24, mac: "$mac_a"}
	  pb: {type: tap, segment: ALPHA, netns: b, ip: 10.0.0.2/24, mac: "$mac_b", vm: db}
	  g0: {type: vhost-user, segment: ALPHA}
	  u0: {type: uplink, vtep: 10.9.0.1}
	  h2: {type: peer, vtep: 10.9.0.2, macs: "$mac_far"}
LAB
for port in pa pb u0 h2; do port_up $port; done
"$build/tests/lib/weft-frontend" --socket "$run/vhost/g0.sock" --count 1000000 --within 600000 receive >/dev/null 2>&1 &
frontend=$!
port_up g0
fresh

step "nothing is wrong, and a ping proves it"
for ends in "pa pb" "db 10.0.0.1" "$mac_a $mac_b" "10.0.0.1@pa evil" "pa h2" "pa $mac_far"; do
	# shellcheck disable=SC2086 # two words
	weft why $ends >"$run/why" || fail "weft why $ends: $(cat "$run/why")"
	printf '%-40s %s\n' "$ends" "$(tail -n 1 "$run/why")"
done
ns a busybox ping -c 1 -W 2 10.0.0.2 >/dev/null || fail "no ping"
was_heard() { weft why pa pb | grep -q "has been heard there"; }
wait_for 5 "it was heard" was_heard

step "what blocks"
row "wrong segment" segment "pa is in segment ALPHA, pb in BETA" "pa pb" \
	"weft port set pb segment=BETA" "weft port set pb segment=ALPHA"
row "in no segment: an uplink of tunnels" segment "u0 is in no segment" "pa u0" ":"
row "peer has another segment" segment "h2 in BETA" "pa h2" \
	"weft peer set h2 segments=BETA" "weft peer set h2 segments="
row "state blocked" state "pb: its state is blocked" "pa pb" \
	"weft port set pb state=blocked" "weft port set pb state="
row "state standby, of the sender" state "pa: its state is standby" "pa pb" \
	"weft port set pa state=standby" "weft port set pa state="
row "state draining" state "draining" "pa pb" \
	"weft port set pb state=draining" "weft port set pb state="
row "device down" device "ip -n b link set pb up" "pa pb" \
	"ip -n b link set pb down" "ip -n b link set pb up"
row "namespace deleted" "namespace|device|made" "evil" "pa evil" \
	"ip netns del evil" "ns_add evil; port_up evil 15"
row "both isolated" isolated "isolated=off" "pa pb" \
	"weft port set pa isolated=on; weft port set pb isolated=on" \
	"weft port set pa isolated=; weft port set pb isolated="
row "broadcast off" no-broadcast "broadcast=flood" "pa pb" \
	"weft segment set ALPHA broadcast=drop" "weft segment set ALPHA broadcast="
row "unknown unicast off" unknown-unicast "unknown=flood" "pa 02:00:00:00:00:77@pb" \
	"weft segment set ALPHA unknown=drop"
row "MAC limit" mac-limit "max_macs" "pa 02:00:00:00:00:77@pb" \
	"weft port set pb max_macs=1; ns b busybox ping -c 1 -W 2 10.0.0.1" \
	"weft port set pb max_macs=; weft segment set ALPHA unknown="
row "guard: MAC" mac-spoof "mac_guard=off" "02:00:00:00:00:77@evil pb" \
	"weft port set evil mac_guard=on" "weft port set evil mac_guard="
row "guard: IP" ip-spoof "ip_guard=off" "10.0.0.99@evil pb" \
	"weft port set evil ip_guard=on" "weft port set evil ip_guard="
row "guard: ARP" arp-spoof "arp_guard=off" "10.0.0.99@evil pb" \
	"weft port set evil arp_guard=on" "weft port set evil arp_guard="
row "guard: DHCP" rogue-dhcp "dhcp_server=on" "evil pb" \
	"fresh segment=ALPHA dhcp_guard=on; ns evil $attack send evil dhcp"
row "guard: router advertisements" rogue-ra "router=on" "evil pb" \
	"fresh segment=ALPHA ra_guard=on; ns evil $attack send evil ra"
row "guard: neighbour discovery" nd-spoof "arp_guard=off" "evil pb" \
	"fresh segment=ALPHA arp_guard=on; ns evil $attack send evil nd"
row "guard: hidden headers" unreadable "guard=off" "evil pb" \
	"fresh segment=ALPHA guard=on; ns evil $attack send evil hidden"
row "guard: a nested machine's MAC" mac-spoof "nested guests" "evil pb" \
	"fresh segment=ALPHA mac_guard=on; ns evil $attack send evil mac"
row "tag on an access port" tagged "remove the VLAN" "evil pb" "fresh; tagged 81000014"
row "VLAN not on the trunk" vlan "trunk" "evil pb" "fresh trunk=ALPHA:10; tagged 81000014"
row "second tag, without qinq" tagged "qinq=on" "evil pb" "fresh trunk=ALPHA:10; tagged 8100000a81000014"
row "larger than the segment's MTU" too-big "MTU of 1400" "pa pb size=9000" "fresh"
row "larger than the tunnel carries" too-big "a packet of 1480 bytes from pa to h2" "pa $mac_far" \
	"weft segment set ALPHA mtu=1480" "weft segment set ALPHA mtu=1400"
row "storm limit of the port" storm-broadcast "broadcast_pps" "evil pb" \
	"fresh segment=ALPHA broadcast_pps=1; ns evil $attack storm evil broadcast 500"
row "storm limit of the segment" storm-segment "segment" "evil pb" \
	"fresh; weft segment set ALPHA broadcast_pps=1; ns evil $attack storm evil broadcast 500" \
	"weft segment set ALPHA broadcast_pps=; fresh"
row "static MAC elsewhere" mac-static "is static at port evil" "pa pb" \
	"weft port set evil macs=$mac_b" "weft port set evil macs="
row "MAC learned elsewhere" mac-elsewhere "last heard at port evil" "pa pb" \
	"ns evil python3 -c \"import socket; o = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); o.bind(('evil', 0)); o.send(bytes.fromhex('ffffffffffff' + '$mac_b'.replace(':', '') + '88b5') + bytes(46))\"" \
	"fresh; ns b busybox ping -c 1 -W 2 10.0.0.1"
row "same port" same-port "both are behind port pa" "02:00:00:00:00:71@pa $mac_a" ":"
row "unknown VM" unknown "nobody knows nobody" "pa nobody" ":"
row "unknown MAC" unknown "nobody knows 02:00:00:00:00:99" "pa 02:00:00:00:00:99" ":"
row "unknown IP" unknown "nobody knows 10.0.0.99" "10.0.0.99 pa" ":"
row "unknown port" unknown "there is no such port" "pa 10.0.0.9@nowhere" ":"

step "guests"
row "guest not told of a small MTU" mtu "host_mtu=1400" "pa g0" ":"
weft port add g1 type=vhost-user segment=ALPHA >/dev/null
row "unconnected guest" connected "weft port qemu-args g1" "pa g1" ":"
row "guest without shared memory" memory "share=on" "pa g1" "half_guest start" "half_guest stop"
row "queue of the guest not enabled" queues "ip link set" "pa g1" "half_guest start memory" "half_guest stop"
row "socket removed" socket "g1.sock is gone" "pa g1" "rm $run/vhost/g1.sock" "weft port del g1"
row "QEMU's socket missing" socket "is not there" "pa g2" \
	"weft port add g2 type=vhost-user segment=ALPHA mode=client socket=$run/g2.sock" "weft port del g2"

step "other hosts"
row "next hop does not answer" way "h2" "pa h2" "ip -n far addr del 10.9.0.2/24 dev u0; ip neigh flush dev u0 || true" \
	"ip -n far addr add 10.9.0.2/24 dev u0; ip neigh flush dev u0 || true; port_up h2 15"
row "no route to the peer" way "h9" "pa h9" "weft peer add h9 vtep=10.77.0.1" "weft peer del h9"
row "both behind peers" tunnel-loop "both are behind peers" "h2 h3" "weft peer add h3 vtep=10.9.0.3" "weft peer del h3"
row "uplink down" way "" "pa h2" "ip link set u0 down" "ip link set u0 up; port_up h2 15"
row "missing peer" tunnel-peer "weft peer add" "pa 02:00:00:00:00:fb" \
	"weft peer set h2 vtep=10.9.0.3; outer 100" "weft peer set h2 vtep=10.9.0.2; port_up h2 15"
row "VNI that is not the peer's" tunnel-vni "same VNI" "pa 02:00:00:00:00:fb" \
	"weft port del h2; weft port del u0; weft uplink add u0 vtep=10.9.0.1; weft peer add h2 vtep=10.9.0.2 segments=BETA; port_up h2; outer 100" \
	"weft peer set h2 segments="

step "channels"
load_start a pa "$mac_a"
load_start evil evil 02:00:00:00:00:66
row "channel at its ceiling" channel-ceiling "ceiling" "pa pb" \
	"weft channel add slow tx.ceil=2M; weft channel assign slow port=pa" \
	"weft channel unassign port=pa; weft channel del slow"
row "receiver's channel at its ceiling" channel-ceiling "ceiling" "pa pb" \
	"weft channel add slow rx.ceil=2M; weft channel assign slow port=pb" \
	"weft channel unassign port=pb; weft channel del slow"
row "pool full" pool-full "pool" "pa pb" \
	"weft pool add wan capacity=2M; for name in thin thick; do weft channel add \$name pool=wan tx.rate=500k; done; weft channel set thick tx.rate=1500k; weft channel assign thin port=pa; weft channel assign thick port=evil" \
	"for name in pa evil; do weft channel unassign port=\$name; done; weft channel del thin; weft channel del thick; weft pool del wan"
load_stop

step "what has ended is not the cause"
row "tags, again" tagged "in the last" "evil pb" "fresh; tagged 81000014"
# What weftd that is started again finds was counted before.
weftd=$(pid_of weftd)
kill -9 "$weftd"
wait_for 10 "another weftd" eval '[ "$(pid_of weftd)" != "$weftd" ] && connected'
wait_for 10 "weft why evil pb finds nothing" reaches evil pb
weft why evil pb | grep -q "evil: 20 frames were dropped there, none in the last [0-9]* s" ||
	fail "it is told with its age: $(weft why evil pb)"
weft why evil pb | tail -n 1

step "the rest"
row "no dataplane" dataplane "weft-dataplane" "pa pb" "kill -STOP $supervisor; kill -9 \$(pid_of weft-dataplane)" \
	"kill -CONT $supervisor; port_up pa 15; port_up pb 15"
wait "$frontend" || true
wait_for 10 "all is well again" reaches pa pb
[ "$n_rows" -ge 30 ] || fail "only $n_rows rows"

step "what is asked wrongly"
refused 2 "size=BYTES" weft why pa pb large
refused 4 "68 to 9216" weft why pa pb size=1
refused 2 "something is missing" weft why pa
refused 2 "one of them" weft trace pa
refused 4 "pairs of hex digits" weft trace pa --frame xyz
refused 4 "pairs of hex digits" weft trace pa --frame ''
refused 4 "there is no port nobody" weft trace nobody --frame 00
refused 4 "trace what its uplink gets" weft trace h2 --frame 00
refused 4 "No such file" weft trace pa --pcap "$run/nothing.pcap"
echo "no capture" >"$run/bad.pcap"
refused 4 "bad.pcap" weft trace pa --pcap "$run/bad.pcap"

step "$n_rows causes named"
accounting
daemons_stop
ip link del u0
finish
