/* SPDX-License-Identifier: BSD-3-Clause */
/* tap/tap.h: the shape of a descriptor, refusals, and frames of 64 KiB both ways. */
#include "tap/tap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>

#include "tap/link.h"
#include "tests/unit/tap/sandbox.h"

#define DEADLINE_MS 20000
#define BACKPRESSURE 0x0080  /* IFF_BACKPRESSURE, from Linux 7.2 on */
#define FLOOD 5000	     /* frames, more than a ring of a tap holds */
#define OF_THE_KERNEL_MAX 20 /* frames that it sends by itself, as router solicitations */
#define MSS_BYTES 1448
#define FRAME_IN_BYTES (ETH_HLEN + 65535) /* the largest IPv4 packet */
/* Out of the kernel: frames of gso_max_size (65536, Ethernet header and all) on are segmented. */
#define FRAME_OUT_BYTES 65535
#define HEADERS_BYTES (sizeof(struct ether_header) + sizeof(struct iphdr) + sizeof(struct tcphdr))

/* The header as a packet socket has it: without the last field of TAP_HEADER_BYTES. */
#define SOCKET_HEADER_BYTES sizeof(struct virtio_net_hdr)

static int open_one(const char *ifname)
{
	char made[IF_NAMESIZE];
	int fd = -1;

	assert_int_equal(tap_open(ifname, 1, true, &fd, made), 0);
	return fd;
}

static void set_up(const char *ifname)
{
	struct link_change up = {.admin = LINK_ADMIN_UP};
	struct link_ctx *ctx;
	struct link_info info;

	assert_int_equal(link_open(-1, &ctx), 0);
	assert_int_equal(link_find(ctx, ifname, &info), 0);
	assert_int_equal(link_set(ctx, info.index, &up), 0);
	link_close(ctx);
}

static void opened_descriptor_passes_the_check(void **state)
{
	char name[IF_NAMESIZE] = "";
	unsigned int n_fds;
	int fd;

	sandbox_require();
	n_fds = sandbox_count_fds();
	fd = open_one("t0");
	assert_true(sandbox_has_link("t0"));
	assert_int_equal(tap_check(fd, name), 0);
	assert_string_equal(name, "t0");
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(read(fd, name, sizeof(name)), -1);
	close(fd);
	assert_false(sandbox_has_link("t0"));
	assert_int_equal(sandbox_count_fds(), n_fds);
}

static void pattern_gives_free_names(void **state)
{
	char first[IF_NAMESIZE], second[IF_NAMESIZE];
	int fds[2];

	sandbox_require();
	assert_int_equal(tap_open("x%d", 1, true, &fds[0], first), 0);
	assert_int_equal(tap_open("x%d", 1, true, &fds[1], second), 0);
	assert_string_equal(first, "x0");
	assert_string_equal(second, "x1");
	tap_close(fds, 2);
}

static void device_in_use_is_refused(void **state)
{
	char made[IF_NAMESIZE];
	unsigned int n_fds;
	int fd, other;

	sandbox_require();
	fd = open_one("t0");
	n_fds = sandbox_count_fds();
	assert_int_equal(tap_open("t0", 1, false, &other, made), -EBUSY);
	assert_int_equal(tap_open("t0", 1, true, &other, made), -EBUSY);
	assert_int_equal(tap_open("lo", 1, true, &other, made), -EBUSY);
	assert_int_equal(tap_open("lo", 1, false, &other, made), -EINVAL);
	assert_int_equal(sandbox_count_fds(), n_fds);
	close(fd);
}

static void device_without_a_holder_is_attached_to(void **state)
{
	char made[IF_NAMESIZE] = "", name[IF_NAMESIZE];
	int fd;

	sandbox_require();
	fd = open_one("t0");
	assert_int_equal(ioctl(fd, TUNSETPERSIST, 1), 0);
	close(fd);
	assert_true(sandbox_has_link("t0"));
	assert_int_equal(tap_open("t0", 1, true, &fd, made), -EBUSY);
	assert_int_equal(tap_open("t0", 1, false, &fd, made), 0);
	assert_string_equal(made, "t0");
	assert_int_equal(tap_check(fd, name), 0);
	assert_int_equal(ioctl(fd, TUNSETPERSIST, 0), 0);
	close(fd);
	assert_false(sandbox_has_link("t0"));
}

