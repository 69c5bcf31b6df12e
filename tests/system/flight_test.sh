#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     namespace c1 -- tap c1 --+== ALPHA (flight=on, broadcast_pps=500) ==+-- tap c2 -- namespace c2
#     namespace c3 -- tap c3 --+== BETA (flight=on) ==+-- tap c4 -- namespace c4
#     namespace c5 -- tap c5 --+== GAMMA (flight=on) ==+-- tap c6 -- namespace c6 (rx.ceil=1M)
#                                      |
#                                  rings of 256 frames --(storm, move, rate)--> weftd --> files
#
# A storm, an address that moves and a queue that overflows save one file each, which holds the frames from
# before, of that segment alone, and says what happened. Who watches is told. Files are few, and on a
# full disk nothing is half there.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

mkdir -p "$state"
mount -t tmpfs -o size=8m weft-state "$state"
at_exit 'umount -l "$state" 2>/dev/null'
watcher=
at_exit '[ -z "$watcher" ] || kill "$watcher" 2>/dev/null'

# send FROM TARGET-MAC COUNT [BYTES [FIRST]]
send()
{
	ns "$1" python3 "$top/tests/system/capture.py" send "$1" "$(mac "$1")" "$2" "${@:3}"
}

# names SEGMENT TRIGGER
names()
{
	weft flight list -o json | jq -r --arg s "$1" --arg t "$2" \
		'.flights[] | select(.segment == $s and .trigger == $t) | .name'
}

has_names()
{
	[ "$(names "$1" "$2" | wc -l)" -eq "$3" ]
}

# dissect FILE OPTION...
dissect()
{
	tshark -n -r "$1" "${@:2}" 2>"$run/tshark.err" || fail "tshark: $(cat "$run/tshark.err")"
	grep -v 'Running as user' "$run/tshark.err" && fail "tshark complains of $1"
	return 0
}

# Fetches the one file of a segment and trigger, and looks who its frames are from: fetch SEGMENT TRIGGER -e PORT...
fetch()
{
	local name file interfaces
	name=$(names "$1" "$2")
	file=$run/$1.$2.pcapng
	weft flight get "$name" -w "$file"
	capinfos -k "$file" 2>/dev/null | sed -n 's/^Capture comment: *//p' | tee "$run/comment"
	grep -q "segment $1, " "$run/comment" || fail "the file does not name its segment"
	dissect "$file" -Y 'eth.type == 0x88b5' -T fields -e frame.interface_name -e data.data -e frame.comment |
		awk -F '\t' '{ print $1, substr($2, 1, 8), $3 }' >"$run/lines"
	echo "$(wc -l <"$run/lines") frames"
	interfaces=$(cut -d ' ' -f 1 "$run/lines" | sort -u)
	grep -vxF "${@:3}" <<<"$interfaces" && fail "frames of another port than ${*:3}"
	return 0
}

# The frames numbered from FIRST on, so many, are there: holds FIRST COUNT
holds()
{
	local number
	for ((number = $1; number < $1 + $2; number++)); do
		grep -q " $(printf %08x "$number")" "$run/lines" || fail "frame $number from before is not there"
	done
}

ns_add c1 c2 c3 c4 c5 c6
daemons_start --workers 1
weft segment add ALPHA vni=100 flight=on broadcast_pps=500
weft segment add BETA vni=200 flight=on
weft segment add GAMMA vni=300 flight=on
weft segment add DELTA vni=400
weft channel add slow rx.ceil=1M
for port in c1 c2; do weft port add $port type=tap segment=ALPHA netns=$port; done
for port in c3 c4; do weft port add $port type=tap segment=BETA netns=$port; done
weft port add c5 type=tap segment=GAMMA netns=c5
weft port add c6 type=tap segment=GAMMA netns=c6 channel=slow
for port in c1 c2 c3 c4 c5 c6; do port_up $port; done
"$build/cli/weft" watch >"$run/watched" &
watcher=$!

step "a storm: one file, with what was before, of ALPHA alone"
send c2 "$(mac c1)" 20 60 1000
send c3 "$(mac c4)" 20 60 5000
send c1 ff:ff:ff:ff:ff:ff 3000 60 100000
wait_for 10 "it is saved" has_names ALPHA storm 1
fetch ALPHA storm -e c1 -e c2
grep -q 'storm-[a-z]* at port c1' "$run/comment" || fail "the comment does not say what happened"
holds 1000 20
grep -q ' 0000138[89a-f]' "$run/lines" && fail "frames of BETA are in ALPHA's file"
[ "$(grep -c 'at port c1' "$run/lines")" -eq 1 ] || fail "not one frame says that it was then"
wait_for 5 "who watches is told" grep -q 'segment ALPHA .*saved: .*-storm-ALPHA' "$run/watched"
send c1 ff:ff:ff:ff:ff:ff 3000

