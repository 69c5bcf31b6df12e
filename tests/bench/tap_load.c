/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weft-tap-load: one way between a front-end and a kernel tap, as fast as it goes.
 *
 *     front-end  ---  switch  ---  tap  ===  packet socket   all this process, but the switch
 *
 *     weft-tap-load to SOCKET DEVICE BYTES|tso MS    the front-end sends, what the tap's kernel got
 *                                                    is counted
 *     weft-tap-load from SOCKET DEVICE BYTES|tso MS  a packet socket sends through the device, what
 *                                                    the front-end got is counted
 *
 * Runs in the namespace of the tap, on CPU 1. BYTES are without FCS; small frames the kernel cuts
 * from large datagrams. tso: TCP frames of 64 KiB, which may arrive cut. What comes to the tap is
 * for another address, so that its kernel counts it and looks no further. Prints JSON: frames and
 * bytes that were sent and arrived, and the time.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/shape_port.h"
#include "tests/lib/deadline.h"

#define MACHINE 1u /* index of the front-end's address */
#define KERNEL 2u  /* of the packet socket's */
#define BATCH 4u   /* messages at a time */
#define LOAD_CPU 1
#define WARM_MS 300u
#define DRAIN_MS 100u
#define HEADERS_BYTES 42u /* of a datagram */
#define UDP_AT 34u
#define UDP_CHECKSUM 6u
#define CUT_MAX 64u
#define LARGE_MAX 60000u
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5 /* linux/virtio_net.h from Linux 6.2 on */
#endif
#define RING 1024u
#define RING_LARGE 256u

struct seen {
	uint64_t frames, bytes;
};

struct load {
	const char *device;
	bool is_large;
	unsigned int n_bytes;
	struct shape_port machine;
	struct seen sent, arrived; /* `arrived`: at the front-end */
	int socket;
	struct mmsghdr messages[BATCH]; /* all the one frame, of iov */
	struct iovec iov;
	unsigned int n_cut; /* frames that the kernel makes of one message */
	unsigned char frame[sizeof(struct virtio_net_hdr) + SHAPE_TSO_BYTES];
};

static int fail(const char *what, int error)
{
	fprintf(stderr, "weft-tap-load: %s: %s\n", what, strerror(-error));
	return error;
}

static void pin(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(LOAD_CPU, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		fail("not pinned", -errno);
}

/* --- the kernel's end --- */

/* Many small datagrams in one: the kernel cuts them before the device has them, which costs it far
 * less than to be given each by itself. Returns the bytes of the whole. */
static unsigned int build_datagrams(struct load *load, unsigned char *frame,
				    struct virtio_net_hdr *header)
{
	unsigned int payload = load->n_bytes - HEADERS_BYTES;
	struct shape_port_config c = {.index = KERNEL, .peer = MACHINE, .load = SHAPE_FIXED};

	load->n_cut = CUT_MAX * payload < LARGE_MAX ? CUT_MAX : LARGE_MAX / payload;
	unsigned int n_bytes = HEADERS_BYTES + load->n_cut * payload;

	shape_frame_build(&c, n_bytes, frame, header);
	*header = (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_UDP_L4,
		.hdr_len = HEADERS_BYTES,
		.gso_size = (uint16_t)payload,
		.csum_start = UDP_AT,
		.csum_offset = UDP_CHECKSUM,
	};
	return n_bytes;
}

static void build_frame(struct load *load)
{
	struct shape_port_config c = {
		.index = KERNEL,
		.peer = MACHINE,
		.load = SHAPE_TSO,
	};
	struct virtio_net_hdr header = {0};
	unsigned char *frame = load->frame + sizeof(header);
	unsigned int n_bytes = load->n_bytes;

	load->n_cut = 1;
	if (load->is_large)
		shape_frame_build(&c, n_bytes, frame, &header);
	else
		n_bytes = build_datagrams(load, frame, &header);
	memcpy(load->frame, &header, sizeof(header));
	load->iov = (struct iovec){load->frame, sizeof(header) + n_bytes};
	for (unsigned int i = 0; i < BATCH; i++)
		load->messages[i].msg_hdr = (struct msghdr){.msg_iov = &load->iov, .msg_iovlen = 1};
}

static int open_socket(struct load *load)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
				      .sll_ifindex = (int)if_nametoindex(load->device)};
	const int on = 1;

	/* Protocol 0: it receives nothing. */
	load->socket = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (load->socket < 0 ||
	    bind(load->socket, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    setsockopt(load->socket, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) < 0)
		return fail(load->device, -errno);
	build_frame(load);
	return 0;
}

/* Whether the device had room; what it has no room for is lost. */
static bool send_from_kernel(struct load *load, unsigned int n)
{
	int sent = sendmmsg(load->socket, load->messages, n, MSG_DONTWAIT);

	if (sent <= 0)
		return false;
	load->sent.frames += (unsigned int)sent * load->n_cut;
	return (unsigned int)sent == n;
}