static void queues_belong_to_one_device(void **state)
{
	char made[IF_NAMESIZE], name[IF_NAMESIZE];
	unsigned int n_fds, n_links;
	int fds[TAP_QUEUES_MAX];

	sandbox_require();
	n_fds = sandbox_count_fds();
	n_links = sandbox_count_links();
	assert_int_equal(tap_open("q%d", TAP_QUEUES_MAX, true, fds, made), 0);
	assert_int_equal(sandbox_count_links(), n_links + 1);
	for (int i = 0; i < TAP_QUEUES_MAX; i++) {
		assert_int_equal(tap_check(fds[i], name), 0);
		assert_string_equal(name, made);
	}
	tap_close(fds, TAP_QUEUES_MAX - 1);
	assert_true(sandbox_has_link(made));
	tap_close(&fds[TAP_QUEUES_MAX - 1], 1);
	assert_false(sandbox_has_link(made));
	assert_int_equal(sandbox_count_fds(), n_fds);
}

static void bad_arguments_are_refused(void **state)
{
	char made[IF_NAMESIZE];
	int fds[TAP_QUEUES_MAX + 1];

	assert_int_equal(tap_open("t0", 0, true, fds, made), -EINVAL);
	assert_int_equal(tap_open("t0", TAP_QUEUES_MAX + 1, true, fds, made), -EINVAL);
	assert_int_equal(tap_open("", 1, true, fds, made), -EINVAL);
	assert_int_equal(tap_open("sixteen-letters!", 1, true, fds, made), -EINVAL);
}

static void failure_at_a_later_queue_leaves_nothing(void **state)
{
	struct rlimit before, few;
	char made[IF_NAMESIZE];
	unsigned int n_fds;
	int fds[4], lowest;

	sandbox_require();
	n_fds = sandbox_count_fds();
	lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(lowest);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){.rlim_cur = (rlim_t)lowest + 2, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(tap_open("t0", 4, true, fds, made), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_false(sandbox_has_link("t0"));
	assert_int_equal(sandbox_count_fds(), n_fds);
}

static void other_descriptors_are_no_taps(void **state)
{
	char name[IF_NAMESIZE];
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	assert_int_equal(tap_check(fd, name), -ENOTTY);
	close(fd);
	assert_int_equal(tap_check(fd, name), -EBADF);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(tap_check(fd, name), -ENOTTY);
	close(fd);
}

static int open_raw(short flags)
{
	struct ifreq request = {.ifr_name = "r0", .ifr_flags = flags};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	assert_return_code(fd, errno);
	assert_return_code(ioctl(fd, TUNSETIFF, &request), errno);
	return fd;
}

static void taps_of_another_kind_are_refused(void **state)
{
	static const short others[] = {IFF_TUN | IFF_NO_PI | IFF_VNET_HDR, IFF_TAP | IFF_NO_PI};
	char name[IF_NAMESIZE];
	int fd, header_bytes = TAP_HEADER_BYTES, is_little_endian = 1;

	sandbox_require();
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		fd = open_raw(others[i]);
		assert_return_code(ioctl(fd, TUNSETVNETHDRSZ, &header_bytes), errno);
		assert_return_code(ioctl(fd, TUNSETVNETLE, &is_little_endian), errno);
		assert_int_equal(tap_check(fd, name), -EPROTO);
		close(fd);
	}
}

/* Each setting alone makes the difference, and the right one heals it. */
static void taps_of_another_shape_are_refused(void **state)
{
	char name[IF_NAMESIZE];
	int fd, ten = 10, twelve = TAP_HEADER_BYTES, no = 0, yes = 1;

	sandbox_require();
	fd = open_one("t0");
	assert_return_code(ioctl(fd, TUNSETVNETHDRSZ, &ten), errno);
	assert_int_equal(tap_check(fd, name), -EPROTO);
	assert_return_code(ioctl(fd, TUNSETVNETHDRSZ, &twelve), errno);
	assert_int_equal(tap_check(fd, name), 0);
	assert_return_code(ioctl(fd, TUNSETVNETLE, &no), errno);
	assert_int_equal(tap_check(fd, name), -EPROTO);
	assert_return_code(ioctl(fd, TUNSETVNETLE, &yes), errno);
	assert_int_equal(tap_check(fd, name), 0);
	assert_return_code(fcntl(fd, F_SETFL, O_RDWR), errno);
	assert_int_equal(tap_check(fd, name), -EPROTO);
	assert_return_code(fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK), errno);
	assert_int_equal(tap_check(fd, name), 0);
	close(fd);
}

static void descriptor_without_a_device_is_told_apart(void **state)
{
	struct link_ctx *ctx;
	struct link_info info;
	char name[IF_NAMESIZE];
	int fd;

	sandbox_require();
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(tap_check(fd, name), -EBADFD);
	close(fd);

	fd = open_one("t0");
	assert_int_equal(link_open(-1, &ctx), 0);
	assert_int_equal(link_find(ctx, "t0", &info), 0);
	assert_int_equal(link_delete(ctx, info.index), 0);
	link_close(ctx);
	assert_int_equal(tap_check(fd, name), -EBADFD);
	assert_int_equal(tap_netns_open(fd), -EBADFD);
	close(fd);
}

