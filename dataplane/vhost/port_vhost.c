/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Port type vhost-user: a guest's network card. Puts together the way to the front-end (door), the
 * protocol (session) and the queues (ring). main owns the first two and starts and stops rings;
 * workers see only running rings.
 */
#include "dataplane/vhost/port_vhost.h"

#include <errno.h>
#include <poll.h>
#include <rte_spinlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/api/kinds.h"
#include "dataplane/base/log.h"
#include "dataplane/base/loop.h"
#include "dataplane/dataplane.h"
#include "dataplane/drop.h"
#include "dataplane/flow.h"
#include "dataplane/offload.h"
#include "dataplane/vhost/door.h"
#include "dataplane/vhost/features.h"
#include "dataplane/vhost/journal.h"
#include "dataplane/vhost/leftover.h"
#include "dataplane/vhost/peer.h"
#include "dataplane/vhost/reaper.h"
#include "dataplane/vhost/ring.h"
#include "dataplane/vhost/vhost_io.h"

#define MTU_MAX 65535
#define PENALTY_NS UINT64_C(2000000000)
#define PENALTY_NS_MAX (300 * PENALTY_NS)

/* --- what the session asks for: main --- */

/* Of a packed ring; *out stays NULL for a split one. */
static int open_journal(struct vhost_port *vhost, const struct session_ring *config,
			struct ring_journal **out)
{
	int error = 0;

	if ((config->features & VIRTIO_FEATURE(VIRTIO_F_RING_PACKED)) != 0)
		error = journal_open_ring(&vhost->journal, config->index, out);
	if (error < 0)
		log_error("vhost", "port %s: packed rings need %s: %s", vhost->port->spec.name,
			  vhost->journal.path, strerror(-error));
	return error;
}

/* Odd rings are the guest's transmit queues, even ones its receive queues. */
static int start_ring(void *ctx, const struct session_ring *config)
{
	struct vhost_port *vhost = ctx;
	struct vhost_queue *queue = &vhost->queues[config->index / 2];
	uint64_t features = config->features;
	struct ring_journal *journal = NULL;
	int error = open_journal(vhost, config, &journal);

	if (error < 0)
		return error;
	vhost->features = features;
	vhost->reason[0] = '\0';
	door_reset(&vhost->door);
	if (config->index % 2 == 0) {
		ring_init(&queue->put_ring, config, features_put_caps(features), journal);
		atomic_store_explicit(&vhost->port->offload_caps, queue->put_ring.caps,
				      memory_order_relaxed);
		atomic_store_explicit(&queue->put, &queue->put_ring, memory_order_release);
		/* A call may have been lost with a weft that was killed: one too many is
		 * harmless. */
		atomic_fetch_or(&queue->calls, VHOST_CALL_PUT);
		port_wake_rxq(vhost->port, &queue->rxq);
		return 0;
	}
	atomic_fetch_or(&queue->calls, VHOST_CALL_TAKE);
	ring_init(&queue->take, config, features_take_caps(features), journal);
	queue->rxq.wake_fd = config->kick_fd;
	return port_attach_rxq(vhost->port, &queue->rxq);
}

static uint16_t stop_ring(void *ctx, unsigned int index)
{
	struct vhost_port *vhost = ctx;
	struct vhost_queue *queue = &vhost->queues[index / 2];

	if (index % 2 == 0) {
		atomic_store_explicit(&queue->put, NULL, memory_order_release);
		dataplane_synchronize(vhost->port->dp);
		return ring_base(&queue->put_ring);
	}
	port_detach_rxq(vhost->port, &queue->rxq);
	return ring_base(&queue->take);
}

static void forget_ring(void *ctx, unsigned int index)
{
	struct vhost_port *vhost = ctx;

	journal_forget(&vhost->journal, index);
}

static void signal_ring(void *ctx, unsigned int index)
{
	struct vhost_port *vhost = ctx;
	struct vhost_queue *queue = &vhost->queues[index / 2];

	atomic_fetch_or(&queue->calls, index % 2 == 0 ? VHOST_CALL_PUT : VHOST_CALL_TAKE);
	port_wake_rxq(vhost->port, &queue->rxq);
}

static const struct session_ops session_ops = {
	.ring_start = start_ring,
	.ring_stop = stop_ring,
	.ring_forget = forget_ring,
	.ring_signal = signal_ring,
};

/* --- connections: main --- */

/* Whoever makes a worker wait has done it on purpose, and every port of the worker waited:
 * front-ends have to stay out, longer each time. */
