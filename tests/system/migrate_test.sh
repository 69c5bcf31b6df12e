#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     guest web -- live migration --> guest web2     namespace c1
#     10.0.1.1                        10.0.1.1       10.0.1.2
#        |                               |              |
#        +-- vhost-user w0               +-- w1         +-- tap c1      w2: migrate=off
#        |                               |              |
#     ===+============ ALPHA ============+==============+===
#
# A guest moves from one QEMU to another while it receives a file, with split rings and with packed
# ones: the file arrives whole, and the guest goes on. That weft marks every page that it writes is
# shown by the unit tests of dirty_log.c; here QEMU, which asks for the marks, is satisfied with the
# handshake, the exchange of logs and the bases. With migrate=off it refuses to move the guest.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=lib/guest.sh
. "$(dirname "$0")/lib/guest.sh"

command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86_64 is not installed"
guest_prepare || skip "no guest image"
guest_choose_accel

ns_add c1
daemons_start
weft apply -f - <<-'LAB'
	segments:
	  ALPHA: {vni: 100}
	ports:
	  w0: {type: vhost-user, segment: ALPHA, vm: web}
	  w1: {type: vhost-user, segment: ALPHA, vm: web}
	  w2: {type: vhost-user, segment: ALPHA, migrate: off}
	  c1: {type: tap, segment: ALPHA, netns: c1, ip: 10.0.1.2/24}
LAB
# Slow enough that the file takes longer than the migration.
ns c1 tc qdisc add dev c1 root tbf rate 40mbit burst 64kb latency 50ms
head -c 24M /dev/urandom >"$run/file"
sum=$(sha256sum <"$run/file" | cut -d ' ' -f 1)

# Starts a guest with a monitor: qemu NAME PORT DEVICE-OPTIONS QEMU-ARGUMENT...; the card is w0's
# whatever the port, since it moves with the guest.
qemu()
{
	local name=$1 port=$2 device=$3 arguments
	shift 3
	read -ra arguments < <(weft port qemu-args w0 "memory=$guest_memory" "accel=$guest_accel")
	arguments=("${arguments[@]/#virtio-net-pci,/virtio-net-pci,$device}")
	arguments=("${arguments[@]//w0.sock/$port.sock}")
	mkdir -p "$run/guest"
	rm -f "$run/guest/$name.mon".{in,out}
	mkfifo "$run/guest/$name.mon".{in,out}
	exec {mon_in}<>"$run/guest/$name.mon.in"
	guest_qemu "$name" "weft.ip=10.0.1.1/24" "${arguments[@]}" \
		-chardev "pipe,id=mon,path=$run/guest/$name.mon" -mon chardev=mon,mode=readline "$@"
	cat "$run/guest/$name.mon.out" >"$run/$name.mon.log" &
	monitor[$name]=$mon_in
}
declare -A monitor=()

# One line to the monitor of NAME.
tell()
{
	echo "$2" >&"${monitor[$1]}"
}

on_its_way()
{
	[ $(($(counter w0 tx_bytes) - before)) -gt 2000000 ]
}

has_moved()
{
	tell web "info migrate"
	grep -q 'Migration status: completed' "$run/web.mon.log"
}

for device in '' 'packed=on,'; do
	step "a guest moves while it receives, ${device:-split rings}"
	qemu web w0 "$device"
	guest_wait web
	port_up w0
	qemu web2 w1 "$device" -incoming "unix:$run/incoming"
	guest_run web "mkfifo /tmp/sum; (nc -l -p 9 >/tmp/file; sha256sum </tmp/file >/tmp/sum) >/dev/null 2>&1 &"
	guest_run web "until netstat -ltn | grep -q :9; do :; done"
	before=$(counter w0 tx_bytes)
	# The last part waits until the guest has moved, however long that takes.
	rm -f "$run/moved"
	ip netns exec c1 bash -c "{ head -c 20M; until [ -e '$run/moved' ]; do read -rt 0.05 -u $never; done; cat; } \
		<'$run/file' >/dev/tcp/10.0.1.1/9" &
	sender=$!
	wait_for 10 "the file is on its way" on_its_way
	tell web "migrate_set_parameter max-bandwidth 400m"
	tell web "migrate -d unix:$run/incoming"
	wait_for 60 "the guest has moved" has_moved
	sent=$(($(counter w0 tx_bytes) - before))
	touch "$run/moved"
	guest_stop web
	port_up w1
	wait_for 20 "the guest answers at its new place" ns c1 busybox ping -c 1 -W 1 10.0.1.1
	got=$(guest_run web2 "cat /tmp/sum")
	wait "$sender" || fail "the sender was cut off"
	echo "$sent bytes before the move, $(counter w1 tx_bytes) after it"
	[ "${got%% *}" = "$sum" ] || fail "the file is not what was sent: $got"
	[ "$sent" -gt 1000000 ] || fail "the guest moved before it received"
	[ "$(counter w1 tx_bytes)" -gt 1000000 ] || fail "the guest moved after it had received"
	guest_stop web2
	weft port del w1
	weft port add w1 type=vhost-user segment=ALPHA vm=web
done

step "a guest whose port has migrate=off stays"
qemu stays w2 ''
guest_wait stays
port_up w2
tell stays "migrate unix:$run/incoming"
refusal()
{
	grep -q 'Migration disabled: vhost-user backend lacks' "$run/stays.mon.log"
}
wait_for 10 "QEMU refuses" refusal
guest_run stays "true"
finish
