#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#      a1                                  a2            taps in namespaces, ALPHA: VLAN 10
#       |                                   |
#     = host h1 =                       = host h2 =
#       |    \                              |
#       |     up0: companion tap           up0           the kernel's own: 10.9.0.1, 10.9.0.2
#      u0 ------------ veth ----------------'
#      the device: net_af_packet0,iface=u0
#
# An uplink with driver=dpdk. A virtual device stands for a card: what is weft's goes by the fast
# way, all else to and from the companion tap, where the kernel has its address.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=lib/hosts.sh
. "$(dirname "$0")/lib/hosts.sh"
# shellcheck source=lib/checksums.sh
. "$(dirname "$0")/lib/checksums.sh"
# shellcheck source=lib/transfer.sh
. "$(dirname "$0")/lib/transfer.sh"

kernel_reaches()
{
	ns "$1" busybox ping -c 3 -i 0.2 -W 5 "$2" >"$run/kernel.out" 2>&1 &&
		grep -q " 0% packet loss" "$run/kernel.out"
}

reason_has()
{
	on "$1" uplink show "$2" -o json | jq -r .status.reason | grep -qF -- "$3"
}

took()
{
	[ $(($(WEFT_RUN_DIR=$run/h1 counter "$1" rx_frames) - before)) -eq "$2" ]
}

device=net_af_packet0,iface=u0

machine h1 h2 a1 a2
ip -n h1 link add u0 type veth peer name up0 netns h2
# A kernel driver has nothing to say on a card that is DPDK's.
ns h1 sh -c 'echo 1 >/proc/sys/net/ipv6/conf/u0/disable_ipv6'
ip -n h1 link set u0 mtu 1504 up
ip -n h2 link set up0 mtu 1504 up
complete_checksums h1 u0
complete_checksums h2 up0
ip -n h2 address add 10.9.0.2/24 dev up0
ip -n h2 address add fd09::2/64 dev up0 nodad
for i in 1 2; do
	host_start $i --workers 0,1
	on $i segment add ALPHA vni=100 vlan=10
	on $i port add a$i type=tap segment=ALPHA netns=a$i ip=10.0.0.$i/24 ifname=eth0
done

step "what cannot be is refused, in one line that says what to do"
refused 4 "needs devargs" on 1 uplink add up0 driver=dpdk trunk=ALPHA
refused 4 "devargs is for driver=dpdk" on 1 uplink add up0 devargs=$device trunk=ALPHA
refused 4 "net_nothing0" on 1 uplink add up0 driver=dpdk devargs=net_nothing0 trunk=ALPHA
refused 4 "0000:7f:1f.7" on 1 uplink add up0 driver=dpdk devargs=0000:7f:1f.7 trunk=ALPHA

step "a trunk, and the host by its companion tap"
on 1 uplink add up0 driver=dpdk devargs=$device trunk=ALPHA
on 2 uplink add up0 trunk=ALPHA
link_up 1 up0
link_up 2 up0
ip -n h1 address add 10.9.0.1/24 dev up0
ip -n h1 address add fd09::1/64 dev up0 nodad
mac_of()
{
	ip -n h1 -j link show "$1" | jq -r '.[0].address'
}
has_its_mac() { [ "$(mac_of up0)" = "$(mac_of u0)" ]; }
wait_for 5 "the tap has the device's MAC address" has_its_mac
for address in 10.9.0.1 fd09::1; do
	kernel_reaches h2 $address || fail "h1 is not reached at $address: $(cat "$run/kernel.out")"
done
for address in 10.9.0.2 fd09::2; do
	kernel_reaches h1 $address || fail "h1 does not reach $address: $(cat "$run/kernel.out")"
done
ns a1 busybox ping -c 3 -W 5 10.0.0.2
transfer 64 10.0.0.2 "in_ns a1" "in_ns a2" &
moving=$!
kernel_reaches h2 10.9.0.1 || fail "the kernel lost frames beside ours: $(cat "$run/kernel.out")"
wait "$moving"
transfer 64 10.9.0.2 "in_ns h1" "in_ns h2"

step "another weftd, another dataplane: the tap keeps its address"
kill -9 "$(host_pid 1 weftd)"
wait_for 10 "frames pass" reaches a1 10.0.0.2
wait_for 10 "weftd is back" on 1 status --wait=1
if grep -h "made anew" "$run"/h1.log; then fail "an uplink was made anew"; fi
kill -9 "$(host_pid 1 weft-dataplane)"
wait_for 15 "frames pass again" reaches a1 10.0.0.2
kernel_reaches h2 10.9.0.1 || fail "h1 is not reached: $(cat "$run/kernel.out")"

step "the device's far end goes down and comes back; the uplink is replaced"
on 1 uplink set up0 qinq=on
on 1 uplink del up0
is_gone() { ! ip -n h1 link show up0; }
wait_for 5 "the tap goes with its uplink" is_gone
on 1 uplink add up0 driver=dpdk devargs=$device trunk=ALPHA
wait_for 10 "frames pass again" reaches a1 10.0.0.2
on 1 uplink del up0

step "an underlay: VXLAN for the VTEP is weft's, the rest is the kernel's"
on 1 uplink add under ifname=up0 driver=dpdk devargs=$device vtep=10.9.0.1
link_up 1 under
ip -n h1 address add 10.9.0.1/24 dev up0
kernel_reaches h2 10.9.0.1 || fail "h1 is not reached: $(cat "$run/kernel.out")"
before=$(WEFT_RUN_DIR=$run/h1 counter under rx_frames)
say_vxlan()
{
	ns h2 python3 - "$@" <<-'PYTHON'
		import socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		for port in map(int, sys.argv[1:]):
		    s.sendto(b"\x08\0\0\0\0\0\x64\0" + bytes(60), ("10.9.0.1", port))
	PYTHON
}
say_vxlan 4789 4790 4789
wait_for 5 "two frames of VXLAN are taken" took under 2
on 1 uplink set under vxlan_port=8472
link_up 1 under
before=$(WEFT_RUN_DIR=$run/h1 counter under rx_frames)
say_vxlan 4789 8472
wait_for 5 "of the new port alone" took under 1
kernel_reaches h2 10.9.0.1 || fail "h1 is not reached: $(cat "$run/kernel.out")"
on 1 uplink del under

hosts_stop
finish
