# shellcheck shell=bash disable=SC2154 # run: set by lib/common.sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Moves a known stream over TCP between any two of namespaces and guests, and compares checksums.
# Needs lib/common.sh. A machine is named by the command that runs a shell line in it:
# "in_ns c1" or "guest_run web".

in_ns()
{
	ip netns exec "$1" busybox sh -c "$2"
}

# A shell line that writes $1 MiB: one block again and again, with its number between, so that a
# piece that is lost, doubled or moved changes the checksum.
stream()
{
	echo "b=\$(mktemp); seq 1 200000 | head -c 1048573 >\$b; i=100;" \
		"while [ \$i -lt $((100 + $1)) ]; do cat \$b; echo \$((i % 90 + 10)); i=\$((i + 1)); done; rm \$b"
}

# transfer MIB ADDRESS-OF-RECEIVER 'RUN-SENDER' 'RUN-RECEIVER'
transfer()
{
	local mib=$1 address=$2 port=5001 sum started elapsed_us
	local -a sender receiver
	read -ra sender <<<"$3"
	read -ra receiver <<<"$4"
	# Process ids are those of a namespace: another scenario may have the same one.
	local result=/tmp/weft-sum.${run##*.}.${address//[^0-9]/_}

	sum=$(busybox sh -c "$(stream "$mib")" | sha256sum | cut -d ' ' -f 1)
	"${receiver[@]}" "rm -f $result; (busybox nc -l -p $port -e busybox sh -c 'sha256sum >$result.part; mv $result.part $result' >/dev/null 2>&1 </dev/null &)"
	wait_for 5 "the receiver listens" "${receiver[@]}" "busybox netstat -ltn | grep -q ':$port '"
	started=$(now_us)
	"${sender[@]}" "busybox nc $address $port -e busybox sh -c '$(stream "$mib")'"
	wait_for 60 "the receiver has all" "${receiver[@]}" "[ -s $result ]"
	elapsed_us=$(($(now_us) - started))
	"${receiver[@]}" "cat $result; rm $result" | grep -q "^$sum " ||
		fail "$mib MiB to $address arrived changed"
	echo "$mib MiB to $address intact, sha256 ${sum:0:16}..., $((mib * 8388608 / elapsed_us)) Mbit/s"
}
