# shellcheck shell=bash disable=SC2034,SC2154 # variables of who reads this file, and of guest.sh
# SPDX-License-Identifier: BSD-3-Clause
#
# What scripts/demo and scripts/demo-hosts share: steps, clean-up, the matrix. All namespaces are
# called wefd-NAME, run directories /run/weft-demo.*. Needs tests/system/lib/guest.sh, $top, $build,
# and $cards: a line for each network card, MACHINE PORT SEGMENT DEVICE ADDRESS [HOST]. A machine
# that is no guest is a namespace.

run=
keep=
began=$SECONDS

fail()
{
	echo "demo: $*" >&2
	exit 1
}

step()
{
	printf '\n== %3d s  %s\n' $((SECONDS - began)) "$*"
}

# Waits for COMMAND..., at most $1 seconds.
wait_for()
{
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.1
	done
}

ended()
{
	! kill -0 "$1" 2>/dev/null
}

# Ends what runs on run directory $1 and removes it: from the process ids that lie there.
tear_down()
{
	local file pid
	for file in "$1"/guest/*.pid "$1"/supervise.pid "$1"/h?/supervise.pid; do
		[ -s "$file" ] || continue
		pid=$(cat "$file")
		kill "$pid" 2>/dev/null || continue
		wait_for 10 ended "$pid" || kill -9 "$pid" 2>/dev/null || true
	done
	rm -rf "$1"
}

delete_namespaces()
{
	local path
	for path in /run/netns/wefd-*; do
		[ ! -e "$path" ] || ip netns del "${path##*/}"
	done
}

refuse_second()
{
	local path
	for path in /run/netns/wefd-*; do
		[ ! -e "$path" ] ||
			fail "namespace ${path##*/} exists: end the other demo with scripts/demo --stop"
	done
}

stop_kept()
{
	local dir n=0
	for dir in /run/weft-demo.*; do
		[ -d "$dir" ] || continue
		tear_down "$dir"
		n=$((n + 1))
	done
	delete_namespaces
	[ "$n" -gt 0 ] && echo "demo: stopped" || echo "demo: nothing was running"
}

run_in_guest()
{
	local dir fd
	for dir in /run/weft-demo.*; do
		[ -p "$dir/guest/$1.in" ] || fail "no guest $1 is running; start with scripts/demo --keep"
		exec {fd}<>"$dir/guest/$1.in"
		guest_in[$1]=$fd
		exec {fd}<>"$dir/guest/$1.out"
		guest_out[$1]=$fd
		guest_run "$1" "$2"
		return
	done
}

on_exit()
{
	local status=$1
	trap - EXIT
	trap '' HUP INT TERM
	set +e
	if [ "$status" -ne 0 ] && [ -n "$run" ]; then
		echo
		tail -n 20 "$run"/daemons*.log 2>/dev/null
	fi
	if [ -z "$keep" ] || [ "$status" -ne 0 ]; then
		[ -z "$run" ] || { tear_down "$run"; delete_namespaces; }
	fi
	exit "$status"
}

compile()
{
	[ -f "$build/build.ninja" ] || meson setup "$build" || return
	ninja -C "$build" dataplane/weft-dataplane control/weftd cli/weft
}

prepare()
{
	step "packages, build, guest image"
	"$top/scripts/install-deps"
	cd "$top" || fail "no $top"
	mkdir -p build-logs
	echo "building, see build-logs/demo.log"
	compile >build-logs/demo.log 2>&1 ||
		{ tail -n 20 build-logs/demo.log; fail "the build failed, see build-logs/demo.log"; }
	guest_prepare
}

# A namespace in which an answer to ARP tells which wire carried the question.
add_namespace()
{
	ip netns add "wefd-$1"
	ip netns exec "wefd-$1" sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore
		echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
		echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
}

# Runs a shell line in a machine, guest or namespace.
in_machine()
{
	if [ -e "/run/netns/wefd-$1" ]; then
		ip netns exec "wefd-$1" busybox sh -c "$2"
	else
		guest_run "$1" "$2"
	fi
}

# Each card takes the whole of 10.0.0.0/16 for its own wire, and answers on the wire it was asked
# on. So it asks for every address there, of any segment, and has an answer if a frame crosses.
widen_routes()
{
	local machine device address n=0
	while read -r machine device address; do
		n=$((n + 1))
		in_machine "$machine" "busybox ip route add 10.0.0.0/16 dev $device metric $n && \
busybox ip route add 10.0.0.0/16 dev $device table $n && \
busybox ip rule add from $address table $n" </dev/null
	done < <(awk 'NF { print $1, $4, $5 }' <<<"$cards")
}

# Tries all addresses from all cards of one machine at the same time; prints lines
# "PORT ADDRESS yes|no".
try_from()
{
	local targets sources
	targets=$(awk 'NF { printf " %s", $5 }' <<<"$cards")
	sources=$(awk -v machine="$1" '$1 == machine { printf " %s=%s", $2, $4 }' <<<"$cards")
	in_machine "$1" "for card in $sources; do for to in $targets; do \
(busybox ping -c 3 -W 2 -I \${card#*=} \$to >/dev/null 2>&1 && r=yes || r=no; \
echo \${card%=*} \$to \$r) & done; done; wait"
}

try_all()
{
	local machine
	local -a tries=()
	while read -r machine; do
		try_from "$machine" </dev/null >"$run/seen.$machine" &
		tries+=($!)
	done < <(awk 'NF { print $1 }' <<<"$cards" | sort -u)
	wait "${tries[@]}"
}

# Prints expected/seen for every pair; the last line is "CELLS DIFFERENT".
matrix()
{
	cat "$run"/seen.* | awk -v cards="$cards" '
	BEGIN {
		n = split(cards, line, "\n")
		for (i = 1; i <= n; i++)
			if (split(line[i], f, " ") >= 5) {
				c++
				machine[c] = f[1]; port[c] = f[2]; segment[c] = f[3]; address[c] = f[5]
				host[c] = f[6]; n_hosts += f[6] != ""
			}
	}
	{ seen[$1, $2] = $3 }
	END {
		printf "  %-12s", "from \\ to"
		for (j = 1; j <= c; j++) printf "  %-7s", machine[j]
		printf "\n  %-12s", ""
		for (j = 1; j <= c; j++) printf "  %-7s", segment[j]
		printf "\n"
		if (n_hosts) printf "  %-12s", ""
		for (j = 1; j <= c && n_hosts; j++) printf "  %-7s", host[j]
		if (n_hosts) printf "\n"
		for (i = 1; i <= c; i++) {
			printf "  %-5s %-6s", machine[i], segment[i]
			for (j = 1; j <= c; j++) {
				if (machine[i] == machine[j]) { printf "  %-7s", "-"; continue }
				want = segment[i] == segment[j] ? "yes" : "no"
				got = seen[port[i], address[j]]
				if (got == "") got = "?"
				cells++
				if (want != got) { bad++; got = toupper(got) "!" }
				printf "  %-7s", want "/" got
			}
			printf "\n"
		}
		printf "\n  %d pairs tried, %d not as expected\n", cells, bad
		exit cells == 0 || bad > 0
	}'
}
