# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What every scenario of tests/system starts with:
#
#     . "$(dirname "$0")/lib/common.sh"
#     ...
#     finish
#
# The scenario runs again in network, mount and process namespaces of its own, so it can neither
# disturb the machine nor leave a process behind, however it ends. Any command that fails ends it.
# Exit codes: 0 passed, 77 skipped (with a reason), else failed (with the daemons' last words).

set -eEuo pipefail
export LC_ALL=C

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
build=$(cd "${WEFT_BUILD:-$top/build}" && pwd)

skip()
{
	echo "skipped: $*"
	exit 77
}

fail()
{
	echo "FAILED: $*" >&2
	exit 1
}

step()
{
	echo "-- $*"
}

[ "$(id -u)" -eq 0 ] || skip "needs root for network namespaces"
if [ -z "${WEFT_TEST_INSIDE:-}" ]; then
	WEFT_TEST_INSIDE=1 exec unshare --net --mount --pid --fork --kill-child --mount-proc \
		"$BASH" "$0" "$@"
fi
# Names of namespaces, default run directory, shared memory: seen by this scenario only.
mount -t tmpfs weft-test /run
mount -t tmpfs weft-test /dev/shm
ip link set lo up

run=$(mktemp -d "${TMPDIR:-/tmp}/weft.XXXXXX")
state=$run/state
daemon_log=$run/daemons.log
export WEFT_RUN_DIR=$run
supervisor=
exec {never}<> <(:)

trap 'echo "$0:$LINENO: failed ($?): $BASH_COMMAND" >&2' ERR
trap 'on_exit $?' EXIT
trap 'exit 1' HUP INT TERM

# What must happen however the scenario ends: at_exit 'SHELL LINE'
undo=()
at_exit()
{
	undo+=("$1")
}

on_exit()
{
	local line
	trap - ERR EXIT
	set +e
	if [ "$1" -ne 0 ] && [ "$1" -ne 77 ]; then
		for log in "$run"/*.log; do
			[ -s "$log" ] && tail -n 30 "$log" | sed "s|^|${log##*/}: |" >&2
		done
	fi
	[ -z "$supervisor" ] || { kill "$supervisor"; wait "$supervisor"; } 2>/dev/null
	for line in "${undo[@]}"; do
		eval "$line"
	done
	rm -rf "$run"
	exit "$1"
}

# The one place that lets time pass.
pause()
{
	read -rt 0.05 -u "$never" || true
}

now_us()
{
	echo "${EPOCHREALTIME/./}"
}

# Since the machine started, in 10 ms: a clock that nobody sets.
uptime_cs()
{
	local uptime
	read -r uptime _ </proc/uptime
	echo "${uptime/./}"
}

# Whether COMMAND... came true within SECONDS: holds_within SECONDS COMMAND...
holds_within()
{
	local deadline_cs=$(($(uptime_cs) + $1 * 100))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(uptime_cs)" -lt "$deadline_cs" ] || return 1
		pause
	done
}

# wait_for SECONDS 'what should come true' COMMAND...: these are seconds of an idle machine. One that
# others use may stall, so there is more; what must be in time is measured, or says holds_within.
patience_s=20
wait_for()
{
	local seconds=$(($1 + patience_s)) what=$2
	shift 2
	holds_within "$seconds" "$@" || fail "not within $seconds s: $what ($*)"
}

weft()
{
	"$build/cli/weft" "$@"
}

connected()
{
	[ "$(weft status -o json | jq -r .dataplane.connected)" = true ]
}

# Starts both daemons under the supervisor: daemons_start [OPTION of weft-dataplane]...
daemons_start()
{
	"$top/scripts/weft-supervise" "$build" "$run" "$state" "$@" >>"$daemon_log" 2>&1 &
	supervisor=$!
	wait_for 20 "weftd answers and has its dataplane" connected
}

daemons_stop()
{
	kill "$supervisor"
	wait "$supervisor"
	supervisor=
}

# The process id of weftd or weft-dataplane, once there is one.
pid_of()
{
	cat "$run/$1.pid"
}

# A namespace that sends nothing by itself, so that what a test counts is what it caused.
ns_add()
{
	local name
	for name; do
		ip netns add "$name"
		ns "$name" sh -c "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
			echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6"
		ip -n "$name" link set lo up
	done
}

ns()
{
	ip netns exec "$@"
}

port_is()
{
	[ "$(weft port show "$1" -o json | jq -r .status.link)" = "$2" ]
}

port_up()
{
	wait_for "${2:-10}" "port $1 is up" port_is "$1" up
}

# One counter of a port: counter PORT rx_frames
counter()
{
	weft stats "$1" -o json | jq ".ports[0].$2"
}

# Frames dropped at a port, or for one reason: dropped PORT [REASON]
dropped()
{
	weft drops "$1" -o json |
		jq --arg reason "${2:-}" '[.drops[] | select($reason == "" or .reason == $reason) | .frames] | add // 0'
}

# Expects that a command fails with an exit code and one line of error that contains a text:
# refused CODE TEXT COMMAND...
refused()
{
	local expected=$1 text=$2 status=0
	shift 2
	"$@" >"$run/refused.out" 2>"$run/refused.err" || status=$?
	[ "$status" -eq "$expected" ] || fail "$*: exit code $status instead of $expected: $(cat "$run"/refused.*)"
	[ "$(wc -l <"$run/refused.err")" -eq 1 ] || fail "$*: not one line of error: $(cat "$run/refused.err")"
	grep -qF -- "$text" "$run/refused.err" ||
		fail "$*: the error does not say '$text': $(cat "$run/refused.err")"
	echo "refused ($expected): $(cat "$run/refused.err")"
}

# What must be as it was afterwards: namespaces, links, processes, files, huge pages.
traces()
{
	ip netns list | cut -d ' ' -f 1
	ip -o link | cut -d : -f 2
	pgrep -l . | grep -E 'weft|qemu|testpmd' || true
	find "$run" -name '*.sock' -o -name '*.pid'
	find /dev/shm /run -mindepth 1 ! -path '/run/netns*'
	grep HugePages_Total /proc/meminfo
}

# Every frame is accounted for, once nothing moves.
accounting()
{
	"$build/tests/lib/weft-accounting" "$run"
}

# The end of a scenario: the accounts, a clean stop, and nothing is left.
finish()
{
	local name
	[ -z "$supervisor" ] || accounting
	if declare -F guests_stop >/dev/null; then guests_stop; fi
	[ -z "$supervisor" ] || daemons_stop
	for name in $(ip netns list | cut -d ' ' -f 1); do
		ip netns del "$name"
	done
	traces >"$run/after"
	diff "$run/before" "$run/after" || fail "left behind: see above"
	step "passed, nothing left behind"
}

traces >"$run/before"

# The MAC of the device that has its namespace's name: mac NAMESPACE
mac()
{
	ip -n "$1" -o link show "$1" | sed 's/.*ether \([^ ]*\).*/\1/'
}
