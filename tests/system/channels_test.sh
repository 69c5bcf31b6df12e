#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     weft-shape: g, b send to s            namespace c1     namespace c2
#        |      |      |                       10.0.1.1         10.0.1.2
#        |      |      |                          |                |
#     ===+======+======+=== BETA ===           ===+===== ALPHA ====+===
#       gold  bronze    pool host: 80M            bronze, then gold, of 80M
#
# A held source loses nothing. A loan takes effect, returns by itself, and can be called back. A machine
# that moves between channels under TCP keeps its connection, and has the new rate.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

command -v iperf3 >/dev/null || skip "iperf3 is not installed"
[ "$(nproc)" -ge 2 ] || skip "needs a CPU for the worker and one for the load"
export PATH=$build/cli:$PATH

# shape MS WORD...: what weft-shape says is in $run/shape.json
shape()
{
	local ms=$1
	shift
	"$build/tests/bench/weft-shape" --sockets "$run/vhost" --ms "$ms" --bins "$@" >"$run/shape.json"
	jq -e 'all(.events[]; .status == 0)' "$run/shape.json" >/dev/null ||
		fail "a command failed: $(jq -c .events "$run/shape.json")"
}

# Mean of a flow between two times, in Mbit/s, over each ms in which, and before which, both CPUs were there
# for it; nothing if those are few: mean FLOW FIRST-MS LAST-MS
mean()
{
	jq "[.gaps_us, .waits_us] | transpose | map(max < 300)" "$run/shape.json" >"$run/quiet.json"
	jq --slurpfile quiet "$run/quiet.json" ".flows[$1].bins as \$bins | [range($2; $3) |
		select(\$quiet[0][.] and \$quiet[0][. - 1]) | \$bins[.]] |
		if length < 100 then empty else add / length * 0.008 end" "$run/shape.json"
}

# Times of an event: so many ms after its answer, so many before it was asked for: after_ms, until_ms EVENT MS
after_ms() { jq ".events[$1].ended_ms + $2 | floor" "$run/shape.json"; }
until_ms() { jq ".events[$1].began_ms - $2 | floor" "$run/shape.json"; }

# Whether a rate is near what is due; coarse, since others use the machine: near WHAT IS DUE
near()
{
	echo "$1: ${2:-?} Mbit/s, due $3"
	[ -z "$2" ] || jq -en "$2 > 0.8 * $3 and $2 < 1.2 * $3" >/dev/null || fail "$1: $2 Mbit/s in place of $3"
}

# No frame of any flow was lost or overtaken on the way.
all_came()
{
	jq -e 'all(.flows[]; .lost == 0 and .late == 0)' "$run/shape.json" >/dev/null ||
		fail "lost or overtaken: $(jq -c '[.flows[] | {from, received, lost, late}]' "$run/shape.json")"
}

ns_add c1 c2
daemons_start --workers 0
weft apply -f - >/dev/null <<-'LAB'
	segments: {ALPHA: {vni: 100}, BETA: {vni: 200}}
	pools:
	  host: {capacity: {tx: 80M, rx: 10G}}
	channels:
	  gold:   {pool: host, tx: {rate: 60M, ceil: 60M}}
	  bronze: {pool: host, tx: {rate: 20M, ceil: 20M}}
	ports:
	  g: {type: vhost-user, segment: BETA, channel: gold}
	  b: {type: vhost-user, segment: BETA, channel: bronze}
	  s: {type: vhost-user, segment: BETA}
	  c1: {type: tap, segment: ALPHA, netns: c1, ip: 10.0.1.1/24, channel: bronze}
	  c2: {type: tap, segment: ALPHA, netns: c2, ip: 10.0.1.2/24}
LAB
port_up c1
port_up c2

step "two held sources, each above its rate"
before=$(weft drops -o json | jq '[.drops[].frames] | add // 0')
shape 2000 --flow from=g,to=s --flow from=b,to=s,size=imix
near gold "$(mean 0 500 2000)" 60
near bronze "$(mean 1 500 2000)" 20
all_came
after=$(weft drops -o json | jq '[.drops[].frames] | add // 0')
# What came before both addresses were known was flooded.
[ "$((after - before))" -le 20 ] || fail "$((after - before)) frames were dropped"

step "a loan of 40M, for 2 s"
shape 5500 --flow from=g,to=s --flow from=b,to=s \
	--at "1000:weft channel lend gold 40M to=bronze for=2s way=tx"
near "gold before" "$(mean 0 400 900)" 60
# It begins between request and answer.
begin=$(after_ms 0 500) end=$(until_ms 0 -1700) later=$(after_ms 0 3200)
near "gold meanwhile" "$(mean 0 "$begin" "$end")" 20
near "gold afterwards" "$(mean 0 "$later" 5500)" 60
near "bronze before" "$(mean 1 400 900)" 20
near "bronze meanwhile" "$(mean 1 "$begin" "$end")" 60
near "bronze afterwards" "$(mean 1 "$later" 5500)" 20
all_came

step "a loan that is called back"
shape 4500 --flow from=g,to=s --flow from=b,to=s \
	--at "500:weft channel lend gold 40M to=bronze for=1h way=tx" --at "2200:weft channel recall loan1"
near "gold meanwhile" "$(mean 0 "$(after_ms 0 750)" "$(until_ms 1 100)")" 20
later=$(after_ms 1 950)
near "gold afterwards" "$(mean 0 "$later" 4500)" 60
near "bronze afterwards" "$(mean 1 "$later" 4500)" 20
all_came

step "a port moves between channels, under load"
shape 4000 --flow from=b,to=s --at "1000:weft channel assign gold port=b" \
	--at "2500:weft channel assign bronze port=b"
near "in bronze" "$(mean 0 400 900)" 20
near "in gold" "$(mean 0 "$(after_ms 0 550)" "$(until_ms 1 100)")" 60
near "in bronze again" "$(mean 0 "$(after_ms 1 650)" 4000)" 20
all_came

step "a tap moves between channels, under TCP"
ns c2 iperf3 -s -1 >"$run/server.log" 2>&1 &
server=$!
listens() { ns c2 ss -ltn | grep -q ':5201 '; }
wait_for 5 "iperf3 listens" listens
ns c1 iperf3 -c 10.0.1.2 -t 6 -i 1 -J >"$run/iperf.json" &
client=$!
# Bytes that c1 has sent: the connection runs.
runs() { [ "$(counter c1 rx_bytes)" -gt 4000000 ]; }
wait_for 10 "the connection runs" runs
weft channel assign gold port=c1
wait "$client" || fail "the connection broke: $(jq -r .error "$run/iperf.json")"
wait "$server"
jq -c '[.intervals[].sum | .bits_per_second / 1e6 | round]' "$run/iperf.json"
# Bronze has 20M; a second may have lacked a CPU.
jq -e '[.intervals[-3:][].sum.bits_per_second] | max > 4e7' "$run/iperf.json" >/dev/null ||
	fail "the connection does not have the rate of gold"
weft channel list
weft drops
finish
