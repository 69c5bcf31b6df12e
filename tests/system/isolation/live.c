/* SPDX-License-Identifier: BSD-3-Clause */
/* Changes under traffic. See live.h. One thread. */
#include "tests/system/isolation/live.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/deadline.h"
#include "tests/lib/mark.h"

#define RECORDS_MAX (4U * 1024 * 1024)
#define SPANS_MAX 1024
#define ERRORS_MAX 12
#define QUIET_MS 200
#define CHANGE_MS 20000
#define STEADY_NS 10000000U /* traffic between two changes */
#define WORDS_MAX 12

/* From start_ns on, the port was in one of these segments (bits). */
struct span {
	uint64_t start_ns;
	uint32_t segments;
};

struct history {
	struct span spans[SPANS_MAX];
	unsigned int n;
};

struct record {
	uint64_t sent_ns;
	uint32_t arrived; /* bits: at these ports */
	uint32_t from;
};

struct live {
	struct rig *rig;
	const char *weft;
	struct live_result *result;
	struct history histories[RIG_PORTS_MAX];
	struct record *records;
	uint32_t n_records;
	uint64_t random;
	unsigned int n_errors;
	unsigned char bytes[MARK_FRAME_MAX];
};

/* ---- who was where ---- */

static void enter(struct live *l, const struct rig_port *port, uint32_t segments)
{
	struct history *history = &l->histories[port->index];

	if (history->n == SPANS_MAX)
		abort();
	history->spans[history->n++] =
		(struct span){.start_ns = deadline_now_ns(), .segments = segments};
}

/* The segments that a port may have been in from one moment to another. */
static uint32_t segments_between(const struct live *l, unsigned int port, uint64_t from_ns,
				 uint64_t to_ns)
{
	const struct history *history = &l->histories[port];
	uint32_t segments = 0;

	for (unsigned int i = history->n; i-- > 0;) {
		if (history->spans[i].start_ns > to_ns)
			continue;
		segments |= history->spans[i].segments;
		if (history->spans[i].start_ns <= from_ns)
			break;
	}
	return segments;
}

/* ---- traffic ---- */

static uint64_t next_random(struct live *l)
{
	l->random ^= l->random << 13;
	l->random ^= l->random >> 7;
	l->random ^= l->random << 17;
	return l->random;
}

static void send_one(struct live *l, struct rig_port *port)
{
	static const enum mark_kind kinds[] = {MARK_UNICAST,   MARK_UNICAST, MARK_BROADCAST,
					       MARK_MULTICAST, MARK_TAGGED,  MARK_SHORT};
	uint64_t random = next_random(l);
	struct mark mark = {
		.segment = (uint16_t)(port->segment + 1),
		.port = (uint16_t)port->index,
		.sequence = l->n_records,
		.kind = kinds[random % (sizeof(kinds) / sizeof(kinds[0]))],
	};
	const struct rig_port *to = &l->rig->ports[(random >> 16) % l->rig->n_ports];
	struct rig_frame frame = {.bytes = l->bytes};

	if (l->n_records == RECORDS_MAX || (port->frontend == NULL && port->fd < 0))
		return;
	frame.n_bytes = mark_build(&mark, to->mac, l->bytes, &frame.header);
	memcpy(l->bytes + 6, port->mac, 6);
	struct record *record = &l->records[l->n_records];

	*record = (struct record){.sent_ns = deadline_now_ns(), .from = port->index};
	/* A port without room, or that is being deleted, sends nothing: no harm. */
	if (rig_send(port, &frame) < 0)
		return;
	l->n_records++;
	l->result->n_sent++;
}

static void complain(struct live *l, const char *what, const struct rig_port *at,
		     const struct mark *mark)
{
	if (l->n_errors++ < ERRORS_MAX)
		fprintf(stderr, "%s at %s: frame %u '%s' sent by port %u as of segment %u\n", what,
			at->name, mark->sequence, mark_kind(mark->kind)->name, mark->port,
			mark->segment);
}

