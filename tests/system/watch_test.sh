#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     tap c1 -- namespace c1      weft watch, curl: /v1/watch
#
# Who watches hears of every change and every state, goes on where it was, and holds up nobody.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

watchers=()
at_exit 'kill -9 "${watchers[@]}" 2>/dev/null'

# follow FILE WORD...: weft watch in the background
follow()
{
	local file=$1
	shift
	"$build/cli/weft" watch "$@" >"$file" 2>&1 &
	watchers+=($!)
}

# stream FILE [QUERY]: curl in the background; comes back when it stands in the log
stream()
{
	curl -sN --unix-socket "$run/weftd.sock" "http://weft/v1/watch${2:-}" >"$1" &
	watchers+=($!)
	wait_for 5 "the first line of a watch" grep -q alive "$1"
}

unfollow()
{
	kill -9 "${watchers[@]}" 2>/dev/null || true
	wait "${watchers[@]}" 2>/dev/null || true
	watchers=()
}

# heard TEXT FILE
heard()
{
	wait_for 10 "'$1' in $2: $(cat "$2")" grep -qE -- "$1" "$2"
}

ns_add c1
daemons_start

step "changes, and states of ports"
stream "$run/curl"
follow "$run/table" "since=$(weft status -o json | jq -r .revision)"
weft segment add ALPHA vni=100
weft port add c1 type=tap segment=ALPHA netns=c1
weft segment set ALPHA mtu=1400
heard '"event":"state".*"port":"c1".*"link":"up"|"link":"up".*"port":"c1"' "$run/curl"
heard '^..:..:......  segment ALPHA +create$' "$run/table"
heard '^..:..:......  port c1 +create$' "$run/table"
heard '^..:..:......  port c1 +up$' "$run/table"
heard '^..:..:......  segment ALPHA +update: mtu$' "$run/table"
jq -es 'map(.event) | index("state") > index("change")' "$run/curl" >/dev/null || fail "$(cat "$run/curl")"
jq -es '[.[].position | split("-")[1] | tonumber] | . == sort' "$run/curl" >/dev/null ||
	fail "positions go back: $(cat "$run/curl")"

step "a namespace that goes"
ip netns del c1
heard '^..:..:......  port c1 +broken: ' "$run/table"
ns_add c1
wait_for 10 "c1 is up again" sh -c "tail -n 1 '$run/table' | grep -q 'port c1 *up'"

step "a dataplane that goes"
kill -9 "$(pid_of weft-dataplane)"
heard 'dataplane +lost$' "$run/table"
heard 'port c1 +down: weft-dataplane does not have it' "$run/table"
heard 'dataplane +connected$' "$run/table"
wait_for 10 "c1 is up again" sh -c "tail -n 1 '$run/table' | grep -q 'port c1 *up'"

step "going on from a position gives what came after it"
position=$(jq -rs 'map(select(.event == "change"))[1].position' "$run/curl")
follow "$run/resumed" -o json "since=$position"
# Sets $after to what the first stream has by now.
resumed()
{
	after=$(jq -cs --arg position "$position" \
		'map(select(.event != "alive")) | .[(map(.position) | index($position)) + 1:] | .[]' "$run/curl")
	[ "$(jq -c 'select(.event != "alive")' "$run/resumed")" = "$after" ]
}
wait_for 10 "the same lines" resumed
follow "$run/yaml" -o yaml "since=$position"
heard "^position: '?$(tail -n 1 <<<"$after" | jq -r .position)" "$run/yaml"
refused 4 "not known any more" weft watch since=00000000-3
refused 4 "not known any more" weft watch since=never
refused 2 "is not since=POSITION" weft watch from=3

step "who does not read is left behind, and holds up nobody"
unfollow
stream "$run/slow"
kill -STOP "${watchers[0]}"
seq 1 2000 | sed 's/.*/  S&: {vni: 1000&}/; 1i name: many\nsegments:' >"$run/many.yaml"
printf 'name: many\n' >"$run/none.yaml"
for _ in 1 2 3 4 5; do
	weft apply -f "$run/many.yaml" >"$run/answer"
	weft apply -f "$run/none.yaml" --prune >"$run/answer"
done
prompt=$(now_us)
weft status >"$run/answer"
[ $(($(now_us) - prompt)) -lt 2000000 ] || fail "status took $(($(now_us) - prompt)) us"
kill -CONT "${watchers[0]}"
wait_for 10 "the stream of the slow client ends" sh -c "! kill -0 ${watchers[0]} 2>/dev/null"
tail -n 1 "$run/slow" | jq -e '.event == "lost"' >/dev/null || fail "the last line: $(tail -n 1 "$run/slow")"
size_kb=$(awk '/^VmRSS/ {print $2}' "/proc/$(pid_of weftd)/status")
echo "weftd after 20,000 events: $size_kb KB"
[ "$size_kb" -lt 51200 ] || fail "weftd has grown to $size_kb KB"

unfollow

step "the end of weftd ends the stream"
follow "$run/last"
watches() { ss -xH state established | grep -q weftd.sock; }
wait_for 5 "weft watch is there" watches
daemons_stop
wait_for 10 "weft watch ends" sh -c "! kill -0 ${watchers[0]} 2>/dev/null"
status=0
wait "${watchers[0]}" || status=$?
[ "$status" -eq 3 ] || fail "exit code $status: $(cat "$run/last")"
watchers=()
finish