step "an address that moves"
send c4 "$(mac c3)" 10 60 2000
ns c4 python3 "$top/tests/system/capture.py" send c4 "$(mac c3)" ff:ff:ff:ff:ff:ff 1 60 3000
wait_for 10 "it is saved" has_names BETA move 1
has_names ALPHA storm 1 || fail "the same storm was saved again at once"
fetch BETA move -e c3 -e c4
grep -q "$(mac c3) moved from port c3 to port c4" "$run/comment" || fail "the comment does not say what moved"
holds 5000 20
holds 2000 10
holds 3000 1
grep -q "^c4 00000bb8 .*moved from" "$run/lines" || fail "the frame that moved it does not say so"

step "more than a channel passes, and holds"
send c6 "$(mac c5)" 10 60 4000
send c5 "$(mac c6)" 6000 1500
wait_for 10 "it is saved" has_names GAMMA rate 1
fetch GAMMA rate -e c5 -e c6
grep -q 'queue-full at port c6' "$run/comment" || fail "the comment does not say what happened"

step "weftd was not there when it happened"
weft segment add OMEGA vni=500 flight=on
weft port set c3 segment=OMEGA
weft port set c4 segment=OMEGA
send c3 "$(mac c4)" 5 60 7000
kill -STOP "$(pid_of weftd)"
ns c4 python3 "$top/tests/system/capture.py" send c4 "$(mac c3)" ff:ff:ff:ff:ff:ff 1 60 7100
send c3 ff:ff:ff:ff:ff:ff 400 60 8000
kill -KILL "$(pid_of weftd)"
wait_for 20 "weftd is back" connected
wait_for 10 "it is saved" has_names OMEGA move 1
fetch OMEGA move -e c3 -e c4
holds 7000 5
holds 7100 1
[ "$(wc -l <"$run/lines")" -le 70 ] || fail "frames that came much later are there"

step "by hand: few of each segment, and nobody else's business"
for _ in 1 2 3 4 5 6 7 8 9 10; do weft flight save ALPHA >/dev/null; done
[ "$(weft flight list -o json | jq '[.flights[] | select(.segment == "ALPHA")] | length')" -eq 8 ] ||
	fail "not 8 files of ALPHA: $(weft flight list)"
[ "$(names BETA move | wc -l)" -eq 1 ] || fail "ALPHA's files pushed out BETA's"
weft flight list
stat -c '%a %n' "$state/flight" "$state"/flight/* | grep -v '^[67]00 ' && fail "others can read them"
name=$(names BETA move)
weft flight get "$name" -w - | cmp - "$run/BETA.move.pcapng"
weft flight del "$name"
has_names BETA move 0 || fail "it was not deleted"
refused 4 "there is no recording" weft flight get "$name" -w "$run/x"
[ ! -e "$run/x" ] || fail "a file that was refused is there"
refused 4 "there is no recording" weft flight del "$name"
refused 4 "there is no recording" weft flight get ..%2fweft -w "$run/x"
refused 4 "there is no" weft flight get ../weft.db -w "$run/x"
refused 2 "is no name" weft flight get ../weft.db
refused 4 "has no flight recorder" weft flight save DELTA
refused 4 "no segment" weft flight save NOBODY
weft segment set BETA flight=off
refused 4 "has no flight recorder" weft flight save BETA

step "a full disk: one error, nothing half there"
weft flight list >"$run/listed"
dd if=/dev/zero of="$state/fill" bs=64k 2>/dev/null || true
refused 4 "No space left" weft flight save GAMMA
refused 4 "No space left" weft flight save GAMMA
weft flight list | diff "$run/listed" -
[ ! -e "$state/flight/part" ] || fail "a part of a file is there"
[ "$(grep -c 'not saved: No space left' "$daemon_log")" -eq 1 ] || fail "it was not said once: $(cat "$daemon_log")"
rm "$state/fill"
weft flight save GAMMA
accounting
daemons_stop
umount "$state"
finish
