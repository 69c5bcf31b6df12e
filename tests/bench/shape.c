/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbered flows between ports. See shape.h for who runs what. */
#include "tests/bench/shape.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/deadline.h"

#define MS_NS 1000000ULL
#define NAP_NS 20000L
#define TICK_NS 100000L
#define WAKE_OWN_NS 10000ULL /* that a wake of the witness takes from the worker */
#define DISTURBED_US 500u
#define BATCH 64u
#define RECEIVED_MAX 1024u
#define SENT_BETWEEN 8u
#define SETTLE_MS 15000u
#define QUIET_NS (50 * MS_NS)
#define DRAIN_MS 300u

/* A port, and the stream that comes from it. */
struct station {
	char name[SHAPE_NAME_BYTES + 8];
	struct shape_port port;
	struct shape_port_config config;
	char path[256];
	int flow;	  /* it sends; -1: none */
	bool is_sink;	  /* of a flow */
	bool stuck;	  /* it does not take its frames */
	bool is_heard;	  /* a frame of its flow has arrived */
	uint64_t n_paced; /* frames of a paced flow that were due */
	uint32_t next;	  /* number that is due */
};

struct rig {
	struct shape_options *options;
	struct shape_result *result;
	struct station *stations;
	unsigned int n_stations, n_room;
	struct station *sinks[SHAPE_FLOWS_MAX];
	unsigned int n_sinks;
	uint64_t start_ns, now_ns;
	uint32_t receiver; /* index of who receives just now */
	bool is_counting;
	int task_fd; /* schedstat of the worker; -1: not asked for */
	/* What was sent until then may wait behind what pauses of who measures, or of the worker's
	 * CPU, left. */
	_Atomic uint64_t gap_over_ns, wait_over_ns;
	_Atomic bool is_over;
};

static struct station *find(struct rig *rig, const char *name)
{
	for (unsigned int i = 0; i < rig->n_stations; i++) {
		if (strcmp(rig->stations[i].name, name) == 0)
			return &rig->stations[i];
	}
	if (rig->n_stations == rig->n_room)
		return NULL;
	struct station *s = &rig->stations[rig->n_stations];

	snprintf(s->name, sizeof(s->name), "%s", name);
	snprintf(s->path, sizeof(s->path), "%s/%s.sock", rig->options->sockets, name);
	s->flow = -1;
	s->config = (struct shape_port_config){
		.path = s->path,
		.index = rig->n_stations++,
		.peer = SHAPE_NOBODY,
		.n_bytes = 60,
		.rx_bytes = 1514,
		.ring_size = rig->options->ring_size,
	};
	return s;
}

static int plan_source(struct rig *rig, unsigned int flow, struct station *to, const char *name)
{
	const struct shape_flow_options *o = &rig->options->flows[flow];
	struct station *from = find(rig, name);

	if (from == NULL)
		return -ENOSPC;
	if (from->flow >= 0)
		return -EEXIST;
	from->flow = (int)flow;
	from->config.load = o->load;
	from->config.n_bytes = o->n_bytes;
	if (o->ring_size != 0)
		from->config.ring_size = o->ring_size;
	from->config.peer = to == NULL ? SHAPE_EVERYBODY : to->config.index;
	if (to != NULL && to->config.peer == SHAPE_NOBODY && to->flow < 0)
		to->config.peer = from->config.index;
	return 0;
}

static int plan_flow(struct rig *rig, unsigned int flow)
{
	const struct shape_flow_options *o = &rig->options->flows[flow];
	struct station *to = strcmp(o->to, "*") == 0 ? NULL : find(rig, o->to);
	char name[SHAPE_NAME_BYTES + 8];
	int err = 0;

	if (to != NULL) {
		if (!to->is_sink)
			rig->sinks[rig->n_sinks++] = to;
		to->is_sink = true;
		to->stuck |= o->stuck;
		if (o->load == SHAPE_TSO)
			to->config.rx_bytes = SHAPE_TSO_BYTES;
	}
	if (o->n_sources == 0)
		return plan_source(rig, flow, to, o->from);
	for (unsigned int i = 0; i < o->n_sources && err == 0; i++) {
		snprintf(name, sizeof(name), "%s%u", o->from, i);
		err = plan_source(rig, flow, to, name);
	}
	return err;
}

