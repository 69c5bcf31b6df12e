/* SPDX-License-Identifier: BSD-3-Clause */
/* The worker's turn and its thread. */
#include "dataplane/worker.h"

#include <errno.h>
#include <pthread.h>
#include <rte_cycles.h>
#include <rte_pause.h>
#include <rte_ring_elem.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "dataplane/base/loop.h"
#include "dataplane/carry.h"
#include "dataplane/channel/fair.h"
#include "dataplane/channel/hold.h"
#include "dataplane/channel/lane_set.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/learn.h"
#include "dataplane/neigh.h"
#include "dataplane/recorder.h"
#include "dataplane/segmentation.h"
#include "dataplane/vhost/fault.h"
#include "dataplane/write_ring.h"

/* How long it polls without finding anything before it sleeps. A wake-up costs about 50 us of
 * latency in a virtual machine and some microseconds of work; polling for about as long again
 * loses little and keeps ping-pong traffic at polling speed. */
#define POLL_BEFORE_SLEEP_NS 60000ULL
#define SLEEP_NS_MAX (1ULL * NS_PER_S)
#define SLEEP_NS_MIN 20000ULL
#define WAKE_EARLY_NS 60000ULL
#define EVENTS_PER_WAKE 64

/* Every burst that a worker has knows the recorder. */
static void init_recorder(struct worker *worker)
{
	struct recorder *recorder = worker->recorder;

	recorder->dp = worker->dp;
	recorder->worker = worker->index;
	recorder->clock = worker->burst;
	worker->burst->recorder = worker->tunnelled->recorder = worker->let_go->recorder = recorder;
	worker->lists.tagged->recorder = recorder;
	worker->lists.segmentation->out.recorder = recorder;
}

static int worker_init(struct worker *worker)
{
	struct memory memory = worker->dp->config.memory;
	ssize_t ring_bytes =
		rte_ring_get_memsize_elem(sizeof(struct learn_request), LEARN_REQUESTS);
	ssize_t neigh_bytes = rte_ring_get_memsize_elem(sizeof(struct neigh_entry), NEIGH_REQUESTS);

	worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (worker->epoll_fd < 0 || worker->wake_fd < 0)
		return -errno;
	struct epoll_event event = {.events = EPOLLIN};

	if (epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, worker->wake_fd, &event) < 0)
		return -errno;
	worker->learn = memory.alloc((size_t)ring_bytes, 64);
	worker->neigh = memory.alloc((size_t)neigh_bytes, 64);
	worker->burst = memory.alloc(sizeof(*worker->burst), 64);
	worker->tunnelled = memory.alloc(sizeof(*worker->tunnelled), 64);
	worker->let_go = memory.alloc(sizeof(*worker->let_go), 64);
	worker->lists.egress = memory.alloc(PORTS_MAX * sizeof(struct egress), 64);
	worker->lists.tagged = memory.alloc(sizeof(*worker->lists.tagged), 64);
	worker->lists.touched = calloc(PORTS_MAX, sizeof(uint16_t));
	worker->lists.segmentation = memory.alloc(sizeof(struct segmentation), 64);
	if (worker->learn == NULL || worker->neigh == NULL || worker->burst == NULL ||
	    worker->tunnelled == NULL || worker->let_go == NULL || worker->lists.egress == NULL ||
	    worker->lists.touched == NULL || worker->lists.segmentation == NULL ||
	    worker->lists.tagged == NULL)
		return -ENOMEM;
	worker->burst->arena = memory.alloc(BURST_ARENA_BYTES, 64);
	worker->recorder = calloc(1, sizeof(*worker->recorder));
	if (worker->burst->arena == NULL || worker->recorder == NULL)
		return -ENOMEM;
	init_recorder(worker);
	int error = turnstile_create(&worker->turnstiles);

	if (error == 0)
		error = rte_ring_init(worker->learn, "learn", LEARN_REQUESTS,
				      RING_F_SP_ENQ | RING_F_SC_DEQ);
	return error != 0 ? error
			  : rte_ring_init(worker->neigh, "neigh", NEIGH_REQUESTS,
					  RING_F_SP_ENQ | RING_F_SC_DEQ);
}

