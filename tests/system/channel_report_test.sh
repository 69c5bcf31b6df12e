#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     front-end          front-end
#        |                  |
#        +-- v0             +-- v1         pool host, 10M: gold (v0) is assured of 4M, silver of 5M
#        |                  |
#     ===+===== ALPHA ======+===
#
# What weft tells of a channel is what passed through it, to the frame and to the byte; what it
# borrowed has a lender; who had to wait is told so; a plan is what comes about.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

daemons_start
weft apply -f - <<-LAB
	segments:
	  ALPHA: {vni: 100}
	pools:
	  host: {capacity: 10M}
	channels:
	  gold: {pool: host, tx: {rate: 4M}}
	  silver: {pool: host, tx: {rate: 5M}}
	ports:
	  v0: {type: vhost-user, segment: ALPHA, channel: gold}
	  v1: {type: vhost-user, segment: ALPHA}
LAB

# send N: that many frames of 60 bytes from v0.
send()
{
	"$build/tests/lib/weft-frontend" --socket "$run/vhost/v0.sock" --segment 1 --port 0 --to-port 1 \
		--count "$1" send
}

# report CHANNEL SPAN KEY, of what its machines send
report()
{
	weft channel show "$1" -o json | jq ".report.tx.$2.$3"
}

report_is()
{
	[ "$(report "$1" "$2" "$3")" = "$4" ]
}

# forecast CHANNEL KEY, of the plan in $plan
forecast()
{
	jq ".channels[] | select(.channel == \"$1\" and .way == \"tx\") | .$2" <<<"$plan"
}

metric()
{
	curl -s --unix-socket "$run/weftd.sock" http://weft/metrics | grep -F "$1{channel=\"gold\",pool=\"host\",way=\"tx\"} " |
		cut -d ' ' -f 2
}

metric_is()
{
	[ "$(metric "$1")" = "$2" ]
}

step "every frame and every byte is told, of the last minute and ever"
send 100
wait_for 3 "100 frames are told" report_is gold hour passed_frames 100
report_is gold hour asked_frames 100 || fail "$(weft channel show gold)"
report_is gold hour drops 0 || fail "$(weft channel show gold)"
report_is silver hour passed_frames 0 || fail "$(weft channel show silver)"
if command -v curl >/dev/null; then
	wait_for 3 "frames in /metrics" metric_is weft_channel_passed_frames_total 100
	metric_is weft_channel_passed_bytes_total 6000 || fail "$(metric weft_channel_passed_bytes_total)"
fi

step "a plan says what each would have, and changes nothing"
plan=$(weft channel plan silver tx.rate=2M -o json)
# 10M less 9M, or 6M, that are assured; gold, silver and the default have a third each.
[ "$(forecast gold before.share_bps)" -eq 4333333 ] || fail "$plan"
[ "$(forecast gold share_bps)" -eq 5333333 ] || fail "$plan"
[ "$(forecast host/default share_bps)" -eq 1333333 ] || fail "$plan"
[ "$(weft channel show silver -o json | jq -r .tx.rate)" = 5M ] || fail "the plan was carried out"
plan=$(weft channel plan silver tx.rate=9M -o json 2>"$run/refused") && fail "13M of 10M are no problem"
grep -q "this would be refused: .*13M" "$run/refused" || fail "$(cat "$run/refused")"
[ "$(jq '.pools[] | select(.way == "tx") | .oversubscribed' <<<"$plan")" = true ] || fail "$plan"

step "who has to wait is told so, and nothing is dropped"
weft channel set gold tx.rate=50k tx.ceil=100k
send 400
wait_for 3 "500 frames are told" report_is gold hour passed_frames 500
[ "$(report gold hour held_ms)" -gt 500 ] || fail "$(weft channel show gold)"
report_is gold hour drops 0 || fail "$(weft channel show gold)"
[ "$(report gold minute delay_p99_us)" != null ] || fail "$(weft channel show gold)"

step "what is borrowed beyond what is free has a lender"
weft channel set silver tx.rate=9950k
weft channel set gold tx.rate=50k tx.ceil=1M
# 1M for two seconds: 50k are its own, nothing is free.
send 4000
wait_for 3 "4500 frames are told" report_is gold hour passed_frames 4500
# All of one look: the last minute moves on.
minute=$(weft channel show gold -o json | jq .report.tx.minute)
lender=$(jq '.borrowed_from[0]' <<<"$minute")
[ "$(jq -r .channel <<<"$lender")" = silver ] || fail "$(weft channel show gold)"
borrowed=$(jq '.borrowed_bps - .free_bps' <<<"$minute")
off=$(($(jq .bps <<<"$lender") - borrowed))
[ "${off#-}" -le 10 ] || fail "$borrowed were borrowed: $minute"
[ "$(report silver minute lent_bps)" -gt 0 ] || fail "$(weft channel show silver)"
weft channel show gold | grep -q "borrowed.* of silver's" || fail "$(weft channel show gold)"

step "weft top draws it"
weft top channels | grep -E '^gold +tx .*(=|\+|\|)' >/dev/null || fail "$(weft top channels)"
"$top/tests/system/top.py" "$build/cli/weft" gold channels
finish
