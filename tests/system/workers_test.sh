#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     weft-flows: 64 flows             namespace c1      namespace c2
#        |             |               10.0.1.1          10.0.1.2
#        +-- v0        +-- v1             +-- tap c1        +-- tap c2, 4 queues
#        |             |                  |                 |
#     ===+=== BETA ====+===            ===+===== ALPHA =====+===
#
# Two workers. 64 flows over 4 queues a port while all queues of the sender change their worker ten
# times a second: none is lost, none overtaken. TCP is intact while the queues of its taps move.
#
# PPS says how many frames a second the flows have (20000).

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=lib/transfer.sh
. "$(dirname "$0")/lib/transfer.sh"

[ "$(nproc)" -ge 2 ] || skip "needs two CPUs"

ns_add c1 c2
daemons_start --workers 0,1
weft segment add ALPHA vni=100
weft segment add BETA vni=200
weft port add v0 type=vhost-user segment=BETA queues=4
weft port add v1 type=vhost-user segment=BETA queues=4
weft port add c1 type=tap segment=ALPHA netns=c1 ip=10.0.1.1/24
weft port add c2 type=tap segment=ALPHA netns=c2 ip=10.0.1.2/24 queues=4
port_up c1
port_up c2

# Every 100 ms each of the queues PORT:QUEUE... goes to the other worker, until the file is there.
# Prints a line for each round.
respread()
{
	local n=0 queue next moves
	next=$(now_us)
	while [ ! -e "$run/enough" ]; do
		n=$((n + 1))
		moves=()
		for queue; do
			weft worker move "${queue%:*}" "${queue#*:}" $((n % 2)) 2>/dev/null &
			moves+=($!)
		done
		# A queue that is not there yet is refused.
		wait "${moves[@]}" || true
		next=$((next + 100000))
		echo "$n"
		while [ "$(now_us)" -lt "$next" ]; do pause; done
	done
}

# Runs COMMAND... while the queues move, until they have moved often: while_moving QUEUE... -- COMMAND...
while_moving()
{
	local queues=() mover started
	while [ "$1" != -- ]; do
		queues+=("$1")
		shift
	done
	shift
	rm -f "$run/enough"
	started=$(now_us)
	respread "${queues[@]}" >"$run/rounds" &
	mover=$!
	"$@"
	# What is quick, on a machine that is slow, is done again.
	while [ "$(wc -l <"$run/rounds")" -lt 10 ]; do "$@"; done
	touch "$run/enough"
	wait $mover
	echo "re-spread $(wc -l <"$run/rounds") times in $((($(now_us) - started) / 1000)) ms"
}

step "64 flows, re-spread ten times a second"
while_moving v0:0 v0:1 v0:2 v0:3 -- "$build/tests/bench/weft-flows" --a "$run/vhost/v0.sock" \
	--b "$run/vhost/v1.sock" --queues 4 --pps "${PPS:-20000}" --seconds 5
for worker in 0 1; do
	[ "$(weft worker list -o json | jq ".workers[$worker].busy_frames")" -gt 10000 ] ||
		fail "worker $worker had next to nothing to do"
done

step "TCP, while queues of taps move"
while_moving c1:0 c2:0 c2:1 c2:2 c2:3 -- transfer 256 10.0.1.2 "in_ns c1" "in_ns c2"
weft worker queues
weft worker list

step "what is not there is refused"
refused 4 "there is no worker 2: use 0 to 1" weft worker move c1 0 2
refused 4 "queue 1 of the port is not polled" weft worker move c1 1 0
refused 4 "there is no port c9" weft worker move c9 0 0
refused 2 "is no number" weft worker move c1 x 0

step "a pinned queue is let go"
weft worker move c1 0 1
pinned() { [ "$(weft worker queues -o json | jq ".queues[] | select(.port == \"c1\") | .pinned")" = "$1" ]; }
pinned true || fail "c1 is not pinned"
weft worker move c1 0 auto
pinned false || fail "c1 is still pinned"
weft drops
finish
