#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     namespace c1     namespace c2     guests: server split, client split, server packed, client packed
#     10.0.1.1         10.0.1.2         10.0.1.11   10.0.1.12      10.0.1.13       10.0.1.14
#        |                |                |           |              |               |
#     ===+================+=== ALPHA ======+===========+==============+===============+===
#                              |                 |
#                              p0, p1: neighbours, a probe of 10,000 numbered frames a second
#
# How long nothing comes through when weft-dataplane is killed: 10,000 numbered datagrams a second
# each way, between taps and then between a tap and each of the guests, of which none does anything
# for it. Then guests are reset and killed under traffic, all at once: their neighbours lose nothing.
#
#     TAP_KILLS=100 GUEST_KILLS=12 RESETS=100 DEATHS=20 tests/system/outage_test.sh      the full size
#
# DEATHS and RESETS are of guests, GUEST_KILLS of weft-dataplane for each kind of guest.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=lib/guest.sh
. "$(dirname "$0")/lib/guest.sh"

command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86_64 is not installed"
guest_prepare || skip "no guest image"
guest_choose_accel
tap_kills=${TAP_KILLS:-4} guest_kills=${GUEST_KILLS:-1} resets=${RESETS:-4} deaths=${DEATHS:-4}
pps=10000 # of the streams that are measured
side_pps=500 # each way, of guests that are reset or killed
names=(ss cs sp cp)
declare -A address=([ss]=10.0.1.11 [cs]=10.0.1.12 [sp]=10.0.1.13 [cp]=10.0.1.14) monitor=()
stream=$build/tests/system/weft-stream

# A run directory is in memory, where nobody has to wait for a disk.
before=$(cat "$run/before")
mount -t tmpfs weft-run "$run"
at_exit "umount -l $run"
echo "$before" >"$run/before"

# The guest's image with weft-stream in it: a kernel reads one archive after another.
mkdir -p "$run/image/bin"
cp "$stream" "$run/image/bin/"
(cd "$run/image" && echo bin/weft-stream | cpio --quiet -o -H newc | gzip -1 | cat "$guest_image/initrd" - >initrd)
ln -s "$guest_image/vmlinuz" "$run/image/vmlinuz"
guest_image=$run/image

# A guest with a card of split or packed rings, that can be reset: start_guest NAME
start_guest()
{
	local name=$1 packed=off arguments fd
	[ "${name#?}" = s ] || packed=on
	mapfile -t arguments < <(weft port qemu-args "$name" "memory=$guest_memory" "accel=$guest_accel" -o json |
		jq -r '.[]' | sed "s/^virtio-net-pci,/virtio-net-pci,packed=$packed,/")
	rm -f "$run/$name.monitor".{in,out}
	mkfifo "$run/$name.monitor".{in,out}
	exec {fd}<>"$run/$name.monitor.in"
	monitor[$name]=$fd
	guest_qemu "$name" "weft.ip=${address[$name]}/24" "${arguments[@]}" -action reboot=reset \
		-chardev "pipe,id=monitor,path=$run/$name.monitor" -mon chardev=monitor
}