static void judge(struct live *l, const struct rig_port *at, const struct rig_frame *frame)
{
	struct live_result *r = l->result;
	uint64_t now_ns = deadline_now_ns();
	struct mark mark = {0};
	int err = mark_find(frame->bytes, frame->n_bytes, &mark);

	if (err < 0 || mark.sequence >= l->n_records ||
	    l->records[mark.sequence].from != mark.port) {
		r->n_unknown++;
		complain(l, "no frame of ours", at, &mark);
		return;
	}
	struct record *record = &l->records[mark.sequence];
	uint32_t common = segments_between(l, record->from, record->sent_ns, now_ns) &
			  segments_between(l, at->index, record->sent_ns, now_ns);

	r->n_received++;
	if (common == 0) {
		r->n_foreign++;
		complain(l, "FOREIGN frame", at, &mark);
	}
	if ((record->arrived >> at->index & 1) != 0) {
		r->n_repeated++;
		complain(l, "a second time", at, &mark);
	}
	record->arrived |= 1U << at->index;
}

static unsigned int drain(struct live *l)
{
	struct rig_frame frame;
	unsigned int n = 0;

	for (unsigned int i = 0; i < l->rig->n_ports; i++) {
		struct rig_port *port = &l->rig->ports[i];

		if (port->frontend == NULL && port->fd < 0)
			continue;
		while (rig_receive(port, &frame) == 0) {
			judge(l, port, &frame);
			n++;
		}
	}
	return n;
}

static void pump(struct live *l)
{
	for (unsigned int i = 0; i < l->rig->n_ports; i++)
		send_one(l, &l->rig->ports[i]);
	drain(l);
}

static void pump_until(struct live *l, uint64_t until_ns)
{
	while (!deadline_passed(until_ns))
		pump(l);
}

static void drain_all(struct live *l)
{
	uint64_t quiet_ns = deadline_in_ms(QUIET_MS);

	while (!deadline_passed(quiet_ns)) {
		if (drain(l) > 0)
			quiet_ns = deadline_in_ms(QUIET_MS);
	}
}

/* ---- changes ---- */

/* Runs one command of weft, words separated by blanks; traffic goes on meanwhile. */
static int run_weft(struct live *l, const char *words)
{
	uint64_t deadline_ns = deadline_in_ms(CHANGE_MS);
	char buffer[256], *rest = buffer, *argv[WORDS_MAX];
	unsigned int n = 0;
	int status;
	pid_t pid;

	snprintf(buffer, sizeof(buffer), "weft --run-dir %s %s", l->rig->run_dir, words);
	while (n < WORDS_MAX - 1 && (argv[n] = strsep(&rest, " ")) != NULL)
		n++;
	argv[n] = NULL;
	posix_spawn_file_actions_t quiet;
	int err = posix_spawn_file_actions_init(&quiet);

	if (err != 0)
		return -err;
	err = posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (err == 0)
		err = posix_spawn(&pid, l->weft, &quiet, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&quiet);
	if (err != 0)
		return -err;
	while (waitpid(pid, &status, WNOHANG) == 0) {
		pump(l);
		if (deadline_passed(deadline_ns))
			return -ETIMEDOUT;
	}
	l->result->n_changes++;
	if (l->n_errors >= ERRORS_MAX)
		return -EUCLEAN;
	if (status == 0)
		return 0;
	fprintf(stderr, "weft %s: failed\n", words);
	return -ECANCELED;
}

static int move(struct live *l, struct rig_port *port, unsigned int segment)
{
	char words[160];

	enter(l, port, 1U << port->segment | 1U << segment);
	snprintf(words, sizeof(words), "port set %s segment=%s", port->name,
		 l->rig->segments[segment]);
	int err = run_weft(l, words);

	port->segment = (uint8_t)segment;
	enter(l, port, 1U << segment);
	if (err == 0)
		pump_until(l, deadline_now_ns() + STEADY_NS);
	return err;
}

/* What the far side still holds of the port counts, too. */
static int del_port(struct live *l, struct rig_port *port)
{
	char words[160];

	snprintf(words, sizeof(words), "port del %s", port->name);
	int err = run_weft(l, words);

	drain(l);
	rig_close_port(port);
	enter(l, port, 0);
	return err;
}

static int add_port(struct live *l, struct rig_port *port, unsigned int segment)
{
	const char *name = l->rig->segments[segment];
	char words[200];

	if (port->kind == RIG_TAP)
		snprintf(words, sizeof(words), "port add %s type=tap segment=%s netns=%s",
			 port->name, name, port->netns);
	else
		snprintf(words, sizeof(words), "port add %s type=vhost-user segment=%s", port->name,
			 name);
	port->segment = (uint8_t)segment;
	enter(l, port, 1U << segment);
	int err = run_weft(l, words);

	if (err == 0)
		err = rig_open_port(l->rig, port);
	if (err == 0)
		pump_until(l, deadline_now_ns() + STEADY_NS);
	return err;
}