int worker_create(struct dataplane *dp, unsigned int index, struct worker **out)
{
	struct worker *worker = dp->config.memory.alloc(sizeof(*worker), 64);

	if (worker == NULL)
		return -ENOMEM;
	worker->dp = dp;
	worker->index = index;
	worker->count = counters_worker(dp->counters, index);
	if (dp->config.worker_cpus != NULL)
		worker->count->cpu = (uint16_t)dp->config.worker_cpus[index];
	worker->weighs_queues = dp->config.n_workers > 1;
	worker->epoll_fd = worker->wake_fd = -1;
	int error = worker_init(worker);

	if (error < 0) {
		worker_destroy(worker);
		return error;
	}
	*out = worker;
	return 0;
}

void worker_destroy(struct worker *worker)
{
	if (worker == NULL)
		return;
	struct memory memory = worker->dp->config.memory;

	if (worker->burst != NULL)
		memory.free(worker->burst->arena);
	memory.free(worker->burst);
	memory.free(worker->tunnelled);
	memory.free(worker->let_go);
	turnstile_destroy(worker->turnstiles);
	memory.free(worker->lists.egress);
	memory.free(worker->lists.tagged);
	free(worker->lists.touched);
	free(worker->recorder);
	memory.free(worker->lists.segmentation);
	memory.free(worker->learn);
	memory.free(worker->neigh);
	if (worker->epoll_fd >= 0)
		close(worker->epoll_fd);
	if (worker->wake_fd >= 0)
		close(worker->wake_fd);
	memory.free(worker);
}

static unsigned int poll_queue(struct worker *worker, struct rxq *rxq)
{
	struct burst *burst = worker->burst;
	struct port *port = rxq->port;
	struct channel *channel = atomic_load_explicit(&port->channel, memory_order_acquire);
	const struct lane_set *lanes =
		atomic_load_explicit(&port->lanes[DP_TX], memory_order_acquire);

	worker->sees_channels |= channel != NULL || lanes != NULL;
	if (channel != NULL && port->type->holds_rx && (lanes == NULL || !lanes->holds_all))
		return hold_poll(worker, rxq, &channel->ways[DP_TX]);
	burst->n = 0;
	burst->n_pieces = 0;
	port_io(port)->rx(rxq, burst);
	if (burst->n == 0)
		return 0;
	if (__builtin_expect(port->type->send == NULL, 1) || !carry_tunnels(worker, port, burst))
		carry_burst(worker, port, burst);
	port_io(port)->rx_done(rxq, burst);
	return burst->n;
}

static inline struct rxq *rxq_at(const struct worker *worker, unsigned int i)
{
	return atomic_load_explicit(&worker->rxqs[i], memory_order_acquire);
}

static inline unsigned int count_rxqs(const struct worker *worker)
{
	return atomic_load_explicit(&worker->n_rxqs, memory_order_acquire);
}

/* Whom nobody keeps waiting owes nothing. */
static void forgive_all(struct worker *worker, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		rxq_at(worker, i)->owed_work = 0;
}

/* Polls a queue, unless it has cost more than its share of late. */
static inline unsigned int poll_fairly(struct worker *worker, struct rxq *rxq)
{
	uint32_t work = worker->work;

	if (!fair_pass(rxq)) {
		worker->sees_channels = true;
		return 0;
	}
	unsigned int taken = poll_queue(worker, rxq);

	if (taken != 0 && worker->has_channels)
		fair_charge(rxq, taken, worker->work - work);
	return taken;
}

/* Charges a queue for the time since the mark; the empty polls in between are next to nothing. */
static uint64_t weigh(struct rxq *rxq, uint64_t mark)
{
	uint64_t now = rte_rdtsc();
	uint64_t before = atomic_load_explicit(&rxq->busy_cycles, memory_order_relaxed);

	atomic_store_explicit(&rxq->busy_cycles, before + now - mark, memory_order_relaxed);
	return now;
}

