/* SPDX-License-Identifier: BSD-3-Clause */
/* weftd's end of the conversation with weft-dataplane. Runs on weftd's thread. */
#include "control/fastpath.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/broken.h"
#include "control/encode.h"
#include "control/table.h"
#include "control/taps.h"
#include "dataplane/base/log.h"
#include "dataplane/base/loop.h"

#define ANSWER_TIMEOUT_MS 5000	/* of a prepare with thousands of ports; the rest takes microseconds */
#define HELLO_TIMEOUT_MS 1000
#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 1000
#define RETRY_MS 3000
#define NS_PER_MS 1000000ULL

struct fastpath {
	struct loop *loop;
	char socket_path[108];	/* as long as the kernel takes */
	struct taps *taps;

	/* While connected. */
	struct dp_client *client;
	struct loop_watch *watch;
	struct dp_welcome welcome;
	void *counters;
	size_t counters_bytes;

	struct table actual;	/* what the dataplane has */
	struct table staged;	/* what the open transaction changes of it */
	struct broken_list broken;
	uint64_t version;
	uint64_t next_try_ns;	/* to connect, or to make what is broken */
	unsigned int backoff_ms;
	bool is_silent;		/* the failure to connect was logged already */
};

int fastpath_create(struct loop *loop, const char *run_dir, struct fastpath **out)
{
	struct fastpath *fastpath = calloc(1, sizeof(*fastpath));

	if (fastpath == NULL)
		return -ENOMEM;
	fastpath->loop = loop;
	fastpath->backoff_ms = BACKOFF_MIN_MS;
	int len = snprintf(fastpath->socket_path, sizeof(fastpath->socket_path),
			   "%s/dataplane.sock", run_dir);
	int error = (size_t)len < sizeof(fastpath->socket_path) ? taps_create(&fastpath->taps)
								: -ENAMETOOLONG;
	if (error < 0) {
		free(fastpath);
		return error;
	}
	*out = fastpath;
	return 0;
}

static void disconnect(struct fastpath *fastpath, const char *why)
{
	if (fastpath->client == NULL)
		return;
	if (why != NULL)
		log_warn("fastpath", "dataplane lost: %s", why);
	taps_abort(fastpath->taps);
	loop_remove(fastpath->watch);
	dp_client_close(fastpath->client);
	if (fastpath->counters != NULL)
		munmap(fastpath->counters, fastpath->counters_bytes);
	fastpath->client = NULL;
	fastpath->watch = NULL;
	fastpath->counters = NULL;
	table_clear(&fastpath->actual);
	table_clear(&fastpath->staged);
	broken_clear(&fastpath->broken);
	fastpath->next_try_ns = 0;
}

void fastpath_destroy(struct fastpath *fastpath)
{
	if (fastpath == NULL)
		return;
	disconnect(fastpath, NULL);
	table_fini(&fastpath->actual);
	table_fini(&fastpath->staged);
	broken_fini(&fastpath->broken);
	taps_destroy(fastpath->taps);
	free(fastpath);
}

/* Nothing is ever sent to us between requests: readable means closed. */
static void on_readable(void *ctx, uint32_t events, uint64_t now_ns)
{
	disconnect(ctx, "it closed the connection");
}

const struct dp_welcome *fastpath_welcome(const struct fastpath *fastpath)
{
	return fastpath->client != NULL ? &fastpath->welcome : NULL;
}

const struct counters_header *fastpath_counters(const struct fastpath *fastpath)
{
	return fastpath->counters;
}

uint64_t fastpath_version(const struct fastpath *fastpath)
{
	return fastpath->version;
}

const char *fastpath_broken(const struct fastpath *fastpath, uint64_t port_id)
{
	const struct broken_port *broken = broken_find(&fastpath->broken, port_id);

	return broken != NULL ? broken->why : NULL;
}

/* --- one transaction: begin, stage..., prepare, commit or abort --- */

