# shellcheck shell=bash disable=SC2154 # run: set by lib/common.sh
# SPDX-License-Identifier: BSD-3-Clause
#
# What is on a wire: captures, and what tshark says of them. Needs lib/common.sh.

declare -A captures

# From now on everything that passes goes to $run/NAME.pcap:
# capture NAME NAMESPACE DEVICE [OPTION or WORD of tcpdump's filter]...
capture()
{
	local name=$1 in=$2 device=$3
	shift 3
	# What a capture of that name said before is not this one's.
	rm -f "$run/$name.err" "$run/$name.pcap"
	ip netns exec "$in" tcpdump -Z root -B 32768 -U -n -s 0 -w "$run/$name.pcap" -i "$device" "$@" \
		2>"$run/$name.err" &
	captures[$name]=$!
	wait_for 5 "tcpdump listens at $device of $in" grep -q 'listening on' "$run/$name.err"
}

# The capture is complete: nothing that the kernel had for it is missing.
capture_end()
{
	kill -INT "${captures[$1]}"
	wait "${captures[$1]}" || true
	unset "captures[$1]"
	grep -q '^0 packets dropped by kernel' "$run/$1.err" || fail "$1: tcpdump missed frames: $(cat "$run/$1.err")"
}
at_exit 'for name in "${!captures[@]}"; do kill "${captures[$name]}" 2>/dev/null; wait "${captures[$name]}"; done'

# One frame to everyone, of no protocol that anyone knows: shout NAMESPACE DEVICE MARK. Once a capture has
# it (has_heard), it has all that went the same way before.
shout()
{
	ns "$1" python3 - "$2" "$3" <<-'PYTHON'
		import socket, sys
		s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
		s.bind((sys.argv[1], 0))
		s.send(b"\xff" * 6 + s.getsockname()[4] + b"\x88\xb5" + sys.argv[2].encode().ljust(60, b"."))
	PYTHON
}

# has_heard NAME MARK: the capture has a frame with it
has_heard()
{
	grep -qaF -- "$2" "$run/$1.pcap"
}

# What tshark finds in each frame, one line each, inner after outer: dissected NAME
dissected()
{
	local field
	local -a fields=()
	for field in frame.len eth.dst vxlan.vni ip.len ip.flags.df ip.ttl ip.checksum.status ipv6.plen \
		ipv6.hlim udp.length udp.srcport udp.checksum udp.checksum.status tcp.checksum tcp.checksum.status \
		_ws.malformed _ws.expert.severity frame.protocols ip.src ipv6.src; do
		fields+=(-e "$field")
	done
	tshark -n -r "$run/$1.pcap" -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE \
		-o udp.check_checksum:TRUE -o tcp.analyze_sequence_numbers:FALSE \
		-o tcp.desegment_tcp_streams:FALSE -d udp.port==4789,vxlan \
		-T fields -E separator='|' "${fields[@]}" 2>"$run/tshark.err"
}