static void namespace_of_a_device_is_the_one_where_it_is(void **state)
{
	struct stat here, its;
	int fd, own_fd, its_fd;

	sandbox_require();
	fd = open_one("t0");
	own_fd = link_netns_open(NULL);
	its_fd = tap_netns_open(fd);
	assert_return_code(fstat(own_fd, &here), errno);
	assert_return_code(fstat(its_fd, &its), errno);
	assert_int_equal(here.st_ino, its.st_ino);
	assert_true(fcntl(its_fd, F_GETFD) & FD_CLOEXEC);
	close(its_fd);
	close(own_fd);
	close(fd);
}

static uint16_t ip_checksum(const uint8_t *bytes)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < sizeof(struct iphdr); i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t) ~(sum + (sum >> 16)));
}

/* One TCP segment from 10.0.1.1 to 10.0.1.2 for `mac`. */
static void build_frame(uint8_t *frame, size_t frame_bytes, const uint8_t mac[6])
{
	struct ether_header ethernet = {.ether_type = htons(ETHERTYPE_IP),
					.ether_shost = {0x02, 1}};
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.ttl = 64,
		.protocol = IPPROTO_TCP,
		.tot_len = htons((uint16_t)(frame_bytes - ETH_HLEN)),
		.saddr = htonl(0x0a000101),
		.daddr = htonl(0x0a000102),
	};
	struct tcphdr tcp = {.source = htons(1000), .dest = htons(2000), .doff = 5, .ack = 1};

	memcpy(ethernet.ether_dhost, mac, 6);
	memcpy(frame, &ethernet, sizeof(ethernet));
	memcpy(frame + sizeof(ethernet), &ip, sizeof(ip));
	ip.check = ip_checksum(frame + sizeof(ethernet));
	memcpy(frame + sizeof(ethernet), &ip, sizeof(ip));
	memcpy(frame + sizeof(ethernet) + sizeof(ip), &tcp, sizeof(tcp));
	for (size_t i = HEADERS_BYTES; i < frame_bytes; i++)
		frame[i] = (uint8_t)(i * 7 + i / 256);
}

static const struct virtio_net_hdr tso_header = {
	.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
	.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
	.hdr_len = HEADERS_BYTES,
	.gso_size = MSS_BYTES,
	.csum_start = sizeof(struct ether_header) + sizeof(struct iphdr),
	.csum_offset = offsetof(struct tcphdr, check),
};

static void set_option(int fd, int level, int option, int value)
{
	assert_return_code(setsockopt(fd, level, option, &value, sizeof(value)), errno);
}

/* A packet socket on t0 whose frames carry a virtio-net header. */
static int open_packet_socket(void)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
				      .sll_protocol = htons(ETH_P_IP),
				      .sll_ifindex = (int)if_nametoindex("t0")};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	assert_return_code(fd, errno);
	set_option(fd, SOL_PACKET, PACKET_VNET_HDR, 1);
	set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, 1 << 20);
	set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, 1 << 20);
	assert_return_code(bind(fd, (struct sockaddr *)&address, sizeof(address)), errno);
	return fd;
}

