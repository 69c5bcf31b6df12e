#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     namespace c1 -- tap c1 --+== ALPHA ==+-- vhost-user v0
#
# What is wrong is refused: one line that says what, a stable exit code, and nothing has changed.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

ns_add c1
daemons_start
weft apply -f - <<-'LAB'
	segments:
	  ALPHA: {vni: 100, vlan: 10}
	ports:
	  c1: {type: tap, segment: ALPHA, netns: c1, ip: 10.0.1.1/24}
	  v0: {type: vhost-user, segment: ALPHA}
LAB
weft export -o yaml >"$run/export.before"

# refused_lab TEXT: the lab on standard input is refused with an error that contains TEXT.
refused_lab()
{
	cat >"$run/lab.yaml"
	refused 4 "$1" weft apply -f "$run/lab.yaml"
	weft export -o yaml | diff "$run/export.before" - || fail "a refused lab changed something"
}

step "labs"
refused_lab "line 3" <<<$'segments:\n  ALPHA: {vni: 100'
refused_lab "vnj" <<<'segments: {BETA: {vnj: 200}}'
refused_lab "vni" <<<'segments: {BETA: {vni: 16777216}}'
refused_lab "vni" <<<'segments: {BETA: {}}'
refused_lab "100" <<<'segments: {BETA: {vni: 100}}'
refused_lab "10" <<<'segments: {BETA: {vni: 200, vlan: 10}}'
refused_lab "DELTA" <<<'ports: {c2: {type: tap, segment: DELTA}}'
refused_lab "tapp" <<<'ports: {c2: {type: tapp, segment: ALPHA}}'
refused_lab "soket" <<<'ports: {v1: {type: vhost-user, segment: ALPHA, soket: /x}}'
refused_lab "socket" <<<'ports: {v1: {type: vhost-user, segment: ALPHA, socket: relative/path}}'
refused_lab "nowhere" <<<'ports: {c2: {type: tap, segment: ALPHA, netns: nowhere}}'
refused_lab "10.0.1.1/33" <<<'ports: {c2: {type: tap, segment: ALPHA, ip: 10.0.1.1/33}}'
refused_lab "ALPHA" <<<$'segments:\n  ALPHA: {vni: 101}\n  ALPHA: {vni: 102}'
refused_lab "..bad" <<<'segments: {..bad: {vni: 200}}'
refused_lab "what" <<<'what: {}'

step "a lab with one bad port among good ones does nothing"
refused_lab "DELTA" <<-'LAB'
	segments: {BETA: {vni: 200}}
	ports:
	  v1: {type: vhost-user, segment: BETA}
	  v2: {type: vhost-user, segment: DELTA}
LAB
[ ! -e "$run/vhost/v1.sock" ] || fail "a refused lab left a socket"

step "a socket path that is taken by a living listener, or by a file"
python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
print("listening", flush=True)
while s.accept():
    pass' "$run/taken.sock" >"$run/listener" &
listener=$!
wait_for 5 "the listener is there" grep -q listening "$run/listener"
echo keep >"$run/file"
refused_lab "taken.sock" <<<"ports: {v1: {type: vhost-user, segment: ALPHA, socket: $run/taken.sock}}"
refused_lab "$run/file" <<<"ports: {v1: {type: vhost-user, segment: ALPHA, socket: $run/file}}"
[ "$(cat "$run/file")" = keep ] || fail "a file of somebody else was overwritten"
[ -S "$run/taken.sock" ] || fail "the socket of somebody else was removed"
kill "$listener"
rm "$run/taken.sock"

step "a device name that is taken"
ip link add c2 type veth peer name c3
refused_lab "c2" <<<'ports: {c2: {type: tap, segment: ALPHA}}'
ip link del c2

step "single commands"
refused 4 "ALPHA" weft segment del ALPHA
refused 4 "GAMMA" weft segment del GAMMA
refused 4 "nothere" weft port del nothere
refused 4 "sgment" weft port add v1 type=vhost-user sgment=ALPHA
refused 2 "frobnicate" weft frobnicate
refused 2 "-f FILE" weft apply
refused 2 "absent.yaml" weft apply -f "$run/absent.yaml"
refused 3 "elsewhere" weft --run-dir "$run/elsewhere" status
weft export -o yaml | diff "$run/export.before" - || fail "a refused command changed something"

step "HTTP that is no HTTP, or too much of it"
curl -sS --unix-socket "$run/weftd.sock" -o "$run/answer" -w '%{http_code}\n' -X POST \
	-H 'Content-Type: application/json' --data '{"segments": {' http://weft/v1/apply | grep -x 400
head -c 9000000 /dev/zero | curl -sS --unix-socket "$run/weftd.sock" -o "$run/answer" \
	-w '%{http_code}\n' -X POST -H 'Content-Type: application/json' -H 'Expect:' \
	--data-binary @- http://weft/v1/apply | grep -x 413
python3 - "$run/weftd.sock" <<-'PYTHON'
	import socket, sys
	for junk in (b"", b"\r\n\r\n", b"GET", b"\x16\x03\x01" * 1000, b"GET / HTTP/1.1\r\n" + b"A" * 100000):
	    s = socket.socket(socket.AF_UNIX)
	    s.connect(sys.argv[1])
	    s.settimeout(2)
	    try:
	        s.sendall(junk)
	        s.shutdown(socket.SHUT_WR)
	        s.recv(65536)
	    except OSError:
	        pass
	    s.close()
PYTHON
weft export -o yaml | diff "$run/export.before" - || fail "bad HTTP changed something"
finish
