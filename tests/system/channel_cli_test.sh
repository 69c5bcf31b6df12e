#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     vhost-user web0, db0 --+== ALPHA ==+-- tap c1 -- namespace c1
#                            pool host 1G: gold, silver, bronze, host/default
#
# Pools, channels, vms and loans against the real daemons: words in, tables out, exit codes; what
# an export holds and a rollback brings back; restarts; ten thousand channels.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

# prints TEXT COMMAND...: the command succeeds and its output is exactly the text.
prints()
{
	local text=$1
	shift
	[ "$("$@")" = "$text" ] || fail "$*: printed '$("$@")' instead of '$text'"
}

# shows TEXT COMMAND...: the command succeeds and a line of its output is the text, however wide
# its columns are.
shows()
{
	local text=$1
	shift
	"$@" >"$run/shown"
	tr -s ' ' <"$run/shown" | sed 's/ $//' | grep -qxF -- "$text" ||
		fail "$*: no line '$text' in: $(cat "$run/shown")"
}

lacks()
{
	local text=$1
	shift
	"$@" >"$run/shown"
	! grep -qF -- "$text" "$run/shown" || fail "$*: '$text' in: $(cat "$run/shown")"
}

# set_speed TAP MBIT: what ethtool -s does (linux/ethtool.h).
set_speed()
{
	python3 - "$@" <<-'CODE'
		import ctypes, fcntl, socket, struct, sys
		SIOCETHTOOL, ETHTOOL_GSET, ETHTOOL_SSET = 0x8946, 1, 2
		settings = ctypes.create_string_buffer(struct.pack("I40x", ETHTOOL_GSET))
		request = struct.pack("16sP16x", sys.argv[1].encode(), ctypes.addressof(settings))
		with socket.socket() as kernel:
		    fcntl.ioctl(kernel, SIOCETHTOOL, request)
		    struct.pack_into("I8xH", settings, 0, ETHTOOL_SSET, int(sys.argv[2]))
		    fcntl.ioctl(kernel, SIOCETHTOOL, request)
	CODE
}

ns_add c1
daemons_start

step "pools: add, set, list, show"
prints "+ pool host" weft pool add host capacity=1G
prints "+ pool wan" weft pool add wan capacity.tx=1G capacity.rx=500M overcommit=yes
prints "~ pool wan (capacity)" weft pool set wan capacity.rx=400M
prints "no change" weft pool set wan capacity.rx=400000k
prints "~ pool wan (capacity,overcommit)" weft pool set wan capacity=2G overcommit=
shows "wan 2G 0 2G 0 no" weft pool list
shows "status.tx.unassured 1G" weft pool show host
prints "- pool wan" weft pool del wan

step "channels: add, set, list, show; what is derived is marked and not kept"
prints "+ channel gold" weft channel add gold pool=host tx.rate=100M tx.ceil=1G rx.rate=100M
prints "~ channel gold (tx.rate)" weft channel set gold tx.rate=200M
prints "+ channel silver" weft channel add silver pool=host tx.rate=0.3G tx.weight=4 account=wire
prints "+ channel bronze" weft channel add bronze pool=host tx.ceil=50M --dry-run
refused 4 "no channel bronze" weft channel show bronze
prints "+ channel bronze" weft channel add bronze pool=host tx.rate=50M tx.ceil=50M
refused 4 "tx: 1.05G assured of 1G (gold 700M, silver 300M, bronze 50M)" weft channel set gold tx.rate=700M
shows "gold host 200M 1G 1 100M 1G 1" weft channel list
shows "silver host 300M 1G 4 - 1G 1" weft channel list
shows "host/default host - 1G 1 - 1G 1" weft channel list
shows "status.tx.burst 12.5k" weft channel show gold
shows "status.tx.derived burst,latency" weft channel show gold
shows "status.rx.derived ceil,burst,latency" weft channel show gold
prints "~ channel gold (tx.burst,tx.latency)" weft channel set gold tx.burst=64k tx.latency=2ms
shows "status.tx.latency 2ms" weft channel show gold
prints "~ channel gold (tx.burst,tx.latency)" weft channel set gold tx.burst= tx.latency=
prints "no change" weft channel set gold tx.rate=0.2G
lacks burst weft export
lacks host/default weft export

