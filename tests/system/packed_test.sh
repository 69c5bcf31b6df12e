#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     testpmd                     testpmd               guest web, packed=on    namespace c1
#     net_virtio_user0            net_virtio_user1      10.0.1.1                10.0.1.2
#     packed_vq=1                 packed_vq=1              |                       |
#        +-- vhost-user v0           +-- vhost-user v1     +-- vhost-user w0       +-- tap c1
#        |                           |                     |                       |
#     ===+========== ALPHA ==========+===               ===+======== BETA ========+===
#
# Packed rings with both drivers that there are. DPDK's: 512 frames go round between its ports until
# 200,000 have passed each way, and both sides count the same. Linux's: the guest pings, goes on by
# itself after kill -9 of weft-dataplane although QEMU does not know where its rings stand, and
# starts again after a reboot.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=lib/guest.sh
. "$(dirname "$0")/lib/guest.sh"

[ "$(nproc)" -ge 2 ] || skip "needs two CPUs"
command -v dpdk-testpmd >/dev/null || skip "dpdk-testpmd is not installed (package dpdk)"
command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86_64 is not installed"
guest_prepare || skip "no guest image"
guest_choose_accel

ns_add c1
daemons_start
weft apply -f - <<-'LAB'
	segments:
	  ALPHA: {vni: 100}
	  BETA: {vni: 200}
	ports:
	  v0: {type: vhost-user, segment: ALPHA}
	  v1: {type: vhost-user, segment: ALPHA}
	  w0: {type: vhost-user, segment: BETA, vm: web}
	  c1: {type: tap, segment: BETA, netns: c1, ip: 10.0.1.2/24}
LAB

is_packed()
{
	weft port show "$1" -o json | jq -e '.status.features | index("ring_packed")' >/dev/null
}

step "frames go round between testpmd's ports"
pmd_log=$run/testpmd.log
mkfifo "$run/pmd"
exec {pmd_in}<>"$run/pmd"
stdbuf -oL dpdk-testpmd -l 0,1 --main-lcore=1 --no-pci --no-shconf --no-huge -m 256 --no-telemetry \
	--vdev="net_virtio_user0,path=$run/vhost/v0.sock,mac=02:00:00:00:01:00,packed_vq=1" \
	--vdev="net_virtio_user1,path=$run/vhost/v1.sock,mac=02:00:00:00:01:01,packed_vq=1" \
	-- -i --port-topology=loop --total-num-mbufs=16384 --no-lsc-interrupt --forward-mode=macswap \
	--eth-peer=0,02:00:00:00:01:01 --eth-peer=1,02:00:00:00:01:00 \
	<"$run/pmd" >"$pmd_log" 2>&1 &
pmd=$!

pmd()
{
	echo "$1" >&"$pmd_in"
}

many()
{
	[ "$(counter v0 tx_frames)" -gt 200000 ] && [ "$(counter v1 tx_frames)" -gt 200000 ]
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
is_packed v0 || fail "testpmd did not get packed rings: $(weft port show v0)"
pmd "start tx_first 8"
wait_for 20 "200000 frames went each way" many
pmd "stop"
pmd "set fwd rxonly"
pmd "start"
wait_for 10 "testpmd and weft count the same" counts_agree
weft stats
pmd "quit"
wait "$pmd" || fail "testpmd ended with status $?"
rm -rf /run/dpdk
wait_for 5 "nothing is kept for a front-end that took leave" [ ! -e "$run/vhost/v0.rings" ]

step "a guest with packed rings pings"
read -ra arguments < <(weft port qemu-args w0 "memory=$guest_memory" "accel=$guest_accel")
guest_qemu web "weft.ip=10.0.1.1/24" "${arguments[@]/#virtio-net-pci,/virtio-net-pci,packed=on,}" \
	-action reboot=reset
guest_wait web
port_up w0
is_packed w0 || fail "the guest did not take packed rings: $(weft port show w0)"
ns c1 ping -q -c 300 -i 0.002 10.0.1.1
guest_run web "ping -c 3 -W 2 10.0.1.2"

# Whether 500 frames have come from the guest beyond so many.
passed()
{
	[ "$(counter w0 rx_frames)" -gt $(($1 + 500)) ]
}

step "kill -9 weft-dataplane: the guest goes on, without doing anything"
for _ in 1 2 3; do
	old=$(pid_of weft-dataplane)
	ip netns exec c1 ping -q -f -w 30 10.0.1.1 >"$run/flood" 2>&1 &
	flood=$!
	wait_for 10 "traffic passes" passed "$(counter w0 rx_frames)"
	kill -9 "$old"
	killed_us=$(now_us)
	wait_for 30 "the guest answers again" ns c1 busybox ping -c 1 -W 1 10.0.1.1
	echo "guest: $((($(now_us) - killed_us) / 1000)) ms after the kill"
	kill -INT "$flood"
	wait "$flood" || true
	is_packed w0 || fail "not packed any more"
	# Both rings several times round.
	# Busybox waits a second for the last ones, however quick those before were.
	ns c1 busybox ping -q -c 1000 -i 0.002 10.0.1.1 >"$run/ping"
	grep 'packet loss' "$run/ping"
	grep -q ' 0% packet loss' "$run/ping" || fail "pings were lost, or came twice"
	grep -q duplicates "$run/ping" && fail "pings came twice"
done

step "the guest reboots"
echo "reboot -f" >&"${guest_in[web]}"
guest_wait web
wait_for 20 "the guest answers again" ns c1 busybox ping -c 1 -W 1 10.0.1.1
ns c1 ping -q -c 300 -i 0.002 10.0.1.1
is_packed w0 || fail "not packed any more"

step "the guest reboots while weft-dataplane is away"
pkill -STOP -f weft-supervise
kill -9 "$(pid_of weft-dataplane)"
echo "reboot -f" >&"${guest_in[web]}"
guest_wait web
pkill -CONT -f weft-supervise
wait_for 60 "the guest answers again" ns c1 busybox ping -c 1 -W 1 10.0.1.1
ns c1 ping -q -c 300 -i 0.002 10.0.1.1

step "the port is deleted and comes again: the guest goes on, without doing anything"
weft port del w0
[ -s "$run/vhost/w0.rings" ] || fail "what the guest's rings need is gone"
weft port add w0 type=vhost-user segment=BETA vm=web
wait_for 20 "the guest answers again" ns c1 busybox ping -c 1 -W 1 10.0.1.1
ns c1 ping -q -c 300 -i 0.002 10.0.1.1

step "the port is deleted, then the guest ends: nothing is kept"
weft port del w0
[ -s "$run/vhost/w0.rings" ] || fail "what the guest's rings need is gone"
guest_stop web
wait_for 5 "nothing is kept for a guest that ended" [ ! -e "$run/vhost/w0.rings" ]
weft status
finish
