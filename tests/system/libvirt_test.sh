#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     guest web, a domain of libvirtd            namespace c1
#     10.0.1.1         10.0.2.1                  10.0.1.2   10.0.2.2
#        |                |                         |          |
#        +-- web0         +-- web1 (QEMU listens)   +-- c1a    +-- c1b
#        |                |                         |          |
#     ===+===== ALPHA ====|=========================+          |
#                      ===+===== BETA =========================+
#
# A domain is made of what weft port libvirt-xml prints, word for word, and of nothing else that
# concerns weft. libvirtd and QEMU as Debian ships them start it, as the user of Debian's packages;
# it pings, and pings again after the dataplane was killed.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=lib/guest.sh
. "$(dirname "$0")/lib/guest.sh"

for program in libvirtd virsh qemu-system-x86_64; do
	command -v $program >/dev/null || skip "$program is not installed"
done
find /usr/lib -name libvirt_driver_qemu.so 2>/dev/null | grep -q . ||
	skip "libvirt's QEMU driver is not installed (package libvirt-daemon-driver-qemu)"
guest_prepare || skip "no guest image"
guest_choose_accel
step "accel=$guest_accel"

# Whatever libvirtd keeps on this machine, it does not see. Mounts end with the scenario's namespace.
for directory in /var/lib/libvirt /var/cache/libvirt /var/log/libvirt /etc/libvirt; do
	[ -d $directory ] || { mkdir $directory && at_exit "umount -l $directory; rmdir $directory"; }
	mount -t tmpfs weft-test $directory
done
# QEMU's user, who is in group kvm, is made by a package that would start services too.
sed '/^libvirt-qemu:/d' /etc/passwd >"$run/passwd"
sed '/^libvirt-qemu:/d; s/^\(kvm:[^:]*:[^:]*:\).*/\1libvirt-qemu/' /etc/group >"$run/group"
echo 'libvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin' >>"$run/passwd"
echo 'libvirt-qemu:x:64055:' >>"$run/group"
grep -q ^kvm: "$run/group" || echo 'kvm:x:64056:libvirt-qemu' >>"$run/group"
mount --bind "$run/passwd" /etc/passwd
mount --bind "$run/group" /etc/group
cat >/etc/libvirt/qemu.conf <<'CONF'
dynamic_ownership = 0
security_driver = "none"
cgroup_controllers = []
namespaces = []
stdio_handler = "file"
CONF
libvirtd >"$run/libvirtd.log" 2>&1 &
libvirtd=$!
at_exit "kill $libvirtd 2>/dev/null; wait $libvirtd"
virsh()
{
	command virsh -q -c qemu:///system "$@" </dev/null
}
wait_for 20 "libvirtd answers" virsh list

chmod 755 "$run"
mkdir "$run/qemu"
touch "$run/web.console.log"
mkfifo "$run/qemu/agent.in" "$run/qemu/agent.out"
chown -R libvirt-qemu "$run/qemu" "$run/web.console.log"

ns_add c1
daemons_start
weft apply -f - >/dev/null <<LAB
segments:
  ALPHA: {vni: 100, mtu: 1400}
  BETA:  {vni: 200}
ports:
  web0: {type: vhost-user, vm: web, segment: ALPHA}
  web1: {type: vhost-user, vm: web, segment: BETA, mode: client, socket: $run/qemu/web1.sock}
  c1a:  {type: tap, segment: ALPHA, netns: c1, ip: 10.0.1.2/24}
  c1b:  {type: tap, segment: BETA, netns: c1, ip: 10.0.2.2/24}
LAB

# part ELEMENT PORT: one element of what weft prints.
part()
{
	weft port libvirt-xml "$2" "accel=$guest_accel" | sed -n "/^ *<$1[ >]/,/<\/$1>/p"
}

type=qemu
[ "$guest_accel" = tcg ] || type=kvm
cat >"$run/web.xml" <<XML
<domain type='$type' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>web</name>
  <memory unit='MiB'>128</memory>
  $(part memoryBacking web0)
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>$guest_image/vmlinuz</kernel>
    <initrd>$guest_image/initrd</initrd>
    <cmdline>console=ttyS0 quiet panic=-1 weft.ip=10.0.1.1/24,10.0.2.1/24</cmdline>
  </os>
  <on_reboot>destroy</on_reboot>
  <devices>
    <emulator>$(command -v qemu-system-x86_64)</emulator>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    <serial type='file'><source path='$run/web.console.log'/><target port='0'/></serial>
    <serial type='pipe'><source path='$run/qemu/agent'/><target port='1'/></serial>
    $(part interface web0)
    $(part interface web1)
  </devices>
  <qemu:override>
    $(part qemu:device web0)
    $(part qemu:device web1)
  </qemu:override>
</domain>
XML
exec {fd}<>"$run/qemu/agent.in"
guest_in[web]=$fd
exec {fd}<>"$run/qemu/agent.out"
guest_out[web]=$fd

step "libvirtd starts the domain"
virsh create "$run/web.xml" || { cat "$run/web.xml"; fail "libvirtd does not start the domain"; }
at_exit "virsh destroy web 2>/dev/null"
guest_booted web 180 || fail "guest web did not come up; $(tail -n 5 /var/log/libvirt/qemu/web.log)"
qemu=$(pgrep -f 'guest=web,')
[ "$(stat -c %U "/proc/$qemu")" = libvirt-qemu ] || fail "QEMU does not run as Debian's user"

# Both cards ping, and are as weft says.
answers()
{
	for port in web0 web1; do
		port_up $port 20
	done
	wait_for 20 "web answers" in_guest "ping -c 1 -W 1 10.0.1.2 && ping -c 1 -W 1 10.0.2.2"
}

in_guest()
{
	guest_run web "$1" 30
}
answers
in_guest "ping -c 3 -W 2 10.0.1.2"
in_guest "ping -c 3 -W 2 10.0.2.2"
[ "$(in_guest "cat /sys/class/net/eth0/mtu")" = 1400 ] || fail "the guest was not told the segment's MTU"
for port in web0 web1; do
	weft port doctor $port || fail "doctor finds port $port ill"
done

step "and keeps it when the dataplane is killed"
kill -9 "$(pid_of weft-dataplane)"
answers

virsh destroy web
unset "guest_in[web]" "guest_out[web]"
kill $libvirtd
wait $libvirtd || true
rm -rf /run/libvirt /run/libvirtd.pid
finish
