/* SPDX-License-Identifier: BSD-3-Clause */
/* A port of weft-shape. See shape_port.h. Owned by one thread. */
#include "tests/bench/shape_port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define LINE_BYTES 64u
#define IP_AT 14u
#define L4_AT 34u
#define MARK_AT 42u /* behind UDP */
#define UDP 17u
#define TCP 6u
#define MAGIC 0x53685370u

/* Behind the UDP header; 58 bytes with what is before it. */
struct mark {
	uint32_t magic;
	uint32_t sequence;
	uint64_t sent_ns;
} __attribute__((packed));

static const unsigned int imix[] = {60, 590, 60, 60, 590, 60, 1514, 60, 590, 60, 60, 590};

static void put_address(unsigned char *mac, uint32_t index)
{
	memset(mac, 0xff, 6);
	if (index == SHAPE_EVERYBODY)
		return;
	mac[0] = 0x02;
	mac[1] = 'S';
	mac[2] = 'h';
	mac[3] = (unsigned char)(index >> 16);
	mac[4] = (unsigned char)(index >> 8);
	mac[5] = (unsigned char)index;
}

static uint32_t index_of(const unsigned char *mac)
{
	if (mac[0] != 0x02 || mac[1] != 'S' || mac[2] != 'h')
		return SHAPE_NOBODY;
	return (uint32_t)mac[3] << 16 | (uint32_t)mac[4] << 8 | mac[5];
}