static int open_all(struct rig *rig, char *why)
{
	for (unsigned int i = 0; i < rig->options->n_flows; i++) {
		int err = plan_flow(rig, i);

		if (err < 0) {
			snprintf(why, FRONTEND_WHY_BYTES, "flow %u: %s", i, strerror(-err));
			return err;
		}
	}
	for (unsigned int i = 0; i < rig->n_stations; i++) {
		int err = shape_port_open(&rig->stations[i].port, &rig->stations[i].config, why);

		if (err < 0)
			return err;
	}
	return 0;
}

/* Whether, since a frame was sent, both CPUs were there, and before that for long enough: else its
 * delay is the machine's. */
static bool is_undisturbed(const struct rig *rig, uint64_t sent_ns)
{
	uint64_t last = (rig->now_ns - rig->start_ns) / MS_NS;

	if (sent_ns < rig->gap_over_ns || sent_ns < rig->wait_over_ns)
		return false;
	for (uint64_t bin = (sent_ns - rig->start_ns) / MS_NS; bin <= last; bin++) {
		if (bin < rig->options->ms && (rig->result->gaps_us[bin] > DISTURBED_US ||
					       rig->result->waits_us[bin] > DISTURBED_US))
			return false;
	}
	return true;
}

/* Numbers that are missing count as lost, until they come late after all. */
static void follow(struct station *from, struct shape_flow_result *flow,
		   const struct shape_arrival *a)
{
	int32_t ahead = (int32_t)(a->sequence - from->next);

	if (ahead >= 0) {
		flow->lost += (uint32_t)ahead;
		from->next = a->sequence + a->length;
		return;
	}
	flow->late += a->length;
	flow->lost -= flow->lost < a->length ? flow->lost : a->length;
}

static void note(void *ctx, const struct shape_arrival *a)
{
	struct rig *rig = ctx;

	if (a->source >= rig->n_stations || rig->stations[a->source].flow < 0) {
		rig->result->n_foreign += a->source == SHAPE_NOBODY;
		return;
	}
	struct station *from = &rig->stations[a->source];
	struct shape_flow_result *flow = &rig->result->flows[from->flow];

	/* Before addresses are known, it is flooded. */
	if (from->config.peer != SHAPE_EVERYBODY && from->config.peer != rig->receiver)
		return;
	from->is_heard = true;
	if (!rig->is_counting) {
		from->next = a->sequence + a->length;
		return;
	}
	uint64_t bin = (rig->now_ns - rig->start_ns) / MS_NS;

	/* A flood arrives many times. */
	if (from->config.peer != SHAPE_EVERYBODY)
		follow(from, flow, a);
	flow->n_received++;
	flow->received_bytes += a->n_bytes;
	if (bin < rig->options->ms)
		flow->bins[bin] += a->n_bytes;
	if (a->sent_ns < rig->start_ns || a->sent_ns >= rig->now_ns)
		return;
	if (is_undisturbed(rig, a->sent_ns))
		delays_note(&flow->delays, rig->now_ns - a->sent_ns);
	else
		flow->n_disturbed++;
}

/* Lets others have the CPU, such as who learns addresses. */
static void nap(void)
{
	const struct timespec time = {.tv_nsec = NAP_NS};

	ppoll(NULL, 0, &time, NULL);
}

static unsigned int receive_at(struct rig *rig, struct station *s)
{
	if (s->stuck && rig->is_counting)
		return 0;
	rig->receiver = s->config.index;
	return shape_port_receive(&s->port, RECEIVED_MAX, note, rig);
}

static unsigned int receive_all(struct rig *rig)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < rig->n_stations; i++)
		n += receive_at(rig, &rig->stations[i]);
	return n;
}

