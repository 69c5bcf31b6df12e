#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     root, ann (group weft), bob (weft, may operate), eve (weft, may read)     -- weftd.sock --+
#     certificates alice, monitor, nobody; mallory's is of another CA           -- TLS, lo -----+ weftd
#
# Who may do what: roles by the other end of the Unix socket, and by certificates over TCP.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

# Users and groups of this scenario only.
printf 'root:x:0:0::/root:/bin/sh\nann:x:6001:6001::/:/bin/sh\nbob:x:6002:6002::/:/bin/sh\neve:x:6003:6003::/:/bin/sh\nout:x:6004:6004::/:/bin/sh\nmany:x:6005:6005::/:/bin/sh\n' \
	>"$run/passwd"
printf 'root:x:0:\nann:x:6001:\nbob:x:6002:\neve:x:6003:\nout:x:6004:\nweft:x:7000:ann,bob,eve,many\nlookers:x:7001:\nkvm:x:7002:\n' >"$run/group"
# The last of 301 groups is the one that counts.
printf 'many:x:6005:\n' >>"$run/group"
for i in {1..300}; do
	printf 'many%d:x:%d:many\n' "$i" $((6100 + i))
done >>"$run/group"
mount --bind "$run/passwd" /etc/passwd
mount --bind "$run/group" /etc/group
chmod 755 "$run"

# A CA, weftd's certificate, clients' certificates.
pki=$run/pki
mkdir "$pki"

ca()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-subj "/CN=$1" -keyout "$pki/$1.key" -out "$pki/$1.pem" 2>/dev/null
}

# certificate CA NAME USAGE [DAYS]
certificate()
{
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" \
		-keyout "$pki/$2.key" -out "$pki/$2.csr" 2>/dev/null
	printf 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=%s\n' "$3" >"$pki/$2.ext"
	openssl x509 -req -in "$pki/$2.csr" -CA "$pki/$1.pem" -CAkey "$pki/$1.key" -CAcreateserial \
		-days "${4:-2}" -extfile "$pki/$2.ext" -out "$pki/$2.pem" 2>/dev/null
}

ca authority
ca stranger
certificate authority weftd serverAuth
for name in alice monitor nobody; do
	certificate authority "$name" clientAuth
done
certificate stranger mallory clientAuth
certificate authority other-server serverAuth
certificate authority late clientAuth -1

daemon=
start()
{
	"$build/control/weftd" --run-dir "$run" --state-dir "$state" "$@" 2>>"$daemon_log" &
	daemon=$!
	wait_for 10 "weftd answers" weft segment list
}

stop()
{
	kill "$daemon"
	wait "$daemon" || true
}
at_exit 'kill "$daemon" 2>/dev/null'

# as USER METHOD PATH [BODY]: prints the status
as()
{
	local user=$1 method=$2 path=$3
	setpriv --reuid "$user" --regid "$user" --init-groups \
		curl -s -o "$run/body" -w '%{http_code}' --unix-socket "$run/weftd.sock" -X "$method" \
		--data-binary "${4:-}" "http://weft$path"
}

gets()
{
	local expected=$1 status
	shift
	: >"$run/body"
	chmod 666 "$run/body"
	status=$("$@") || true
	[ "$status" = "$expected" ] || fail "$*: status $status instead of $expected: $(cat "$run/body")"
}

code_is()
{
	jq -e --arg code "$1" '.code == $code' "$run/body" >/dev/null || fail "not $1: $(cat "$run/body")"
}

step "without grants: group weft may do everything, others cannot open the socket"
start
[ "$(stat -c '%a %g' "$run/weftd.sock")" = "660 7000" ] || fail "socket: $(stat -c '%a %g' "$run/weftd.sock")"
gets 200 as ann GET /v1/status
gets 200 as many GET /v1/status
gets 503 as ann PUT /v1/segments/A '{"vni": 1}'
code_is dataplane-unreachable
gets 000 as out GET /v1/status
stop

step "grants: a user's own before its groups'; root always"
start --grant operate=user:bob --grant read=user:eve --grant read=group:lookers
gets 200 as ann POST '/v1/apply?dry_run=1' '{"segments": {"A": {"vni": 1}}}'
for user in bob eve; do
	gets 200 as "$user" GET /v1/status
	gets 200 as "$user" POST /v1/diff '{}'
	gets 403 as "$user" PUT '/v1/segments/A?dry_run=1' '{"vni": 1}'
	code_is role-missing
	gets 403 as "$user" POST /v1/apply '{}'
	gets 403 as "$user" DELETE /v1/segments/A
