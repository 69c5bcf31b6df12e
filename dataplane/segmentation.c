/* SPDX-License-Identifier: BSD-3-Clause */
/* Completes checksums and cuts TCP segments for receivers without offloads. Worker threads. */
#include "dataplane/segmentation.h"

#include <endian.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#include "dataplane/checksum.h"
#include "dataplane/drop.h"
#include "dataplane/offload.h"
#include "dataplane/port.h"

#define TAGS_MAX 2
#define TAG_BYTES 4
#define EXTENSIONS_MAX 4 /* IPv6 headers between the first and TCP */
#define IPV4_HEADER_MIN 20
#define IPV6_HEADER 40
#define TCP_HEADER_MIN 20
#define TCP_SEQ 4 /* offsets in the TCP header */
#define TCP_DATA_OFFSET 12
#define TCP_FLAGS 13
#define TCP_CHECKSUM 16
#define TCP_FIN 0x01
#define TCP_PSH 0x08
#define TCP_CWR 0x80

/* One call. */
struct task {
	struct segmentation *scratch;
	struct segmentation_sink *sink;
};

/* A large frame, copied to private memory and found to be what its header says. */
struct large {
	const uint8_t *bytes;
	uint32_t len;
	uint32_t ip, tcp, payload; /* where they start */
	uint32_t piece_bytes;	   /* of payload in each piece but the last */
	uint32_t n_pieces;
	bool is_ipv4;
};

static uint16_t load16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void store16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint32_t load32(const uint8_t *at)
{
	return (uint32_t)load16(at) << 16 | load16(at + 2);
}

static void store32(uint8_t *at, uint32_t value)
{
	store16(at, value >> 16);
	store16(at + 2, value);
}

/* --- what leaves --- */

static void flush(struct task *task)
{
	struct burst *out = &task->scratch->out;

	if (out->n != 0)
		task->sink->take(task->sink, out, task->scratch->order, out->n);
	out->n = 0;
	out->n_pieces = 0;
}

static struct frame *add_frame(struct task *task, const struct frame *like)
{
	struct burst *out = &task->scratch->out;

	if (out->n == BURST_FRAMES)
		flush(task);
	struct frame *frame = &out->frames[out->n];

	task->scratch->order[out->n] = (uint8_t)out->n;
	out->n++;
	*frame = *like;
	return frame;
}

static void add_piece(struct task *task, struct frame *frame, const uint8_t *at, uint32_t bytes)
{
	struct burst *out = &task->scratch->out;
	struct iovec *piece = &out->pieces[out->n_pieces];

	if (bytes == 0)
		return;
	/* Nobody writes through a frame's pieces. */
	*piece = (struct iovec){.iov_base = (void *)(uintptr_t)at, .iov_len = bytes};
	if (frame->n_iov++ == 0)
		frame->iov = piece;
	out->n_pieces++;
}

/* The whole frame in a row, in memory that nobody else writes, until the burst that uses it has
 * left. */
static uint8_t *copy_whole(struct task *task, const struct frame *frame)
{
	struct segmentation *scratch = task->scratch;

	if (scratch->bytes_used + frame->len > SEGMENTATION_BYTES) {
		flush(task);
		scratch->bytes_used = 0;
	}
	uint8_t *bytes = &scratch->bytes[scratch->bytes_used];
	size_t at = frame->head_len;

	memcpy(bytes, frame->head, frame->head_len);
	for (unsigned int i = 0; i < frame->n_iov; i++) {
		memcpy(bytes + at, frame->iov[i].iov_base, frame->iov[i].iov_len);
		at += frame->iov[i].iov_len;
	}
	scratch->bytes_used += frame->len;
	return bytes;
}

static void close_header(struct frame *frame)
{
	memset(&frame->vnet, 0, sizeof(frame->vnet));
	frame->vnet.num_buffers = htole16(1);
}

/* --- checksums --- */

static void send_completed(struct task *task, const struct frame *from)
{
	uint8_t *bytes = copy_whole(task, from);
	struct frame *frame = add_frame(task, from);

	checksum_complete(bytes, from->len, le16toh(from->vnet.hdr.csum_start),
			  le16toh(from->vnet.hdr.csum_offset));
	close_header(frame);
	memcpy(frame->head, bytes, frame->head_len);
	frame->n_iov = 0;
	add_piece(task, frame, bytes + frame->head_len, from->len - frame->head_len);
}

/* --- segments --- */

/* Where IP starts; sets its ethertype. */
static uint32_t skip_tags(const uint8_t *bytes, uint16_t *ethertype)
{
	uint32_t at = ETH_HLEN;

	*ethertype = load16(bytes + at - 2);
	for (unsigned int i = 0; i < TAGS_MAX; i++) {
		if (*ethertype != ETH_P_8021Q && *ethertype != ETH_P_8021AD)
			break;
		at += TAG_BYTES;
		*ethertype = load16(bytes + at - 2);
	}
	return at;
}

