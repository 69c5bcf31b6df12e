/* SPDX-License-Identifier: BSD-3-Clause */
/* A vhost-user front-end without a guest. See frontend.h. One thread owns a front-end. */
#include "tests/lib/frontend.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/lib/deadline.h"
#include "tests/lib/frontend_ring.h"

#define TABLE_BYTES 1024u /* room for an indirect table before the pieces of a slot */
#define GAP_BYTES 16u	  /* between pieces */
#define LINE_BYTES 64u
#define LATE_CALL_MS 500

_Static_assert((FRONTEND_PIECES_MAX + 1) * sizeof(struct vring_desc) <= TABLE_BYTES, "layout");

static int fail(const struct frontend_config *config, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(const struct frontend_config *config, int err, const char *format, ...)
{
	va_list args;

	if (config->why != NULL) {
		char what[FRONTEND_WHY_BYTES / 2];

		va_start(args, format);
		vsnprintf(what, sizeof(what), format, args);
		va_end(args);
		snprintf(config->why, FRONTEND_WHY_BYTES, "%s: %s", what, strerror(-err));
	}
	return err;
}

/* ---- slots: where the bytes of a chain lie ---- */

unsigned char *frontend_slot(const struct frontend *f, const struct frontend_queue *queue,
			     unsigned int head)
{
	unsigned int n = f->memory.n_regions;

	return queue->slots[head % n] + head / n * queue->slot_bytes;
}

/* Pieces of a chain of n_bytes and a header in the slot of `head`. Returns how many. */
static unsigned int lay_out(const struct frontend *f, const struct frontend_queue *queue,
			    unsigned int head, const struct frontend_chain *chain, size_t n_bytes,
			    struct split_ring_piece *pieces)
{
	uint64_t address = frontend_memory_address(&f->memory, frontend_slot(f, queue, head));
	bool writes = (queue->index & 1) == 0;
	size_t n_data = chain->n_pieces == 0 ? 1 : chain->n_pieces;
	unsigned int n = 0;

	if (n_data > FRONTEND_PIECES_MAX)
		n_data = FRONTEND_PIECES_MAX;
	if (n_data > n_bytes)
		n_data = n_bytes == 0 ? 1 : n_bytes;
	address += TABLE_BYTES;
	if (chain->header_apart) {
		pieces[n++] = (struct split_ring_piece){address, f->header_bytes, writes};
		address += f->header_bytes + GAP_BYTES;
	}
	for (size_t i = 0; i < n_data; i++) {
		size_t share = n_bytes * (i + 1) / n_data - n_bytes * i / n_data;

		if (n == 0)
			share += f->header_bytes;
		pieces[n++] = (struct split_ring_piece){address, (uint32_t)share, writes};
		address += share + GAP_BYTES;
	}
	return n;
}

/* Copies n_bytes between the pieces, from the first on, and private memory. */
static void copy_pieces(const struct frontend *f, const struct split_ring_piece *pieces,
			unsigned char *private, size_t n_bytes, bool into_guest)
{
	for (; n_bytes > 0; pieces++) {
		size_t n = pieces->n_bytes < n_bytes ? pieces->n_bytes : n_bytes;
		void *guest = frontend_memory_pointer(&f->memory, pieces->address, n);

		if (into_guest)
			memcpy(guest, private, n);
		else
			memcpy(private, guest, n);
		private += n;
		n_bytes -= n;
	}
}

static int add_chain(struct frontend *f, struct frontend_queue *queue,
		     const struct frontend_chain *chain, const struct split_ring_piece *pieces,
		     unsigned int n)
{
	bool indirect = chain->indirect &&
			(f->handshake.features & FRONTEND_BIT(VIRTIO_RING_F_INDIRECT_DESC)) != 0;

	if (!indirect)
		return frontend_ring_add(queue, pieces, n, NULL, 0);
	void *table = frontend_slot(f, queue, frontend_ring_next_head(queue));

	return frontend_ring_add(queue, pieces, n, table,
				 frontend_memory_address(&f->memory, table));
}

/* ---- queues ---- */

static void init_queue(struct frontend *f, struct frontend_queue *queue, unsigned int index)
{
	const struct frontend_config *config = &f->config;
	uint64_t agreed = f->handshake.features;
	bool large = (agreed & (FRONTEND_BIT(VIRTIO_NET_F_GUEST_TSO4) |
				FRONTEND_BIT(VIRTIO_NET_F_GUEST_TSO6))) != 0 &&
		     (agreed & FRONTEND_MERGEABLE) == 0;
	unsigned int rx_bytes = large ? FRONTEND_FRAME_MAX : 1536;

	*queue = (struct frontend_queue){.index = index, .kick_fd = -1, .call_fd = -1};
	if ((index & 1) != 0)
		queue->data_bytes_max = config->frame_bytes_max;
	else
		queue->data_bytes_max = config->rx_bytes == 0 ? rx_bytes : config->rx_bytes;
	uint64_t lines = (TABLE_BYTES + f->header_bytes + queue->data_bytes_max +
			  GAP_BYTES * (FRONTEND_PIECES_MAX + 1)) /
				 LINE_BYTES +
			 1;
	/* An odd number of lines: slots spread over all sets of a cache. */
	queue->slot_bytes = (lines | 1) * LINE_BYTES;
}

static int open_queue(struct frontend *f, struct frontend_queue *queue)
{
	unsigned int n = f->memory.n_regions;
	unsigned int size = f->config.ring_size;
	int err = frontend_ring_init(queue, &f->memory, size, f->handshake.features);

	if (err < 0)
		return err;
	for (unsigned int i = 0; i < n; i++) {
		queue->slots[i] = frontend_memory_take(
			&f->memory, i, (size + n - 1) / n * queue->slot_bytes, LINE_BYTES);
		if (queue->slots[i] == NULL)
			return -ENOMEM;
	}
	queue->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	queue->call_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return queue->kick_fd < 0 || queue->call_fd < 0 ? -errno : 0;
}

static void close_queue(struct frontend_queue *queue)
{
	frontend_ring_fini(queue);
	if (queue->kick_fd >= 0)
		close(queue->kick_fd);
	if (queue->call_fd >= 0)
		close(queue->call_fd);
}

static uint64_t needed_bytes(const struct frontend *f)
{
	uint64_t size = f->config.ring_size;
	uint64_t n = f->config.n_regions;
	uint64_t ring = size * (sizeof(struct vring_desc) + sizeof(struct vring_used_elem) + 2) +
			4 * LINE_BYTES;
	uint64_t slots = (size + n - 1) / n * (f->rx[0].slot_bytes + f->tx[0].slot_bytes);

	/* Every region as large as the first, which has the rings and what the caller takes. */
	return n * (f->n_pairs * (2 * ring + slots + 2 * LINE_BYTES) + f->config.extra_bytes);
}

static int build_guest(struct frontend *f)
{
	uint64_t long_header = FRONTEND_BIT(VIRTIO_F_VERSION_1) | FRONTEND_MERGEABLE;
	struct frontend_memory_options options = {
		.bytes = f->config.memory_bytes,
		.n_regions = f->config.n_regions,
		.huge = f->config.huge,
		.unsealed = f->config.unsealed,
		.adjacent = f->config.adjacent,
	};

	f->header_bytes = (f->handshake.features & long_header) != 0 ? 12 : 10;
	for (unsigned int i = 0; i < f->n_pairs; i++) {
		init_queue(f, &f->rx[i], 2 * i);
		init_queue(f, &f->tx[i], 2 * i + 1);
	}
	if (options.bytes == 0)
		options.bytes = needed_bytes(f);
	int err = frontend_memory_init(&f->memory, &options);

	for (unsigned int i = 0; i < f->n_pairs && err == 0; i++) {
		err = open_queue(f, &f->rx[i]);
		if (err == 0)
			err = open_queue(f, &f->tx[i]);
		if (err == 0 && !f->config.manual_post)
			frontend_post(f, i, f->config.ring_size);
	}
	return err;
}

static void apply_defaults(struct frontend_config *config)
{
	if (config->n_pairs == 0)
		config->n_pairs = 1;
	if (config->n_regions == 0)
		config->n_regions = 1;
	if (config->ring_size == 0)
		config->ring_size = 256;
	if (config->features == 0)
		config->features = FRONTEND_ALL;
	if (config->frame_bytes_max == 0)
		config->frame_bytes_max = FRONTEND_FRAME_MAX;
	if (config->timeout_ms == 0)
		config->timeout_ms = 5000;
	if (config->layout == FRONTEND_PACKED) {
		config->features |= FRONTEND_BIT(VIRTIO_F_RING_PACKED);
		config->required |= FRONTEND_BIT(VIRTIO_F_RING_PACKED);
	}
	if (config->n_pairs > 1)
		config->required |=
			FRONTEND_BIT(VHU_F_PROTOCOL_FEATURES) | FRONTEND_BIT(VIRTIO_NET_F_MQ);
}

/* ---- life ---- */

static int attach(struct frontend *f)
{
	uint64_t deadline_ns = deadline_in_ms(f->config.timeout_ms);
	const char *path = f->config.path;
	int fd = f->config.listen ? handshake_accept(path, deadline_ns)
				  : handshake_connect(path, deadline_ns);

	if (fd < 0)
		return fail(&f->config, fd, "reaching the back-end at %s", path);
	f->handshake.fd = fd;
	f->handshake.step_ms = f->config.timeout_ms;
	f->handshake.features = f->config.features;
	return 0;
}

static int negotiate(struct frontend *f, uint64_t wanted)
{
	int err = handshake_negotiate(&f->handshake, wanted, f->config.required);

	if (err == 0 && f->handshake.n_pairs_max < f->n_pairs)
		err = -ENOTSUP;
	if (err < 0)
		return fail(&f->config, err, "negotiating with the back-end (it offers %#llx)",
			    (unsigned long long)f->handshake.offered);
	return 0;
}

static int start_queue(struct frontend *f, struct frontend_queue *queue)
{
	struct handshake_ring ring = frontend_ring_place(queue);
	int err = handshake_start_ring(&f->handshake, queue->index, &ring, queue->kick_fd,
				       queue->call_fd);

	if (err < 0)
		return fail(&f->config, err, "starting ring %u", queue->index);
	frontend_kick(queue);
	return 0;
}

static int share_and_start(struct frontend *f)
{
	enum frontend_stage stage = f->config.stage;

	if (stage != FRONTEND_RUNNING && stage != FRONTEND_SHARED)
		return 0;
	int err = handshake_share_memory(&f->handshake, &f->memory);

	if (err < 0)
		return fail(&f->config, err, "sharing %u memory regions", f->memory.n_regions);
	if (stage == FRONTEND_SHARED)
		return 0;
	for (unsigned int i = 0; i < f->n_pairs && err == 0; i++) {
		err = start_queue(f, &f->rx[i]);
		if (err == 0)
			err = start_queue(f, &f->tx[i]);
	}
	return err;
}

int frontend_create(const struct frontend_config *config, struct frontend **frontend)
{
	struct frontend *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return -ENOMEM;
	f->config = *config;
	apply_defaults(&f->config);
	f->handshake.fd = -1;
	f->n_pairs = f->config.n_pairs;
	f->received = malloc(FRONTEND_FRAME_MAX + sizeof(struct virtio_net_hdr_mrg_rxbuf));
	int err = f->received == NULL ? -ENOMEM : 0;

	if (err == 0 &&
	    (f->n_pairs > FRONTEND_PAIRS_MAX || f->config.frame_bytes_max > FRONTEND_FRAME_MAX))
		err = fail(config, -EINVAL, "checking pairs and frame size");
	if (err == 0)
		err = attach(f);
	if (err == 0 && f->config.stage != FRONTEND_CONNECTED)
		err = negotiate(f, f->config.features);
	if (err == 0) {
		err = build_guest(f);
		if (err < 0)
			fail(config, err, "making guest memory, rings and slots");
	}
	if (err == 0)
		err = share_and_start(f);
	if (err < 0) {
		frontend_destroy(f);
		return err;
	}
	*frontend = f;
	return 0;
}

void frontend_destroy(struct frontend *f)
{
	if (f == NULL)
		return;
	if (f->handshake.fd >= 0)
		close(f->handshake.fd);
	if (f->memory.base != NULL) {
		for (unsigned int i = 0; i < f->n_pairs; i++) {
			close_queue(&f->rx[i]);
			close_queue(&f->tx[i]);
		}
		frontend_memory_fini(&f->memory);
	}
	free(f->received);
	free(f);
}

int frontend_reconnect(struct frontend *f)
{
	uint64_t agreed = f->handshake.features;

	if (f->handshake.fd >= 0)
		close(f->handshake.fd);
	f->handshake.fd = -1;
	int err = attach(f);

	if (err < 0)
		return err;
	/* A running guest cannot change its mind about features. */
	f->config.required = agreed;
	err = negotiate(f, agreed);
	return err < 0 ? err : share_and_start(f);
}

/* ---- waiting ---- */

void frontend_kick(struct frontend_queue *queue)
{
	uint64_t one = 1;

	if (write(queue->kick_fd, &one, sizeof(one)) == sizeof(one))
		queue->n_kicks++;
}

static void clear_call(struct frontend_queue *queue)
{
	uint64_t count;

	while (read(queue->call_fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
}

/* Sleeps until a call or the end of the connection. A call is awaited only after it was asked for,
 * so one that stays out although an entry is there is the back-end's mistake. */
static int sleep_for_call(struct frontend *f, struct frontend_queue *queue, uint64_t deadline_ns)
{
	struct pollfd ready[2] = {{.fd = queue->call_fd, .events = POLLIN},
				  {.fd = f->handshake.fd, .events = POLLRDHUP}};
	int n = poll(ready, 2, deadline_left_ms(deadline_ns));

	if (n == 0 && frontend_ring_is_waiting(queue))
		return poll(ready, 1, LATE_CALL_MS) > 0 ? 0 : -EPROTO;
	if (n == 0)
		return -ETIMEDOUT;
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (ready[0].revents != 0) {
		clear_call(queue);
		return 0;
	}
	return -ECONNRESET;
}

static int wait_used(struct frontend *f, struct frontend_queue *queue, uint64_t deadline_ns)
{
	int err = 0;

	while (err == 0 && !frontend_ring_is_waiting(queue)) {
		frontend_ring_want_call(queue, true);
		if (frontend_ring_is_waiting(queue))
			break;
		err = sleep_for_call(f, queue, deadline_ns);
	}
	frontend_ring_want_call(queue, false);
	return err;
}

int frontend_wait_closed(struct frontend *f, unsigned int timeout_ms)
{
	struct pollfd ready = {.fd = f->handshake.fd, .events = POLLRDHUP};
	uint64_t deadline_ns = deadline_in_ms(timeout_ms);
	int n;

	do {
		n = poll(&ready, 1, deadline_left_ms(deadline_ns));
	} while (n < 0 && errno == EINTR);
	return n > 0 ? 0 : -ETIMEDOUT;
}

int frontend_send_raw(struct frontend *f, const void *bytes, size_t n_bytes, const int *fds,
		      unsigned int n_fds)
{
	return vhu_send(f->handshake.fd, bytes, n_bytes, fds, n_fds,
			deadline_in_ms(f->config.timeout_ms));
}

/* ---- sending ---- */

static int reclaim(struct frontend_queue *queue)
{
	uint16_t head;
	uint32_t n_bytes;
	int err;

	do {
		err = frontend_ring_take_used(queue, &head, &n_bytes);
	} while (err == 0);
	return err == -EAGAIN ? 0 : err;
}

int frontend_send(struct frontend *f, unsigned int pair, const struct frontend_frame *frame)
{
	struct frontend_queue *queue = &f->tx[pair];
	struct split_ring_piece pieces[FRONTEND_PIECES_MAX + 1];
	unsigned char header[sizeof(struct virtio_net_hdr_mrg_rxbuf)] = {0};
	int err = reclaim(queue);

	if (err < 0)
		return err;
	if (frame->n_bytes > queue->data_bytes_max)
		return -EMSGSIZE;
	if (frontend_ring_free(queue) == 0)
		return -EAGAIN;
	unsigned int n = lay_out(f, queue, frontend_ring_next_head(queue), &frame->chain,
				 frame->n_bytes, pieces);
	unsigned char whole[FRONTEND_FRAME_MAX + sizeof(header)];

	if (add_chain(f, queue, &frame->chain, pieces, n) < 0)
		return n > frontend_ring_size(queue) ? -EMSGSIZE : -EAGAIN;
	memcpy(header, &frame->header, sizeof(frame->header));
	memcpy(whole, header, f->header_bytes);
	memcpy(whole + f->header_bytes, frame->bytes, frame->n_bytes);
	copy_pieces(f, pieces, whole, f->header_bytes + frame->n_bytes, true);
	if (frontend_ring_publish(queue))
		frontend_kick(queue);
	return 0;
}

int frontend_flush(struct frontend *f, unsigned int pair, unsigned int timeout_ms)
{
	struct frontend_queue *queue = &f->tx[pair];
	uint64_t deadline_ns = deadline_in_ms(timeout_ms);
	int err = reclaim(queue);

	while (err == 0 && frontend_ring_free(queue) < frontend_ring_size(queue)) {
		err = wait_used(f, queue, deadline_ns);
		if (err == 0)
			err = reclaim(queue);
	}
	return err;
}

/* ---- receiving ---- */

unsigned int frontend_post(struct frontend *f, unsigned int pair, unsigned int n)
{
	struct frontend_queue *queue = &f->rx[pair];
	struct split_ring_piece pieces[FRONTEND_PIECES_MAX + 1];
	unsigned int posted = 0;

	while (posted < n && frontend_ring_free(queue) > 0) {
		unsigned int n_pieces = lay_out(f, queue, frontend_ring_next_head(queue),
						&f->config.rx_chain, queue->data_bytes_max, pieces);

		if (add_chain(f, queue, &f->config.rx_chain, pieces, n_pieces) < 0)
			break;
		posted++;
	}
	if (frontend_ring_publish(queue))
		frontend_kick(queue);
	return posted;
}

/* Takes one used buffer and appends what is in it to the frame. */
static int append_buffer(struct frontend *f, struct frontend_queue *queue, size_t *n_bytes)
{
	struct split_ring_piece pieces[FRONTEND_PIECES_MAX + 1];
	uint16_t head;
	uint32_t n;
	int err = frontend_ring_take_used(queue, &head, &n);

	if (err < 0)
		return -EPROTO;
	if (n > f->header_bytes + queue->data_bytes_max ||
	    n > FRONTEND_FRAME_MAX + f->header_bytes - *n_bytes)
		return -EPROTO;
	lay_out(f, queue, head, &f->config.rx_chain, queue->data_bytes_max, pieces);
	copy_pieces(f, pieces, f->received + *n_bytes, n, false);
	*n_bytes += n;
	return 0;
}

static int assemble(struct frontend *f, struct frontend_queue *queue,
		    struct frontend_received *received)
{
	bool mergeable = (f->handshake.features & FRONTEND_MERGEABLE) != 0;
	size_t n_bytes = 0;
	int err = append_buffer(f, queue, &n_bytes);

	if (err < 0)
		return err;
	if (n_bytes < f->header_bytes)
		return -EPROTO;
	*received = (struct frontend_received){.n_buffers = 1};
	memcpy(&received->header, f->received, f->header_bytes);
	/* Without MRG_RXBUF num_buffers should be 1, but guests do not look at it: a test may. */
	if (mergeable)
		received->n_buffers = received->header.num_buffers;
	if (received->n_buffers == 0)
		return -EPROTO;
	/* All buffers of a frame become used at once: a driver does not wait for the rest. */
	for (unsigned int i = 1; i < received->n_buffers && err == 0; i++)
		err = append_buffer(f, queue, &n_bytes);
	received->bytes = f->received + f->header_bytes;
	received->n_bytes = n_bytes - f->header_bytes;
	return err;
}

int frontend_receive(struct frontend *f, unsigned int pair, unsigned int timeout_ms,
		     struct frontend_received *received)
{
	struct frontend_queue *queue = &f->rx[pair];
	int err = wait_used(f, queue, deadline_in_ms(timeout_ms));

	if (err < 0)
		return err;
	err = assemble(f, queue, received);
	if (!f->config.manual_post)
		frontend_post(f, pair, frontend_ring_size(queue));
	return err;
}
