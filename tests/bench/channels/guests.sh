#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     guest web 10.0.1.1                  namespace c1 10.0.1.3
#        |  tx: at most 100M                 |
#     ===+================ ALPHA ============+===        of weft, or of OVS with DPDK
#
# TCP's goodput from a guest, by what the receiver reads. The last line is JSON.
#
#     tests/bench/channels/guests.sh weft|ovs BUILD-DIR SECONDS
#
# OVS polices: ingress_policing_rate=100000 and its default burst. It lies where
# scripts/bench-channels unpacked it.

export WEFT_BUILD=$2
# shellcheck source=../../system/lib/common.sh
. "$(dirname "$0")/../../system/lib/common.sh"
# shellcheck source=../../system/lib/guest.sh
. "$top/tests/system/lib/guest.sh"
# shellcheck source=../../system/lib/ovs.sh
. "$top/tests/system/lib/ovs.sh"

which=$1 seconds=$3
vswitchd=$build/ovs-dpdk/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk
exec 3>&1 >&2

# say JSON: the result; then all ends well
say()
{
	finish
	echo "$1" >&3
	exit 0
}

# Reads what comes to c1 and prints bit/s over all but the first 2 s.
receive()
{
	ns c1 python3 - "$seconds" <<-'PYTHON'
		import socket, sys, time
		server = socket.create_server(("10.0.1.3", 5001))
		server.settimeout(60)
		stream, _ = server.accept()
		stream.settimeout(20)
		began, n, buffer = time.monotonic(), 0, bytearray(1 << 20)
		while time.monotonic() < began + 2:
		    stream.recv_into(buffer)
		began = time.monotonic()
		while time.monotonic() < began + float(sys.argv[1]):
		    n += stream.recv_into(buffer)
		print(round(8 * n / (time.monotonic() - began)))
	PYTHON
}

# shellcheck disable=SC2317 # called by wait_for
listens()
{
	ns c1 ss -ltn | grep -q :5001
}

measure()
{
	guest_wait web
	receive >"$run/bps" &
	receiver=$!
	wait_for 10 "the receiver listens" listens
	guest_run web "ping -c 3 -W 2 10.0.1.3"
	guest_run web "timeout -s KILL $((seconds + 4)) nc 10.0.1.3 5001 </dev/zero" $((seconds + 60)) || true
	wait "$receiver"
}

start_weft()
{
	daemons_start --workers 0
	weft apply -f - <<-LAB
		segments: {ALPHA: {vni: 100}}
		channels: {c: {tx: {ceil: 100M}}}
		ports:
		  web0: {type: vhost-user, segment: ALPHA, channel: c}
		  c1: {type: tap, segment: ALPHA, netns: c1, ip: 10.0.1.3/24}
	LAB
	guest_start web 10.0.1.1/24 web0
}

all_drops()
{
	weft drops -o json | jq '[.drops[].frames] | add // 0'
}

start_ovs()
{
	local socket=$run/web.sock vectors=
	mkdir -p "$run/ovs"
	ovs ovsdb-tool create "$run/ovs/conf.db" /usr/share/openvswitch/vswitch.ovsschema
	ovs ovsdb-server --remote="punix:$run/ovs/db.sock" --unixctl="$run/ovs/db.ctl" \
		"$run/ovs/conf.db" >"$run/ovsdb.log" 2>&1 &
	ovs_daemons+=($!)
	wait_for 10 "OVS's database listens" test -S "$run/ovs/db.sock"
	ovs ovs-vsctl --no-wait init -- set Open_vSwitch . other_config:dpdk-init=true \
		other_config:dpdk-extra="--no-huge --legacy-mem -m 1024 --no-pci" \
		other_config:pmd-cpu-mask=0x1
	# There, since a device that moves is one that it loses.
	OVS_RUNDIR=$run/ovs ip netns exec c1 "$vswitchd" --unixctl="$run/ovs/vswitchd.ctl" "unix:$run/ovs/db.sock" >"$run/vswitchd.log" 2>&1 &
	ovs_daemons+=($!)
	wait_for 30 "OVS answers" ovs_answers
	ovs ovs-vsctl --timeout=20 add-br br0 -- set bridge br0 datapath_type=netdev \
		-- add-port br0 web0 -- set interface web0 type=dpdkvhostuserclient \
		options:vhost-server-path="$socket" ingress_policing_rate=100000 \
		-- add-port br0 m0 -- set interface m0 type=internal
	ip -n c1 addr add 10.0.1.3/24 dev m0
	ip -n c1 link set m0 up
	[ "$guest_accel" = kvm ] || vectors=,vectors=0
	guest_qemu web weft.ip=10.0.1.1/24 -accel "$guest_accel" -m "$guest_memory" \
		-object "memory-backend-memfd,id=m,size=$guest_memory,share=on" -numa node,memdev=m \
		-chardev "socket,id=c,path=$socket,server=on,wait=off" -netdev vhost-user,id=n,chardev=c \
		-device "virtio-net-pci,netdev=n,mac=02:00:00:00:00:01$vectors"
}

[ "$which" = weft ] || [ -x "$vswitchd" ] || say '{"skipped": "no OVS with DPDK in '"$build"'/ovs-dpdk"}'
guest_prepare || say '{"skipped": "no guest image"}'
guest_choose_accel
ns_add c1
if [ "$which" = weft ]; then
	start_weft
	before=$(all_drops)
	measure
	result="{\"bps\": $(cat "$run/bps"), \"drops\": $(($(all_drops) - before)), \"accel\": \"$guest_accel\"}"
else
	start_ovs
	measure
	ovs ovs-vsctl get interface web0 statistics >&2
	result="{\"bps\": $(cat "$run/bps"), \"accel\": \"$guest_accel\"}"
	guests_stop
	ovs_stop
	rm -rf /run/dpdk
fi
say "$result"