/* Sinks are looked at between sources, of which there may be a thousand. */
static void receive_at_sinks(struct rig *rig)
{
	for (unsigned int i = 0; i < rig->n_sinks; i++)
		receive_at(rig, rig->sinks[i]);
}

static void send_of(struct rig *rig, struct station *s)
{
	const struct shape_flow_options *o = &rig->options->flows[s->flow];
	struct shape_flow_result *flow = &rig->result->flows[s->flow];
	uint64_t since_ns = rig->now_ns - rig->start_ns;
	uint64_t first_ns = o->first_ms * MS_NS;

	if (since_ns < first_ns || (o->last_ms != 0 && since_ns >= o->last_ms * MS_NS))
		return;
	if (o->pps == 0) {
		flow->n_sent += shape_port_send(&s->port, s->config.ring_size, rig->now_ns);
		return;
	}
	uint64_t due = (since_ns - first_ns) * o->pps / (1000 * MS_NS) - s->n_paced;

	if (due == 0)
		return;
	/* After a pause the rest is not made up for. */
	unsigned int n = due > 4 * BATCH ? 4 * BATCH : (unsigned int)due;
	unsigned int sent = shape_port_send(&s->port, n, rig->now_ns);

	flow->n_sent += sent;
	flow->n_refused += n - sent;
	flow->n_skipped += due - n;
	s->n_paced += due;
}

static void send_all(struct rig *rig)
{
	for (unsigned int i = 0; i < rig->n_stations; i++) {
		if (rig->stations[i].flow >= 0)
			send_of(rig, &rig->stations[i]);
		if (i % SENT_BETWEEN == SENT_BETWEEN - 1) {
			rig->now_ns = deadline_now_ns();
			receive_at_sinks(rig);
		}
	}
}

static bool all_heard(const struct rig *rig)
{
	for (unsigned int i = 0; i < rig->n_stations; i++) {
		if (rig->stations[i].flow >= 0 && !rig->stations[i].is_heard)
			return false;
	}
	return true;
}

/* Until every flow's first frame has come, so all addresses are known, and nothing is under way. */
static int settle(struct rig *rig, char *why)
{
	uint64_t deadline_ns = deadline_in_ms(SETTLE_MS), next_ns = 0, heard_ns;

	while (!all_heard(rig) && !deadline_passed(deadline_ns)) {
		uint64_t now_ns = deadline_now_ns();

		for (unsigned int i = 0; i < rig->n_stations && now_ns > next_ns; i++) {
			struct station *s = &rig->stations[i];

			if (!s->is_heard && s->config.peer != SHAPE_NOBODY &&
			    shape_port_in_flight(&s->port) == 0)
				shape_port_send(&s->port, 1, now_ns);
		}
		if (now_ns > next_ns)
			next_ns = now_ns + 20 * MS_NS;
		receive_all(rig);
		nap();
	}
	if (!all_heard(rig)) {
		snprintf(why, FRONTEND_WHY_BYTES, "not every flow came through in %u s",
			 SETTLE_MS / 1000);
		return -ETIMEDOUT;
	}
	for (heard_ns = deadline_now_ns(); deadline_now_ns() < heard_ns + QUIET_NS;) {
		if (receive_all(rig) > 0)
			heard_ns = deadline_now_ns();
		nap();
	}
	/* Floods of large frames met small buffers. */
	for (unsigned int i = 0; i < rig->n_stations; i++)
		rig->stations[i].port.n_bad = 0;
	rig->result->n_foreign = 0;
	return 0;
}

/* The longest of each ms between two times. */
static void note_time(const struct rig *rig, uint32_t *bins, uint64_t from_ns, uint64_t to_ns,
		      uint64_t length_ns)
{
	uint64_t last = (to_ns - rig->start_ns) / MS_NS;
	uint64_t first = from_ns < rig->start_ns ? 0 : (from_ns - rig->start_ns) / MS_NS;

	for (uint64_t bin = first; bin <= last && bin < rig->options->ms; bin++) {
		if (bins[bin] < length_ns / 1000)
			bins[bin] = (uint32_t)(length_ns / 1000);
	}
}