done
gets 404 as bob DELETE /v1/ports/none
gets 403 as eve DELETE /v1/ports/none
jq -r .detail "$run/body"
grep -qF 'weftd --grant operate=user:eve' "$run/body" || fail "it does not say what to do: $(cat "$run/body")"
refused 4 "asks for the role operate" setpriv --reuid eve --regid eve --init-groups \
	"$build/cli/weft" port del none
stop

step "a grant for group weft takes the place of what it has by itself"
start --grant read=group:weft --grant admin=user:ann
gets 403 as bob DELETE /v1/ports/none
gets 404 as ann DELETE /v1/segments/none
gets 404 as root DELETE /v1/segments/none
stop

step "bad arguments"
weftd() { "$build/control/weftd" --run-dir "$run" --state-dir "$state" "$@"; }
refused 2 "no user:nobody-here on this host" weftd --grant read=user:nobody-here
refused 2 "write read=, operate= or admin=" weftd --grant root
refused 2 "belong to --listen" weftd --tls-cert "$pki/weftd.pem"
refused 1 "there is no plain TCP" weftd --listen 127.0.0.1:8443
tls=(--tls-cert "$pki/weftd.pem" --tls-key "$pki/weftd.key" --tls-ca "$pki/authority.pem")
refused 1 "as 10.0.0.1:8443" weftd --listen localhost:8443 "${tls[@]}"
refused 1 "as 10.0.0.1:8443" weftd --listen ::1:8443 "${tls[@]}"
refused 1 "No such file" weftd --listen 127.0.0.1:8443 "${tls[@]}" --tls-ca "$pki/none.pem"
refused 1 "--tls-cert and --tls-key" weftd --listen 127.0.0.1:8443 "${tls[@]}" --tls-key "$pki/alice.key"
refused 1 "no certificate in it" weftd --listen 127.0.0.1:8443 "${tls[@]}" --tls-ca "$pki/weftd.key"
refused 1 "Cannot assign" weftd --listen 192.0.2.1:8443 "${tls[@]}"

step "mutual TLS: a client needs a certificate of our CA, in date, made for clients"
start "${tls[@]}" --listen 127.0.0.1:8443 --grant admin=cert:alice --grant read=cert:monitor \
	--grant admin=cert:other-server --grant admin=cert:late --grant admin=cert:mallory
# with CERTIFICATE METHOD PATH [BODY]: prints the status
with()
{
	local name=$1 method=$2 path=$3
	curl -s -o "$run/body" -w '%{http_code}' --cacert "$pki/authority.pem" \
		${name:+--cert "$pki/$name.pem" --key "$pki/$name.key"} -X "$method" \
		--data-binary "${4:-}" "https://127.0.0.1:8443$path"
}
gets 200 with alice GET /v1/status
gets 200 with alice POST '/v1/apply?dry_run=1' '{"segments": {"A": {"vni": 1}}}'
gets 200 with monitor GET /v1/ports
gets 403 with monitor DELETE /v1/ports/none
code_is role-missing
grep -qF 'cert:monitor' "$run/body" || fail "who is not named: $(cat "$run/body")"
gets 403 with nobody GET /v1/status
gets 403 with other-server GET /v1/status
gets 000 with "" GET /v1/status
gets 000 with mallory GET /v1/status
gets 000 with late GET /v1/status
gets 000 curl -s -o "$run/body" -w '%{http_code}' http://127.0.0.1:8443/v1/status
gets 000 curl -s -o "$run/body" -w '%{http_code}' --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0 \
	--cacert "$pki/authority.pem" --cert "$pki/alice.pem" --key "$pki/alice.key" \
	https://127.0.0.1:8443/v1/status
[ "$(ss -Htlnp | grep -c weftd)" -eq 1 ] || fail "listening sockets: $(ss -Htlnp)"
step "a client that says nothing holds up nobody"
exec {mute}<>/dev/tcp/127.0.0.1/8443
gets 200 with alice GET /v1/status
gets 200 as root GET /v1/status
exec {mute}<&-
stop
umount /etc/passwd /etc/group
finish