static int request(struct fastpath *fastpath, enum dp_type type, char *why)
{
	return dp_client_request(fastpath->client, type, NULL, 0, ANSWER_TIMEOUT_MS, NULL, NULL, why);
}

static int stage(struct fastpath *fastpath, enum dp_type type, void *message, size_t bytes,
		 const int *fd, char *why)
{
	int error = dp_client_stage(fastpath->client, type, message, bytes, fd, fd != NULL,
				    ANSWER_TIMEOUT_MS);

	if (error < 0)
		snprintf(why, DP_TEXT_BYTES, "sending to the dataplane: %s", strerror(-error));
	return error;
}

static int stage_segment(struct fastpath *fastpath, const struct model_segment *segment, char *why)
{
	struct dp_segment message;

	encode_segment(segment, &message);
	uint64_t digest = encode_digest(&message.header);
	if (table_has(&fastpath->actual, segment->id, digest))
		return 0;
	int error = table_put(&fastpath->staged, (struct table_row){
		.id = segment->id, .digest = digest, .is_segment = true});
	return error < 0 ? error : stage(fastpath, DP_SEGMENT_PUT, &message, sizeof(message), NULL,
					 why);
}

/* The port, if it is not as it should be; its device is made or brought up to date on the way. */
static int stage_port(struct fastpath *fastpath, const struct model *model,
		      const struct model_port *port, char *why)
{
	struct dp_port message;
	int fd = -1;
	int error = 0;

	encode_port(model, port, &message);
	uint64_t digest = encode_digest(&message.header);
	if (table_has(&fastpath->actual, port->id, digest))
		return 0;
	if (taps_is_needed(port))
		error = taps_prepare(fastpath->taps, model, port, &fd, why, DP_TEXT_BYTES);
	else
		taps_doom(fastpath->taps, port->id);
	if (error == 0)
		error = table_put(&fastpath->staged,
				  (struct table_row){.id = port->id, .digest = digest});
	if (error == 0)
		error = stage(fastpath, DP_PORT_PUT, &message, sizeof(message),
			      fd >= 0 ? &fd : NULL, why);
	return error;
}

/* Whatever the dataplane has and `wanted` does not name. */
static int stage_deletes(struct fastpath *fastpath, const struct table *wanted, bool is_segment,
			 char *why)
{
	for (size_t i = 0; i < fastpath->actual.n_rows; i++) {
		const struct table_row *row = &fastpath->actual.rows[i];
		struct dp_object message = {.id = row->id};

		if (row->is_segment != is_segment || table_find(wanted, row->id) != NULL)
			continue;
		if (!is_segment)
			taps_doom(fastpath->taps, row->id);
		int error = table_put(&fastpath->staged, (struct table_row){
			.id = row->id, .is_segment = is_segment, .is_delete = true});
		if (error == 0)
			error = stage(fastpath, is_segment ? DP_SEGMENT_DEL : DP_PORT_DEL, &message,
				      sizeof(message), NULL, why);
		if (error < 0)
			return error;
	}
	return 0;
}

static int list_wanted(const struct model *model, struct table *wanted)
{
	int error = 0;

	for (size_t i = 0; i < model->n_segments && error == 0; i++)
		error = table_put(wanted, (struct table_row){.id = model->segments[i]->id});
	for (size_t i = 0; i < model->n_ports && error == 0; i++)
		error = table_put(wanted, (struct table_row){.id = model->ports[i]->id});
	return error;
}

/* Ends the transaction that is open; the connection too if it is not in order any more. */
static void abort_txn(struct fastpath *fastpath)
{
	char why[DP_TEXT_BYTES];

	taps_abort(fastpath->taps);
	table_clear(&fastpath->staged);
	if (fastpath->client != NULL &&
	    (dp_client_is_broken(fastpath->client) || request(fastpath, DP_ABORT, why) < 0))
		disconnect(fastpath, "a transaction could not be ended");
}

