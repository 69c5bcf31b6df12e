#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     testpmd                     testpmd                    namespace c1
#     net_virtio_user0            net_virtio_user1           10.0.1.1
#        |                           |                          |
#        +-- vhost-user v0           +-- vhost-user v1          +-- tap c1
#        |                           |                          |
#     ===+=========== ALPHA =========+==========================+===
#
# DPDK's own virtio front-end, which shares no code with weft, answers pings from a namespace
# (icmpecho), then lets 512 frames go round between its two ports (macswap). Its counts and ours
# must agree, and the namespace must not see those frames.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

command -v dpdk-testpmd >/dev/null || skip "dpdk-testpmd is not installed (package dpdk)"
[ "$(nproc)" -ge 2 ] || skip "needs two CPUs"

ns_add c1
daemons_start
weft segment add ALPHA vni=100
weft port add v0 type=vhost-user segment=ALPHA
weft port add v1 type=vhost-user segment=ALPHA
weft port add c1 type=tap segment=ALPHA netns=c1 ip=10.0.1.1/24

# Starts testpmd on both sockets; its commands are typed with pmd.
pmd_log=$run/testpmd.log
mkfifo "$run/pmd"
exec {pmd_in}<>"$run/pmd"
stdbuf -oL dpdk-testpmd -l 0,1 --main-lcore=1 --no-pci --no-shconf --no-huge -m 256 --no-telemetry \
	--vdev="net_virtio_user0,path=$run/vhost/v0.sock,mac=02:00:00:00:01:00" \
	--vdev="net_virtio_user1,path=$run/vhost/v1.sock,mac=02:00:00:00:01:01" \
	-- -i --port-topology=loop --total-num-mbufs=16384 --no-lsc-interrupt --eth-peer=0,02:00:00:00:01:01 --eth-peer=1,02:00:00:00:01:00 \
	<"$run/pmd" >"$pmd_log" 2>&1 &
pmd=$!

pmd()
{
	echo "$1" >&"$pmd_in"
}

# One figure of testpmd's port statistics: pmd_stat PORT TX-packets
pmd_stat()
{
	local mark="stats-$RANDOM"
	pmd "show port stats $1"
	pmd "$mark"
	wait_for 5 "testpmd answers" grep -q "$mark" "$pmd_log" >&2
	grep "$2:" "$pmd_log" | tail -n 1 | sed "s/.*$2: *\([0-9]*\).*/\1/"
}

# Every frame that testpmd sent reached weft, and what weft put was read.
counts_agree()
{
	local n
	for n in 0 1; do
		[ "$(pmd_stat $n TX-packets)" -eq "$(counter v$n rx_frames)" ] || return 1
		[ "$(pmd_stat $n RX-packets)" -eq "$(counter v$n tx_frames)" ] || return 1
	done
}

port_up v0 20
port_up v1 20
port_up c1

# Starts forwarding in a mode on some ports: forward MODE PORT-LIST [tx_first BURSTS]
forward()
{
	local n
	n=$(grep -c "$1 packet forwarding" "$pmd_log" || true)
	pmd "stop"
	pmd "set fwd $1"
	pmd "set portlist $2"
	pmd "start ${*:3}"
	wait_for 5 "testpmd forwards" forwards "$1" "$n"
}

forwards()
{
	[ "$(grep -c "$1 packet forwarding" "$pmd_log")" -gt "$2" ]
}

step "testpmd answers pings of the namespace"
forward icmpecho 0
ns c1 busybox ping -c 3 -W 2 10.0.1.77
ns c1 ping -q -f -c 2000 -s 1400 10.0.1.77
ns c1 ping -q -f -c 2000 10.0.1.77

step "frames go round between testpmd's ports"
many()
{
	[ "$(counter v0 tx_frames)" -gt 200000 ] && [ "$(counter v1 tx_frames)" -gt 200000 ]
}
heard_before=$(counter c1 tx_frames)
forward macswap 0,1 tx_first 8
wait_for 20 "200000 frames went each way" many
forward rxonly 0,1
wait_for 10 "testpmd and weft count the same" counts_agree
pmd "stop"
heard=$(($(counter c1 tx_frames) - heard_before))
[ "$heard" -lt 1000 ] || fail "$heard frames of others came to the namespace"
weft stats
weft drops
weft port show v0
pmd "quit"
wait "$pmd" || fail "testpmd ended with status $?"
# DPDK's runtime directory is testpmd's; weft-dataplane makes none, as the other scenarios show.
rm -rf /run/dpdk
finish
