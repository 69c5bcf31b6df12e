#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     root -------- status, in time ------------+
#     ann, bob, eve... (group weft): floods ----+-- weftd.sock -- weftd
#     slow: a byte every 100 ms ----------------+
#
# Callers without manners: slow ones, many connections, many requests, deep and large bodies. Each
# meets its limit; root gets its answers all the while.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

# Users and groups of this scenario only.
printf 'root:x:0:0::/root:/bin/sh\nann:x:6001:6001::/:/bin/sh\nbob:x:6002:6002::/:/bin/sh\neve:x:6003:6003::/:/bin/sh\ndan:x:6004:6004::/:/bin/sh\njoe:x:6005:6005::/:/bin/sh\nkim:x:6006:6006::/:/bin/sh\n' >"$run/passwd"
printf 'root:x:0:\nann:x:6001:\nbob:x:6002:\neve:x:6003:\ndan:x:6004:\njoe:x:6005:\nkim:x:6006:\nweft:x:7000:ann,bob,eve,dan,joe,kim\nkvm:x:7002:\n' >"$run/group"
mount --bind "$run/passwd" /etc/passwd
mount --bind "$run/group" /etc/group
chmod 755 "$run"
"$build/control/weftd" --run-dir "$run" --state-dir "$state" 2>>"$daemon_log" &
daemon=$!
at_exit 'kill "$daemon" 2>/dev/null'
here=$(dirname "$0")
wait_for 10 "weftd answers" weft segment list

socket=$run/weftd.sock

# as USER WHAT...
as()
{
	python3 "$here/api_flood.py" "$socket" "$@"
}

step "a header has 5 s, a body 30 s, however often a byte comes"
as ann header >"$run/header" &
header=$!
as ann body >"$run/body" &
body=$!

step "a hundred requests a second"
as bob flood 1000 | tee "$run/flood"
read -r n_good n_refused n_over took <"$run/flood"
[ "$n_over" -eq 0 ] && [ "$n_good" -ge 200 ] || fail "$n_good requests in $took s"
[ $((n_good + n_refused)) -eq 1000 ] || fail "$((1000 - n_good - n_refused)) requests had another answer"
[ "$(as eve flood 50 | cut -d ' ' -f 1)" -eq 50 ] || fail "eve pays for bob"
as root flood 1000 | grep '^1000 0 ' || fail "root is held to the limit"
gets_one() { as bob flood 1 | grep -q '^1 0 '; }
wait_for 5 "bob may ask again" gets_one

# One of the two slow ones less, from here on.
wait "$header"

step "32 connections of one user, 64 of all, and root gets in"
mkfifo "$run/stay"
exec {stay}<>"$run/stay"
for user in bob eve; do
	as "$user" hold 40 <"$run/stay" >"$run/held" {stay}>&- &
	wait_for 10 "$user has its connections" grep -q READY "$run/held"
	read -r _ held <"$run/held"
	echo "$user: $held of 40"
	# ann's slow one is among the 64.
	[ "$held" -le 32 ] && [ "$held" -ge 30 ] || fail "$user has $held connections"
done
[ "$(as ann hold 1 </dev/null)" = "READY 0" ] || fail "there is room for ann"
timeout 5 "$build/cli/weft" segment list >/dev/null || fail "root does not get in"
exec {stay}>&-
# Without her slow one, or with it.
has_room() { as ann hold 32 </dev/null | grep -qE 'READY 3[12]'; }
wait_for 5 "there is room again" has_room

step "8 watches of one user, 32 of all, and root watches"
exec {stay}<>"$run/stay"
for user in eve dan joe kim; do
	as "$user" watch 10 <"$run/stay" >"$run/watches.$user" {stay}>&- &
	wait_for 10 "$user has its watches" grep -q READY "$run/watches.$user"
	[ "$(cat "$run/watches.$user")" = "READY 8" ] || fail "$user: $(cat "$run/watches.$user")"
done
[ "$(as ann watch 1 </dev/null)" = "READY 0" ] || fail "there is room for ann"
[ "$(as root watch 2 </dev/null)" = "READY 2" ] || fail "root cannot watch"
exec {stay}>&-
may_watch() { as ann watch 1 </dev/null | grep -q 'READY 1'; }
wait_for 5 "there is room again" may_watch

step "nested too deep, too large"
deep=$(python3 -c 'print("{\"vni\": " + "[" * 40 + "]" * 40 + "}")')
curl -s --unix-socket "$socket" -X PUT --data-binary "$deep" http://weft/v1/segments/A >"$run/answer"
jq -e '.status == 400 and .code == "json-invalid" and (.detail | contains("deeper than 32"))' "$run/answer" ||
	fail "$(cat "$run/answer")"

wait "$body"
echo "hung up on after $(cat "$run/header") s and $(cat "$run/body") s"
awk '{ exit !($1 >= 4.9 && $1 < 10) }' "$run/header" || fail "a header had $(cat "$run/header") s"
awk '{ exit !($1 >= 29.9 && $1 < 36) }' "$run/body" || fail "a body had $(cat "$run/body") s"
kill "$daemon"
wait "$daemon" || true
umount /etc/passwd /etc/group
finish
