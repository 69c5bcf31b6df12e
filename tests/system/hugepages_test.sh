#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     namespace c1 -- tap c1 --+== ALPHA ==+-- tap c2 -- namespace c2
#
# The dataplane starts with huge pages and without, with --no-huge although there are some, and says
# which it is. Traffic passes each time, and every page comes back.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

pages=/proc/sys/vm/nr_hugepages
reserved_before=$(cat "$pages")

pages_free()
{
	awk '/HugePages_Free/ { print $2 }' /proc/meminfo
}

# One start with options and the answer that status must give: try_start true|false OPTION...
try_start()
{
	local expected=$1 seen
	shift
	: >"$daemon_log"
	daemons_start "$@"
	seen=$(weft status -o json | jq -r .dataplane.hugepages)
	[ "$seen" = "$expected" ] || fail "status says hugepages: $seen instead of $expected"
	weft status | grep -i huge
	port_up c1
	port_up c2
	ns c1 busybox ping -c 3 -W 2 10.0.1.2 >/dev/null || fail "no ping"
	accounting
	daemons_stop
	grep -i huge "$daemon_log" || true
}

ns_add c1 c2
daemons_start --no-huge
weft apply -f - <<-'LAB'
	segments: {ALPHA: {vni: 100}}
	ports:
	  c1: {type: tap, segment: ALPHA, netns: c1, ip: 10.0.1.1/24}
	  c2: {type: tap, segment: ALPHA, netns: c2, ip: 10.0.1.2/24}
LAB
daemons_stop

at_exit "echo $reserved_before >$pages"
step "no huge page is reserved"
echo 0 >"$pages" 2>/dev/null || skip "cannot change $pages"
[ "$(cat "$pages")" -eq 0 ] || skip "somebody holds huge pages"
try_start false
grep -qi 'huge' "$daemon_log" || fail "the dataplane does not say that it goes without huge pages"

echo 512 >"$pages"
[ "$(cat "$pages")" -eq 512 ] || skip "cannot reserve 512 huge pages"
step "512 pages of 2 MiB"
try_start true
[ "$(pages_free)" -eq 512 ] || fail "$(pages_free) of 512 huge pages came back"

step "--no-huge although there are some"
try_start false --no-huge

step "too few: 4 pages"
echo 4 >"$pages"
try_start false
[ "$(pages_free)" -eq 4 ] || fail "$(pages_free) of 4 huge pages came back"
echo "$reserved_before" >"$pages"
finish