# The process that was started last; stop_jobs tells all of them to end and waits.
jobs=()
stop_jobs()
{
	[ ${#jobs[@]} -eq 0 ] || kill "${jobs[@]}"
	[ ${#jobs[@]} -eq 0 ] || wait "${jobs[@]}" || fail "a stream failed: $(cat "$run"/*.sent "$run"/*.received)"
	jobs=()
}

# Streams run in namespaces: receive_in NAMESPACE PORT BASE, send_in NAMESPACE ADDRESS PORT PPS BASE
receive_in()
{
	ip netns exec "$1" "$stream" receive "$2" "$pps" arrived >"$3.received" 2>&1 &
	jobs+=($!)
}

send_in()
{
	ip netns exec "$1" "$stream" send "$2" "$3" "$4" >"$5.sent" 2>&1 &
	jobs+=($!)
}

another_dataplane()
{
	[ -s "$run/weft-dataplane.pid" ] && [ "$(pid_of weft-dataplane)" != "$old" ] && connected
}

# Whether each of the ports got 100 ms of a stream from this dataplane
all_flow()
{
	local port
	for port; do
		[ "$(counter "$port" tx_frames)" -gt $((pps / 10)) ] || return 1
	done
}

# What there is to see when something does not come through: show_all [GUEST]...
show_all()
{
	local name
	weft port list
	weft stats
	weft drops
	ns c1 ip neigh
	for name; do
		echo "guest $name:"
		guest_run "$name" 'ip -s link show eth0; ip neigh; ps | grep weft; grep virtio /proc/interrupts' 20
	done
}

wait_flow()
{
	holds_within 60 all_flow "$@" && return
	show_all "${names[@]}"
	fail "not within 60 s: all streams flow ($*)"
}

# Kills weft-dataplane N times, each time after all streams flow: kill_dataplane N KILLS PORT...
kill_dataplane()
{
	local n=$1 kills=$2 i
	shift 2
	wait_flow "$@"
	for ((i = 0; i < n; i++)); do
		old=$(pid_of weft-dataplane)
		echo "$EPOCHREALTIME" >>"$kills"
		kill -9 "$old"
		wait_for 30 "another weft-dataplane" another_dataplane
		wait_flow "$@"
	done
}

ns_add c1 c2
daemons_start
weft apply -f - <<-'LAB'
	segments:
	  ALPHA: {vni: 100}
	ports:
	  c1: {type: tap, segment: ALPHA, netns: c1, ip: 10.0.1.1/24}
	  c2: {type: tap, segment: ALPHA, netns: c2, ip: 10.0.1.2/24}
	  p0: {type: vhost-user, segment: ALPHA}
	  p1: {type: vhost-user, segment: ALPHA}
	  ss: {type: vhost-user, segment: ALPHA}
	  cs: {type: vhost-user, segment: ALPHA, mode: client}
	  sp: {type: vhost-user, segment: ALPHA}
	  cp: {type: vhost-user, segment: ALPHA, mode: client}
LAB
weft export -o yaml >"$run/wish"
for name in "${names[@]}"; do start_guest "$name"; done
guest_wait "${names[@]}"
for name in "${names[@]}"; do port_up "$name"; done
for name in sp cp; do
	weft port show "$name" -o json | jq -e '.status.features | index("ring_packed")' >/dev/null ||
		fail "guest $name has no packed ring"
done

step "kill -9 of weft-dataplane, $tap_kills times, between taps"
receive_in c2 5000 "$run/there"
receive_in c1 5000 "$run/back"
send_in c1 10.0.1.2 5000 "$pps" "$run/there"
send_in c2 10.0.1.1 5000 "$pps" "$run/back"
kill_dataplane "$tap_kills" "$run/kills" c1 c2
stop_jobs
/usr/bin/python3 "$top/tests/system/gap.py" 1000 "$pps" "$run/kills" "tap to tap=$run/there" \
	"tap to tap, back=$run/back" || fail "taps were away for more than 1 s, or the stream was too slow"

# The same to a guest, then from it, as an emulated CPU is no match for both at once:
# outage_of_guest NAME WHAT
outage_of_guest()
{
	local name=$1 what=$2 base=$run/$1
	step "kill -9 of weft-dataplane, 2 x $guest_kills times, $what"
	guest_run "$name" "weft-stream receive 5000 $pps sent >/tmp/received 2>&1 &"
	send_in c1 "${address[$name]}" 5000 "$pps" "$base.in"
	kill_dataplane "$guest_kills" "$base.in.kills" "$name"
	stop_jobs
	receive_in c1 5000 "$base.out"
	guest_run "$name" "weft-stream send 10.0.1.1 5000 $pps >/tmp/sent 2>&1 &"
	kill_dataplane "$guest_kills" "$base.out.kills" c1
	stop_jobs
	guest_run "$name" 'killall weft-stream; while pidof weft-stream >/dev/null; do :; done'
	guest_run "$name" 'cat /tmp/received' >"$base.in.received"
	guest_run "$name" 'cat /tmp/sent' >"$base.out.sent"
	{
		/usr/bin/python3 "$top/tests/system/gap.py" 3000 "$pps" "$base.in.kills" "$what: to the guest=$base.in" &&
			/usr/bin/python3 "$top/tests/system/gap.py" 3000 "$pps" "$base.out.kills" "$what: from it=$base.out"
	} || fail "a guest was away for more than 3 s, or its stream was too slow"
}

outage_of_guest ss "server, split"
outage_of_guest cs "client, split"
outage_of_guest sp "server, packed"
outage_of_guest cp "client, packed"
weft diff -f "$run/wish" || fail "the new dataplane differs from the wish"

# Datagrams from a guest that has just come up, which has to be heard, too: guest_talks NAME
guest_talks()
{
	port_up "$1" 20
	guest_run "$1" "weft-stream send 10.0.1.1 5001 $side_pps >/dev/null 2>&1 &"
	holds_within 60 ns c1 ping -q -c 1 -W 1 "${address[$1]}" && return
	show_all "$1"
	fail "guest $1 does not answer"
}

step "guests are reset $resets times and killed $deaths times under traffic"
"$build/tests/bench/weft-generate" --a "$run/vhost/p0.sock" --b "$run/vhost/p1.sock" --ring 8192 --gentle \
	--probe "$pps" --seconds 3600 --json >"$run/probe.json" 2>"$run/probe.log" &
probe=$!
wait_for 10 "the probe passes" all_flow p1
receive_in c1 5001 "$run/side"
for name in "${names[@]}"; do
	send_in c1 "${address[$name]}" 5001 "$side_pps" "$run/side.$name"
	guest_talks "$name"
done
n_resets=0 n_deaths=0 started=$SECONDS
while [ "$n_resets" -lt "$resets" ]; do
	for name in "${names[@]}"; do echo system_reset >&"${monitor[$name]}"; done
	for name in "${names[@]}"; do
		guest_booted "$name" 120 || fail "guest $name did not come up again"
	done
	for name in "${names[@]}"; do guest_talks "$name"; done
	n_resets=$((n_resets + ${#names[@]}))
done
echo "$n_resets resets in $((SECONDS - started)) s"
while [ "$n_deaths" -lt "$deaths" ]; do
	for name in "${names[@]}"; do kill -9 "${guest_pid[$name]}"; done
	guest_stop "${names[@]}" 2>/dev/null
	for name in "${names[@]}"; do start_guest "$name"; done
	guest_wait "${names[@]}"
	for name in "${names[@]}"; do guest_talks "$name"; done
	n_deaths=$((n_deaths + ${#names[@]}))
done
stop_jobs
kill "$probe"
wait "$probe" || fail "the probe failed: $(cat "$run/probe.log")"
cat "$run/probe.json"
echo "$n_resets resets and $n_deaths deaths, $((SECONDS - started)) s"
jq -e --argjson least $(((SECONDS - started - 1) * pps * 9 / 10)) '.sent > $least and .received == .sent and
	.refused == 0 and .reconnects == 0' "$run/probe.json" >/dev/null || fail "the neighbours lost frames"
# Guests are never quite still, and the accounts are for when nothing moves.
guests_stop
finish
