#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     vhost-user web0, gw0 --+== ALPHA ==+-- tap c1 -- namespace c1
#     vhost-user gw1 --------+== BETA ===+
#
# Every command of weft against the real daemons: words in, tables, JSON and YAML out, exit codes.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

# prints TEXT COMMAND...: the command succeeds and its output is exactly the text.
prints()
{
	local text=$1
	shift
	[ "$("$@")" = "$text" ] || fail "$*: printed '$("$@")' instead of '$text'"
}

# shows TEXT COMMAND...: the command succeeds and a line of its output is the text.
shows()
{
	local text=$1
	shift
	"$@" >"$run/shown"
	grep -qxF -- "$text" "$run/shown" || fail "$*: no line '$text' in: $(cat "$run/shown")"
}

ns_add c1
daemons_start

step "add, set, list, show, del"
prints "+ segment ALPHA" weft segment add ALPHA vni=100 vlan=10
prints "+ segment BETA" weft segment add BETA vni=200 age=5m
prints "+ segment GAMMA" weft segment add GAMMA vni=300 --dry-run
refused 4 "GAMMA" weft segment show GAMMA
refused 4 "weft segment set ALPHA" weft segment add ALPHA vni=101
shows "ALPHA  100    10  1500  300s" weft segment list
prints "~ segment BETA (mtu)" weft segment set BETA mtu=1400
prints "no change" weft segment set BETA mtu=1400
shows "mtu         1400" weft segment show BETA
shows "age         300s" weft segment show BETA
prints "~ segment BETA (mtu)" weft segment set BETA mtu=
shows "status.mtu  1500" weft segment show BETA

prints "+ port web0" weft port add web0 type=vhost-user segment=ALPHA vm=web
prints "+ port gw0" weft port add gw0 type=vhost-user segment=ALPHA vm=gw mac=02:00:00:00:00:10
prints "+ port gw1" weft port add gw1 type=vhost-user segment=BETA vm=gw
prints "+ port c1" weft port add c1 type=tap segment=ALPHA netns=c1 ip=10.0.1.1/24
weft port show gw0 | grep -qE '^mac +02:00:00:00:00:10$' || fail "port show: $(weft port show gw0)"
prints "~ port gw0 (vm)" weft port set gw0 vm=
weft port list | grep -qE '^gw0 +vhost-user +ALPHA +- +02:00:00:00:00:10 +active +down' ||
	fail "port list: $(weft port list)"
prints "c1 gw0 gw1 web0" sh -c "'$build/cli/weft' port list | awk 'NR > 1 {print \$1}' | xargs"
prints "- port gw0" weft port del gw0
prints "+ port gw0" weft port add gw0 type=vhost-user segment=ALPHA vm=gw
refused 4 "BETA" weft segment del BETA
refused 4 "type is missing; give it vhost-user (KVM guest), tap" weft port add x segment=ALPHA
grep -qF "uplink (interface to other hosts) or peer (another host)" "$run/refused.err" ||
	fail "not every type is named: $(cat "$run/refused.err")"
weft port types | grep -q '^vhost-user: ' || fail "port types: $(weft port types)"

step "uplinks and peers"
ip link add eth1 type veth peer name far1
ip link set far1 up
ip addr add 10.9.0.1/24 dev eth1
ip link set eth1 up
prints "+ port eth1" weft uplink add eth1 vtep=10.9.0.1
weft uplink list | grep -qE '^eth1 +- +10\.9\.0\.1 ' || fail "uplink list: $(weft uplink list)"
prints "+ port h2" weft peer add h2 vtep=10.9.0.2 segments=ALPHA,BETA learn=off
prints "+ port h3" weft peer add h3 vtep=10.9.0.3
refused 4 "h2 exists; change it with: weft peer set h2" weft peer add h2 vtep=10.9.0.9
refused 4 "h4" weft peer add h4 vtep=10.9.0.2
refused 4 "web0 is no peer" weft peer set web0 vtep=10.9.0.4
refused 4 "eth1 is no peer" weft peer del eth1
refused 4 "web0 is no peer" weft peer show web0
weft peer list >"$run/peers"
grep -qE '^h2 +10\.9\.0\.2 +ALPHA,BETA +active +down +[^-]' "$run/peers" || fail "$(cat "$run/peers")"
grep -qE '^h3 +10\.9\.0\.3 +all +active +down +[^-]' "$run/peers" || fail "$(cat "$run/peers")"
! grep -q web0 "$run/peers" || fail "peer list has other ports: $(cat "$run/peers")"
prints "~ port h2 (segments)" weft peer set h2 segments=BETA
prints "no change" weft peer set h2 segments=BETA
weft peer show h2 | grep -qE '^learn +no$' || fail "peer show: $(weft peer show h2)"
prints "- port h3" weft peer del h3
prints "- port h2" weft peer del h2
prints "- port eth1" weft uplink del eth1
ip link del eth1

