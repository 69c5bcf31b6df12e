#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     namespace c1 -- tap c1 --+== ALPHA ==+-- vhost-user v0 (gold)
#
# What is wrong is refused: one line that says what, a stable exit code, and nothing has changed,
# as an export before and after each case shows. The cases are tables: one line, one case.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

n_cases=0

# Counts a case, after which everything must be as before.
unchanged()
{
	n_cases=$((n_cases + 1))
	weft export -o yaml | diff "$run/export.before" - || fail "a refused request changed something: $1"
	weft loan list | sed 's/ *[^ ]*$//' | diff <(sed 's/ *[^ ]*$//' "$run/loans.before") - ||
		fail "a refused request changed loans: $1"
}

# The lab on standard input is refused with one line, at LINE:COLUMN, that contains TEXT.
lab()
{
	cat >"$run/lab.yaml"
	refused 4 "$2" weft apply -f "$run/lab.yaml"
	[ "$1" = - ] || grep -qF "lab.yaml:$1: " "$run/refused.err" ||
		fail "not at $1: $(cat "$run/refused.err")"
	unchanged "$2"
}

# A table of labs: PLACE | TEXT | LAB in one line (\n for more)
labs()
{
	local place text body
	while IFS='|' read -r place text body; do
		[ -n "$place" ] || continue
		# A delimiter is a blank, '|' and a blank; the lab may begin with blanks.
		lab "${place% }" "$(sed 's/^ //; s/ $//' <<<"$text")" < <(printf '%b\n' "${body# }")
	done
}

# A table of command lines: EXIT-CODE | TEXT | WORDS of weft
commands()
{
	local code text words
	while IFS='|' read -r code text words; do
		[ -n "$code" ] || continue
		read -ra words <<<"$words"
		refused "$((code))" "$(sed 's/^ //; s/ $//' <<<"$text")" weft "${words[@]}"
		unchanged "$text"
	done
}

# A table of requests: STATUS | CODE | METHOD | PATH | BODY | HEADER
requests()
{
	local status code method path body header answer
	while IFS='|' read -r status code method path body header; do
		[ -n "$status" ] || continue
		answer=$(curl -sS --unix-socket "$run/weftd.sock" -o "$run/answer" \
			-w '%{http_code} %{content_type}' -X "${method// /}" -H "$(sed 's/^ //' <<<"${header:-X-None: 1}")" \
			--data-binary "$(sed 's/^ //; s/ $//' <<<"$body")" "http://weft${path// /}")
		[ "$answer" = "${status// /} application/problem+json" ] ||
			fail "$method $path: $answer $(cat "$run/answer")"
		[ "$(jq -r .code "$run/answer")" = "${code// /}" ] ||
			fail "$method $path: not ${code// /}: $(cat "$run/answer")"
		[ "$(jq -r .detail "$run/answer" | wc -l)" -eq 1 ] || fail "not one line"
		echo "refused (${status// /}): $(jq -r .detail "$run/answer")"
		unchanged "$path"
	done
}

# A daemon does not start, with exit code CODE and one line that contains TEXT.
daemon()
{
	local code=$1 text=$2
	shift 2
	refused "$code" "$text" timeout 10 "$@"
	unchanged "$text"
}

ns_add c1
daemons_start
weft apply -f - <<-'LAB'
	segments:
	  ALPHA: {vni: 100, vlan: 10}
	ports:
	  c1: {type: tap, segment: ALPHA, netns: c1, ip: 10.0.1.1/24}
	  v0: {type: vhost-user, segment: ALPHA, channel: gold}
	pools:
	  host: {capacity: 1G}
	  wan: {capacity: {tx: 100M, rx: 1M}}
	channels:
	  gold: {pool: host, tx: {rate: 700M}}
	  bronze: {pool: host, tx: {rate: 100M}, rx: {rate: 100M}}
	  far: {pool: wan, tx: {rate: 10M}}
LAB
weft channel lend gold 200M to=bronze for=10m
weft loan list >"$run/loans.before"
weft export -o yaml >"$run/export.before"

