/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weft-hostile: runs the attacks of tests/lib/attack.h against one port of a live host, one after
 * another. All the while two honest neighbours exchange numbered frames, in a thread of their own;
 * none may be lost. After each attack: the port's state was what the attack deserves, an honest
 * front-end can attach and pass frames, and the dataplane holds no descriptor, mapping or thread
 * more than before. Exit codes: 0 all that, 1 not, 2 usage, 3 the host is not as described.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/attack.h"
#include "tests/lib/baseline.h"
#include "tests/lib/deadline.h"
#include "tests/lib/frontend_ring.h"
#include "tests/lib/mark.h"
#include "tests/system/host.h"

#define PROBE_INTERVAL_MS 1
#define PROBE_SEGMENT 0xfeed
#define HONEST_SEGMENT 0xf00d
#define STALL_MS_MAX 1000.0 /* two busy CPUs stall a thread for some 10 ms, a guest must not */
#define END_MS 4000u	    /* the longest deadline of the dataplane is 1 s */
#define PASS_MS 10000u
#define RELEASE_MS 10000u
#define LOOK_MS 2
#define SHUT_MS 13000u /* two penalties, 2 s and 4 s; a third, 8 s, were 14 s in all */
#define SHUT_LOOK_MS 100
#define N_BROADCASTS 8u

static const char usage[] =
	"usage: weft-hostile RUN-DIR ATTACKED PEER NEIGHBOUR-A NEIGHBOUR-B [ROW...]\n"
	"  names of vhost-user ports: one that is attacked and a peer in its segment; two that\n"
	"  exchange frames meanwhile, in any segment. ROW: of the table, default all\n";

struct probe {
	struct frontend *ports[2];
	uint32_t n_sent[2];
	uint32_t n_received[2]; /* by the other, in order */
	uint32_t n_wrong;
	double stall_ms; /* the longest time from sending to receiving */
	bool is_over;
	int error;
};

struct hostile {
	const char *run_dir;
	const char *attacked;
	char path[256];
	struct host host;
	struct host_view view;
	struct frontend *peer;
	struct baseline baseline;
	pid_t pid;
	unsigned int n_rows;
	unsigned int n_failed;
};

static int open_frontend(const char *run_dir, const char *name, struct frontend **frontend)
{
	char path[256], why[FRONTEND_WHY_BYTES] = "";
	struct frontend_config config = {.path = path, .n_regions = 2, .why = why};

	snprintf(path, sizeof(path), "%s/vhost/%s.sock", run_dir, name);
	int err = frontend_create(&config, frontend);

	if (err < 0)
		fprintf(stderr, "weft-hostile: port %s: %s\n", name, why);
	return err;
}

/* ---- honest neighbours ---- */

static int send_numbered(struct frontend *f, uint16_t segment, uint16_t port, uint32_t sequence)
{
	struct mark mark = {segment, port, sequence, MARK_UNICAST};
	struct frontend_frame frame = {0};
	unsigned char bytes[MARK_FRAME_MAX];
	uint8_t to[6];

	mark_source(segment, port ^ 1, to);
	frame.bytes = bytes;
	frame.n_bytes = mark_build(&mark, to, bytes, &frame.header);
	return frontend_send(f, 0, &frame);
}

/* Waits for the next frame of a segment; others are passed over. 0, or as frontend_receive. */
static int receive_numbered(struct frontend *f, uint16_t segment, unsigned int timeout_ms,
			    struct mark *mark)
{
	uint64_t deadline_ns = deadline_in_ms(timeout_ms);
	struct frontend_received received;
	int err;

	do {
		err = frontend_receive(f, 0, (unsigned int)deadline_left_ms(deadline_ns),
				       &received);
	} while (err == 0 && (mark_find(received.bytes, received.n_bytes, mark) < 0 ||
			      mark->segment != segment));
	return err;
}