static uint32_t add_words(const unsigned char *bytes, unsigned int n, uint32_t sum)
{
	for (unsigned int i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static void put_be16(unsigned char *at, unsigned int value)
{
	at[0] = (unsigned char)(value >> 8);
	at[1] = (unsigned char)value;
}

static unsigned int frame_bytes(const struct shape_port_config *c, unsigned int slot)
{
	switch (c->load) {
	case SHAPE_IMIX:
		return imix[slot % (sizeof(imix) / sizeof(*imix))];
	case SHAPE_TSO:
		return SHAPE_TSO_BYTES;
	default:
		return c->n_bytes;
	}
}

static void build_tcp(unsigned char *frame, unsigned int n_bytes, struct virtio_net_hdr *header)
{
	unsigned char *tcp = frame + L4_AT;
	uint32_t pseudo = add_words(frame + IP_AT + 12, 8, TCP + n_bytes - L4_AT);

	put_be16(tcp, 1024);
	put_be16(tcp + 2, 9);
	tcp[12] = 5 << 4;
	tcp[13] = 0x10; /* ACK */
	put_be16(tcp + 14, 0xffff);
	put_be16(tcp + 16, fold(pseudo));
	*header = (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
		.hdr_len = 54,
		.gso_size = SHAPE_SEGMENT_BYTES,
		.csum_start = L4_AT,
		.csum_offset = 16,
	};
}

void shape_frame_build(const struct shape_port_config *c, unsigned int n_bytes,
		       unsigned char *frame, struct virtio_net_hdr *header)
{
	unsigned char *ip = frame + IP_AT;

	put_address(frame, c->peer);
	put_address(frame + 6, c->index);
	put_be16(frame + 12, 0x0800);
	ip[0] = 0x45;
	put_be16(ip + 2, n_bytes - IP_AT);
	ip[6] = 0x40; /* do not fragment */
	ip[8] = 64;
	ip[9] = c->load == SHAPE_TSO ? TCP : UDP;
	ip[12] = ip[16] = 10;
	memcpy(ip + 13, frame + 9, 3);
	memcpy(ip + 17, frame + 3, 3);
	put_be16(ip + 10, (uint16_t)~fold(add_words(ip, 20, 0)));
	if (c->load == SHAPE_TSO) {
		build_tcp(frame, n_bytes, header);
		return;
	}
	put_be16(ip + 20, 1024 + c->index % 60000);
	put_be16(ip + 22, 9);
	put_be16(ip + 24, n_bytes - L4_AT);
}

static uint64_t stride_of(unsigned int n_bytes)
{
	uint64_t lines = (sizeof(struct virtio_net_hdr_mrg_rxbuf) + n_bytes) / LINE_BYTES + 1;

	return (lines | 1) * LINE_BYTES;
}

static unsigned int largest(const struct shape_port_config *c)
{
	return c->load == SHAPE_TSO ? SHAPE_TSO_BYTES : c->load == SHAPE_IMIX ? 1514 : c->n_bytes;
}

static int fill_rings(struct shape_port *p)
{
	struct frontend *f = p->frontend;
	struct split_ring *tx = &f->tx[0].ring, *rx = &f->rx[0].ring;

	p->frames = frontend_memory_take(&f->memory, 0, tx->size * p->frame_stride, LINE_BYTES);
	p->buffers = frontend_memory_take(&f->memory, 0, rx->size * p->buffer_stride, LINE_BYTES);
	if (p->frames == NULL || p->buffers == NULL)
		return -ENOMEM;
	for (unsigned int i = 0; i < tx->size; i++) {
		unsigned char *at = p->frames + i * p->frame_stride;
		unsigned int n_bytes = frame_bytes(&p->config, i);

		shape_frame_build(&p->config, n_bytes, at + f->header_bytes,
				  (struct virtio_net_hdr *)at);
		tx->desc[i] = (struct vring_desc){
			.addr = frontend_memory_address(&f->memory, at),
			.len = f->header_bytes + n_bytes,
		};
		rx->desc[i] = (struct vring_desc){
			.addr = frontend_memory_address(&f->memory,
							p->buffers + i * p->buffer_stride),
			.len = f->header_bytes + p->config.rx_bytes,
			.flags = VRING_DESC_F_WRITE,
		};
		rx->avail->ring[i] = (uint16_t)i;
	}
	rx->avail_idx = rx->size;
	if (split_ring_publish(rx))
		frontend_kick(&f->rx[0]);
	return 0;
}

int shape_port_open(struct shape_port *p, const struct shape_port_config *config, char *why)
{
	*p = (struct shape_port){
		.config = *config,
		.frame_stride = stride_of(largest(config)),
		.buffer_stride = stride_of(config->rx_bytes),
	};
	struct frontend_config c = {
		.path = config->path,
		.ring_size = config->ring_size,
		.extra_bytes =
			config->ring_size * (p->frame_stride + p->buffer_stride) + 2 * LINE_BYTES,
		.frame_bytes_max = 64, /* slots of the honest half stay unused */
		.rx_bytes = 64,
		.manual_post = true,
		.why = why,
	};
	int err = frontend_create(&c, &p->frontend);

	return err < 0 ? err : fill_rings(p);
}

void shape_port_close(struct shape_port *p)
{
	frontend_destroy(p->frontend);
	p->frontend = NULL;
}

/* Numbers frame `id` and puts it on the ring. */
static void send_one(struct shape_port *p, struct split_ring *ring, uint16_t id, uint64_t now_ns)
{
	unsigned char *frame = p->frames + id * p->frame_stride + p->frontend->header_bytes;
	struct mark mark = {MAGIC, p->sequence, now_ns};
	uint32_t sequence_be = htonl(p->sequence);

	if (p->config.load == SHAPE_TSO) {
		memcpy(frame + L4_AT + 4, &sequence_be, sizeof(sequence_be));
		p->sequence += SHAPE_TSO_BYTES - 54;
	} else {
		memcpy(frame + MARK_AT, &mark, sizeof(mark));
		p->sequence++;
	}
	ring->avail->ring[ring->avail_idx++ & (ring->size - 1)] = id;
}

unsigned int shape_port_send(struct shape_port *p, unsigned int n, uint64_t now_ns)
{
	struct split_ring *ring = &p->frontend->tx[0].ring;
	unsigned int sent = 0;

	/* First lap: descriptors that were never sent. */
	for (; sent < n && p->n_sent + sent < ring->size; sent++)
		send_one(p, ring, (uint16_t)(p->n_sent + sent), now_ns);
	for (unsigned int waiting = sent < n ? split_ring_waiting(ring) : 0;
	     sent < n && waiting > 0; waiting--) {
		uint32_t id = ring->used->ring[ring->used_idx++ & (ring->size - 1)].id;

		if (id >= ring->size) {
			p->n_bad++;
			continue;
		}
		send_one(p, ring, (uint16_t)id, now_ns);
		sent++;
	}
	if (sent > 0 && split_ring_publish(ring))
		frontend_kick(&p->frontend->tx[0]);
	p->n_sent += sent;
	return sent;
}

unsigned int shape_port_in_flight(const struct shape_port *p)
{
	const struct split_ring *ring = &p->frontend->tx[0].ring;

	return (uint16_t)(ring->avail_idx - __atomic_load_n(&ring->used->idx, __ATOMIC_ACQUIRE));
}

static struct shape_arrival look_at(const unsigned char *frame, uint32_t n_bytes)
{
	struct shape_arrival a = {.source = index_of(frame + 6), .n_bytes = n_bytes, .length = 1};
	struct mark mark;

	memcpy(&mark, frame + MARK_AT, sizeof(mark));
	if (a.source == SHAPE_NOBODY)
		return a;
	if (frame[IP_AT + 9] == TCP) {
		memcpy(&a.sequence, frame + L4_AT + 4, sizeof(a.sequence));
		a.sequence = ntohl(a.sequence);
		a.length = n_bytes - 54;
		/* Whole or cut: what it takes on a wire. */
		if (a.length > SHAPE_SEGMENT_BYTES)
			a.n_bytes += (a.length - 1) / SHAPE_SEGMENT_BYTES * 54;
	} else if (mark.magic == MAGIC) {
		a.sequence = mark.sequence;
		a.sent_ns = mark.sent_ns;
	} else {
		a.source = SHAPE_NOBODY;
	}
	return a;
}

unsigned int shape_port_receive(struct shape_port *p, unsigned int n,
				void (*note)(void *ctx, const struct shape_arrival *arrival),
				void *ctx)
{
	struct split_ring *ring = &p->frontend->rx[0].ring;
	unsigned int mask = ring->size - 1U, header_bytes = p->frontend->header_bytes;
	unsigned int waiting = split_ring_waiting(ring);

	if (n > waiting)
		n = waiting;
	for (unsigned int i = 0; i < n; i++) {
		struct vring_used_elem used = ring->used->ring[ring->used_idx++ & mask];

		if (used.id >= ring->size || used.len < header_bytes + 60) {
			p->n_bad++;
			continue;
		}
		const unsigned char *at = p->buffers + used.id * p->buffer_stride;
		struct shape_arrival a = look_at(at + header_bytes, used.len - header_bytes);

		p->n_bad += ((const struct virtio_net_hdr_mrg_rxbuf *)at)->num_buffers != 1;
		note(ctx, &a);
		ring->avail->ring[ring->avail_idx++ & mask] = (uint16_t)used.id;
	}
	if (n > 0 && split_ring_publish(ring))
		frontend_kick(&p->frontend->rx[0]);
	return n;
}