static int commit_txn(struct fastpath *fastpath)
{
	char why[DP_TEXT_BYTES];
	int error = fastpath->client != NULL ? request(fastpath, DP_COMMIT, why) : -ENOTCONN;

	/* The devices of what is wanted stay, whether or not the dataplane heard of it. */
	taps_commit(fastpath->taps);
	if (error == 0)
		error = table_apply(&fastpath->actual, &fastpath->staged);
	table_clear(&fastpath->staged);
	fastpath->version++;
	if (error < 0)
		disconnect(fastpath, why);
	return error;
}

void fastpath_abort(struct fastpath *fastpath)
{
	abort_txn(fastpath);
}

void fastpath_commit(struct fastpath *fastpath)
{
	commit_txn(fastpath);
	/* What was broken may have become possible. */
	fastpath->next_try_ns = 0;
}

/* --- a change by the user --- */

/* "port c1: " before what is wrong with its device. */
static void name_port(const struct model_port *port, char *why)
{
	char text[DP_TEXT_BYTES];

	snprintf(text, sizeof(text), "port %s: ", port->name);
	size_t len = strlen(text);
	snprintf(text + len, sizeof(text) - len, "%s", why);
	memcpy(why, text, sizeof(text));
}

static int stage_change(struct fastpath *fastpath, const struct model *model,
			const struct table *wanted, char *why)
{
	int error = request(fastpath, DP_BEGIN, why);

	if (error == 0)
		error = stage_deletes(fastpath, wanted, false, why);
	if (error == 0)
		error = stage_deletes(fastpath, wanted, true, why);
	for (size_t i = 0; i < model->n_segments && error == 0; i++)
		error = stage_segment(fastpath, model->segments[i], why);
	for (size_t i = 0; i < model->n_ports && error == 0; i++) {
		const struct model_port *port = model->ports[i];

		const struct broken_port *broken = broken_find(&fastpath->broken, port->id);

		/* What was broken before and is not touched now shall not stand in the way. */
		if (broken != NULL && broken->generation == port->generation)
			continue;
		error = stage_port(fastpath, model, port, why);
		if (error < 0)
			name_port(port, why);
	}
	return error == 0 ? request(fastpath, DP_PREPARE, why) : error;
}

static int refuse_change(struct fastpath *fastpath, int error, const char *why,
			 struct problem *problem)
{
	if (fastpath->client == NULL || dp_client_is_broken(fastpath->client))
		return problem_set(problem, error, 503, "dataplane-unreachable",
				   "%s; nothing was changed; see: systemctl status weft-dataplane",
				   why);
	return problem_set(problem, error, 422, "host-refused", "%s",
			   why[0] != '\0' ? why : strerror(-error));
}

int fastpath_prepare(struct fastpath *fastpath, const struct model *model,
		     struct problem *problem)
{
	char why[DP_TEXT_BYTES] = "";
	struct table wanted = {0};

	if (fastpath->client == NULL)
		return refuse_change(fastpath, -ENOTCONN, "weft-dataplane does not answer", problem);
	int error = list_wanted(model, &wanted);
	if (error == 0)
		error = stage_change(fastpath, model, &wanted, why);
	table_fini(&wanted);
	if (error < 0) {
		refuse_change(fastpath, error, why, problem);
		abort_txn(fastpath);
	}
	return error;
}

/* --- catching up --- */

/* One transaction for one port: what it cannot have, the others must not lack. */
static void catch_up_port(struct fastpath *fastpath, const struct model *model,
			  const struct model_port *port)
{
	char why[DP_TEXT_BYTES] = "";
	int error = request(fastpath, DP_BEGIN, why);

	if (error == 0)
		error = stage_port(fastpath, model, port, why);
	if (error == 0)
		error = request(fastpath, DP_PREPARE, why);
	if (error == 0) {
		broken_remove(&fastpath->broken, port->id);
		commit_txn(fastpath);
		return;
	}
	if (broken_put(&fastpath->broken, port->id, port->generation, why)) {
		log_warn("fastpath", "port %s is broken: %s", port->name, why);
		fastpath->version++;
	}
	abort_txn(fastpath);
}