/* One frame from port i to the other, which is awaited. */
static int exchange(struct probe *p, unsigned int i)
{
	uint64_t start_ns = deadline_now_ns();
	struct mark mark;
	int err = send_numbered(p->ports[i], PROBE_SEGMENT, (uint16_t)i, p->n_sent[i]);

	if (err < 0)
		return err;
	p->n_sent[i]++;
	err = receive_numbered(p->ports[i ^ 1], PROBE_SEGMENT, PASS_MS, &mark);
	if (err < 0)
		return err;
	double took_ms = (double)(deadline_now_ns() - start_ns) / 1e6;

	if (took_ms > p->stall_ms)
		p->stall_ms = took_ms;
	if (mark.port != i || mark.sequence != p->n_received[i])
		p->n_wrong++;
	p->n_received[i]++;
	return 0;
}

static void *run_probe(void *arg)
{
	struct probe *p = arg;

	while (p->error == 0 && !__atomic_load_n(&p->is_over, __ATOMIC_RELAXED)) {
		p->error = exchange(p, 0);
		if (p->error == 0)
			p->error = exchange(p, 1);
		poll(NULL, 0, PROBE_INTERVAL_MS);
	}
	return NULL;
}

/* Whether every frame of the neighbours arrived, once, in order and in time. */
static bool is_probe_right(const struct probe *p)
{
	printf("neighbours: %u and %u frames sent, %u and %u received in order, %u wrong, "
	       "longest way %.1f ms\n",
	       p->n_sent[0], p->n_sent[1], p->n_received[0], p->n_received[1], p->n_wrong,
	       p->stall_ms);
	if (p->error < 0)
		fprintf(stderr, "the neighbours lost each other: %s\n", strerror(-p->error));
	return p->error == 0 && p->n_wrong == 0 && p->n_sent[0] == p->n_received[0] &&
	       p->n_sent[1] == p->n_received[1] && p->n_sent[0] > 0 && p->stall_ms < STALL_MS_MAX;
}

/* ---- the attacked port ---- */

static const struct host_port *look(struct hostile *h)
{
	static const struct host_port gone = {.link = DP_LINK_DOWN, .reason = "no answer"};
	const struct host_port *port =
		host_look(&h->host, &h->view) == 0 ? host_find_port(&h->view, h->attacked) : NULL;

	return port == NULL ? &gone : port;
}

/* An honest front-end attaches and exchanges a frame each way with the peer. */
static int pass_frames(struct hostile *h)
{
	struct frontend *honest = NULL;
	struct mark mark;
	int err = open_frontend(h->run_dir, h->attacked, &honest);

	if (err == 0)
		err = send_numbered(honest, HONEST_SEGMENT, 0, h->n_rows);
	if (err == 0)
		err = receive_numbered(h->peer, HONEST_SEGMENT, PASS_MS, &mark);
	if (err == 0 && (mark.port != 0 || mark.sequence != h->n_rows))
		err = -EBADMSG;
	if (err == 0)
		err = send_numbered(h->peer, HONEST_SEGMENT, 1, h->n_rows);
	if (err == 0)
		err = receive_numbered(honest, HONEST_SEGMENT, PASS_MS, &mark);
	if (err == 0 && look(h)->link != DP_LINK_UP)
		err = -ENOLINK;
	frontend_destroy(honest);
	return err;
}

static int wait_released(struct hostile *h, struct baseline *now)
{
	uint64_t deadline_ns = deadline_in_ms(RELEASE_MS);

	while (look(h)->link != DP_LINK_DOWN) {
		if (deadline_passed(deadline_ns))
			return -EBUSY;
	}
	return baseline_wait(h->pid, &h->baseline, RELEASE_MS, now);
}

static void drain(struct frontend *f)
{
	struct frontend_received received;

	while (frontend_ring_is_waiting(&f->rx[0]) && frontend_receive(f, 0, 0, &received) == 0)
		;
}

/* ---- one attack ---- */