step "export, diff, apply"
weft export >"$run/lab.yaml"
weft export -o json >"$run/lab.json"
prints "no change" weft diff -f "$run/lab.yaml"
prints "no change" weft diff -f "$run/lab.json"
prints "no change" weft apply -f - <"$run/lab.yaml"
printf 'segments:\n  GAMMA: {vni: 300}\nports:\n  g0: {type: vhost-user, segment: GAMMA}\n' \
	>"$run/more.yaml"
status=0
weft diff -f "$run/more.yaml" >"$run/diff" || status=$?
[ "$status" -eq 1 ] || fail "diff that differs: exit code $status"
printf '+ segment GAMMA\n+ port g0\n2 to create\n' | diff - "$run/diff"
weft apply -f "$run/more.yaml" --dry-run | diff - "$run/diff"
prints "$(printf '+ segment GAMMA\n+ port g0\n2 created')" weft apply -f "$run/more.yaml"
prints "no change" weft diff -f "$run/more.yaml"

step "apply adds and changes; with --prune it deletes what its lab no longer declares"
printf 'segments:\n  GAMMA: {vni: 300}\n' >"$run/less.yaml"
prints "no change" weft apply -f "$run/less.yaml"
prints "$(printf -- '- port g0\n1 to delete')" weft apply -f "$run/less.yaml" --prune --dry-run
prints "$(printf -- '- port g0\n1 deleted')" weft apply -f "$run/less.yaml" --prune
refused 4 "g0" weft port show g0
shows "vni         200" weft segment show BETA

step "what guests are started with"
[ "$(weft port qemu-args gw0 gw1 memory=256M | wc -l)" -eq 1 ] || fail "not one line"
weft port qemu-args gw0 gw1 memory=256M -o json >"$run/args"
[ "$(grep -c 'memory-backend' "$run/args")" -eq "$(weft port qemu-args gw0 memory=256M -o json |
	grep -c 'memory-backend')" ] || fail "the memory of two ports is not shared"
for port in gw0 gw1; do
	grep -q "$run/vhost/$port.sock" "$run/args" || fail "no socket of $port in the arguments"
done
weft port libvirt-xml gw0 | grep -qF "$run/vhost/gw0.sock" || fail "libvirt-xml names no socket"
for accel in kvm tcg; do
	weft port qemu-args gw0 gw1 "accel=$accel" -o json >"$run/args"
	jq -e --arg accel "$accel" '. as $all | [indices("-accel")[] | $all[. + 1]] == [$accel]' \
		"$run/args" >/dev/null || fail "accel=$accel: not one -accel $accel: $(cat "$run/args")"
	vectors=$(grep -c 'vectors=0' "$run/args") || true
	[ "$accel $vectors" = "kvm 0" ] || [ "$accel $vectors" = "tcg 2" ] ||
		fail "accel=$accel: $vectors cards with vectors=0"
done
usable=$( (: <>/dev/kvm) 2>/dev/null && echo kvm || echo tcg)
[ "$(weft port qemu-args gw0)" = "$(weft port qemu-args gw0 "accel=$usable")" ] ||
	fail "without accel= it is not $usable"
refused 2 "gw0 is given twice" weft port qemu-args gw0 gw1 gw0
[ -z "$(weft port qemu-args gw0 gw1 2>&1 >/dev/null)" ] || fail "a warning about one machine's ports"
weft port qemu-args gw1 web0 2>&1 >/dev/null |
	grep -qxF 'weft: warning: port web0 is of vm web, a port before it of gw' ||
	fail "no warning about ports of two machines"
refused 4 "namespaces and containers; for a guest use type=vhost-user" weft port qemu-args c1
refused 4 "namespaces and containers; for a guest use type=vhost-user" weft port libvirt-xml c1

step "what is seen"
ns c1 ip neigh add 10.0.1.2 lladdr 02:00:00:00:00:99 dev c1
ns c1 ping -c 1 -W 1 10.0.1.2 >"$run/ping" || true
learned() { weft fdb list segment=ALPHA port=c1 | grep -q ' c1 '; }
wait_for 5 "the address of c1 is learned" learned
prints "0" sh -c "'$build/cli/weft' fdb list segment=BETA -o json | jq '.entries | length'"
wait_for 5 "c1 has received frames" sh -c "[ \"\$('$build/cli/weft' stats c1 -o json |
	jq '.ports[0].rx_frames')\" -gt 0 ]"