static uint64_t read_counter(const char *device, const char *name)
{
	char path[128], text[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/%s", device, name);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	if (fgets(text, sizeof(text), file) == NULL)
		text[0] = '\0';
	fclose(file);
	return strtoull(text, NULL, 10);
}

static struct seen seen_by_kernel(const struct load *load)
{
	return (struct seen){read_counter(load->device, "rx_packets"),
			     read_counter(load->device, "rx_bytes")};
}

/* --- the machine's end --- */

/* A small frame is enough where it only has to be heard: not all switches take large ones. */
static int open_machine(struct load *load, const char *path, bool is_to)
{
	char why[FRONTEND_WHY_BYTES] = "";
	struct shape_port_config c = {
		.path = path,
		.index = MACHINE,
		.peer = KERNEL,
		.load = is_to && load->is_large ? SHAPE_TSO : SHAPE_FIXED,
		.n_bytes = is_to ? load->n_bytes : 60,
		.rx_bytes = load->is_large ? SHAPE_TSO_BYTES : 1514,
		.ring_size = load->is_large ? RING_LARGE : RING,
	};
	int error = shape_port_open(&load->machine, &c, why);

	if (error < 0)
		fprintf(stderr, "weft-tap-load: %s\n", why);
	return error;
}

static void note(void *arg, const struct shape_arrival *a)
{
	struct load *load = arg;

	load->arrived.frames++;
	/* Of a large frame its payload and one header, whole or cut. */
	load->arrived.bytes += load->is_large ? a->length : a->n_bytes;
}

static unsigned int receive(struct load *load)
{
	return shape_port_receive(&load->machine, RING, note, load);
}

/* Each end speaks until the other has heard it: addresses are known then. */
static int meet(struct load *load)
{
	struct seen before = seen_by_kernel(load);
	uint64_t deadline_ns = deadline_in_ms(10000);

	while (load->arrived.frames == 0 || seen_by_kernel(load).frames == before.frames) {
		if (deadline_passed(deadline_ns))
			return fail("the two ends do not meet", -ETIMEDOUT);
		send_from_kernel(load, 1);
		if (shape_port_in_flight(&load->machine) == 0)
			shape_port_send(&load->machine, 1, deadline_now_ns());
		poll(NULL, 0, 20);
		receive(load);
	}
	return 0;
}

static void run(struct load *load, bool is_to, unsigned int ms)
{
	uint64_t end_ns = deadline_in_ms(ms);

	while (!deadline_passed(end_ns)) {
		if (is_to)
			load->sent.frames += shape_port_send(&load->machine, RING, 1);
		else if (!send_from_kernel(load, BATCH))
			sched_yield();
		receive(load);
	}
}

static void measure(struct load *load, bool is_to, unsigned int ms)
{
	run(load, is_to, WARM_MS);
	struct seen kernel = seen_by_kernel(load), sent = load->sent, machine = load->arrived;
	uint64_t begin_ns = deadline_now_ns();

	run(load, is_to, ms);
	struct seen now = seen_by_kernel(load);
	double seconds = (double)(deadline_now_ns() - begin_ns) / 1e9;

	if (!is_to) {
		now = load->arrived;
		kernel = machine;
	}
	printf("{\"seconds\":%.6f,\"sent\":%llu,\"frames\":%llu,\"bytes\":%llu,\"bad\":%llu}\n",
	       seconds, (unsigned long long)(load->sent.frames - sent.frames),
	       (unsigned long long)(now.frames - kernel.frames),
	       (unsigned long long)(now.bytes - kernel.bytes),
	       (unsigned long long)load->machine.n_bad);
	/* What is on its way is not left for the next one. */
	for (uint64_t end_ns = deadline_in_ms(DRAIN_MS); !deadline_passed(end_ns);)
		receive(load);
}

int main(int argc, char **argv)
{
	static struct load load;

	if (argc != 6 || (strcmp(argv[1], "to") != 0 && strcmp(argv[1], "from") != 0)) {
		fprintf(stderr, "usage: weft-tap-load to|from SOCKET DEVICE BYTES|tso MS\n");
		return 2;
	}
	load.device = argv[3];
	load.is_large = strcmp(argv[4], "tso") == 0;
	load.n_bytes = load.is_large ? SHAPE_TSO_BYTES : (unsigned int)strtoul(argv[4], NULL, 10);
	if (load.n_bytes < 60 || load.n_bytes > SHAPE_TSO_BYTES) {
		fprintf(stderr, "weft-tap-load: no such size: %s\n", argv[4]);
		return 2;
	}
	bool is_to = strcmp(argv[1], "to") == 0;

	pin();
	int error = open_socket(&load);

	if (error == 0)
		error = open_machine(&load, argv[2], is_to);
	if (error == 0)
		error = meet(&load);
	if (error == 0)
		measure(&load, is_to, (unsigned int)strtoul(argv[5], NULL, 10));
	if (load.machine.frontend != NULL)
		shape_port_close(&load.machine);
	return error == 0 ? 0 : 1;
}
