# shellcheck shell=bash disable=SC2154 # run: set by lib/common.sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Open vSwitch, userspace datapath, in a namespace of its own: VXLAN by its own code. Needs
# lib/common.sh and lib/hosts.sh.
#
#      m0  machine (internal port)
#      |
#     [br-int] -- vxlan port, VNI 100 . . [br-phy] -- u0      the underlay's addresses are br-phy's

ovs_daemons=()

# OVS's commands: ovs NAME WORD...
ovs()
{
	OVS_RUNDIR=$run/ovs OVS_LOGDIR=$run/ovs OVS_DBDIR=$run/ovs "$@"
}

ovs_answers()
{
	ovs ovs-vsctl --timeout=2 get Open_vSwitch . datapath_types | grep -q netdev
}

# ovs_start NAMESPACE: it has joined the underlay
ovs_start()
{
	local ns=$1 address
	mkdir -p "$run/ovs"
	ovs ovsdb-tool create "$run/ovs/conf.db" /usr/share/openvswitch/vswitch.ovsschema
	OVS_RUNDIR=$run/ovs ip netns exec "$ns" ovsdb-server --remote="punix:$run/ovs/db.sock" \
		--unixctl="$run/ovs/db.ctl" "$run/ovs/conf.db" >"$run/ovsdb.log" 2>&1 &
	ovs_daemons+=($!)
	wait_for 10 "OVS's database listens" test -S "$run/ovs/db.sock"
	ovs ovs-vsctl --no-wait init
	OVS_RUNDIR=$run/ovs ip netns exec "$ns" ovs-vswitchd --unixctl="$run/ovs/vswitchd.ctl" \
		"unix:$run/ovs/db.sock" >"$run/vswitchd.log" 2>&1 &
	ovs_daemons+=($!)
	wait_for 20 "OVS answers" ovs_answers
	address=$(ip netns exec "$ns" cat /sys/class/net/u0/address)
	ip -n "$ns" addr flush dev u0
	ovs ovs-vsctl --timeout=20 add-br br-phy -- set bridge br-phy datapath_type=netdev \
		other-config:hwaddr="$address" -- add-port br-phy u0 \
		-- add-br br-int -- set bridge br-int datapath_type=netdev \
		-- add-port br-int m0 -- set interface m0 type=internal
	ip -n "$ns" addr add "10.9.0.${ns#?}/24" dev br-phy
	ip -n "$ns" addr add "fd09::${ns#?}/64" dev br-phy nodad
	ip -n "$ns" link set br-phy up
	ip -n "$ns" link set m0 up
}

# The one tunnel, anew: ovs_tunnel REMOTE UNDERLAY-MTU SEGMENT-MTU CSUM
ovs_tunnel()
{
	ovs ovs-vsctl --timeout=20 --if-exists del-port br-int vx \
		-- add-port br-int vx -- set interface vx type=vxlan options:remote_ip="$1" \
		options:key=100 options:csum="$4" \
		-- set interface br-phy mtu_request="$2" -- set interface m0 mtu_request="$3"
}

ovs_stop()
{
	local pid
	for pid in "${ovs_daemons[@]}"; do kill "$pid"; wait "$pid" || true; done
	ovs_daemons=()
	rm -rf "$run/ovs"
}
at_exit 'for pid in "${ovs_daemons[@]}"; do kill "$pid"; wait "$pid"; done'
