/* SPDX-License-Identifier: BSD-3-Clause */
/* What keeps a guest from its vhost-user port. Runs on weftd's thread. */
#include <errno.h>
#include <grp.h>
#include <linux/virtio_net.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "control/doctor.h"

#define MODE_BITS 07777
#define READ_WRITE 06

static bool is_attached(const struct patient *patient)
{
	return patient->state->link != DP_LINK_DOWN;
}

static void name_group(gid_t gid, char *name, size_t bytes)
{
	const struct group *group = getgrgid(gid);

	if (group != NULL)
		snprintf(name, bytes, "%s", group->gr_name);
	else
		snprintf(name, bytes, "%u", gid);
}

/* "0660 root:kvm" */
static void describe(const struct stat *file, char *text, size_t bytes)
{
	const struct passwd *user = getpwuid(file->st_uid);
	char owner[40], group[40];

	if (user != NULL)
		snprintf(owner, sizeof(owner), "%s", user->pw_name);
	else
		snprintf(owner, sizeof(owner), "%u", file->st_uid);
	name_group(file->st_gid, group, sizeof(group));
	snprintf(text, bytes, "%04o %s:%s", file->st_mode & MODE_BITS, owner, group);
}

/* The first directory on the way to the socket that the socket's group cannot pass. */
static bool find_barrier(const char *socket, gid_t gid, char *directory, size_t bytes,
			 struct stat *found)
{
	for (const char *slash = strchr(socket + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		snprintf(directory, bytes, "%.*s", (int)(slash - socket), socket);
		if (lstat(directory, found) < 0)
			return true;
		mode_t needed = found->st_gid == gid ? S_IXGRP : S_IXOTH;

		if (S_ISDIR(found->st_mode) && (found->st_mode & needed) == 0)
			return true;
	}
	return false;
}

static void examine_way(json_t *list, const struct patient *patient, const struct stat *socket)
{
	char directory[DP_TEXT_BYTES], mode[100] = "", group[40];
	struct stat found = {0};

	/* Who is attached has found its way. */
	if (is_attached(patient) ||
	    !find_barrier(patient->socket, socket->st_gid, directory, sizeof(directory), &found))
		return;
	name_group(socket->st_gid, group, sizeof(group));
	describe(&found, mode, sizeof(mode));
	doctor_say(list, "directory", DOCTOR_WARN, "%s is %s: group %s cannot reach the socket",
		   directory, mode, group);
	doctor_fix(list, "chgrp %s %s && chmod g+x %s", group, directory, directory);
}

/* weft's own socket, at which the front-end has to be let in. */
static void examine_own_socket(json_t *list, const struct patient *patient)
{
	char mode[100];
	struct stat file;

	if (lstat(patient->socket, &file) < 0 || !S_ISSOCK(file.st_mode)) {
		doctor_say(list, "socket", DOCTOR_FAIL, "%s is gone: someone removed it",
			   patient->socket);
		doctor_fix(list, "weft port del %s and add it again makes a new one",
			   patient->port->name);
		return;
	}
	describe(&file, mode, sizeof(mode));
	bool is_open = (file.st_mode >> 3 & READ_WRITE) == READ_WRITE && file.st_gid != 0;
	const char *owner = model_option_text(patient->port, "owner");

	if (owner != NULL) {
		doctor_say(list, "socket", DOCTOR_OK, "%s, %s; for user %s, the port's owner",
			   patient->socket, mode, owner);
	} else if (is_open) {
		doctor_say(list, "socket", DOCTOR_OK, "%s, %s; for root and that group",
			   patient->socket, mode);
	} else {
		doctor_say(list, "socket", DOCTOR_WARN, "%s, %s: only weft's own user can connect",
			   patient->socket, mode);
		doctor_fix(list, "add group kvm (apt install qemu-system-x86 does) and restart "
				 "weft-dataplane as root, or set the port's owner=USER");
	}
	examine_way(list, patient, &file);
}

/* QEMU's socket, which weft connects to. */
static void examine_their_socket(json_t *list, const struct patient *patient)
{
	struct stat file;

	if (lstat(patient->socket, &file) == 0 && S_ISSOCK(file.st_mode)) {
		doctor_say(list, "socket", DOCTOR_OK, "%s, QEMU's", patient->socket);
	} else {
		doctor_say(list, "socket", DOCTOR_FAIL, "%s is not there", patient->socket);
		doctor_fix(list, "start the guest: QEMU makes the socket (server=on,wait=off)");
	}
}

static void examine_link(json_t *list, const struct patient *patient)
{
	const struct dp_port_state *state = patient->state;

	if (!is_attached(patient)) {
		doctor_say(list, "connected", DOCTOR_FAIL, "%s", state->reason);
		doctor_fix(
			list,
			"start the guest with what weft port qemu-args %s prints (or libvirt-xml)",
			patient->port->name);
	} else {
		doctor_say(list, "connected", DOCTOR_OK,
			   "a front-end is attached, %u time%s so far", state->attaches,
			   state->attaches == 1 ? "" : "s");
	}
}

static void examine_queues(json_t *list, const struct patient *patient)
{
	const struct dp_port_state *state = patient->state;
	unsigned int wanted = (unsigned int)model_option_number(patient->port, "queues", 1);

	if (state->link == DP_LINK_BROKEN) {
		doctor_say(list, "queues", DOCTOR_FAIL, "%s", state->reason);
		doctor_fix(list,
			   "restart the guest's driver (rmmod, modprobe virtio_net) or the guest");
	} else if (state->link == DP_LINK_ATTACHED) {
		doctor_say(list, "queues", DOCTOR_FAIL, "%s", state->reason);
		doctor_fix(list,
			   "in the guest: load virtio_net and bring the interface up (ip link set "
			   "eth0 up); before that, while it boots, wait");
	} else if (state->n_queues < wanted) {
		doctor_say(list, "queues", DOCTOR_WARN, "%u of %u pairs run", state->n_queues,
			   wanted);
		doctor_fix(list,
			   "in the guest: ethtool -L eth0 combined %u; QEMU needs queues=%u, mq=on",
			   wanted, wanted);
	} else {
		doctor_say(list, "queues", DOCTOR_OK, "%u of %u pairs run", state->n_queues,
			   wanted);
	}
}

static void examine_memory(json_t *list, const struct patient *patient)
{
	unsigned int n_regions = patient->state->n_regions;

	if (n_regions != 0) {
		doctor_say(list, "memory", DOCTOR_OK,
			   "the guest shares %u region%s; no huge pages are needed", n_regions,
			   n_regions == 1 ? "" : "s");
	} else {
		doctor_say(list, "memory", DOCTOR_FAIL, "the guest shares no memory");
		doctor_fix(list,
			   "give QEMU memory-backend-memfd,share=on and -numa node,memdev= as "
			   "qemu-args prints; libvirt: memoryBacking, access mode shared");
	}
}

static bool has(const struct patient *patient, unsigned int feature)
{
	return (patient->state->features >> feature & 1) != 0;
}

static void examine_offloads(json_t *list, const struct patient *patient)
{
	bool sums = has(patient, VIRTIO_NET_F_GUEST_CSUM);
	bool takes_large = has(patient, VIRTIO_NET_F_GUEST_TSO4);

	if (model_option_is(patient->port, "offload", "off")) {
		doctor_say(list, "offloads", DOCTOR_OK, "off, as the port says");
	} else if (sums && takes_large && has(patient, VIRTIO_NET_F_MRG_RXBUF)) {
		doctor_say(list, "offloads", DOCTOR_OK, "checksum and TSO, buffers are merged");
	} else {
		doctor_say(list, "offloads", DOCTOR_WARN,
			   "the guest takes%s%s%s: weft does the rest for it, which costs time",
			   sums ? " checksums" : " no checksums",
			   takes_large ? ", TSO" : ", no TSO",
			   has(patient, VIRTIO_NET_F_MRG_RXBUF) ? "" : ", no merged buffers");
		doctor_fix(list,
			   "use the cards of qemu-args, and a driver with offloads switched on");
	}
}

static void examine_mtu(json_t *list, const struct patient *patient)
{
	const struct model_segment *segment =
		model_segment(patient->control->model, patient->port->segment);

	if (segment == NULL)
		return;
	uint16_t mtu = model_segment_mtu(patient->control->model, segment);

	if (has(patient, VIRTIO_NET_F_MTU)) {
		doctor_say(list, "mtu", DOCTOR_OK, "the guest is told its MTU, segment %s has %u",
			   segment->name, mtu);
	} else {
		doctor_say(list, "mtu",
			   mtu < MODEL_MTU_DEFAULT ? DOCTOR_FAIL : DOCTOR_WARN,
			   "the guest is not told that segment %s has an MTU of %u", segment->name,
			   mtu);
		doctor_fix(list,
			   "give the card host_mtu=%u, or in the guest: ip link set eth0 mtu %u",
			   mtu, mtu);
	}
}

void doctor_guest(json_t *list, const struct patient *patient)
{
	if (model_option_is(patient->port, "mode", "client"))
		examine_their_socket(list, patient);
	else
		examine_own_socket(list, patient);
	examine_link(list, patient);
	if (!is_attached(patient))
		return;
	examine_memory(list, patient);
	examine_queues(list, patient);
	/* They are known once the driver has said which it takes. */
	if (patient->state->features != 0) {
		examine_offloads(list, patient);
		examine_mtu(list, patient);
	}
}
