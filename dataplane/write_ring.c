/* SPDX-License-Identifier: BSD-3-Clause */
/* See write_ring.h. The layout of the rings: io_uring(7), linux/io_uring.h. */
#include "dataplane/write_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define IOV_MAX_ADDED (4 * (1 + FRAME_IOV_MAX))
/* One mapping for both rings (Linux 5.4); IORING_OP_WRITE (5.6, as this). */
#define FEATURES (IORING_FEAT_SINGLE_MMAP | IORING_FEAT_RW_CUR_POS)
/* Descriptors from here on are not held: the table has a place for each number. */
#define FILES_MAX 512

/* Of a descriptor. */
enum hold {
	HOLD_UNTRIED, /* the first write tries */
	HELD,
	HOLD_REFUSED,
};

struct write_ring {
	int fd;
	bool is_refused;	  /* the driver takes no writes that may not wait */
	uint8_t holds[FILES_MAX]; /* enum hold */
	unsigned int n, n_iov;	  /* added since the last run */
	uint32_t sq_mask, cq_mask;
	_Atomic uint32_t *sq_head, *sq_tail, *cq_head, *cq_tail; /* the kernel's memory */
	struct io_uring_sqe *sqes;
	const struct io_uring_cqe *cqes;
	void *rings;
	size_t rings_bytes, sqes_bytes;
	struct iovec iov[IOV_MAX_ADDED];
};

static int enter(const struct write_ring *ring, unsigned int n_submit, unsigned int n_complete)
{
	return (int)syscall(SYS_io_uring_enter, ring->fd, n_submit, n_complete,
			    IORING_ENTER_GETEVENTS, NULL, 0);
}

static void *map(int fd, size_t bytes, off_t offset)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, offset);

	return at != MAP_FAILED ? at : NULL;
}

static void *at_offset(const struct write_ring *ring, uint32_t offset)
{
	return (uint8_t *)ring->rings + offset;
}

static bool map_rings(struct write_ring *ring, const struct io_uring_params *p)
{
	size_t sq_bytes = p->sq_off.array + p->sq_entries * sizeof(uint32_t);
	size_t cq_bytes = p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe);

	ring->rings_bytes = sq_bytes > cq_bytes ? sq_bytes : cq_bytes;
	ring->sqes_bytes = p->sq_entries * sizeof(struct io_uring_sqe);
	ring->rings = map(ring->fd, ring->rings_bytes, IORING_OFF_SQ_RING);
	ring->sqes = map(ring->fd, ring->sqes_bytes, IORING_OFF_SQES);
	if (ring->rings == NULL || ring->sqes == NULL)
		return false;
	ring->sq_head = at_offset(ring, p->sq_off.head);
	ring->sq_tail = at_offset(ring, p->sq_off.tail);
	ring->cq_head = at_offset(ring, p->cq_off.head);
	ring->cq_tail = at_offset(ring, p->cq_off.tail);
	ring->cqes = at_offset(ring, p->cq_off.cqes);
	ring->sq_mask = *(const uint32_t *)at_offset(ring, p->sq_off.ring_mask);
	ring->cq_mask = *(const uint32_t *)at_offset(ring, p->cq_off.ring_mask);
	/* Entry i of the queue is always element i. What writes have in common stays in them. */
	for (uint32_t i = 0; i < p->sq_entries; i++) {
		((uint32_t *)at_offset(ring, p->sq_off.array))[i] = i;
		ring->sqes[i] = (struct io_uring_sqe){.rw_flags = RWF_NOWAIT};
	}
	return true;
}

/* --- files that are held --- */

/* fd -1: none from now on. */
static bool set_file(const struct write_ring *ring, unsigned int place, int fd)
{
	struct io_uring_files_update update = {.offset = place, .fds = (uintptr_t)&fd};

	return syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_FILES_UPDATE, &update, 1) ==
	       1;
}

/* Is a file free as soon as it is not held any more? Older kernels take up to a second, in which a
 * tap that was closed would still be there. Asked by a pipe whose end is held, and then is not. */
static bool lets_go_at_once(const struct write_ring *ring)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return false;
	struct pollfd reader = {.fd = fds[0]};
	bool was_held = set_file(ring, 0, fds[1]);

	close(fds[1]);
	bool is_free = was_held && poll(&reader, 1, 0) == 0 && set_file(ring, 0, -1) &&
		       poll(&reader, 1, 0) == 1;

	close(fds[0]);
	return is_free;
}

static void begin_holding(struct write_ring *ring)
{
	int none[FILES_MAX];

	memset(none, 0xff, sizeof(none));
	if (syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_FILES, none, FILES_MAX) < 0 ||
	    !lets_go_at_once(ring))
		memset(ring->holds, HOLD_REFUSED, sizeof(ring->holds));
}

static bool is_held(struct write_ring *ring, int fd)
{
	if ((unsigned int)fd >= FILES_MAX)
		return false;
	if (ring->holds[fd] == HOLD_UNTRIED)
		ring->holds[fd] = set_file(ring, (unsigned int)fd, fd) ? HELD : HOLD_REFUSED;
	return ring->holds[fd] == HELD;
}