unsigned int worker_turn(struct worker *worker, uint64_t now_ns)
{
	unsigned int n = count_rxqs(worker);
	uint64_t mark = worker->weighs_queues ? rte_rdtsc() : 0;

	if (now_ns >= pool_due_ns(worker->dp))
		pool_turn(worker->dp, now_ns);
	worker->burst->now_s = (uint32_t)(now_ns / 1000000000ULL);
	worker->burst->now_ns = now_ns;
	worker->burst->attention = false;
	unsigned int frames = turnstile_turn(worker, now_ns);

	worker->n_held_frames = frames;
	worker->sees_channels = false;
	for (unsigned int i = 0, at = worker->first; i < n; i++, at++) {
		if (at >= n)
			at = 0;
		struct rxq *rxq = rxq_at(worker, at);
		unsigned int taken = poll_fairly(worker, rxq);

		if (taken == 0)
			continue;
		frames += taken;
		if (worker->weighs_queues)
			mark = weigh(rxq, mark);
	}
	worker->first = 0;
	if (frames == 0) {
		if (worker->has_channels)
			forgive_all(worker, n);
		frames = worker->n_sourced;
		worker->n_sourced = 0;
	}
	worker->has_channels = worker->sees_channels;
	if (worker->burst->attention) {
		atomic_store_explicit(&worker->dp->news.ports_want_turn, true,
				      memory_order_relaxed);
		worker->main_has_work = true;
	}
	return frames;
}

static void wake(int fd)
{
	/* An eventfd refuses only when it is already full to the brim: then it is readable
	 * anyway. */
	if (eventfd_write(fd, 1) < 0)
		return;
}

static void drain(int fd)
{
	eventfd_t value;

	if (eventfd_read(fd, &value) < 0)
		return;
}

/* Asks every queue for a wake-up, but for those that wait for credit: their frames have to wait,
 * too. false: one has frames waiting. */
static bool arm_all(const struct worker *worker)
{
	unsigned int n = count_rxqs(worker);
	bool quiet = true;

	for (unsigned int i = 0; i < n; i++) {
		struct rxq *rxq = rxq_at(worker, i);

		if (!turnstile_is_waiting(worker->turnstiles, &rxq->waiter))
			quiet &= rxq->port->type->arm(rxq);
	}
	return quiet;
}

static void disarm_all(struct worker *worker)
{
	unsigned int n = count_rxqs(worker);

	for (unsigned int i = 0; i < n; i++)
		rxq_at(worker, i)->port->type->disarm(rxq_at(worker, i));
	worker->is_armed = false;
}

/* The next turn begins with this queue, if it is still here. */
static bool begin_with(struct worker *worker, const struct rxq *rxq)
{
	unsigned int n = count_rxqs(worker);

	for (unsigned int i = 0; i < n; i++) {
		if (rxq_at(worker, i) == rxq) {
			worker->first = i;
			return true;
		}
	}
	return false;
}

/* What woke it: main, or queues. The frames of the first need not wait until all others have been
 * looked at. */
static void note_events(struct worker *worker, const struct epoll_event *events, int n)
{
	bool has_begin = false;

	for (int i = 0; i < n; i++) {
		if (events[i].data.ptr == NULL)
			drain(worker->wake_fd);
		else if (!has_begin)
			has_begin = begin_with(worker, events[i].data.ptr);
	}
}

/* How long it may sleep: shorter if somebody waits for credit. Before he is to be served it wakes
 * a little early, since a wake-up takes its time, and polls the rest; a round of the pool, after
 * which there may be more for him, need not be so exact. 0: not at all. */
