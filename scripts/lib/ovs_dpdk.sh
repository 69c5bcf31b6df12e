# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause

# OVS with DPDK, to compare with: Debian's package, unpacked beside what is built, not installed.
# unpack_ovs BUILD-DIR
unpack_ovs()
{
	local dir=$1/ovs-dpdk
	[ ! -x "$dir/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk" ] || return 0
	mkdir -p "$dir"
	(cd "$dir" && apt-get -qq -o APT::Sandbox::User=root download openvswitch-switch-dpdk && dpkg-deb -x ./*.deb .) >&2 ||
		echo "package openvswitch-switch-dpdk cannot be had: weft is not compared with OVS" >&2
}