weft stats | grep -q '^c1 ' || fail "stats: $(weft stats)"
weft drops | grep -q '^PORT ' || fail "drops: $(weft drops)"
weft status | grep -qE '^dataplane.connected +yes$' || fail "status: $(weft status)"

step "where a machine is"
mac=$(weft port show c1 -o json | jq -r .mac)
found() { weft where "$1" -o json | jq -r '.places[] | [.segment, .port, .mac, .ips[]] + .sources | join(" ")'; }
prints "ALPHA c1 $mac 10.0.1.1 spec fdb" found 10.0.1.1
ns c1 ping -c 1 -W 1 10.0.1.3 >"$run/ping" || true
heard() { found c1 | grep -q neighbour; }
wait_for 5 "an ARP request of c1 is heard" heard
prints "ALPHA c1 $mac 10.0.1.1 spec neighbour fdb" found 10.0.1.1
prints "ALPHA c1 $mac 10.0.1.1 spec neighbour fdb" found "$mac"
prints "ALPHA c1 $mac 10.0.1.1 spec neighbour fdb" found c1
weft where gw | grep -qE '^BETA +gw1 +gw .* - +- +spec$' || fail "where: $(weft where gw)"
refused 1 "nobody knows 10.0.1.77" weft where 10.0.1.77
refused 1 "nobody knows 02:00:00:00:00:77" weft where 02:00:00:00:00:77
refused 4 "say what to find" weft where ""

step "JSON and YAML"
for what in status "where c1" "port list" "segment list" "fdb list" stats drops "port types"; do
	# shellcheck disable=SC2086 # two words
	weft $what -o json | jq -e 'type == "object"' >/dev/null || fail "$what: no JSON object"
done
shows "- name: ALPHA" weft segment list -o yaml
shows "  mac: '02:00:00:00:00:20'" sh -c "'$build/cli/weft' port set gw1 mac=02:00:00:00:00:20 &&
	'$build/cli/weft' port list -o yaml"

step "what is said about errors"
refused 2 "'bad/name' is not a name: use 1 to 63 of A-Z a-z 0-9 . _ -" weft port show bad/name
refused 2 "did you mean 'weft port list'" weft port ls
refused 2 "did you mean -f $run/lab.yaml" weft apply "$run/lab.yaml"
refused 4 "nosuch" weft port show nosuch -o json
jq -e '.status == 404 and (.code | length > 0) and (.detail | contains("nosuch"))' \
	"$run/refused.out" >/dev/null || fail "-o json: no problem on stdout: $(cat "$run/refused.out")"
"$top/scripts/guest" --help | grep -qF 'scripts/guest [DIRECTORY]' || fail "scripts/guest --help"

step "waiting for the daemons"
alone=$run/alone
mkdir "$alone"
refused 3 "waited 1 s: weftd does not run" weft --run-dir "$alone" status --wait=1
"$build/control/weftd" --run-dir "$alone" --state-dir "$alone/state" 2>"$run/alone.log" &
weftd=$!
wait_for 10 "that weftd answers" weft --run-dir "$alone" segment list
# A busy machine may keep weftd from the last answer.
has_no_dataplane()
{
	local status=0
	weft --run-dir "$alone" status --wait=2 >/dev/null 2>"$run/refused.err" || status=$?
	[ "$status" -eq 3 ] &&
		grep -qF "waited 2 s: weftd answers, but its dataplane is not connected" "$run/refused.err"
}
wait_for 5 "what is missing is told" has_no_dataplane
status=0
weft --run-dir "$alone" status >"$run/status" || status=$?
[ "$status" -eq 1 ] || fail "status without a dataplane: exit code $status"
grep -qE '^dataplane.connected +no$' "$run/status" || fail "status: $(cat "$run/status")"
kill -STOP "$weftd"
refused 3 "waited 1 s: weftd does not answer" weft --run-dir "$alone" status --wait=1
kill -CONT "$weftd"
"$build/dataplane/weft-dataplane" --run-dir "$alone" --no-huge 2>>"$run/alone.log" &
dataplane=$!
weft --run-dir "$alone" status --wait=20 | grep -qE '^dataplane.connected +yes$' ||
	fail "status --wait came back without a dataplane"
kill "$weftd" "$dataplane"
wait "$weftd" "$dataplane" || true
rm -r "$alone"
step "top, on a terminal and not"
"$top/tests/system/top.py" "$build/cli/weft" web0
weft top sort=rx --count 2 --interval 0.1 >"$run/shown"
[ "$(grep -c '^PORT ' "$run/shown")" -eq 2 ] || fail "weft top --count 2 printed: $(cat "$run/shown")"
weft top --interval 0.1 -o json | jq -e '.ports[0] | has("rx_pps")' >/dev/null || fail "weft top -o json"

finish