/* Does IPv4 lead to TCP at large->tcp, in one piece? */
static bool is_ipv4_tcp(const struct large *large)
{
	const uint8_t *ip = large->bytes + large->ip;
	uint32_t header = (ip[0] & 0x0fu) * 4;

	return ip[0] >> 4 == 4 && header >= IPV4_HEADER_MIN && large->ip + header == large->tcp &&
	       ip[9] == IPPROTO_TCP && (load16(ip + 6) & 0x3fff) == 0;
}

/* The same of IPv6, past options that every piece may repeat. */
static bool is_ipv6_tcp(const struct large *large)
{
	const uint8_t *bytes = large->bytes;
	uint8_t next = bytes[large->ip + 6];
	uint32_t at = large->ip + IPV6_HEADER;

	if (bytes[large->ip] >> 4 != 6)
		return false;
	for (unsigned int i = 0; i < EXTENSIONS_MAX && at < large->tcp; i++) {
		if (next != IPPROTO_HOPOPTS && next != IPPROTO_DSTOPTS)
			return false;
		next = bytes[at];
		at += (bytes[at + 1] + 1u) * 8;
	}
	return at == large->tcp && next == IPPROTO_TCP;
}

/* Is the frame TCP as its virtio-net header says, and of sizes that IP can carry? The headers that
 * change from piece to piece must lie in the private head of a frame. */
static bool find_headers(const struct frame *frame, const uint8_t *bytes, struct large *large)
{
	const struct virtio_net_hdr *hdr = &frame->vnet.hdr;
	uint16_t ethertype;

	*large = (struct large){
		.bytes = bytes,
		.len = frame->len,
		.tcp = le16toh(hdr->csum_start),
		.is_ipv4 = OFFLOAD_GSO_TYPE(&frame->vnet) == VIRTIO_NET_HDR_GSO_TCPV4,
	};
	if (large->tcp + TCP_HEADER_MIN > FRAME_HEAD_BYTES)
		return false;
	large->ip = skip_tags(bytes, &ethertype);
	if (large->ip + (large->is_ipv4 ? IPV4_HEADER_MIN : IPV6_HEADER) > large->tcp ||
	    ethertype != (large->is_ipv4 ? ETH_P_IP : ETH_P_IPV6) ||
	    !(large->is_ipv4 ? is_ipv4_tcp(large) : is_ipv6_tcp(large)))
		return false;
	uint32_t tcp_header = (bytes[large->tcp + TCP_DATA_OFFSET] >> 4) * 4u;

	large->payload = large->tcp + tcp_header;
	if (tcp_header < TCP_HEADER_MIN || large->payload > large->len)
		return false;
	uint32_t payload_bytes = large->len - large->payload;

	large->piece_bytes = le16toh(hdr->gso_size);
	large->n_pieces = (payload_bytes + large->piece_bytes - 1) / large->piece_bytes;
	if (large->n_pieces <= 1) {
		large->n_pieces = 1;
		large->piece_bytes = payload_bytes;
	}
	return large->n_pieces <= SEGMENTATION_PIECES_MAX &&
	       large->payload + large->piece_bytes - large->ip <= UINT16_MAX;
}

/* IP as the piece's own: length, and for IPv4 identification and checksum. */
static void write_ip(const struct large *large, uint8_t *ip, uint32_t index, uint32_t len)
{
	uint32_t ip_bytes = len - large->ip;
	uint16_t checksum;

	if (!large->is_ipv4) {
		store16(ip + 4, ip_bytes - IPV6_HEADER);
		return;
	}
	store16(ip + 2, ip_bytes);
	store16(ip + 4, load16(ip + 4) + index);
	store16(ip + 10, 0);
	checksum = (uint16_t)~checksum_fold(checksum_add(0, ip, large->tcp - large->ip));
	memcpy(ip + 10, &checksum, sizeof(checksum));
}

/* The sum of addresses, protocol and length that TCP's checksum begins with. */
static uint64_t sum_pseudo_header(const struct large *large, uint32_t tcp_bytes)
{
	const uint8_t *ip = large->bytes + large->ip;
	uint64_t sum = (uint64_t)htobe16(IPPROTO_TCP) + htobe32(tcp_bytes);

	return large->is_ipv4 ? checksum_add(sum, ip + 12, 8) : checksum_add(sum, ip + 8, 32);
}

/* Sequence number and flags. What ends a segment belongs to its last piece; that the window was
 * reduced is said once (RFC 3168, 6.1.2). */