/* Whether frames pass through the attacker's rings, by the ring that was attacked. */
static bool passes(struct hostile *h, const struct attack *row, struct attack_scene *scene)
{
	struct frontend *f = scene->attacker;
	struct frontend_received received;
	struct vhu_message message = {.header = {.request = VHU_GET_FEATURES}};

	if (row->memory_gone)
		return false;
	if (row->stage != FRONTEND_RUNNING) {
		f->handshake.step_ms = 50;
		return handshake_request(&f->handshake, &message, NULL, 0) == 0;
	}
	if (!row->receives) {
		int err = attack_broadcast(f);

		/* A full ring is no answer yet: the attack may lie in it. */
		return (err == 0 || err == -EAGAIN) && frontend_flush(f, 0, 50) == 0;
	}
	/* What came before the attack took effect proves nothing. */
	drain(f);
	frontend_post(f, 0, frontend_ring_size(&f->rx[0]) / 2);
	drain(h->peer);
	attack_broadcast(h->peer);
	return frontend_receive(f, 0, 50, &received) == 0;
}

/* How it ended: one of enum attack_end, 0 if it did not in time. */
static unsigned int see_end(struct hostile *h, const struct attack *row, struct attack_scene *scene,
			    char *reason)
{
	uint64_t deadline_ns = deadline_in_ms(END_MS);

	do {
		bool is_closed = frontend_wait_closed(scene->attacker, 0) == 0;
		const struct host_port *port = look(h);

		memcpy(reason, port->reason, DP_TEXT_BYTES);
		if (is_closed)
			return ATTACK_DISCONNECTED;
		if (port->link == DP_LINK_BROKEN)
			return passes(h, row, scene) ? 0 : ATTACK_QUARANTINED;
		if ((row->ends & ATTACK_HARMLESS) != 0 && passes(h, row, scene))
			return ATTACK_HARMLESS;
		poll(NULL, 0, LOOK_MS);
	} while (!deadline_passed(deadline_ns));
	return 0;
}

/* 0: it was carried out and *seen says how it ended. */
static int carry_out(struct hostile *h, const struct attack *row, unsigned int *seen, char *reason,
		     char *why)
{
	struct frontend_config config = {
		.path = h->path,
		.stage = row->stage,
		.n_regions = 2,
		.layout = row->packed ? FRONTEND_PACKED : FRONTEND_SPLIT,
		.unsealed = row->unsealed,
		.rx_bytes = 8192,
		.manual_post = row->receives,
		.why = why,
	};
	struct attack_scene scene = {.peer = h->peer, .receives = row->receives};
	int err = frontend_create(&config, &scene.attacker);

	if (err < 0)
		return err;
	drain(h->peer);
	err = row->run(&scene, row->detail);
	/* A back-end that hangs up before all is said has answered, too. */
	if (err == -ECONNRESET)
		err = 0;
	drain(h->peer);
	for (unsigned int i = 0; err == 0 && row->receives && i < N_BROADCASTS; i++)
		attack_broadcast(h->peer);
	if (err == 0)
		*seen = see_end(h, row, &scene, reason);
	frontend_destroy(scene.attacker);
	return err;
}

/* Says why a row fails; NULL: it does not. */
static const char *judge(struct hostile *h, const struct attack *row, unsigned int *seen,
			 char *reason, char *why)
{
	struct baseline now;
	int err = carry_out(h, row, seen, reason, why);

	if (err < 0) {
		if (why[0] == '\0')
			snprintf(why, FRONTEND_WHY_BYTES, "%s", strerror(-err));
		return "could not be carried out";
	}
	if ((*seen & row->ends) == 0)
		return "ended otherwise than it may";
	if (*seen != ATTACK_HARMLESS && reason[0] == '\0')
		return "no reason is given";
	err = wait_released(h, &now);
	if (err == -ETIMEDOUT)
		snprintf(why, FRONTEND_WHY_BYTES,
			 "descriptors %u, were %u; mappings %u, were %u; threads %u, were %u",
			 now.n_fds, h->baseline.n_fds, now.n_mappings, h->baseline.n_mappings,
			 now.n_threads, h->baseline.n_threads);
	if (err < 0)
		return err == -EBUSY ? "the port is not free again" : "something is left behind";
	err = pass_frames(h);
	if (row->shuts_out && err == 0)
		return "the port is not closed to front-ends";
	for (uint64_t deadline_ns = deadline_in_ms(SHUT_MS);
	     row->shuts_out && err < 0 && !deadline_passed(deadline_ns); err = pass_frames(h))
		poll(NULL, 0, SHUT_LOOK_MS);
	snprintf(why, FRONTEND_WHY_BYTES, "%s", strerror(-err));
	if (err < 0)
		return "an honest front-end does not pass frames";
	err = wait_released(h, &now);
	return err < 0 ? "something is left behind by the honest front-end" : NULL;
}

