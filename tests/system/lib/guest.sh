# shellcheck shell=bash disable=SC2154 # top, build, run: set by who reads this file
# SPDX-License-Identifier: BSD-3-Clause
#
# QEMU guests from the image of scripts/guest: start, run a command in one, stop. Needs $top,
# $build, $run and fail, from lib/common.sh or scripts/demo.
#
# WEFT_ACCEL=kvm|tcg chooses the accelerator. Else the image is booted once with KVM: there are
# hosts with a /dev/kvm on which guest kernels hang.

guest_image=$build/guest
guest_memory=128M
guest_weft= # run directory of the weft that guests are plugged into; default $run
declare -A guest_pid=() guest_in=() guest_out=()

# Builds the image; what it says is for the user.
guest_prepare()
{
	"$top/scripts/guest" "$guest_image"
}

# QEMU on the image, with an accelerator and memory: guest_qemu NAME KERNEL-ARGUMENTS QEMU-ARGUMENT...
# The console is in NAME.console.log; guest/NAME.in and NAME.out are the FIFOs of the command agent.
guest_qemu()
{
	local name=$1 arguments=$2 base=$run/guest/$1 fd
	shift 2
	mkdir -p "$run/guest"
	rm -f "$base.in" "$base.out"
	mkfifo "$base.in" "$base.out"
	exec {fd}<>"$base.in"
	guest_in[$name]=$fd
	exec {fd}<>"$base.out"
	guest_out[$name]=$fd
	qemu-system-x86_64 -name "$name" -M q35 -display none \
		-nodefaults -no-user-config -no-reboot -global virtio-net-pci.romfile= \
		-kernel "$guest_image/vmlinuz" -initrd "$guest_image/initrd" \
		-append "console=ttyS0 quiet panic=-1 no_timer_check $arguments" \
		-serial "file:$run/$name.console.log" \
		-chardev "pipe,id=agent,path=$base" -serial chardev:agent \
		"$@" </dev/null >"$run/$name.qemu.log" 2>&1 &
	guest_pid[$name]=$!
	echo "$!" >"$base.pid"
}

# Whether the guest said that it is up within SECONDS: guest_booted NAME SECONDS
guest_booted()
{
	local line
	read -rt "$2" -u "${guest_out[$1]}" line && [ "$line" = "=ready=" ]
}

# Sets guest_accel. The verdict on KVM holds as long as the host is up.
guest_choose_accel()
{
	local cache=$guest_image/accel boot
	boot=$(cat /proc/sys/kernel/random/boot_id)
	if [ -n "${WEFT_ACCEL:-}" ]; then
		guest_accel=$WEFT_ACCEL
	elif ! grep -qs "^$boot " "$cache"; then
		guest_accel=tcg
		if [ -w /dev/kvm ]; then
			guest_qemu probe "" -accel kvm -m "$guest_memory"
			! guest_booted probe 5 || guest_accel=kvm
			guest_stop probe
		fi
		echo "$boot $guest_accel" >"$cache"
	else
		guest_accel=$(cut -d ' ' -f 2 "$cache")
	fi
}

# Starts a guest with one NIC per port; addresses as scripts/guest reads them, comma-separated.
# Returns before it is up: guest_start NAME ADDRESSES PORT...
guest_start()
{
	local name=$1 addresses=$2 arguments
	shift 2
	read -ra arguments < <("$build/cli/weft" --run-dir "${guest_weft:-$run}" port qemu-args "$@" \
		"memory=$guest_memory" "accel=$guest_accel")
	[ ${#arguments[@]} -gt 0 ] || fail "no QEMU arguments for $*"
	guest_qemu "$name" "weft.ip=$addresses" "${arguments[@]}"
}

# Waits until the guests NAME... are up.
guest_wait()
{
	local name
	for name; do
		guest_booted "$name" 180 || fail "guest $name did not come up; see $run/$name.*.log"
	done
}

# Runs a shell line in a guest and prints what it prints: guest_run NAME LINE [SECONDS]
guest_run()
{
	local name=$1 line
	echo "$2" >&"${guest_in[$name]}"
	while IFS= read -rt "${3:-120}" -u "${guest_out[$name]}" line; do
		case $line in
		*"=exit= "*)
			printf '%s' "${line%=exit= *}"
			return "${line##*=exit= }"
			;;
		esac
		printf '%s\n' "$line"
	done
	fail "guest $name did not end: $2"
}

# A guest has nothing to lose: QEMU is told to go.
guest_stop()
{
	local name fd
	for name; do
		kill "${guest_pid[$name]}" 2>/dev/null || true
		wait "${guest_pid[$name]}" 2>/dev/null || true
		fd=${guest_in[$name]}
		exec {fd}>&-
		fd=${guest_out[$name]}
		exec {fd}>&-
		rm -f "$run/guest/$name".{in,out,pid}
		unset "guest_pid[$name]" "guest_in[$name]" "guest_out[$name]"
	done
}

guests_stop()
{
	guest_stop "${!guest_pid[@]}"
}