static void write_tcp(const struct large *large, uint8_t *tcp, uint32_t index)
{
	store32(tcp + TCP_SEQ, load32(tcp + TCP_SEQ) + index * large->piece_bytes);
	if (index != 0)
		tcp[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
	if (index != large->n_pieces - 1)
		tcp[TCP_FLAGS] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	store16(tcp + TCP_CHECKSUM, 0);
}

/* TCP's checksum of a piece whose headers are done, or its beginning for a receiver that does the
 * rest. */
static void write_checksum(const struct task *task, const struct large *large, struct frame *frame,
			   const uint8_t *payload, uint32_t payload_bytes)
{
	uint32_t in_head = large->payload < FRAME_HEAD_BYTES ? large->payload : FRAME_HEAD_BYTES;
	uint64_t sum = sum_pseudo_header(large, frame->len - large->tcp);
	uint16_t checksum;

	close_header(frame);
	if ((task->sink->caps & OFFLOAD_CSUM) != 0) {
		frame->vnet.hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		frame->vnet.hdr.csum_start = htole16((uint16_t)large->tcp);
		frame->vnet.hdr.csum_offset = htole16(TCP_CHECKSUM);
		checksum = checksum_fold(sum);
	} else {
		sum = checksum_add(sum, frame->head + large->tcp, in_head - large->tcp);
		sum = checksum_add(sum, large->bytes + in_head, large->payload - in_head);
		checksum = (uint16_t)~checksum_fold(checksum_add(sum, payload, payload_bytes));
	}
	memcpy(frame->head + large->tcp + TCP_CHECKSUM, &checksum, sizeof(checksum));
}

static void send_piece(struct task *task, const struct frame *from, const struct large *large,
		       uint32_t index)
{
	const uint8_t *payload = large->bytes + large->payload + index * large->piece_bytes;
	uint32_t left = large->len - large->payload - index * large->piece_bytes;
	uint32_t bytes = left < large->piece_bytes ? left : large->piece_bytes;
	uint32_t in_head = large->payload < FRAME_HEAD_BYTES ? large->payload : FRAME_HEAD_BYTES;
	struct frame *frame = add_frame(task, from);

	frame->len = large->payload + bytes;
	frame->head_len = (uint16_t)(frame->len < FRAME_HEAD_BYTES ? frame->len : FRAME_HEAD_BYTES);
	frame->n_iov = 0;
	/* The headers, and as much of the payload as the head has room for. */
	memcpy(frame->head, large->bytes, in_head);
	memcpy(frame->head + in_head, payload, frame->head_len - in_head);
	write_ip(large, frame->head + large->ip, index, frame->len);
	write_tcp(large, frame->head + large->tcp, index);
	write_checksum(task, large, frame, payload, bytes);
	add_piece(task, frame, large->bytes + in_head, large->payload - in_head);
	add_piece(task, frame, payload + frame->head_len - in_head,
		  bytes - (frame->head_len - in_head));
}

/* Returns the number of pieces; 0: it cannot be cut, and nothing was sent. */
static unsigned int send_cut(struct task *task, const struct frame *from)
{
	struct large large;

	if (!find_headers(from, copy_whole(task, from), &large))
		return 0;
	for (uint32_t i = 0; i < large.n_pieces; i++)
		send_piece(task, from, &large, i);
	return large.n_pieces;
}

unsigned int segmentation_cut(struct segmentation *scratch, const struct frame *frame,
			      struct segmentation_sink *sink)
{
	struct task task = {.scratch = scratch, .sink = sink};
	unsigned int n_pieces;

	scratch->bytes_used = 0;
	n_pieces = send_cut(&task, frame);
	flush(&task);
	return n_pieces;
}

/* --- to a port --- */

struct port_sink {
	struct segmentation_sink sink;
	struct port *port;
	struct counters_block *count;
};

static void give_to_port(struct segmentation_sink *sink, struct burst *burst, const uint8_t *order,
			 unsigned int n)
{
	struct port_sink *to = (struct port_sink *)sink;

	port_io(to->port)->tx(to->port, burst, order, n, to->count);
}

static void send_cut_counted(struct task *task, const struct frame *frame,
			     struct counters_block *count)
{
	unsigned int n_pieces = send_cut(task, frame);

	if (n_pieces == 0)
		drop_frame(task->scratch->out.recorder, count, frame, DROP_NO_OFFLOAD);
	else
		count->segments += n_pieces - 1;
}

void segmentation_transmit(struct segmentation *scratch, struct port *port, struct burst *burst,
			   const uint8_t *order, unsigned int n, struct counters_block *count)
{
	uint32_t caps = atomic_load_explicit(&port->offload_caps, memory_order_relaxed);
	struct port_sink to = {
		.sink = {.take = give_to_port, .caps = caps},
		.port = port,
		.count = count,
	};
	struct task task = {.scratch = scratch, .sink = &to.sink};

	scratch->out.now_s = burst->now_s;
	scratch->out.attention = false;
	scratch->bytes_used = 0;
	for (unsigned int i = 0; i < n; i++) {
		const struct frame *frame = &burst->frames[order[i]];

		if (offload_fits(frame, caps))
			add_frame(&task, frame);
		else if (frame->vnet.hdr.gso_type != VIRTIO_NET_HDR_GSO_NONE)
			send_cut_counted(&task, frame, count);
		else
			send_completed(&task, frame);
	}
	flush(&task);
	burst->attention |= scratch->out.attention;
}