static void shut_out(struct vhost_port *vhost, uint64_t now_ns)
{
	vhost->penalty_ns = vhost->penalty_ns == 0 ? PENALTY_NS : vhost->penalty_ns * 2;
	if (vhost->penalty_ns > PENALTY_NS_MAX)
		vhost->penalty_ns = PENALTY_NS_MAX;
	vhost->refused_until_ns = now_ns + vhost->penalty_ns;
	snprintf(vhost->reason, sizeof(vhost->reason),
		 "%s: front-ends are refused for %u s from then on", ring_call_blocked,
		 (unsigned int)(vhost->penalty_ns / 1000000000));
	log_limited(&vhost->limit, now_ns, LOG_LEVEL_WARN, "vhost", "port %s: %s",
		    vhost->port->spec.name, vhost->reason);
}

static bool has_blocked(const struct vhost_port *vhost)
{
	for (unsigned int i = 0; i < vhost->n_pairs; i++) {
		if (atomic_load(&vhost->queues[i].take.broken) == ring_call_blocked ||
		    atomic_load(&vhost->queues[i].put_ring.broken) == ring_call_blocked)
			return true;
	}
	return false;
}

static void end_session(struct vhost_port *vhost, uint64_t now_ns)
{
	loop_remove(vhost->session_watch);
	vhost->session_watch = NULL;
	session_destroy(vhost->session);
	vhost->session = NULL;
	journal_fini(&vhost->journal);
	vhost->features = 0;
	if (has_blocked(vhost))
		shut_out(vhost, now_ns);
	/* No ring runs any more: the next front-end starts with none that is broken. */
	for (unsigned int i = 0; i < vhost->n_pairs; i++) {
		atomic_store(&vhost->queues[i].take.broken, NULL);
		atomic_store(&vhost->queues[i].put_ring.broken, NULL);
	}
}

/* After every look at the session: is it over, and what does it wait for? */
static void after_session(struct vhost_port *vhost, int error, uint64_t now_ns)
{
	if (error == 0) {
		loop_modify(vhost->session_watch, session_events(vhost->session));
		return;
	}
	snprintf(vhost->reason, sizeof(vhost->reason), "front-end disconnected: %s",
		 session_why(vhost->session));
	log_limited(&vhost->limit, now_ns, LOG_LEVEL_INFO, "vhost", "port %s: %s",
		    vhost->port->spec.name, vhost->reason);
	end_session(vhost, now_ns);
}

static void on_session(void *ctx, uint32_t events, uint64_t now_ns)
{
	struct vhost_port *vhost = ctx;

	after_session(vhost, session_readable(vhost->session, events, now_ns), now_ns);
}

/* One front-end a port: who is there stays, unless it has gone and we have not been told yet. */
static bool may_connect(struct vhost_port *vhost, uint64_t now_ns)
{
	struct pollfd old = {.fd = vhost->session_fd, .events = POLLRDHUP};

	if (vhost->session != NULL && poll(&old, 1, 0) == 1)
		end_session(vhost, now_ns);
	if (now_ns < vhost->refused_until_ns)
		return false;
	if (vhost->session != NULL)
		log_limited(&vhost->limit, now_ns, LOG_LEVEL_WARN, "vhost",
			    "port %s: a second front-end was refused: another one is attached",
			    vhost->port->spec.name);
	return vhost->session == NULL;
}

static void on_front_end(void *ctx, int fd, uint64_t now_ns)
{
	struct vhost_port *vhost = ctx;
	struct session_config config = {
		.features = features_offered(vhost->port),
		.n_queue_pairs = vhost->n_pairs,
		.max_mtu = MTU_MAX,
		.max_memory_bytes = MEMORY_MAX_BYTES,
		.ops = &session_ops,
		.ctx = vhost,
		.faults = &vhost->port->dp->faults,
		.reaper = vhost->port->dp->reaper,
	};

	if (!may_connect(vhost, now_ns) ||
	    session_create(&vhost->session, fd, &config, now_ns) < 0) {
		reaper_close(vhost->port->dp->reaper, fd);
		return;
	}
	vhost->session_fd = fd;
	if (loop_add(vhost->port->dp->loop, fd, session_events(vhost->session), on_session, vhost,
		     &vhost->session_watch) < 0) {
		end_session(vhost, now_ns);
		return;
	}
	vhost->attaches++;
	log_limited(&vhost->limit, now_ns, LOG_LEVEL_INFO, "vhost", "port %s: front-end connected",
		    vhost->port->spec.name);
}