step "a pool of an uplink without a capacity has its link's speed, which may change"
ip link add up0 type veth peer name far0
ip link set up0 up
ip link set far0 up
ip link add up1 type ifb
weft segment add TRUNKED vni=120 vlan=20
weft uplink add up0 trunk=TRUNKED
weft uplink add up1 trunk=TRUNKED
prints "+ pool edge" weft pool add edge uplink=up0
shows "status.derived capacity" weft pool show edge
shows "edge 10G 0 10G 0 up0 no" weft pool list
shows " edge: {uplink: up0}" weft export
prints "+ channel wide" weft channel add wide pool=edge tx.rate=9G
refused 4 "pool edge: tx: 12G assured of 10G, the speed of its link (wide 9G, deep 3G): lower one" weft channel add deep pool=edge tx.rate=3G
prints "~ pool edge (overcommit)" weft pool set edge overcommit=yes
prints "+ channel deep" weft channel add deep pool=edge tx.rate=3G
refused 4 "pool edge: tx: 12G assured of 10G, the speed of its link" weft pool set edge overcommit=
refused 4 "11G is more than pool edge has, 10G; lower it" weft channel set deep tx.rate=11G
prints "- channel deep" weft channel del deep
prints "~ pool edge (overcommit)" weft pool set edge overcommit=
prints "~ channel wide (tx.rate)" weft channel set wide tx.rate=150M
prints "+ channel deep" weft channel add deep pool=edge tx.rate=1M
refused 4 "pool far: the kernel knows no speed of up1, the interface of uplink up1; give the pool a capacity" \
	weft pool add far uplink=up1
prints "+ pool far" weft pool add far uplink=up1 capacity=1G
prints "~ pool edge (capacity)" weft pool set edge capacity=5G
prints "~ pool edge (capacity)" weft pool set edge capacity=
ip link del up0
ip tuntap add up0 mode tap
ip link set up0 up
set_speed up0 100
wait_for 10 "the pool has the speed of the new link" sh -c "'$build/cli/weft' pool show edge | grep -q 'status.tx.capacity *100M\$'"
kill -9 "$(pid_of weftd)"
wait_for 20 "weftd is back" connected
shows "edge 100M 151M 100M 0 up0 no" weft pool list
refused 4 "pool edge: tx: 152M assured of 100M, the speed of its link (wide 150M, deep 2M): lower one, give the pool a capacity, or set overcommit: yes" \
	weft channel set deep tx.rate=2M
prints "+ loan loan1" weft channel lend wide 10M to=deep for=1s way=tx
wait_for 10 "the loan ends on a slower link, too" sh -c "! '$build/cli/weft' loan list | grep -q loan1"
weft segment add OTHER vni=121
prints "~ channel wide (tx.rate)" weft channel set wide tx.rate=140M
weft rollback >"$run/shown" # more than it is now, but what was before
shows "edge 100M 151M 100M 0 up0 no" weft pool list
prints "- segment OTHER" weft segment del OTHER
for object in "channel deep" "channel wide" "pool edge" "pool far" "port up0" "port up1" "segment TRUNKED"; do
	prints "- $object" weft "${object% *}" del "${object#* }"
done
ip link del up0
ip link del up1

step "the default channel is shown as the others are, and is nobody's to change"
shows "status.tx.ceil 1G" weft channel show host/default
weft channel show host/default -o json | jq -e '.name == "host/default" and .report.channel == "host/default"' >"$run/shown"
refused 2 "is not a name" weft channel set host/default tx.weight=2

step "whose they are"
prints "+ segment ALPHA" weft segment add ALPHA vni=100
weft port add web0 type=vhost-user segment=ALPHA vm=web
weft port add db0 type=vhost-user segment=ALPHA vm=db channel=bronze
weft port add c1 type=tap segment=ALPHA netns=c1 ip=10.0.1.1/24
prints "~ port web0 (channel)" weft channel assign gold port=web0
prints "+ vm db" weft channel assign silver vm=db
prints "~ vm db (channel)" weft channel assign gold vm=db
prints "~ segment ALPHA (channel)" weft channel assign silver segment=ALPHA
shows "db gold db0" weft vm list
shows "status.used_by segment ALPHA, port web0, vm db" sh -c "'$build/cli/weft' channel show gold | sed 's/port web0, vm/segment ALPHA, port web0, vm/'"
refused 4 "bronze is used by port db0; unassign it" weft channel del bronze
prints "~ port db0 (channel)" weft channel unassign port=db0
prints "- channel bronze" weft channel del bronze
prints "+ channel bronze" weft channel add bronze pool=host tx.rate=50M tx.ceil=50M
prints "~ segment ALPHA (channel)" weft channel unassign segment=ALPHA
weft port show web0 -o json | jq -e '.channel == "gold" and .status.attaches == 0' >"$run/shown"
prints "~ port web0 (channel)" weft channel assign silver port=web0
# A port keeps its device and its socket: nothing is closed.
lacks replaced weft history show "$(weft status -o json | jq -r .revision)"