static bool is_port_wrong(struct fastpath *fastpath, const struct model *model,
			  const struct model_port *port)
{
	struct dp_port message;

	encode_port(model, port, &message);
	return !table_has(&fastpath->actual, port->id, encode_digest(&message.header));
}

static void catch_up_ports(struct fastpath *fastpath, const struct model *model)
{
	for (size_t i = 0; i < model->n_ports && fastpath->client != NULL; i++) {
		if (is_port_wrong(fastpath, model, model->ports[i]))
			catch_up_port(fastpath, model, model->ports[i]);
	}
}

/* Deletes (ports before what they use) and segments alone, in a transaction of their own. */
static int catch_up_rest(struct fastpath *fastpath, const struct model *model,
			 const struct table *wanted, bool with_segment_deletes)
{
	char why[DP_TEXT_BYTES] = "";
	int error = request(fastpath, DP_BEGIN, why);

	if (error == 0)
		error = stage_deletes(fastpath, wanted, false, why);
	if (error == 0 && with_segment_deletes)
		error = stage_deletes(fastpath, wanted, true, why);
	for (size_t i = 0; i < model->n_segments && error == 0; i++)
		error = stage_segment(fastpath, model->segments[i], why);
	if (error == 0)
		error = request(fastpath, DP_PREPARE, why);
	if (error == 0)
		return commit_txn(fastpath);
	log_error("fastpath", "catching up: %s", why);
	abort_txn(fastpath);
	return error;
}

static bool is_current(struct fastpath *fastpath, const struct model *model)
{
	if (fastpath->actual.n_rows != model->n_segments + model->n_ports)
		return false;
	for (size_t i = 0; i < model->n_segments; i++) {
		struct dp_segment message;

		encode_segment(model->segments[i], &message);
		if (!table_has(&fastpath->actual, message.id, encode_digest(&message.header)))
			return false;
	}
	for (size_t i = 0; i < model->n_ports; i++) {
		if (is_port_wrong(fastpath, model, model->ports[i]))
			return false;
	}
	return true;
}

static void forget_deleted(struct fastpath *fastpath, const struct table *wanted)
{
	for (size_t i = fastpath->broken.n_ports; i-- > 0;) {
		uint64_t port_id = fastpath->broken.ports[i].port_id;

		if (table_find(wanted, port_id) == NULL)
			broken_remove(&fastpath->broken, port_id);
	}
}

/* Everything in one transaction; if that is refused, port by port. */
static void catch_up(struct fastpath *fastpath, const struct model *model)
{
	char why[DP_TEXT_BYTES] = "";
	struct table wanted = {0};

	if (is_current(fastpath, model))
		return;
	int error = list_wanted(model, &wanted);
	if (error == 0)
		error = stage_change(fastpath, model, &wanted, why);
	if (error == 0) {
		commit_txn(fastpath);
	} else {
		abort_txn(fastpath);
		if (fastpath->client != NULL)
			catch_up_rest(fastpath, model, &wanted, false);
	}
	/* Also after success: stage_change() left out what is known to be broken. */
	if (fastpath->client != NULL)
		catch_up_ports(fastpath, model);
	if (fastpath->client != NULL && error < 0)
		catch_up_rest(fastpath, model, &wanted, true);
	forget_deleted(fastpath, &wanted);
	table_fini(&wanted);
}

/* --- connecting --- */