static void run_row(struct hostile *h, const struct attack *row)
{
	char why[FRONTEND_WHY_BYTES] = "", reason[DP_TEXT_BYTES] = "";
	unsigned int seen = 0;
	uint64_t start_ns = deadline_now_ns();
	const char *fault = judge(h, row, &seen, reason, why);

	h->n_rows++;
	printf("%-6s %-22s %-12s %5.0f ms  %s\n", fault == NULL ? "ok" : "FAILED", row->name,
	       attack_ends_name(seen), (double)(deadline_now_ns() - start_ns) / 1e6,
	       seen == ATTACK_HARMLESS ? "" : reason);
	if (fault != NULL) {
		h->n_failed++;
		printf("       %s: %s (may be %s)\n", fault, why, attack_ends_name(row->ends));
	}
	fflush(stdout);
}

static int run_rows(struct hostile *h, char **names, int n_names)
{
	for (int i = 0; i < n_names; i++) {
		const struct attack *row = attack_find(names[i]);

		if (row == NULL) {
			fprintf(stderr, "weft-hostile: no attack is called '%s'\n", names[i]);
			return 2;
		}
		run_row(h, row);
	}
	for (size_t i = 0; n_names == 0 && attack_row(i) != NULL; i++)
		run_row(h, attack_row(i));
	return h->n_failed > 0;
}

/* What one honest attachment leaves is what every attack must leave. */
static int prepare(struct hostile *h, struct probe *p, char **names)
{
	char why[DP_TEXT_BYTES];
	int err = host_open(&h->host, h->run_dir, why);

	if (err < 0)
		fprintf(stderr, "weft-hostile: %s\n", why);
	h->pid = (pid_t)h->host.accounting.welcome.pid;
	for (unsigned int i = 0; i < 2 && err == 0; i++)
		err = open_frontend(h->run_dir, names[i], &p->ports[i]);
	/* Both sides are learned before it counts. */
	for (unsigned int i = 0; i < 2 && err == 0; i++)
		err = exchange(p, i);
	if (err == 0)
		err = pass_frames(h);
	while (err == 0 && look(h)->link != DP_LINK_DOWN)
		poll(NULL, 0, LOOK_MS);
	return err == 0 ? baseline_take(h->pid, &h->baseline) : err;
}

static int run(struct hostile *h, struct probe *p, char **argv, int argc)
{
	pthread_t thread;
	int err = open_frontend(h->run_dir, argv[3], &h->peer);

	if (err == 0)
		err = prepare(h, p, &argv[4]);
	if (err == 0)
		err = -pthread_create(&thread, NULL, run_probe, p);
	if (err < 0) {
		fprintf(stderr, "weft-hostile: %s\n", strerror(-err));
		return 3;
	}
	int status = run_rows(h, &argv[6], argc - 6);

	__atomic_store_n(&p->is_over, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	printf("%u attacks, %u failed\n", h->n_rows, h->n_failed);
	return is_probe_right(p) ? status : 1;
}

int main(int argc, char **argv)
{
	struct hostile h = {0};
	struct probe p = {0};

	if (argc < 6) {
		fputs(usage, stderr);
		return 2;
	}
	h.run_dir = argv[1];
	h.attacked = argv[2];
	snprintf(h.path, sizeof(h.path), "%s/vhost/%s.sock", argv[1], argv[2]);
	int status = run(&h, &p, argv, argc);

	frontend_destroy(p.ports[0]);
	frontend_destroy(p.ports[1]);
	frontend_destroy(h.peer);
	if (h.host.client != NULL)
		host_close(&h.host);
	return status;
}