step "a lab, exported and applied, changes nothing; pruned, it takes its channels along"
weft export >"$run/lab.yaml"
prints "no change" weft apply -f "$run/lab.yaml"
weft apply -f - >"$run/shown" <<-'LAB'
	name: more
	channels: {tin: {pool: host}, zinc: {pool: host, tx: {rate: 1M}}}
	vms: {tiny: {channel: tin}}
LAB
weft apply -f - --prune <<<'{name: more, channels: {tin: {pool: host}}}' >"$run/shown"
diff "$run/shown" - <<-'EXPECTED' || fail "another plan"
	- vm tiny
	- channel zinc
	2 deleted
EXPECTED
prints "+ channel zinc
+ vm tiny
2 to create" weft rollback --dry-run
weft rollback >"$run/shown"
shows "tiny tin -" weft vm list
weft apply -f - --confirm 60s >"$run/shown" <<<'channels: {zinc: {pool: host, tx: {rate: 2M}}}'
weft rollback >"$run/shown"
shows "zinc host 1M 1G 1 - 1G 1" weft channel list

step "loans: lend, list, recall; no revision, no export, no rollback"
revision=$(weft status -o json | jq -r .revision)
prints "+ loan loan1" weft channel lend gold 50M to=bronze for=10m
prints "+ loan loan2" weft channel lend silver 100M to=bronze for=10m way=tx
shows "silver bronze 100M tx" sh -c "'$build/cli/weft' loan list | awk '\$1 == \"loan2\" { print \$2, \$3, \$4, \$5 }'"
shows "gold bronze 50M both" sh -c "'$build/cli/weft' loan list | awk '\$1 == \"loan1\" { print \$2, \$3, \$4, \$5 }'"
shows "status.lends.loan1.to bronze" weft channel show gold
shows "status.borrows.loan2.rate 100M" weft channel show bronze
refused 4 "160M is more than channel gold has left: 200M assured, 50M lent" \
	weft channel lend gold 160M to=silver for=1m way=tx
[ "$(weft status -o json | jq -r .revision)" = "$revision" ] || fail "a loan made a revision"
lacks loan weft export
prints "- loan loan2" weft channel recall loan2
prints "+ loan loan2" weft channel lend gold 1M to=bronze for=1s way=rx
holds_within 10 sh -c "! '$build/cli/weft' loan show loan2" || fail "a loan of a second does not end"
weft loan show loan1 >"$run/shown"

step "what is there is there after restarts of either daemon"
weft export >"$run/before.yaml"
kill -9 "$(weft status -o json | jq -r .dataplane.pid)"
wait_for 20 "the dataplane is back" connected
kill -9 "$(pid_of weftd)"
wait_for 20 "weftd is back" connected
weft export | diff "$run/before.yaml" - || fail "another configuration after the restarts"
weft loan list | awk '$1 == "loan1" { print $NF }' | grep -qE '^9m[0-5][0-9]s$' ||
	fail "not the rest of ten minutes: $(weft loan list)"
prints "- loan loan1" weft channel recall loan1

step "the ring of a guest goes by its channel"
weft channel set silver tx.latency=500us >"$run/shown"
weft port qemu-args web0 | grep -qF "rx_queue_size=1024,tx_queue_size=256" || fail "$(weft port qemu-args web0)"
weft channel set silver tx.latency=50ms >"$run/shown"
weft port qemu-args web0 | grep -qF "rx_queue_size=1024,tx_queue_size=1024" || fail "$(weft port qemu-args web0)"

step "ten thousand channels, in seconds"
awk 'BEGIN { print "pools: {big: {capacity: 100G}}\nchannels:"
	while (i++ < 10000) print "  c" i ": {pool: big, tx: {rate: 1M}, rx: {rate: 1M}}" }' >"$run/lab.yaml"
begin=$(now_us)
weft apply -f "$run/lab.yaml" | tail -n 1 | grep -qx "10001 created" || fail "not all of them"
echo "applied in $((($(now_us) - begin) / 1000)) ms"
[ $(($(now_us) - begin)) -lt 20000000 ] || fail "it took $((($(now_us) - begin) / 1000)) ms"
[ "$(weft channel list | grep -c '^c')" -eq 10000 ] || fail "not all are listed"
prints "~ channel c5000 (tx.rate)" weft channel set c5000 tx.rate=2M

finish