/* Until when what a pause left is in the way: half as long again. */
static void note_pause(_Atomic uint64_t *over_ns, uint64_t now_ns, uint64_t length_ns)
{
	if (length_ns > DISTURBED_US * 1000 && *over_ns < now_ns + length_ns / 2)
		*over_ns = now_ns + length_ns / 2;
}

/* How long the worker was ready to run and did not, ever. */
static uint64_t kept_ns(const struct rig *rig)
{
	char text[96];
	ssize_t n = rig->task_fd < 0 ? 0 : pread(rig->task_fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	char *second = strchr(text, ' ');

	return second == NULL ? 0 : strtoull(second, NULL, 10);
}

/* Notes in each ms how late what runs on the worker's CPU was, whoever had it: one of higher
 * priority than the worker, which wakes ten times in a ms: who was away for longer than two of
 * these, a fiftieth of 10 ms, is noticed wherever it began. Many that were away for less are in
 * what the kernel says that the worker was kept from its CPU. */
static void *witness(void *arg)
{
	struct rig *rig = arg;
	const struct timespec tick = {.tv_nsec = TICK_NS};
	uint64_t before_ns = deadline_now_ns(), looked_ns = before_ns, kept = kept_ns(rig);
	uint64_t own_ns = 0;

	while (!rig->is_over) {
		ppoll(NULL, 0, &tick, NULL);
		uint64_t now_ns = deadline_now_ns(), late_ns = now_ns - before_ns - TICK_NS;

		own_ns += WAKE_OWN_NS;
		if (now_ns - before_ns > TICK_NS) {
			note_time(rig, rig->result->waits_us, before_ns, now_ns, late_ns);
			note_pause(&rig->wait_over_ns, now_ns, late_ns);
		}
		before_ns = now_ns;
		if (now_ns < looked_ns + MS_NS)
			continue;
		uint64_t sum = kept_ns(rig), more_ns = sum - kept;

		/* The kernel adds a wait up when it ends. */
		if (more_ns > own_ns)
			note_time(rig, rig->result->kept_us,
				  more_ns > now_ns - looked_ns ? now_ns - more_ns : looked_ns,
				  now_ns, more_ns - own_ns);
		kept = sum;
		looked_ns = now_ns;
		own_ns = 0;
	}
	return NULL;
}

static void measure(struct rig *rig)
{
	uint64_t end_ns = rig->start_ns + rig->options->ms * MS_NS;

	for (uint64_t before_ns = rig->start_ns; before_ns < end_ns;) {
		rig->now_ns = deadline_now_ns();
		note_time(rig, rig->result->gaps_us, before_ns, rig->now_ns,
			  rig->now_ns - before_ns);
		note_pause(&rig->gap_over_ns, rig->now_ns, rig->now_ns - before_ns);
		before_ns = rig->now_ns;
		send_all(rig);
		receive_all(rig);
		if (!rig->options->busy)
			nap();
	}
	/* What is still on its way tells of losses, but of no rate. */
	for (end_ns = deadline_in_ms(DRAIN_MS); deadline_now_ns() < end_ns;) {
		rig->now_ns = deadline_now_ns();
		receive_all(rig);
	}
}

static void *run_events(void *arg)
{
	struct rig *rig = arg;

	for (unsigned int i = 0; i < rig->options->n_events && !rig->is_over; i++) {
		struct shape_event *event = &rig->options->events[i];
		uint64_t due_ns = rig->start_ns + event->at_ms * MS_NS;

		while (!deadline_passed(due_ns) && !rig->is_over)
			poll(NULL, 0, 1);
		event->began_ms = (double)(deadline_now_ns() - rig->start_ns) / (double)MS_NS;
		char command[1024];

		/* What it prints is no part of the result. */
		snprintf(command, sizeof(command), "exec >&2; %s", event->command);
		int status = system(command);

		event->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
		event->ended_ms = (double)(deadline_now_ns() - rig->start_ns) / (double)MS_NS;
	}
	return NULL;
}

static int start_events(struct rig *rig, pthread_t *thread)
{
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	/* Commands are not measured: they run as any other process. */
	pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
	int err = -pthread_create(thread, &attributes, run_events, rig);

	pthread_attr_destroy(&attributes);
	return err;
}

static int start_witness(struct rig *rig, pthread_t *thread)
{
	struct sched_param priority;
	int policy, err = -pthread_create(thread, NULL, witness, rig);
	cpu_set_t set;

	if (err < 0)
		return err;
	CPU_ZERO(&set);
	CPU_SET(rig->options->switch_cpu, &set);
	pthread_setaffinity_np(*thread, sizeof(set), &set);
	if (pthread_getschedparam(*thread, &policy, &priority) == 0 && policy == SCHED_FIFO) {
		priority.sched_priority++;
		pthread_setschedparam(*thread, policy, &priority);
	}
	return 0;
}

static int count(struct rig *rig)
{
	pthread_t events, watcher;

	rig->start_ns = rig->now_ns = deadline_now_ns();
	rig->result->start_ns = rig->start_ns;
	rig->is_counting = true;
	int err = start_events(rig, &events);

	if (err < 0)
		return err;
	err = start_witness(rig, &watcher);
	if (err == 0)
		measure(rig);
	rig->is_over = true;
	if (err == 0)
		pthread_join(watcher, NULL);
	pthread_join(events, NULL);
	return err;
}

static int make_room(struct rig *rig)
{
	rig->n_room = 0;
	for (unsigned int i = 0; i < rig->options->n_flows; i++) {
		const struct shape_flow_options *o = &rig->options->flows[i];

		rig->n_room += 2 + o->n_sources;
		rig->result->flows[i].bins = calloc(rig->options->ms, sizeof(uint32_t));
		if (rig->result->flows[i].bins == NULL)
			return -ENOMEM;
	}
	rig->stations = calloc(rig->n_room, sizeof(*rig->stations));
	rig->result->gaps_us = calloc(rig->options->ms, sizeof(uint32_t));
	rig->result->waits_us = calloc(rig->options->ms, sizeof(uint32_t));
	rig->result->kept_us = calloc(rig->options->ms, sizeof(uint32_t));
	return rig->stations == NULL || rig->result->gaps_us == NULL ||
			       rig->result->waits_us == NULL || rig->result->kept_us == NULL
		       ? -ENOMEM
		       : 0;
}

int shape_run(struct shape_options *options, struct shape_result *result, char *why)
{
	struct rig rig = {.options = options, .result = result, .task_fd = -1};

	*result = (struct shape_result){0};
	int err = make_room(&rig);

	if (err == 0 && options->switch_task != NULL) {
		rig.task_fd = open(options->switch_task, O_RDONLY | O_CLOEXEC);
		err = rig.task_fd < 0 ? -errno : 0;
	}

	if (err == 0)
		err = open_all(&rig, why);
	if (err == 0)
		err = settle(&rig, why);
	if (err == 0)
		err = count(&rig);
	for (unsigned int i = 0; i < rig.n_stations; i++) {
		struct station *s = &rig.stations[i];

		if (s->port.frontend != NULL && err == 0 &&
		    frontend_wait_closed(s->port.frontend, 0) == 0) {
			snprintf(why, FRONTEND_WHY_BYTES, "%s was closed by the switch", s->name);
			err = -ECONNRESET;
		}
		result->n_bad += s->port.n_bad;
		shape_port_close(&s->port);
	}
	if (rig.task_fd >= 0)
		close(rig.task_fd);
	free(rig.stations);
	return err;
}

void shape_result_fini(struct shape_result *result, unsigned int n_flows)
{
	for (unsigned int i = 0; i < n_flows; i++)
		free(result->flows[i].bins);
	free(result->gaps_us);
	free(result->waits_us);
	free(result->kept_us);
}
