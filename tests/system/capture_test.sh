#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     namespace c1 -- tap c1 --+== ALPHA ==+-- tap c2 -- namespace c2
#                              |           |
#                              +- capture -+--> ring --> weftd --> weft --> file, pipe
#     namespace c3 -- tap c3 --+== BETA
#
# Captures of numbered frames have each of them once, or say that it was not kept; of ports, segments,
# channels and drops, with filters, limits and rows of files. Who only asks wrongly gets one line; who
# dies while reading leaves nothing behind.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

frames=20000

python()
{
	python3 "$top/tests/system/capture.py" "$@"
}

# send FROM TO COUNT [BYTES]
send()
{
	ns "$1" python3 "$top/tests/system/capture.py" send "$1" "$(mac "$1")" "$(mac "$2")" "${@:3}"
}

running()
{
	[ "$(weft capture list -o json | jq '.captures | length')" -eq "$1" ]
}

# capture_start NAME WORD...: into $run/NAME.pcapng
capture_start()
{
	local name=$1 before
	before=$(weft capture list -o json | jq '.captures | length')
	shift
	# Not the function: the signals are for the program itself.
	"$build/cli/weft" capture "$@" -w "$run/$name.pcapng" 2>"$run/$name.err" &
	capture=$!
	wait_for 5 "the capture runs" running $((before + 1))
}

# capture_stop NAME: as Ctrl-C does
capture_stop()
{
	kill -INT "$capture"
	wait "$capture" || fail "weft capture: exit code $?: $(cat "$run/$1.err")"
	cat "$run/$1.err"
}

# The capture says by itself that it is not whole.
cut_short()
{
	local status=0
	wait "$capture" || status=$?
	[ "$status" -eq 3 ] || fail "weft capture: exit code $status: $(cat "$run/$1.err")"
	[ "$(wc -l <"$run/$1.err")" -eq 1 ] && grep 'closed the connection' "$run/$1.err" ||
		fail "said: $(cat "$run/$1.err")"
}

not_kept()
{
	sed -n 's/.* frames, \([0-9]*\) more could not be kept/\1/p' "$run/$1.err"
}

# What tshark makes of a file, without a complaint: dissect NAME OPTION...
dissect()
{
	tshark -n -r "$run/$1.pcapng" "${@:2}" 2>"$run/tshark.err" || fail "tshark: $(cat "$run/tshark.err")"
	grep -v 'Running as user' "$run/tshark.err" && fail "tshark complains of $1"
	return 0
}

# The lines of capture.py: interface and way, number.
numbered()
{
	dissect "$1" -Y 'eth.type == 0x88b5' -T fields -e frame.interface_name -e frame.packet_flags_direction \
		-e data.data | awk -F '\t' '{ print $1 "-" $2, substr($3, 1, 8) }'
}

count_of()
{
	dissect "$1" "${@:2}" | wc -l
}

has_captures()
{
	local pid n=0
	for pid in $(pid_of weftd) $(pid_of weft-dataplane); do
		n=$((n + $(find "/proc/$pid/fd" -lname '*weft-capture*' | wc -l)))
		n=$((n + $(grep -c weft-capture "/proc/$pid/maps" || true)))
	done
	[ "$n" -gt 0 ]
}

has_no_captures()
{
	! has_captures
}

# Whether weft has counted what it took from the devices, and all of that has gone somewhere.
have_passed()
{
	local port
	for port in c1 c2 c3; do
		[ "$(counter $port rx_frames)" -eq "$(ns $port cat /sys/class/net/$port/statistics/tx_packets)" ] ||
			return 1
	done
	weft stats -o json | jq -e '[.ports[], .retired] | (map(.rx_frames + .generated + .copies + .segments) | add) ==
		(map(.tx_frames + .drops + .queued) | add)'
}

ns_add c1 c2 c3
daemons_start --workers 1
weft segment add ALPHA vni=100
weft segment add BETA vni=200
weft channel add gold tx.ceil=1G
for port in c1 c2; do
	weft port add $port type=tap segment=ALPHA netns=$port channel=gold
done
weft port add c3 type=tap segment=BETA netns=c3
for port in c1 c2 c3; do port_up $port; done
# Both are known from here on: nothing is flooded.
send c1 c2 1
send c2 c1 1

