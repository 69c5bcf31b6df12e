#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     guest web (QEMU listens)          namespace c1
#     10.0.1.1                          10.0.1.2
#        |                                 |
#        +-- vhost-user w0, mode=client    +-- tap c1
#        |                                 |
#     ===+============= ALPHA =============+===
#
# In client mode the guest's QEMU makes the socket and weft comes to it: before the guest is there,
# after it was killed, after weft-dataplane was killed. Nobody but the port's owner is taken.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=lib/guest.sh
. "$(dirname "$0")/lib/guest.sh"

command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86_64 is not installed"
guest_prepare || skip "no guest image"
guest_choose_accel

ns_add c1
daemons_start
weft segment add ALPHA vni=100
weft port add w0 type=vhost-user segment=ALPHA mode=client
weft port add c1 type=tap segment=ALPHA netns=c1 ip=10.0.1.2/24

reason_says()
{
	weft port show "$1" -o json | jq -r .status.reason | grep -qF -- "$2"
}

answers()
{
	ns c1 busybox ping -c 1 -W 1 10.0.1.1
}

step "weft waits for the guest"
wait_for 5 "the reason names what is missing" reason_says w0 "start the guest"
weft port qemu-args w0 | grep -q 'server=on,wait=off' || fail "qemu-args do not listen"
guest_start web 10.0.1.1/24 w0
guest_wait web
port_up w0
wait_for 10 "the guest answers" answers

step "kill -9 of the guest, and a new one"
kill -9 "${guest_pid[web]}"
wait_for 5 "the port is down" port_is w0 down
wait_for 5 "the reason says so" reason_says w0 "nobody listens"
guest_stop web
guest_start web 10.0.1.1/24 w0
guest_wait web
port_up w0
wait_for 10 "the new guest answers" answers

step "kill -9 of weft-dataplane"
kill -9 "$(pid_of weft-dataplane)"
wait_for 30 "the guest answers again" answers

step "the other way round, at the same path, and back"
guest_stop web
weft port set w0 mode=server
guest_start web 10.0.1.1/24 w0
guest_wait web
wait_for 10 "the guest answers" answers
guest_stop web
weft port set w0 mode=client
wait_for 5 "nobody is there" reason_says w0 "nobody listens"

step "only the owner is taken"
weft port set w0 owner=nobody
chmod 0711 "$run"
chmod 0777 "$run/vhost"
setpriv --reuid=4711 --regid=4711 --clear-groups /usr/bin/python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
while True:
    s.accept()' "$run/vhost/w0.sock" &
listener=$!
at_exit "kill $listener 2>/dev/null"
wait_for 5 "who listens there is refused" reason_says w0 "not to the port's owner"
kill "$listener"
wait "$listener" 2>/dev/null || true
rm -f "$run/vhost/w0.sock"
refused 4 "this host has no user no-such-user" weft port set w0 owner=no-such-user
finish