/* Reads until an IPv4 frame comes: the kernel's own IPv6 chatter is not ours. */
static void expect_frame(int fd, size_t header_bytes, const uint8_t *frame, size_t frame_bytes)
{
	static uint8_t seen[TAP_HEADER_BYTES + FRAME_IN_BYTES + 1];
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	struct virtio_net_hdr header;
	ssize_t bytes;

	do {
		assert_int_equal(poll(&ready, 1, DEADLINE_MS), 1);
		bytes = read(fd, seen, sizeof(seen));
		assert_return_code(bytes, errno);
	} while (seen[header_bytes + 12] != 0x08 || seen[header_bytes + 13] != 0x00);
	assert_int_equal(bytes, header_bytes + frame_bytes);
	memcpy(&header, seen, sizeof(header));
	assert_int_equal(header.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
	assert_int_equal(header.gso_size, MSS_BYTES);
	assert_int_equal(header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(header.csum_start, tso_header.csum_start);
	assert_int_equal(header.csum_offset, tso_header.csum_offset);
	assert_memory_equal(seen + header_bytes, frame, frame_bytes);
}

static void segment_of_64k_passes_whole_into_the_kernel(void **state)
{
	static uint8_t frame[FRAME_IN_BYTES];
	uint8_t header[TAP_HEADER_BYTES] = {0}, mac[6];
	struct iovec parts[3] = {
		{header, sizeof(header)},
		{frame, 1000},
		{frame + 1000, sizeof(frame) - 1000},
	};
	int fd, socket_fd;

	sandbox_require();
	fd = open_one("t0");
	set_up("t0");
	socket_fd = open_packet_socket();
	sandbox_mac("t0", mac);
	build_frame(frame, sizeof(frame), mac);
	memcpy(header, &tso_header, sizeof(tso_header));
	assert_int_equal(writev(fd, parts, 3), TAP_HEADER_BYTES + sizeof(frame));
	expect_frame(socket_fd, SOCKET_HEADER_BYTES, frame, sizeof(frame));
	close(socket_fd);
	close(fd);
}

static void segment_of_64k_comes_whole_out_of_the_kernel(void **state)
{
	static const uint8_t mac[6] = {0x02, 2};
	static uint8_t frame[FRAME_OUT_BYTES];
	struct virtio_net_hdr header = tso_header;
	struct iovec parts[2] = {{&header, sizeof(header)}, {frame, sizeof(frame)}};
	int fd, socket_fd;

	sandbox_require();
	fd = open_one("t0");
	set_up("t0");
	socket_fd = open_packet_socket();
	build_frame(frame, sizeof(frame), mac);
	assert_int_equal(writev(socket_fd, parts, 2), SOCKET_HEADER_BYTES + sizeof(frame));
	expect_frame(fd, TAP_HEADER_BYTES, frame, sizeof(frame));
	close(socket_fd);
	close(fd);
}

static unsigned int read_all(int fd, const uint8_t *frame, size_t frame_bytes)
{
	uint8_t got[TAP_HEADER_BYTES + 1514];
	unsigned int n = 0;
	ssize_t bytes;

	/* The kernel may have sent something of its own. */
	while ((bytes = read(fd, got, sizeof(got))) > 0)
		n += bytes == (ssize_t)(TAP_HEADER_BYTES + frame_bytes) &&
		     memcmp(got + TAP_HEADER_BYTES, frame, frame_bytes) == 0;
	return n;
}

static bool waits_for_room(int fd)
{
	struct ifreq request = {0};
	unsigned int offered;

	assert_return_code(ioctl(fd, TUNGETFEATURES, &offered), errno);
	assert_return_code(ioctl(fd, TUNGETIFF, &request), errno);
	/* Asked for where the kernel offers it, nowhere else. */
	assert_int_equal(request.ifr_flags & BACKPRESSURE, offered & BACKPRESSURE);
	return (offered & BACKPRESSURE) != 0;
}

static void frames_that_did_not_fit_are_counted(void **state)
{
	uint8_t frame[60] = {0x02, 2, [12] = 0x88, 0xb5};
	struct virtio_net_hdr header = {0};
	struct iovec parts[2] = {{&header, sizeof(header)}, {frame, sizeof(frame)}};
	uint64_t lost = 99, same = 99;
	int fd, socket_fd;

	sandbox_require();
	fd = open_one("t0");
	set_up("t0");
	sandbox_await_running("t0");
	assert_int_equal(tap_count_lost(fd, true, &lost), 0);
	assert_int_equal(lost, 0);
	socket_fd = open_packet_socket();
	for (unsigned int i = 0; i < FLOOD; i++)
		assert_int_equal(writev(socket_fd, parts, 2), SOCKET_HEADER_BYTES + sizeof(frame));
	assert_int_equal(tap_count_lost(fd, true, &lost), 0);
	assert_int_equal(tap_count_lost(fd, false, &same), 0);
	assert_int_equal(lost, same);
	unsigned int n = read_all(fd, frame, sizeof(frame));
	assert_in_range(n, 1, FLOOD - 1);
	/* Else they were dropped where they wait, which counts elsewhere. */
	if (!waits_for_room(fd))
		assert_in_range(lost, FLOOD - n, FLOOD - n + OF_THE_KERNEL_MAX);
	close(socket_fd);
	assert_int_equal(tap_count_lost(socket_fd, true, &lost), -EBADF);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opened_descriptor_passes_the_check),
		cmocka_unit_test(pattern_gives_free_names),
		cmocka_unit_test(device_in_use_is_refused),
		cmocka_unit_test(device_without_a_holder_is_attached_to),
		cmocka_unit_test(queues_belong_to_one_device),
		cmocka_unit_test(bad_arguments_are_refused),
		cmocka_unit_test(failure_at_a_later_queue_leaves_nothing),
		cmocka_unit_test(other_descriptors_are_no_taps),
		cmocka_unit_test(taps_of_another_kind_are_refused),
		cmocka_unit_test(taps_of_another_shape_are_refused),
		cmocka_unit_test(descriptor_without_a_device_is_told_apart),
		cmocka_unit_test(namespace_of_a_device_is_the_one_where_it_is),
		cmocka_unit_test(segment_of_64k_passes_whole_into_the_kernel),
		cmocka_unit_test(segment_of_64k_comes_whole_out_of_the_kernel),
		cmocka_unit_test(frames_that_did_not_fit_are_counted),
	};

	return cmocka_run_group_tests(tests, sandbox_enter, NULL);
}
