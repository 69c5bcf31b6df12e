#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     weft -- recorder -- weftd        curl -- a new weftd
#
# Everything that weft does, curl can do: the requests of every command are recorded and sent again.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

relay=$run/relay
mkdir "$relay"
ns_add c1
daemons_start
python3 "$top/tests/system/curl_replay.py" record "$run/weftd.sock" "$relay/weftd.sock" "$run/log" &
recorder=$!
at_exit 'kill "$recorder" 2>/dev/null'
wait_for 5 "the recorder listens" test -S "$relay/weftd.sock"

# through CODE WORD...: a command that is recorded
through()
{
	local expected=$1 status=0
	shift
	"$build/cli/weft" --run-dir "$relay" "$@" >"$run/out" 2>&1 || status=$?
	[ "$status" -eq "$expected" ] || fail "weft $*: exit code $status: $(cat "$run/out")"
	echo "weft $*" >>"$run/walked"
}

step "every command, recorded"
printf 'name: demo\nsegments:\n  GAMMA: {vni: 300}\n' >"$run/lab.yaml"
through 0 status
through 0 segment add ALPHA vni=100 vlan=10
through 4 segment add ALPHA vni=100
through 0 segment add BETA vni=200 --dry-run
through 0 segment set ALPHA mtu=1400
through 0 segment list
through 0 segment show ALPHA
through 4 segment show BETA
through 0 segment keys
through 0 port add web0 type=vhost-user segment=ALPHA vm=web
through 0 port add c1 type=tap segment=ALPHA netns=c1
port_up c1
through 0 port set web0 vm=other
through 0 port list
through 0 port show web0
through 1 port doctor web0
through 0 port types
through 0 port qemu-args web0 accel=tcg memory=256M
through 0 port libvirt-xml web0
through 0 apply -f "$run/lab.yaml" -m 'a comment: 100% & more'
through 0 apply -f "$run/lab.yaml" --prune
through 1 diff -f /dev/stdin <<<'segments: {DELTA: {vni: 400}}'
through 0 export
through 0 export -o json
through 0 history
through 0 history show "$(weft status -o json | jq -r .revision)"
through 0 rollback
through 0 apply -f "$run/lab.yaml" --confirm 1h
through 0 confirm
through 4 confirm
through 0 fdb list segment=ALPHA
through 0 stats
through 0 stats web0
through 0 drops
through 0 where web0
through 1 where 10.9.9.9
through 1 why c1 web0
through 1 trace c1 --frame ffffffffffff02000000000188b5
through 0 capture list
through 4 capture end none
through 0 drops c1 --frames
through 0 segment set ALPHA flight=on
through 0 flight list
through 0 flight save ALPHA
through 4 flight get none -w "$run/none"
through 4 flight del none
through 1 overlay test
through 0 worker list
through 0 worker queues
through 0 worker move c1 0 0
through 0 pool add host capacity=1G
through 0 pool set host capacity=2G
through 0 pool list
through 0 pool show host
through 0 pool plan
through 0 channel add gold pool=host tx.rate=100M rx.rate=100M
through 4 channel add silver pool=host tx.rate=3G
through 0 channel add silver pool=host
through 0 channel set gold tx.rate=200M
through 0 channel list
through 0 channel show gold
through 0 channel plan gold tx.rate=300M
through 0 channel assign gold port=web0
through 0 channel assign silver vm=db
through 0 vm list
through 0 vm show db
through 0 vm set db channel=gold
through 0 vm del db
through 0 vm add db channel=silver
through 0 vm del db
through 0 channel lend gold 50M to=silver for=10m
through 0 loan list
through 0 loan show loan1
through 0 channel recall loan1
through 0 channel unassign port=web0
through 0 channel del silver
through 0 channel del gold
through 0 pool del host
ip link add eth1 type veth peer name far1
ip link set far1 up
ip addr add 10.9.0.1/24 dev eth1
ip link set eth1 up
through 0 uplink add eth1 vtep=10.9.0.1
port_up eth1
through 0 uplink list
through 0 uplink show eth1
through 0 uplink set eth1 ttl=9
through 0 peer add h2 vtep=10.99.0.2 segments=ALPHA learn=off
through 4 peer add h2 vtep=10.99.0.2
through 0 peer list
through 0 peer show h2
through 0 peer set h2 segments=
through 4 peer del c1
through 0 peer del h2
through 0 uplink del eth1
through 4 segment del ALPHA
through 0 port del c1
through 0 port del web0
through 0 segment del ALPHA

step "no command was left out"
# What makes no request, and what has no end or goes both ways at once: watch_test.sh has curl for that.
weft help | sed -n 's/^  \([a-z][a-z-]*\( [a-z-]\+\)\?\)  .*/\1/p' |
	grep -vxE 'version|help|completion|watch|top|test|capture|replay' >"$run/commands"
[ "$(wc -l <"$run/commands")" -gt 25 ] || fail "commands: $(cat "$run/commands")"
while read -r command; do
	grep -q "^weft $command" "$run/walked" || fail "weft $command was not walked; add it above"
done <"$run/commands"

step "the same with curl, on a weftd that is as new as the first was"
kill "$recorder"
wait "$recorder" || true
daemons_stop
state=$run/state2
daemons_start
python3 "$top/tests/system/curl_replay.py" replay "$run/log" "$run/weftd.sock"
ip link del eth1
rm -r "$relay"
finish