/* Why none is there. A reason that stays is not said again with every try. */
static void on_failure(void *ctx, const char *why, uint64_t now_ns)
{
	struct vhost_port *vhost = ctx;

	if (vhost->session != NULL || strcmp(vhost->reason, why) == 0)
		return;
	snprintf(vhost->reason, sizeof(vhost->reason), "%s", why);
	log_limited(&vhost->limit, now_ns, LOG_LEVEL_INFO, "vhost", "port %s: %s",
		    vhost->port->spec.name, why);
}

/* Why a queue is in quarantine, in one line. false: none is. */
static bool describe_broken(const struct vhost_port *vhost, char *reason, size_t bytes)
{
	for (unsigned int i = 0; i < vhost->n_pairs; i++) {
		const char *take = atomic_load(&vhost->queues[i].take.broken);
		const char *put = atomic_load(&vhost->queues[i].put_ring.broken);

		if (take == NULL && put == NULL)
			continue;
		snprintf(reason, bytes, "%s queue quarantined: %s; restart the guest's driver",
			 take != NULL ? "transmit" : "receive", take != NULL ? take : put);
		return true;
	}
	return false;
}

/* A broken ring is left alone until the front-end sets it up anew. */
static void quarantine(struct vhost_port *vhost, unsigned int index, uint64_t now_ns)
{
	char reason[DP_TEXT_BYTES];

	stop_ring(vhost, index);
	if (describe_broken(vhost, reason, sizeof(reason)))
		log_limited(&vhost->limit, now_ns, LOG_LEVEL_WARN, "vhost", "port %s: %s",
			    vhost->port->spec.name, reason);
}

/* Rings that a worker found broken stop. */
static void stop_broken(struct vhost_port *vhost, uint64_t now_ns)
{
	for (unsigned int i = 0; i < vhost->n_pairs; i++) {
		struct vhost_queue *queue = &vhost->queues[i];

		if (queue->rxq.worker >= 0 && atomic_load(&queue->take.broken) != NULL)
			quarantine(vhost, 2 * i + 1, now_ns);
		if (atomic_load(&queue->put) != NULL &&
		    atomic_load(&queue->put_ring.broken) != NULL)
			quarantine(vhost, 2 * i, now_ns);
	}
}

static void vhost_turn(struct port *port, uint64_t now_ns)
{
	struct vhost_port *vhost = port->impl;

	door_turn(&vhost->door, vhost->session == NULL && now_ns >= vhost->refused_until_ns,
		  now_ns);
	if (vhost->session == NULL)
		return;
	stop_broken(vhost, now_ns);
	if (has_blocked(vhost))
		end_session(vhost, now_ns);
	else
		after_session(vhost, session_tick(vhost->session, now_ns), now_ns);
}

/* --- life: main --- */

static void vhost_claim(const struct dataplane *dp, const struct dp_port *spec, char *text,
			size_t text_bytes)
{
	const struct dp_option *socket = port_spec_option(spec, &kind_vhost_user, "socket");

	if (socket != NULL)
		snprintf(text, text_bytes, "%s", socket->text);
	else
		snprintf(text, text_bytes, "%s/vhost/%s.sock", dp->config.run_dir, spec->name);
}

/* Does a port of ours listen there? Claims have been compared: then it goes away in this change. */
static bool is_ours(const struct dataplane *dp, const char *path)
{
	for (unsigned int i = 1; i < dp->ports_end; i++) {
		const struct port *port = atomic_load(&dp->ports[i]);

		if (port == NULL || port->type != &port_vhost_type)
			continue;
		const char *listens_at =
			door_listens_at(&((const struct vhost_port *)port->impl)->door);

		if (listens_at != NULL && strcmp(listens_at, path) == 0)
			return true;
	}
	return false;
}

static int open_door(struct vhost_port *vhost, char *why, size_t why_bytes)
{
	const struct port *port = vhost->port;
	const struct dp_option *mode = port_option(port, "mode");
	const struct dp_option *owner = port_option(port, "owner");
	char path[DP_TEXT_BYTES];

	vhost_claim(port->dp, &port->spec, path, sizeof(path));
	const struct door_config config = {
		.mode = mode != NULL ? (enum door_mode)mode->number : DOOR_SERVER,
		.path = path,
		.owner = owner != NULL ? owner->text : NULL,
		.may_exist = access(path, F_OK) == 0 && is_ours(port->dp, path),
		.loop = port->dp->loop,
		.reaper = port->dp->reaper,
		.on_front_end = on_front_end,
		.on_failure = on_failure,
		.ctx = vhost,
	};

	snprintf(vhost->reason, sizeof(vhost->reason), "no front-end has %s %.120s",
		 config.mode == DOOR_SERVER ? "connected to" : "been found at", path);
	return door_open(&vhost->door, &config, why, why_bytes);
}