step "one port, both ways: every frame once"
capture_start both c1
frames_before=$(($(counter c1 rx_frames) + $(counter c1 tx_frames)))
send c1 c2 $frames & one=$!
send c2 c1 $frames & other=$!
wait $one $other
wait_for 10 "all frames have passed" have_passed
capture_stop both
numbered both >"$run/lines"
# What the kernel's queue of a tap had no room for never came.
frames_passed=$(($(counter c1 rx_frames) + $(counter c1 tx_frames) - frames_before))
python check $frames $frames_passed "$(not_kept both)" <"$run/lines"
[ "$(cut -d ' ' -f 1 "$run/lines" | sort -u | wc -l)" -eq 2 ] || fail "not two ways"
[ "$(count_of both -Y 'frame.len != 60')" -eq 0 ] || fail "frames have another length"
capinfos -M "$run/both.pcapng" 2>/dev/null | grep -E 'Number of packets|Strict time order'
now=$(date +%s)
at=$(dissect both -c 1 -T fields -e frame.time_epoch | cut -d . -f 1)
[ $((now - at)) -lt 300 ] && [ $((now - at)) -ge 0 ] || fail "the time of a frame is $at, now is $now"

step "one way, a filter, a length"
capture_start rx c1 dir=rx --filter 'ether proto 0x88b5 and ether[14:4] < 100' --snaplen 40
send c1 c2 200
send c2 c1 200
wait_for 10 "all frames have passed" have_passed
capture_stop rx
numbered rx | python check 100 100 0
[ "$(count_of rx -Y 'frame.cap_len == 40 && frame.len == 60')" -eq 100 ] || fail "not cut to 40 bytes"

step "a segment, a channel; another segment is not in them"
capture_start segment segment=ALPHA; segment=$capture
capture_start channel channel=gold dir=tx; channel=$capture
capture_start beta segment=BETA; beta=$capture
send c1 c2 500
send c3 c3 1
wait_for 10 "all frames have passed" have_passed
capture=$segment; capture_stop segment
capture=$channel; capture_stop channel
capture=$beta; capture_stop beta
numbered segment | python check 500 1000 0
numbered channel | python check 500 500 0
[ "$(numbered segment | cut -d ' ' -f 1 | sort -u | wc -l)" -eq 2 ] || fail "not both ports of the segment"
[ "$(count_of beta)" -eq 1 ] || fail "BETA has frames of ALPHA, or not its own"

step "limits and rows of files"
weft capture c1 -w "$run/count.pcapng" --count 50 2>"$run/count.err" & capture=$!
wait_for 5 "it runs" running 1
send c1 c2 80
wait $capture
[ "$(count_of count)" -eq 50 ] || fail "not 50 frames"
weft capture c1 -w "$run/time.pcapng" --seconds 1
capture_start row c1 dir=rx --files 3 --file-size 100k
for first in 0 400 800 1200 1600 2000 2400 2800; do
	send c1 c2 400 60 $first
	wait_for 10 "all frames have passed" have_passed
done
capture_stop row
ls "$run"/row.*.pcapng
[ "$(find "$run" -name 'row.*.pcapng' | wc -l)" -eq 3 ] || fail "not three files"
for i in 1 2 3; do
	[ "$(stat -c %s "$run/row.$i.pcapng")" -le 101000 ] || fail "row.$i is too large"
	numbered row.$i >>"$run/row.lines"
done
[ "$(cut -d ' ' -f 2 "$run/row.lines" | sort -u | wc -l)" -eq "$(wc -l <"$run/row.lines")" ] || fail "a frame is in two files"
grep -q "$(printf %08x 3199)" "$run/row.lines" || fail "the last frame is in none"

step "to a pipe"
weft capture c1 -w - --count 10 2>/dev/null | tshark -n -r - -T fields -e data.data 2>/dev/null >"$run/pipe" &
capture=$!
wait_for 5 "it runs" running 1
send c1 c2 20
wait $capture
[ "$(wc -l <"$run/pipe")" -eq 10 ] || fail "not 10 frames came through the pipe"

step "what is dropped, with the reason"
weft port set c1 mac_guard=on
capture_start drops drops c1
ns c1 python3 "$top/tests/system/capture.py" send c1 02:00:00:00:00:99 "$(mac c2)" 20
are_dropped() { [ "$(dropped c1 mac-spoof)" -eq 20 ]; }
wait_for 5 "they are dropped" are_dropped
capture_stop drops
[ "$(count_of drops -Y 'frame.comment contains "mac-spoof"')" -eq 20 ] || fail "not 20 drops with their reason"
numbered drops | python check 20 20 0
weft drops c1 --frames | tee "$run/table"
[ "$(grep -c mac-spoof "$run/table")" -eq 20 ] || fail "the last drops of c1 are not shown"
grep -q 02:00:00:00:00:99 "$run/table" || fail "the sender is not shown"
[ "$(weft drops c2 --frames -o json | jq '.frames | length')" -eq 0 ] || fail "c2 has drops of c1"
weft drops c1 -w "$run/last.pcapng"
[ "$(count_of last -Y 'frame.comment == "mac-spoof"')" -eq 20 ] || fail "not 20 drops in the file"
numbered last | python check 20 20 0
# Many at once: the last 64 are there, and the rest is counted.
ns c1 python3 "$top/tests/system/capture.py" send c1 02:00:00:00:00:99 "$(mac c2)" 5000
has_last()
{
	[ "$(weft drops c1 --frames -o json | jq '.frames | length')" -eq "$1" ]
}
wait_for 10 "the last 64 are there" has_last 64
weft port set c1 mac_guard=