static int map_counters(struct fastpath *fastpath, int fd)
{
	const struct counters_header *header;
	struct stat stat;
	size_t n_blocks;

	if (fstat(fd, &stat) < 0)
		return -errno;
	if ((size_t)stat.st_size < sizeof(*header))
		return -EBADMSG;
	void *map = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	header = map;
	fastpath->counters = map;
	fastpath->counters_bytes = (size_t)stat.st_size;
	n_blocks = (size_t)header->n_slots * header->n_workers;
	/* A reader trusts these figures from here on; the memfd is sealed against shrinking. */
	if (header->magic != COUNTERS_MAGIC || header->version != COUNTERS_VERSION ||
	    header->n_reasons != DROP_COUNT || header->total_bytes > (uint64_t)stat.st_size ||
	    header->n_slots > UINT16_MAX || header->n_workers > UINT16_MAX ||
	    header->slots_offset > header->total_bytes ||
	    header->workers_offset > header->total_bytes ||
	    header->blocks_offset > header->total_bytes ||
	    header->n_slots * sizeof(struct counters_slot) >
	    header->total_bytes - header->slots_offset ||
	    header->n_workers * sizeof(struct counters_worker) >
	    header->total_bytes - header->workers_offset ||
	    n_blocks * sizeof(struct counters_block) > header->total_bytes - header->blocks_offset)
		return -EPROTONOSUPPORT;
	return 0;
}

struct dump {
	struct fastpath *fastpath;
	int error;
};

static void take_object(void *ctx, const struct dp_header *message, int *fds, unsigned int n_fds)
{
	struct dump *dump = ctx;
	struct table_row row = {.digest = encode_digest(message)};

	if (message->type == DP_SEGMENT_PUT) {
		row.id = ((const struct dp_segment *)message)->id;
		row.is_segment = true;
	} else if (message->type == DP_PORT_PUT) {
		row.id = ((const struct dp_port *)message)->id;
	} else {
		return;
	}
	if (dump->error == 0)
		dump->error = table_put(&dump->fastpath->actual, row);
}

static void take_fd(void *ctx, const struct dp_header *message, int *fds, unsigned int n_fds)
{
	int *fd = ctx;

	if (message->type != DP_PORT_FDS || n_fds != 1 || *fd >= 0)
		return;
	*fd = fds[0];
	fds[0] = -1;
}

/* After weftd's restart the dataplane still has the devices. One that is not what it should be any
 * more is made anew: the dataplane then forgets the port first. */
static int adopt_devices(struct fastpath *fastpath, const struct model *model, char *why)
{
	for (size_t i = 0; i < model->n_ports; i++) {
		const struct model_port *port = model->ports[i];
		struct dp_object message = {.id = port->id};
		int fd = -1;

		if (!taps_is_needed(port) || taps_is_held(fastpath->taps, port->id) ||
		    table_find(&fastpath->actual, port->id) == NULL)
			continue;
		int error = dp_client_request(fastpath->client, DP_PORT_FDS, &message,
					      sizeof(message), ANSWER_TIMEOUT_MS, take_fd, &fd, why);
		if (dp_client_is_broken(fastpath->client))
			return error;
		if (error == 0 && fd >= 0)
			error = taps_adopt(fastpath->taps, model, port, fd, why, DP_TEXT_BYTES);
		else
			error = -ENODEV;
		if (error < 0)
			log_warn("fastpath", "port %s: device not taken over: %s", port->name, why);
	}
	return 0;
}

static int connect_client(struct fastpath *fastpath, const struct model *model, char *why)
{
	struct dump dump = {.fastpath = fastpath};
	int counters_fd;
	int error = dp_client_open(&fastpath->client, fastpath->socket_path);

	if (error < 0) {
		snprintf(why, DP_TEXT_BYTES, "%s: %s", fastpath->socket_path, strerror(-error));
		return error;
	}
	error = loop_add(fastpath->loop, dp_client_fd(fastpath->client), EPOLLIN, on_readable, fastpath,
			 &fastpath->watch);
	if (error == 0)
		error = dp_client_hello(fastpath->client, HELLO_TIMEOUT_MS, &fastpath->welcome,
					&counters_fd, why);
	if (error < 0)
		return error;
	error = map_counters(fastpath, counters_fd);
	close(counters_fd);
	if (error < 0) {
		snprintf(why, DP_TEXT_BYTES, "its counters have another layout; install weftd and "
			 "weft-dataplane of one release");
		return error;
	}
	error = dp_client_request(fastpath->client, DP_DUMP, NULL, 0, ANSWER_TIMEOUT_MS, take_object,
				  &dump, why);
	if (error == 0)
		error = dump.error;
	return error < 0 ? error : adopt_devices(fastpath, model, why);
}