/* Every port in turn through every segment and home. */
static int move_all(struct live *l)
{
	int err = 0;

	for (unsigned int i = 0; i < l->rig->n_ports; i++) {
		struct rig_port *port = &l->rig->ports[i];
		unsigned int home = port->segment;

		for (unsigned int k = 1; k <= l->rig->n_segments && err == 0; k++)
			err = move(l, port, (home + k) % l->rig->n_segments);
	}
	return err;
}

/* Two ports go and come back in each other's segment: the indices are used again. */
static int swap(struct live *l, struct rig_port *a, struct rig_port *b)
{
	unsigned int segment_a = a->segment, segment_b = b->segment;
	int err = del_port(l, a);

	if (err == 0)
		err = del_port(l, b);
	if (err == 0)
		err = add_port(l, a, segment_b);
	if (err == 0)
		err = add_port(l, b, segment_a);
	return err;
}

static int del_segment(struct live *l, unsigned int segment)
{
	char words[160];

	snprintf(words, sizeof(words), "segment del %s", l->rig->segments[segment]);
	return run_weft(l, words);
}

static int add_segment(struct live *l, unsigned int segment)
{
	char words[160];

	snprintf(words, sizeof(words), "segment add %s vni=%u", l->rig->segments[segment],
		 1000 + segment);
	return run_weft(l, words);
}

/* Two segments are deleted with all their ports and made again in the other order: each gets what
 * the other was known by inside. */
static int renew_segments(struct live *l, unsigned int first, unsigned int second)
{
	struct rig *rig = l->rig;
	uint32_t members = 0;
	int err = 0;

	for (unsigned int i = 0; i < rig->n_ports && err == 0; i++) {
		struct rig_port *port = &rig->ports[i];

		if (port->segment != first && port->segment != second)
			continue;
		members |= 1U << i;
		err = del_port(l, port);
	}
	if (err == 0)
		err = del_segment(l, first);
	if (err == 0)
		err = del_segment(l, second);
	if (err == 0)
		err = add_segment(l, second);
	if (err == 0)
		err = add_segment(l, first);
	for (unsigned int i = 0; i < rig->n_ports && err == 0; i++) {
		if ((members >> i & 1) != 0)
			err = add_port(l, &rig->ports[i], rig->ports[i].segment);
	}
	return err;
}

static int round_of_changes(struct live *l)
{
	struct rig *rig = l->rig;
	int err = move_all(l);

	for (unsigned int i = 0; i < rig->n_ports && err == 0; i += 2) {
		struct rig_port *a = &rig->ports[i];
		struct rig_port *b = &rig->ports[(i + rig->n_ports / 2) % rig->n_ports];

		/* There and back: at last every port is at home. */
		err = swap(l, a, b);
		if (err == 0)
			err = swap(l, b, a);
	}
	if (err == 0)
		err = renew_segments(l, rig->n_segments - 2, rig->n_segments - 1);
	return err;
}

int live_run(struct rig *rig, const char *weft, unsigned int n_rounds, struct live_result *result)
{
	struct live *l = calloc(1, sizeof(*l));
	int err = 0;

	if (l == NULL)
		return -ENOMEM;
	*result = (struct live_result){0};
	l->rig = rig;
	l->weft = weft;
	l->result = result;
	l->random = 0x9e3779b97f4a7c15;
	l->records = malloc(RECORDS_MAX * sizeof(*l->records));
	if (l->records == NULL)
		err = -ENOMEM;
	for (unsigned int i = 0; i < rig->n_ports; i++)
		enter(l, &rig->ports[i], 1U << rig->ports[i].segment);
	for (unsigned int i = 0; i < n_rounds && err == 0; i++)
		err = round_of_changes(l);
	if (err == 0)
		drain_all(l);
	if (err == 0 && (result->n_foreign | result->n_repeated | result->n_unknown) != 0)
		err = -EUCLEAN;
	free(l->records);
	free(l);
	return err;
}

void live_print(const struct live_result *r)
{
	printf("%u changes under traffic: %llu frames sent, %llu received; foreign %llu, "
	       "repeated %llu, unknown %llu\n",
	       r->n_changes, (unsigned long long)r->n_sent, (unsigned long long)r->n_received,
	       (unsigned long long)r->n_foreign, (unsigned long long)r->n_repeated,
	       (unsigned long long)r->n_unknown);
}