step "wrong questions"
refused 2 "say where to" weft capture c1
refused 2 "something is missing" weft capture -w "$run/x"
refused 2 "syntax error" weft capture c1 -w "$run/x" --filter 'tcp and and'
refused 2 "rejects all" weft capture c1 -w "$run/x" --filter 'ip and arp'
refused 2 "--snaplen 0" weft capture c1 -w "$run/x" --snaplen 0
refused 2 "none of PORT" weft capture colour=red -w "$run/x"
refused 2 "--file-size" weft capture c1 -w "$run/x" --file-size 1M
refused 4 "port nobody" weft capture nobody -w "$run/x"
refused 4 "segment DELTA" weft capture segment=DELTA -w "$run/x"
refused 4 "say ports, segment or channel" weft capture dir=rx -w "$run/x"
refused 4 "what is dropped has none" weft capture drops channel=gold -w "$run/x"
refused 4 "No such file" weft capture c1 -w "$run/no/where" --count 1
refused 4 "no capture nobody runs" weft capture end nobody
refused 2 "say of which port" weft drops --frames
[ ! -e "$run/x" ] || fail "a capture that was refused made a file"
post()
{
	curl -s --unix-socket "$run/weftd.sock" http://weft/v1/captures -d "$1" | jq -r .code
}
[ "$(post '{"ports":["c1"],"filter":[[0,0,0,0]]}')" = host-refused ] || [ "$(post '{"ports":["c1"],"filter":[[0,0,0,0]]}')" = value-invalid ] ||
	fail "a program without an end was taken: $(post '{"ports":["c1"],"filter":[[0,0,0,0]]}')"
[ "$(post '{"ports":["c1"],"filter":[[6,0,0]]}')" = value-invalid ] || fail "half an instruction was taken"
[ "$(post '{"ports":["c1","c1"]}')" = value-invalid ] || fail "a port was taken twice"
[ "$(post '{"port":["c1"]}')" = key-unknown ] || fail "an unknown key was taken"
[ "$(post '{"way":"rx"}')" = key-missing ] || fail "everything was taken"
[ "$(post '[]')" = value-invalid ] || fail "a list was taken"

step "eight at once, not nine; killed readers leave nothing"
wait_for 10 "those before have ended" running 0
for i in 1 2 3 4 5 6 7 8; do
	capture_start "many$i" c1
	many+=("$capture")
done
refused 4 "8 captures run already" weft capture c2 -w "$run/x"
has_captures || fail "no capture is seen in the daemons: this test sees nothing"
kill -KILL "${many[@]}"
wait "${many[@]}" 2>/dev/null || true
wait_for 10 "weftd ends them" running 0
wait_for 5 "their memory is gone" has_no_captures

step "a port that goes and comes, a segment's new port, daemons that end"
capture_start later segment=ALPHA
weft port del c2
weft port add c2 type=tap segment=ALPHA netns=c2
port_up c2
send c2 c1 100
wait_for 10 "all frames have passed" have_passed
capture_stop later
[ "$(numbered later | cut -d ' ' -f 2 | sort -u | wc -l)" -eq 100 ] || fail "not all frames of the new port"
capture_start killed c1
kill -KILL "$(pid_of weftd)"
cut_short killed
wait_for 20 "weftd is back" connected
wait_for 5 "nothing is left" has_no_captures
capture_start stopped c1
kill "$(pid_of weftd)"
cut_short stopped
wait_for 20 "weftd is back" connected
wait_for 5 "nothing is left" has_no_captures
capture_start gone c1
kill -KILL "$(pid_of weft-dataplane)"
wait_for 10 "the capture ends with the dataplane" running 0
cut_short gone
wait_for 20 "the dataplane is back" connected
wait_for 5 "nothing is left" has_no_captures
finish