static void try_connect(struct fastpath *fastpath, const struct model *model, uint64_t now_ns)
{
	char why[DP_TEXT_BYTES] = "";
	int error = connect_client(fastpath, model, why);

	if (error == 0) {
		fastpath->version++;
		log_info("fastpath", "connected to %s, pid %u, %u worker(s)",
			 fastpath->welcome.package, fastpath->welcome.pid,
			 fastpath->welcome.n_workers);
		fastpath->backoff_ms = BACKOFF_MIN_MS;
		fastpath->is_silent = false;
		catch_up(fastpath, model);
		fastpath->next_try_ns = now_ns + RETRY_MS * NS_PER_MS;
		return;
	}
	disconnect(fastpath, NULL);
	if (!fastpath->is_silent)
		log_warn("fastpath", "no dataplane: %s; trying again", why);
	fastpath->is_silent = true;
	fastpath->next_try_ns = now_ns + fastpath->backoff_ms * NS_PER_MS;
	fastpath->backoff_ms *= 2;
	if (fastpath->backoff_ms > BACKOFF_MAX_MS)
		fastpath->backoff_ms = BACKOFF_MAX_MS;
}

/* The device is gone, so the dataplane's port is an empty shell: it is made again from nothing. */
static void on_lost(void *ctx, uint64_t port_id)
{
	struct fastpath *fastpath = ctx;
	struct dp_object message = {.id = port_id};
	char why[DP_TEXT_BYTES] = "";
	int error = fastpath->client != NULL ? request(fastpath, DP_BEGIN, why) : -ENOTCONN;

	if (error == 0)
		error = stage(fastpath, DP_PORT_DEL, &message, sizeof(message), NULL, why);
	if (error == 0)
		error = table_put(&fastpath->staged,
				  (struct table_row){.id = port_id, .is_delete = true});
	if (error == 0)
		error = request(fastpath, DP_PREPARE, why);
	if (error == 0)
		commit_txn(fastpath);
	else
		abort_txn(fastpath);
}

int fastpath_run(struct fastpath *fastpath, const struct model *model, uint64_t now_ns)
{
	if (now_ns >= fastpath->next_try_ns) {
		if (fastpath->client == NULL) {
			try_connect(fastpath, model, now_ns);
		} else {
			fastpath->next_try_ns = now_ns + RETRY_MS * NS_PER_MS;
			taps_find_lost(fastpath->taps, on_lost, fastpath);
			catch_up(fastpath, model);
		}
	}
	return fastpath->next_try_ns > now_ns
	       ? (int)((fastpath->next_try_ns - now_ns) / NS_PER_MS) + 1 : 0;
}

int fastpath_ask(struct fastpath *fastpath, enum dp_type type, dp_client_fn fn, void *ctx,
		 struct problem *problem)
{
	char why[DP_TEXT_BYTES] = "weft-dataplane does not answer";

	if (fastpath->client == NULL)
		return refuse_change(fastpath, -ENOTCONN, why, problem);
	int error = dp_client_request(fastpath->client, type, NULL, 0, ANSWER_TIMEOUT_MS, fn, ctx,
				      why);
	if (error < 0) {
		refuse_change(fastpath, error, why, problem);
		if (dp_client_is_broken(fastpath->client))
			disconnect(fastpath, why);
	}
	return error;
}