static int vhost_prepare(struct port *port, const int *fds, unsigned int n_fds, char *why,
			 size_t why_bytes)
{
	unsigned int n_pairs = features_queue_pairs(port);
	struct vhost_port *vhost = calloc(1, sizeof(*vhost) + n_pairs * sizeof(vhost->queues[0]));
	char line[DP_TEXT_BYTES] = "out of memory";
	int error = -ENOMEM;

	if (vhost != NULL) {
		vhost->port = port;
		error = open_door(vhost, line, sizeof(line));
	}
	if (error < 0) {
		snprintf(why, why_bytes, "port %s: %s", port->spec.name, line);
		free(vhost);
		return error;
	}
	journal_init(&vhost->journal, port->dp->config.run_dir, port->spec.name, 2 * n_pairs);
	vhost->n_pairs = n_pairs;
	for (unsigned int i = 0; i < n_pairs; i++) {
		vhost->queues[i].is_shared = port->dp->config.n_workers > 1;
		rte_spinlock_init(&vhost->queues[i].put_lock);
		vhost->queues[i].rxq = (struct rxq){
			.port = port, .wake_fd = -1, .worker = -1, .index = (uint16_t)i};
	}
	port->impl = vhost;
	return 0;
}

static void vhost_publish(struct port *port)
{
	struct vhost_port *vhost = port->impl;
	int error = door_publish(&vhost->door);

	vhost->was_published = true;
	leftover_return(&port->dp->leftovers, vhost->journal.path);
	/* It cannot fail but by somebody's hand in the run directory, or for want of memory: then
	 * the port exists and says why nobody can connect. */
	if (error < 0) {
		snprintf(vhost->reason, sizeof(vhost->reason), "cannot listen at its socket: %s",
			 strerror(-error));
		log_error("vhost", "port %s: %s", port->spec.name, vhost->reason);
	}
}

static void vhost_close(struct port *port)
{
	struct vhost_port *vhost = port->impl;

	pid_t pid = vhost->session != NULL ? peer_pid(vhost->session_fd) : 0;

	end_session(vhost, 0);
	/* Deleted for good, not replaced: */
	if (vhost->was_published && !port->dp->is_ending && !port_has_successor(port))
		leftover_add(&port->dp->leftovers, port->dp->loop, vhost->journal.path, pid);
	door_close(&vhost->door);
	free(vhost);
}

static void vhost_state(const struct port *port, struct dp_port_state *state)
{
	const struct vhost_port *vhost = port->impl;
	unsigned int n_put = 0;

	for (unsigned int i = 0; i < vhost->n_pairs; i++) {
		const struct vhost_queue *queue = &vhost->queues[i];

		state->n_queues += queue->rxq.worker >= 0;
		n_put += atomic_load(&queue->put) != NULL;
	}
	state->features = vhost->features;
	state->attaches = vhost->attaches;
	if (vhost->session != NULL)
		state->n_regions = (uint16_t)session_count_regions(vhost->session);
	state->link = DP_LINK_DOWN;
	if (vhost->session != NULL && describe_broken(vhost, state->reason, sizeof(state->reason)))
		state->link = DP_LINK_BROKEN;
	else if (state->n_queues != 0 && n_put != 0)
		state->link = DP_LINK_UP;
	else if (vhost->session != NULL)
		state->link = DP_LINK_ATTACHED;
	if (state->link == DP_LINK_ATTACHED)
		snprintf(state->reason, sizeof(state->reason),
			 "the guest's driver has not started the queues");
	else if (state->link == DP_LINK_DOWN)
		memcpy(state->reason, vhost->reason, sizeof(state->reason));
}

const struct port_type port_vhost_type = {
	.kind = &kind_vhost_user,
	.claim = vhost_claim,
	.prepare = vhost_prepare,
	.publish = vhost_publish,
	.close = vhost_close,
	.turn = vhost_turn,
	.state = vhost_state,
	.holds_rx = true,
	.rx = vhost_io_rx,
	.rx_done = vhost_io_rx_done,
	.tx = vhost_io_tx,
	.tx_soon = vhost_io_tx_soon,
	.has_room = vhost_io_has_room,
	.arm = vhost_io_arm,
	.disarm = vhost_io_disarm,
};