static uint64_t sleep_ns(const struct worker *worker, uint64_t now_ns)
{
	uint64_t due_ns = turnstile_next_due_ns(worker), round_ns = pool_due_ns(worker->dp);

	/* Nobody says when a receiver has room again; and some lanes wait for nothing. */
	if (worker->room.n != 0 || worker->has_lanes)
		return 0;
	if (due_ns == TURNSTILE_NEVER_NS)
		return SLEEP_NS_MAX;
	due_ns = due_ns > WAKE_EARLY_NS ? due_ns - WAKE_EARLY_NS : 0;
	if (round_ns < due_ns)
		due_ns = round_ns;
	if (due_ns < now_ns + SLEEP_NS_MIN)
		return 0;
	return due_ns - now_ns < SLEEP_NS_MAX ? due_ns - now_ns : SLEEP_NS_MAX;
}

/* Kernels before 5.11, and valgrind, have no clock of ns for this: there it ends up to 1 ms
 * late. */
static int wait_for_events(int epoll_fd, struct epoll_event *events, const struct timespec *timeout)
{
	int n = epoll_pwait2(epoll_fd, events, EVENTS_PER_WAKE, timeout, NULL);

	if (n >= 0 || errno != ENOSYS)
		return n;
	int64_t ms = timeout->tv_sec * 1000LL + (timeout->tv_nsec + 999999) / 1000000;

	return epoll_wait(epoll_fd, events, EVENTS_PER_WAKE, ms < INT32_MAX ? (int)ms : INT32_MAX);
}

/* Sleeps until a queue, main or the deadline wakes it. Quiescent while it waits. The queues stay
 * armed: the next turn comes first. false: it was the deadline. */
static bool sleep_until_woken(struct worker *worker, uint64_t ns)
{
	const struct timespec timeout = {
		.tv_sec = (time_t)(ns / NS_PER_S),
		.tv_nsec = (long)(ns % NS_PER_S),
	};
	struct rte_rcu_qsbr *qsbr = worker->dp->qsbr;
	struct epoll_event events[EVENTS_PER_WAKE];

	worker->is_armed = true;
	if (!arm_all(worker))
		return true;
	worker->count->sleeps++;
	/* Offline: main need not wait for us; queues may come and go meanwhile. */
	atomic_store_explicit(&worker->is_awake, false, memory_order_relaxed);
	rte_rcu_qsbr_thread_offline(qsbr, worker->index);
	int n = wait_for_events(worker->epoll_fd, events, &timeout);

	rte_rcu_qsbr_thread_online(qsbr, worker->index);
	atomic_store_explicit(&worker->is_awake, true, memory_order_relaxed);
	note_events(worker, events, n);
	return n > 0;
}

void worker_run(struct worker *worker)
{
	struct dataplane *dp = worker->dp;
	uint64_t last_frame_ns = loop_clock_ns();
	uint64_t start = rte_rdtsc();

	/* Before is_stopping is read: who has set that, and sees none run, sees no turn later. */
	atomic_store(&worker->is_running, true);
	fault_enter(&dp->faults);
	rte_rcu_qsbr_thread_register(dp->qsbr, worker->index);
	rte_rcu_qsbr_thread_online(dp->qsbr, worker->index);
	worker->thread = pthread_self();
	atomic_store(&worker->write_ring, write_ring_create());
	atomic_store(&worker->is_awake, true);
	while (!atomic_load_explicit(&worker->is_stopping, memory_order_relaxed)) {
		uint64_t now_ns = loop_clock_ns();

		atomic_store_explicit(&worker->beats, worker->count->turns, memory_order_relaxed);
		unsigned int frames = worker_turn(worker, now_ns);

		rte_rcu_qsbr_quiescent(dp->qsbr, worker->index);
		if (worker->main_has_work) {
			worker->main_has_work = false;
			news_tell(&dp->news);
		}
		if (worker->is_armed)
			disarm_all(worker);
		uint64_t end = rte_rdtsc();

		worker->count->turns++;
		if (frames != 0) {
			worker->count->busy_cycles += end - start;
			worker->count->busy_frames += frames;
			/* Of a ring that was held none follow before it is due again. */
			if (frames > worker->n_held_frames)
				last_frame_ns = now_ns;
		} else {
			uint64_t ns = sleep_ns(worker, now_ns);

			worker->count->idle_cycles += end - start;
			if (now_ns - last_frame_ns > POLL_BEFORE_SLEEP_NS && ns != 0) {
				if (sleep_until_woken(worker, ns))
					last_frame_ns = loop_clock_ns();
				end = rte_rdtsc();
			} else {
				rte_pause();
			}
		}
		start = end;
	}
	atomic_store(&worker->is_awake, false);
	rte_rcu_qsbr_thread_offline(dp->qsbr, worker->index);
	rte_rcu_qsbr_thread_unregister(dp->qsbr, worker->index);
	write_ring_destroy(atomic_exchange(&worker->write_ring, NULL));
	atomic_store(&worker->is_running, false);
}