step "labs that are no YAML, or too much of it"
labs <<-'TABLE'
	3:1 | did not find | segments:\n  ALPHA: {vni: 100
	1:1 | cannot start any token | \tsegments: {}
	2:4 | aliases | x: 1\nb: *x
	1:4 | anchors | a: &a [x, x]\nb: [*a, *a, *a, *a]
	1:4 | tags | a: !!python/object:os.system {}
	2:1 | second document | segments: {}\n---\nports: {}
	3:3 | stands twice | segments:\n  B: {vni: 1}\n  B: {vni: 2}
	1:3 | a key must be a word | ? {a: 1}\n: 2
	- | name, segments, pools | just words
	- | name, segments, pools | [1, 2]
	- | the lab is empty | # nothing
	- | invalid leading UTF-8 | a: "\xff\xfe"
	1:1 | needs names and objects | segments: [A, B]
	1:1 | unknown key 'what' | what: {}
	1:1 | name: use 1 to 63 | name: no good
TABLE
lab - "deeper than 32" < <(printf 'a: '; printf '[%.0s' {1..1000})
head -c 8500000 /dev/zero | tr '\0' '#' >"$run/huge.yaml"
refused 4 "larger than 8 MiB" weft apply -f "$run/huge.yaml"
unchanged "huge"

step "labs with impossible values"
labs <<-'TABLE'
	1:16 | did you mean vni? | segments: {B: {vnj: 200}}
	1:16 | from 1 to 16777215 | segments: {B: {vni: 16777216}}
	1:16 | -1 is not | segments: {B: {vni: -1}}
	1:16 | use one word or number | segments: {B: {vni: [1]}}
	1:12 | vni is missing | segments: {B: {}}
	1:26 | from 1 to 4094 | segments: {B: {vni: 200, vlan: 4095}}
	1:26 | from 68 to 9216 | segments: {B: {vni: 200, mtu: 10}}
	1:26 | write it as 300s | segments: {B: {vni: 200, age: 300}}
	1:12 | not a name | segments: {..bad: {vni: 200}}
	1:16 | 100 is taken by segment ALPHA | segments: {B: {vni: 100}}
	1:26 | 10 is taken by segment ALPHA | segments: {B: {vni: 200, vlan: 10}}
	1:26 | lab: use 1 to 63 | segments: {B: {vni: 200, lab: no good}}
	1:25 | DELTA is not declared | ports: {c2: {type: tap, segment: DELTA}}
	1:14 | tapp is not known | ports: {c2: {type: tapp, segment: ALPHA}}
	1:9 | type is missing | ports: {c2: {segment: ALPHA}}
	1:9 | segment is missing | ports: {c2: {type: tap}}
	1:48 | did you mean socket? | ports: {v1: {type: vhost-user, segment: ALPHA, soket: /x}}
	1:48 | absolute path | ports: {v1: {type: vhost-user, segment: ALPHA, socket: relative/path}}
	1:48 | has no netns | ports: {v1: {type: vhost-user, segment: ALPHA, netns: c1}}
	1:41 | 10.0.1.2/24 | ports: {c2: {type: tap, segment: ALPHA, ip: 10.0.1.1/33}}
	1:41 | 10.0.1.1 in segment ALPHA is taken | ports: {c2: {type: tap, segment: ALPHA, ip: 10.0.1.1/24}}
	1:41 | which means a group | ports: {c2: {type: tap, segment: ALPHA, mac: 01:00:00:00:00:01}}
	1:41 | not this host | ports: {c2: {type: tap, segment: ALPHA, host: elsewhere}}
	- | shorter ifname | ports: {a-name-of-many-letters: {type: tap, segment: ALPHA}}
	- | nowhere | ports: {c2: {type: tap, segment: ALPHA, netns: nowhere}}
TABLE

step "rates that are none, and more than there is"
labs <<-'TABLE'
	1:16 | capacity: 0 is not a rate from 1k to 400G | pools: {host: {capacity: 0}}
	1:16 | -1G is not a rate | pools: {host: {capacity: -1G}}
	1:16 | 10Gb is not a rate | pools: {host: {capacity: 10Gb}}
	1:16 | 999 is not a rate from 1k | pools: {host: {capacity: 999}}
	1:16 | 401G is not a rate from 1k to 400G | pools: {host: {capacity: 401G}}
	1:9 | capacity is missing | pools: {p: {overcommit: yes}}
	1:27 | up0 is no uplink | pools: {p: {capacity: 1G, uplink: up0}}
	1:16 | tx: 800M assured of 750M (gold 700M, bronze 100M): lower one | pools: {host: {capacity: 750M}}
	- | tx: 1.2G assured of 1G (gold 700M, silver 400M, bronze 100M): lower one, raise the capacity, or set overcommit: yes | channels: {silver: {pool: host, tx: {rate: 400M}}}
	1:32 | rate: 2M is more than pool wan has, 1M | channels: {c: {pool: wan, rx: {rate: 2M}}}
	1:33 | ceil: 2G is more than pool host has, 1G | channels: {c: {pool: host, tx: {ceil: 2G}}}
	1:21 | 2M is assured but the ceiling is 1M | channels: {c: {tx: {rate: 2M, ceil: 1M}}}
	1:21 | 1.5k is less than one frame | channels: {c: {tx: {burst: 1500}}}
	1:21 | 5 is not a time from 50us | channels: {c: {tx: {latency: 5}}}
	1:21 | from 1 to 10000 | channels: {c: {tx: {weight: 0}}}
	1:21 | did you mean rate? | channels: {c: {tx: {rat: 1M}}}
	1:16 | pool nowhere is not declared | channels: {c: {pool: nowhere}}
	1:16 | use l2 (bytes of frames), or wire | channels: {c: {account: l7}}
	1:12 | channel tin is not declared | vms: {db: {channel: tin}}
	1:41 | channel tin is not declared | ports: {c2: {type: tap, segment: ALPHA, channel: tin}}
	- | 100M assured, 0 lent | channels: {gold: {pool: host, tx: {rate: 100M}}}
TABLE
lab - "8191" < <(awk 'BEGIN { print "segments:"
	while (i++ < 8200) print "  S" i ": {vni: " 1000 + i "}" }')

step "a lab with several faults: each on a line of its own, in one go"
cat >"$run/lab.yaml" <<-'LAB'
	segments: {BETA: {vni: 200}, GAMMA: {vni: 200}}
	ports:
	  v1: {type: vhost-user, segment: BETA, ofload: on}
	  v2: {type: vhost-user, segment: DELTA}
LAB
status=0
weft apply -f "$run/lab.yaml" 2>"$run/refused.err" || status=$?
[ "$status" -eq 4 ] || fail "exit code $status"
cat "$run/refused.err"
diff - <(sed "s|^$run/||; s/ port.*: / /; s/ segment.*: / /" "$run/refused.err") <<-'EXPECTED' || fail "other faults"
	lab.yaml:3:41: unknown key 'ofload'; did you mean offload?
	lab.yaml:1:38: vni 200 is taken by segment BETA; choose another one, or change that one first
	lab.yaml:4:26: segment DELTA is not declared; add that segment, or correct the name
EXPECTED
unchanged "several faults"
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
lab - "taken.sock" <<<"ports: {v1: {type: vhost-user, segment: ALPHA, socket: $run/taken.sock}}"
lab - "$run/file" <<<"ports: {v1: {type: vhost-user, segment: ALPHA, socket: $run/file}}"
lab - "$run/vhost/v0.sock" <<<"ports: {v1: {type: vhost-user, segment: ALPHA, socket: $run/vhost/v0.sock}}"
[ "$(cat "$run/file")" = keep ] || fail "a file of somebody else was overwritten"
[ -S "$run/taken.sock" ] || fail "the socket of somebody else was removed"
kill "$listener"
rm "$run/taken.sock"

step "a device name that is taken"
ip link add c2 type veth peer name c3
lab - "c2" <<<'ports: {c2: {type: tap, segment: ALPHA}}'
ip link del c2

step "single commands"
commands <<-'TABLE'
	4 | ALPHA is used by port c1, port v0 | segment del ALPHA
	4 | no segment GAMMA | segment del GAMMA
	4 | no port nothere | port del nothere
	4 | no port nothere | port show nothere
	4 | did you mean segment? | port add v1 type=vhost-user sgment=ALPHA
	4 | 100 is taken | segment add BETA vni=100
	4 | no revision 99 | rollback 99
	4 | not a number | rollback yesterday
	4 | no revision 99 | history show 99
	4 | no revision 99 | export 99
	4 | nothing waits | confirm
	4 | used by channel bronze, channel gold | pool del host
	4 | gold is used by port v0, loan loan1; unassign it or assign another | channel del gold
	4 | loan loan1 | channel del bronze
	4 | 0 is not a rate | channel lend gold 0 to=bronze for=10m
	2 | unknown option -5 | channel lend gold -5M to=bronze for=10m
	4 | 5X is not a rate | channel lend gold 5X to=bronze for=10m
	4 | 501M is more than channel gold has left: 700M assured, 200M lent | channel lend gold 501M to=bronze for=10m
	4 | gold has nothing assured for rx | channel lend gold 1M to=bronze for=10m way=rx
	4 | the same channel | channel lend gold 1M to=gold for=10m
	4 | within one pool | channel lend gold 1M to=far for=10m
	4 | channel gold lends to bronze already | channel lend bronze 1M to=gold for=10m
	4 | tin is not declared | channel lend gold 1M to=tin for=10m
	4 | 0s is not a time | channel lend gold 1M to=bronze for=0s
	4 | 31d is not a time | channel lend gold 1M to=bronze for=31d
	4 | use tx, rx or both | channel lend gold 1M to=bronze for=10m way=up
	4 | no loan loan2 | channel recall loan2
	4 | no channel tin | channel set tin tx.rate=1M
	4 | tin is not declared | channel assign tin port=v0
	4 | no port nothere | channel assign gold port=nothere
	4 | did you mean rate? | channel set gold tx.rat=1M
	4 | exists; change it with | channel add gold pool=host
	2 | none of port=PORT, vm=VM, segment=SEGMENT | channel assign gold peer=h2
	2 | to whom with to=CHANNEL | channel lend gold 1M way=tx for=10m
	2 | not a name | channel show host/other
	2 | frobnicate | frobnicate
	2 | did you mean 'weft port' | prot list
	2 | -f FILE | apply
	4 | absent.yaml | apply -f absent.yaml
	4 | Is a directory | apply -f /tmp
	2 | -f has no meaning | status -f x
	2 | --confirm has no meaning | diff -f x --confirm 60s
	2 | -m has no meaning | status -m words
	2 | unknown option | status --frobnicate
	2 | table, json or yaml | status -o xml
	2 | is missing | history show
	2 | not a name | port show ../../etc
	3 | elsewhere | --run-dir /tmp/elsewhere status
TABLE
cat >"$run/lab.yaml" <<<'segments: {BETA: {vni: 200}}'
for confirm in 60 0s 2d forever; do
	refused 4 "write it as 60s or 5m" weft apply -f "$run/lab.yaml" --confirm "$confirm"
	unchanged "--confirm $confirm"
done
refused 4 "more than 200" weft apply -f "$run/lab.yaml" -m "$(printf 'x%.0s' {1..201})"
unchanged "comment"
refused 4 "give the lab a name" weft apply -f - --prune <<<'name: ""'
unchanged "prune"

step "requests"
requests <<-'TABLE'
	400 | json-invalid | POST | /v1/apply | {"segments": { | Content-Type: application/json
	400 | json-invalid | PUT | /v1/segments/B | {"vni": 1, "vni": 2} |
	400 | json-invalid | PUT | /v1/segments/B | nonsense |
	400 | query-unknown | POST | /v1/apply?dry-run=1 | {} |
	400 | query-unknown | GET | /v1/status?x | |
	404 | path-unknown | GET | /v2/status | |
	404 | path-unknown | GET | /v1/ports/a/b/c | |
	404 | port-unknown | GET | /v1/ports/nothere/qemu-args | |
	405 | method-not-allowed | DELETE | /v1/apply | |
	405 | method-not-allowed | POST | /v1/ports | {} |
	409 | not-for-this-type | GET | /v1/ports/c1/qemu-args | |
	409 | segment-in-use | DELETE | /v1/segments/ALPHA | |
	409 | pool-in-use | DELETE | /v1/pools/host | |
	409 | channel-in-use | DELETE | /v1/channels/gold | |
	404 | vm-unknown | DELETE | /v1/vms/db | |
	404 | loan-unknown | DELETE | /v1/loans/loan9 | |
	412 | changed-meanwhile | PUT | /v1/channels/gold | {} | If-Match: "999999"
	412 | changed-meanwhile | POST | /v1/loans | {} | If-Match: "999999"
	422 | loan-invalid | PUT | /v1/channels/gold | {} |
	422 | key-missing | POST | /v1/loans | {"from": "gold"} |
	422 | value-invalid | POST | /v1/loans | {"from": "gold", "to": "bronze", "rate": 1.5, "for": "1m"} |
	422 | pool-exhausted | PUT | /v1/channels/silver | {"pool": "host", "tx": {"rate": "1G"}} |
	422 | loan-invalid | POST | /v1/rollback?revision=0 | |
	409 | confirm-none | POST | /v1/confirm | |
	412 | changed-meanwhile | PUT | /v1/segments/B | {"vni": 5} | If-Match: "999999"
	412 | changed-meanwhile | POST | /v1/rollback | | If-Match: "nonsense"
	415 | media-unsupported | PUT | /v1/segments/B | vni: 5 | Content-Type: application/yaml
	422 | value-invalid | PUT | /v1/segments/B | [1] |
	422 | value-invalid | PUT | /v1/segments/B | {"vni": 1.5} |
	422 | key-missing | PUT | /v1/segments/B | {} |
	422 | name-mismatch | PUT | /v1/segments/B | {"vni": 5, "name": "C"} |
	422 | value-invalid | GET | /v1/history/first | |
	422 | value-invalid | GET | /v1/ports/v0/qemu-args?memory=much | |
TABLE
curl -sS --unix-socket "$run/weftd.sock" -o "$run/answer" -D - -X POST http://weft/v1/segments/B |
	tr -d '\r' | grep -x 'Allow: GET, PUT, DELETE'
head -c 9000000 /dev/zero | curl -sS --unix-socket "$run/weftd.sock" -o "$run/answer" \
	-w '%{http_code}\n' -X POST -H 'Content-Type: application/json' -H 'Expect:' \
	--data-binary @- http://weft/v1/apply | grep -x 413
unchanged "a body too large"
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
unchanged "no HTTP"

step "a peer of another version"
python3 - "$run/dataplane.sock" >"$run/peer" <<-'PYTHON'
	import socket, struct, sys
	s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
	s.connect(sys.argv[1])
	s.send(struct.pack("=IHHQ", 16, 1, 99, 7))
	s.settimeout(5)
	print(s.recv(4096)[24:].split(b"\0")[0].decode())
PYTHON
grep -F "differ in version; update both" "$run/peer"
unchanged "another version"

step "daemons that cannot start"
weftd=$build/control/weftd
other=$run/other
mkdir "$other"
daemon 1 "another weftd uses $state" "$weftd" --run-dir "$other" --state-dir "$state"
daemon 1 "another weftd answers" "$weftd" --run-dir "$run" --state-dir "$other/s1"
daemon 1 "not a directory" "$weftd" --run-dir "$other" --state-dir "$run/file"
daemon 1 "make its parent" "$weftd" --run-dir "$other" --state-dir "$other/no/such"
daemon 1 "too long" "$weftd" --run-dir "$(mkdir -p "$other/$(printf 'x%.0s' {1..120})" && echo "$other"/x*)" \
	--state-dir "$other/s2"
daemon 2 "from 1 to 1000" "$weftd" --history 0
mkdir "$other/ro"
mount -t tmpfs -o ro weft-ro "$other/ro"
daemon 1 "can be written" "$weftd" --run-dir "$other" --state-dir "$other/ro"
umount "$other/ro"

step "stores that cannot be used stay as they are"
# store TEXT: weftd refuses the store that is in $other/state, and does not touch it.
store()
{
	local before
	before=$(sha256sum "$other/state/weft.db")
	daemon 1 "$1" "$weftd" --run-dir "$other" --state-dir "$other/state"
	[ "$(sha256sum "$other/state/weft.db")" = "$before" ] || fail "the store was touched"
}
copy_store()
{
	rm -rf "$other/state"
	cp -r "$state" "$other/state"
	python3 - "$other/state/weft.db" <<-'PYTHON'
		import sqlite3, sys
		db = sqlite3.connect(sys.argv[1])
		db.execute("pragma wal_checkpoint(truncate)")
		db.close()
	PYTHON
	rm -f "$other"/state/weft.db-*
}
copy_store
python3 - "$other/state/weft.db" <<-'PYTHON'
	import sqlite3, sys
	db = sqlite3.connect(sys.argv[1])
	db.execute("pragma journal_mode=delete")
	db.execute("pragma user_version=999")
	db.commit()
PYTHON
store "newer"
echo "not a database, and not for weft" >"$other/state/weft.db"
store "weft.db"
copy_store
truncate -s -5000 "$other/state/weft.db"
store "damaged"
copy_store
dd if=/dev/urandom of="$other/state/weft.db" bs=4096 seek=1 conv=notrunc status=none \
	count=$(($(stat -c %s "$other/state/weft.db") / 4096 - 1))
store "damaged"
rm -rf "$other"

[ "$n_cases" -ge 100 ] || fail "only $n_cases cases"
step "$n_cases cases refused, nothing changed by any"
finish
