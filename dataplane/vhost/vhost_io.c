/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames from and to a guest's queues. Worker threads. */
#include "dataplane/vhost/vhost_io.h"

#include "dataplane/drop.h"
#include "dataplane/flow.h"

static struct vhost_queue *queue_of(struct rxq *rxq)
{
	return (struct vhost_queue *)((char *)rxq - offsetof(struct vhost_queue, rxq));
}

/* What main asked for. */
static void call_guest(struct vhost_queue *queue)
{
	uint32_t calls = atomic_exchange(&queue->calls, 0);
	struct ring *put = atomic_load_explicit(&queue->put, memory_order_acquire);

	if ((calls & VHOST_CALL_TAKE) != 0)
		ring_call(&queue->take);
	if ((calls & VHOST_CALL_PUT) != 0 && put != NULL)
		ring_call(put);
}

void vhost_io_rx(struct rxq *rxq, struct burst *burst)
{
	struct vhost_queue *queue = queue_of(rxq);

	if (__builtin_expect(atomic_load_explicit(&queue->calls, memory_order_relaxed) != 0, 0))
		call_guest(queue);
	ring_take(&queue->take, burst);
}

void vhost_io_rx_done(struct rxq *rxq, struct burst *burst)
{
	ring_complete(&queue_of(rxq)->take);
}

bool vhost_io_arm(struct rxq *rxq)
{
	return ring_arm(&queue_of(rxq)->take);
}

void vhost_io_disarm(struct rxq *rxq)
{
	ring_disarm(&queue_of(rxq)->take);
}

static void put(struct vhost_queue *queue, struct burst *burst, const uint8_t *order,
		unsigned int n, struct counters_block *count)
{
	struct ring *ring = atomic_load_explicit(&queue->put, memory_order_acquire);

	if (ring == NULL) {
		drop_frames(burst, count, order, n, DROP_PORT_DOWN);
		return;
	}
	bool is_call_due;

	if (queue->is_shared) {
		rte_spinlock_lock(&queue->put_lock);
		is_call_due = ring_put(ring, burst, order, n, count);
		rte_spinlock_unlock(&queue->put_lock);
	} else {
		is_call_due = ring_put(ring, burst, order, n, count);
	}
	if (is_call_due)
		ring_call(ring);
}

/* Flows over the queues that the guest has enabled just now. */
static void put_spread(struct vhost_port *vhost, struct burst *burst, const uint8_t *order,
		       unsigned int n, struct counters_block *count)
{
	struct vhost_queue *running[PORT_QUEUES_MAX];
	struct flow_lists lists;
	unsigned int n_running = 0;

	for (unsigned int i = 0; i < vhost->n_pairs; i++) {
		struct vhost_queue *queue = &vhost->queues[i];

		if (atomic_load_explicit(&queue->put, memory_order_relaxed) != NULL)
			running[n_running++] = queue;
	}
	if (n_running == 0) {
		drop_frames(burst, count, order, n, DROP_PORT_DOWN);
		return;
	}
	flow_spread(burst, order, n, n_running, &lists);
	for (unsigned int i = 0; i < n_running; i++) {
		if (lists.n[i] != 0)
			put(running[i], burst, lists.order[i], lists.n[i], count);
	}
}

void vhost_io_tx(struct port *port, struct burst *burst, const uint8_t *order, unsigned int n,
		 struct counters_block *count)
{
	struct vhost_port *vhost = port->impl;

	if (__builtin_expect(vhost->n_pairs == 1, 1))
		put(&vhost->queues[0], burst, order, n, count);
	else
		put_spread(vhost, burst, order, n, count);
}

void vhost_io_tx_soon(const struct port *port)
{
	const struct vhost_port *vhost = port->impl;

	for (unsigned int i = 0; i < vhost->n_pairs; i++) {
		const struct vhost_queue *queue = &vhost->queues[i];
		const struct ring *ring = atomic_load_explicit(&queue->put, memory_order_acquire);

		/* Where a shared one stands is known under its lock only. */
		if (ring != NULL && !queue->is_shared)
			ring_put_soon(ring);
	}
}

/* Where a shared one stands is known under its lock only. */
static __attribute__((noinline)) bool has_room_shared(struct vhost_queue *queue,
						      const struct ring *ring,
						      unsigned int n_buffers)
{
	bool has_room;

	rte_spinlock_lock(&queue->put_lock);
	has_room = ring_has_room(ring, n_buffers);
	rte_spinlock_unlock(&queue->put_lock);
	return has_room;
}

static inline bool has_room(struct vhost_queue *queue, unsigned int n_buffers)
{
	const struct ring *ring = atomic_load_explicit(&queue->put, memory_order_acquire);

	if (ring == NULL)
		return true;
	return queue->is_shared ? has_room_shared(queue, ring, n_buffers)
				: ring_has_room(ring, n_buffers);
}

/* Flows may all be of one queue, whichever. */
bool vhost_io_has_room(const struct port *port, unsigned int n_buffers)
{
	struct vhost_port *vhost = port->impl;

	if (__builtin_expect(vhost->n_pairs == 1, 1))
		return has_room(&vhost->queues[0], n_buffers);
	for (unsigned int i = 0; i < vhost->n_pairs; i++) {
		if (!has_room(&vhost->queues[i], n_buffers))
			return false;
	}
	return true;
}