void worker_stop(struct worker *worker)
{
	atomic_store(&worker->is_stopping, true);
	wake(worker->wake_fd);
}

void worker_wake(struct worker *worker)
{
	wake(worker->wake_fd);
}

void worker_watch(struct worker *worker)
{
	uint64_t beats = atomic_load_explicit(&worker->beats, memory_order_relaxed);

	if (atomic_load(&worker->is_awake) && beats == worker->last_beats)
		pthread_kill(worker->thread, SIGUSR1);
	worker->last_beats = beats;
}

static void on_signal(int number)
{
	/* That it came is all: a system call that waits returns EINTR. */
}

int worker_catch_signal(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	return sigaction(SIGUSR1, &action, NULL) < 0 ? -errno : 0;
}

/* All of an attachment that can fail. */
static int watch_rxq(struct worker *worker, struct rxq *rxq)
{
	/* Edge-triggered: a worker that polls need not read the descriptor to quiet it. */
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = rxq};

	if (count_rxqs(worker) == WORKER_RXQS_MAX)
		return -ENOSPC;
	if (rxq->wake_fd >= 0 &&
	    epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, rxq->wake_fd, &event) < 0)
		return -errno;
	return 0;
}

static void set_n_rxqs(struct worker *worker, unsigned int n)
{
	atomic_store_explicit(&worker->n_rxqs, n, memory_order_release);
	worker->count->n_queues = n;
}

static void add_rxq(struct worker *worker, struct rxq *rxq)
{
	unsigned int n = count_rxqs(worker);

	rxq->worker = (int)worker->index;
	atomic_store_explicit(&worker->rxqs[n], rxq, memory_order_release);
	set_n_rxqs(worker, n + 1);
	/* A sleeping worker has not armed the new queue. */
	wake(worker->wake_fd);
}

int worker_attach_rxq(struct worker *worker, struct rxq *rxq)
{
	int error = watch_rxq(worker, rxq);

	if (error == 0)
		add_rxq(worker, rxq);
	return error;
}

int worker_move_rxq(struct worker *from, struct worker *to, struct rxq *rxq)
{
	int error = watch_rxq(to, rxq);

	if (error < 0)
		return error;
	worker_detach_rxq(from, rxq);
	add_rxq(to, rxq);
	return 0;
}

void worker_detach_rxq(struct worker *worker, struct rxq *rxq)
{
	unsigned int n = count_rxqs(worker);

	if (rxq->wake_fd >= 0)
		epoll_ctl(worker->epoll_fd, EPOLL_CTL_DEL, rxq->wake_fd, NULL);
	for (unsigned int i = 0; i < n; i++) {
		if (rxq_at(worker, i) == rxq) {
			atomic_store_explicit(&worker->rxqs[i], rxq_at(worker, n - 1),
					      memory_order_release);
			break;
		}
	}
	set_n_rxqs(worker, n - 1);
	rxq->worker = -1;
	/* It may wait at a turnstile. */
	atomic_fetch_add(&worker->dp->channels_epoch, 1);
	dataplane_synchronize(worker->dp);
}