void write_ring_let_go(struct write_ring *ring, int fd)
{
	if (ring == NULL || (unsigned int)fd >= FILES_MAX || ring->holds[fd] != HELD)
		return;
	set_file(ring, (unsigned int)fd, -1);
	ring->holds[fd] = HOLD_UNTRIED;
}

/* --- life --- */

/* 0 or -errno. */
static int open_ring(struct write_ring *ring)
{
	struct io_uring_params params = {0};

	ring->fd = (int)syscall(SYS_io_uring_setup, WRITE_RING_ENTRIES, &params);
	if (ring->fd < 0)
		return -errno;
	if ((params.features & FEATURES) != FEATURES)
		return -ENOSYS;
	if (!map_rings(ring, &params))
		return -ENOMEM;
	begin_holding(ring);
	return 0;
}

struct write_ring *write_ring_create(void)
{
	struct write_ring *ring = calloc(1, sizeof(*ring));
	int error = ring == NULL ? -ENOMEM : open_ring(ring);

	if (error == 0)
		return ring;
	write_ring_destroy(ring);
	errno = -error;
	return NULL;
}

void write_ring_destroy(struct write_ring *ring)
{
	if (ring == NULL)
		return;
	/* The kernel takes a ring apart when it comes round to it: so long its files would stay. */
	if (ring->fd >= 0)
		syscall(SYS_io_uring_register, ring->fd, IORING_UNREGISTER_FILES, NULL, 0);
	if (ring->rings != NULL)
		munmap(ring->rings, ring->rings_bytes);
	if (ring->sqes != NULL)
		munmap(ring->sqes, ring->sqes_bytes);
	if (ring->fd >= 0)
		close(ring->fd);
	free(ring);
}

bool write_ring_add(struct write_ring *ring, int fd, struct iovec first, const struct iovec *iov,
		    unsigned int n_iov)
{
	uint32_t tail = atomic_load_explicit(ring->sq_tail, memory_order_relaxed) + ring->n;
	struct io_uring_sqe *sqe = &ring->sqes[tail & ring->sq_mask];
	struct iovec *pieces = &ring->iov[ring->n_iov];
	unsigned int n_pieces = n_iov != 0 ? 1 + n_iov : 0;

	if (ring->is_refused || ring->n == WRITE_RING_ENTRIES ||
	    ring->n_iov + n_pieces > IOV_MAX_ADDED)
		return false;
	sqe->fd = fd; /* its place, too */
	sqe->flags = is_held(ring, fd) ? IOSQE_FIXED_FILE : 0;
	sqe->user_data = ring->n++;
	ring->n_iov += n_pieces;
	if (n_pieces == 0) {
		sqe->opcode = IORING_OP_WRITE;
		sqe->addr = (uintptr_t)first.iov_base;
		sqe->len = (uint32_t)first.iov_len;
		return true;
	}
	pieces[0] = first;
	memcpy(&pieces[1], iov, n_iov * sizeof(*iov));
	sqe->opcode = IORING_OP_WRITEV;
	sqe->addr = (uintptr_t)pieces;
	sqe->len = n_pieces;
	return true;
}

/* Answers that are there; how many. */
static unsigned int take_answers(struct write_ring *ring, int32_t results[WRITE_RING_ENTRIES])
{
	uint32_t head = atomic_load_explicit(ring->cq_head, memory_order_relaxed);
	uint32_t tail = atomic_load_explicit(ring->cq_tail, memory_order_acquire);
	unsigned int n = tail - head;

	for (; head != tail; head++) {
		const struct io_uring_cqe *cqe = &ring->cqes[head & ring->cq_mask];

		results[cqe->user_data] = cqe->res;
	}
	atomic_store_explicit(ring->cq_head, head, memory_order_release);
	return n;
}

unsigned int write_ring_run(struct write_ring *ring, int32_t results[WRITE_RING_ENTRIES])
{
	uint32_t tail = atomic_load_explicit(ring->sq_tail, memory_order_relaxed) + ring->n;

	atomic_store_explicit(ring->sq_tail, tail, memory_order_release);
	int submitted = ring->n != 0 ? enter(ring, ring->n, ring->n) : 0;
	unsigned int n = submitted > 0 ? (unsigned int)submitted : 0;

	/* What the kernel had no memory for is taken back. */
	if (n < ring->n)
		atomic_store_explicit(ring->sq_tail,
				      atomic_load_explicit(ring->sq_head, memory_order_acquire),
				      memory_order_release);
	ring->n = ring->n_iov = 0;
	/* None is left to wait for; the memory that they write belongs to others afterwards. */
	for (unsigned int answers = take_answers(ring, results); answers < n;
	     answers += take_answers(ring, results))
		enter(ring, 0, n - answers);
	ring->is_refused = n != 0 && results[0] == -EOPNOTSUPP;
	return ring->is_refused ? 0 : n;
}
