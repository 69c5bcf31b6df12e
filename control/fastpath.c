/* SPDX-License-Identifier: BSD-3-Clause */
/* weftd's end of the conversation with weft-dataplane. Runs on weftd's thread. */
#include "control/fastpath.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "control/broken.h"
#include "control/devices.h"
#include "control/hello.h"
#include "control/mirror.h"
#include "control/stage.h"
#include "control/states.h"
#include "dataplane/base/log.h"
#include "dataplane/base/loop.h"

#define ASK_TIMEOUT_MS 2000 /* of a question by a user, who waits */
#define BACKOFF_MIN_MS 20
#define BACKOFF_MAX_MS 1000
#define RETRY_MS 3000
#define NS_PER_MS 1000000ULL

struct fastpath {
	struct loop *loop;
	char socket_path[108]; /* as long as the kernel takes */
	struct devices devices;

	struct hello hello; /* before it is connected */

	/* While connected. */
	struct dp_client *client;
	struct loop_watch *watch;
	struct dp_welcome welcome;
	struct meter meter;

	struct states states;

	struct mirror mirror;
	struct broken_list broken;
	bool is_current; /* the dataplane has the model as it was given last, nothing is broken */
	uint64_t version;
	uint64_t next_try_ns; /* to connect, or to make what is broken */
	unsigned int backoff_ms;
	char foreign[DP_TEXT_BYTES]; /* "" : what is there is the store's, or nothing */
	bool is_silent;		     /* the failure to connect was logged already */
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
	int error = (size_t)len < sizeof(fastpath->socket_path) ? devices_init(&fastpath->devices)
								: -ENAMETOOLONG;
	if (error < 0) {
		free(fastpath);
		return error;
	}
	fastpath->mirror.devices = &fastpath->devices;
	*out = fastpath;
	return 0;
}

static void disconnect(struct fastpath *fastpath, const char *why)
{
	if (fastpath->client == NULL)
		return;
	if (why != NULL)
		log_warn("fastpath", "dataplane lost: %s", why);
	devices_abort(&fastpath->devices);
	loop_remove(fastpath->watch);
	dp_client_close(fastpath->client);
	meter_close(&fastpath->meter);
	mirror_clear(&fastpath->mirror);
	broken_clear(&fastpath->broken);
	states_restart(&fastpath->states);
	fastpath->foreign[0] = '\0';
	fastpath->is_current = false;
	fastpath->client = NULL;
	fastpath->mirror.client = NULL;
	fastpath->watch = NULL;
	fastpath->next_try_ns = 0;
	fastpath->version++;
}

void fastpath_destroy(struct fastpath *fastpath)
{
	if (fastpath == NULL)
		return;
	disconnect(fastpath, NULL);
	hello_end(&fastpath->hello);
	states_fini(&fastpath->states);
	mirror_fini(&fastpath->mirror);
	broken_fini(&fastpath->broken);
	devices_fini(&fastpath->devices);
	free(fastpath);
}

/* Takes what has come of the answer about states, for as long as timeout_ms. Is none owed now? */
static bool is_settled(struct fastpath *fastpath, int timeout_ms)
{
	char why[DP_TEXT_BYTES];
	int error = states_take(&fastpath->states, fastpath->client, timeout_ms, why);

	if (error == -EAGAIN)
		return false;
	if (error < 0)
		disconnect(fastpath, why);
	return error == 0;
}

/* An answer about states is all that is ever sent to us between requests; else it has closed. */
static void on_readable(void *ctx, uint32_t events, uint64_t now_ns)
{
	struct fastpath *fastpath = ctx;

	if (fastpath->states.is_asked)
		is_settled(fastpath, 0);
	else
		disconnect(fastpath, "it closed the connection");
}

/* Before a request that blocks: only if the last question was answered, or is in time. */
static bool is_answering(struct fastpath *fastpath)
{
	return fastpath->client != NULL &&
	       is_settled(fastpath, states_left_ms(&fastpath->states, loop_clock_ns()));
}

void fastpath_poke(struct fastpath *fastpath)
{
	char why[DP_TEXT_BYTES];

	if (fastpath->client != NULL &&
	    states_ask(&fastpath->states, fastpath->client, loop_clock_ns(), why) < 0)
		disconnect(fastpath, why);
}

bool fastpath_is_asking(const struct fastpath *fastpath)
{
	return fastpath->states.is_asked && fastpath_silence_ms(fastpath) == 0;
}

void fastpath_look(struct fastpath *fastpath)
{
	/* What was asked before this moment may be answered as of then. */
	if (!is_answering(fastpath))
		return;
	fastpath_poke(fastpath);
	is_answering(fastpath);
}

uint64_t fastpath_silence_ms(const struct fastpath *fastpath)
{
	return states_silence_ms(&fastpath->states, loop_clock_ns());
}

uint64_t fastpath_states_version(const struct fastpath *fastpath)
{
	return fastpath->version + fastpath->states.version;
}

struct dp_port_state fastpath_state(const struct fastpath *fastpath, uint64_t port_id)
{
	struct dp_port_state state = {.id = port_id, .link = DP_LINK_DOWN};
	const char *broken = fastpath_broken(fastpath, port_id);
	const struct dp_port_state *known =
		fastpath->client != NULL ? states_find(&fastpath->states, port_id) : NULL;

	if (known != NULL && broken == NULL)
		return *known;
	if (broken != NULL)
		state.link = DP_LINK_BROKEN;
	snprintf(state.reason, sizeof(state.reason), "%s",
		 broken != NULL ? broken : "weft-dataplane does not have it (yet)");
	return state;
}

const struct dp_welcome *fastpath_welcome(const struct fastpath *fastpath)
{
	return fastpath->client != NULL ? &fastpath->welcome : NULL;
}

const struct meter *fastpath_meter(const struct fastpath *fastpath)
{
	return fastpath->client != NULL ? &fastpath->meter : NULL;
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

const char *fastpath_foreign(const struct fastpath *fastpath)
{
	return fastpath->foreign[0] != '\0' ? fastpath->foreign : NULL;
}

void fastpath_abort(struct fastpath *fastpath)
{
	if (fastpath->client != NULL && mirror_abort(&fastpath->mirror) < 0)
		disconnect(fastpath, "a transaction could not be ended");
}

static void commit_txn(struct fastpath *fastpath)
{
	char why[DP_TEXT_BYTES];

	if (fastpath->client != NULL && mirror_commit(&fastpath->mirror, why) < 0)
		disconnect(fastpath, why);
	fastpath->version++;
}

/* --- a change by the user --- */

static int refuse(struct fastpath *fastpath, int error, const char *why, struct problem *problem)
{
	if (fastpath->client == NULL || dp_client_is_broken(fastpath->client) ||
	    fastpath->states.is_asked)
		return problem_set(problem, error, 503, "dataplane-unreachable",
				   "weft-dataplane does not answer on %s%s%s; nothing was changed; "
				   "see: systemctl status weft-dataplane",
				   fastpath->socket_path, why[0] != '\0' ? ": " : "", why);
	return problem_set(problem, error, 422, "host-refused", "%s",
			   why[0] != '\0' ? why : strerror(-error));
}

/* All that differs, in one transaction, up to its prepare. */
static int prepare_all(struct fastpath *fastpath, const struct model *model, char *why)
{
	struct table wanted = {0};
	int error = mirror_list_wanted(model, &wanted);

	if (error == 0)
		error = stage_all(&fastpath->mirror, model, &wanted, &fastpath->broken, why);
	table_fini(&wanted);
	return error;
}

int fastpath_prepare(struct fastpath *fastpath, const struct model *current,
		     const struct model *wanted, const struct plan *plan, struct problem *problem)
{
	char why[DP_TEXT_BYTES] = "";
	int error;

	if (!is_answering(fastpath))
		return refuse(fastpath, -ENOTCONN, "", problem);
	if (fastpath->foreign[0] != '\0')
		return problem_set(problem, -EEXIST, 409, "store-foreign", "%s", fastpath->foreign);
	/* The cost of a change is then its own, however many ports there are. */
	if (fastpath->is_current && stage_can_follow(current, wanted, plan))
		error = stage_steps(&fastpath->mirror, current, wanted, plan, why);
	else
		error = prepare_all(fastpath, wanted, why);
	if (error < 0) {
		/* Whoever stores it all the same: the dataplane does not have what is stored. */
		fastpath->is_current = false;
		refuse(fastpath, error, why, problem);
		fastpath_abort(fastpath);
	}
	return error;
}

void fastpath_commit(struct fastpath *fastpath)
{
	commit_txn(fastpath);
	fastpath->is_current = fastpath->client != NULL && fastpath->broken.n_ports == 0;
	/* What was broken may have become possible. */
	if (!fastpath->is_current)
		fastpath->next_try_ns = 0;
}

/* --- catching up --- */

/* The dataplane's port goes, whatever its place in the model. Of one whose device is gone there is
 * only an empty shell: it is made again from nothing. */
static void take_away(void *ctx, uint64_t port_id)
{
	struct fastpath *fastpath = ctx;
	struct mirror *mirror = &fastpath->mirror;
	char why[DP_TEXT_BYTES] = "";

	if (fastpath->client == NULL || table_find(&mirror->actual, port_id) == NULL)
		return;
	fastpath->is_current = false;
	int error = mirror_begin(mirror, why);
	if (error == 0)
		error = mirror_stage_delete(mirror, MODEL_PORT, port_id, why);
	if (error == 0)
		error = mirror_prepare(mirror, why);
	if (error == 0)
		commit_txn(fastpath);
	else
		fastpath_abort(fastpath);
}

/* One transaction for one port: what it cannot have, the others must not lack. */
static void catch_up_port(struct fastpath *fastpath, const struct model *model,
			  const struct model_port *port)
{
	struct mirror *mirror = &fastpath->mirror;
	char why[DP_TEXT_BYTES] = "";
	int error = mirror_begin(mirror, why);

	/* Somebody else's change is under way, or the dataplane has gone: not the port's fault. */
	if (error < 0) {
		fastpath_abort(fastpath);
		return;
	}
	error = mirror_stage(mirror, model, MODEL_PORT, &port->object, why);
	if (error == 0)
		error = mirror_prepare(mirror, why);
	if (error == 0) {
		broken_remove(&fastpath->broken, port->id);
		commit_txn(fastpath);
		return;
	}
	if (broken_put(&fastpath->broken, port->id, port->generation, why)) {
		log_warn("fastpath", "port %s is broken: %s", port->name, why);
		fastpath->version++;
	}
	fastpath_abort(fastpath);
	/* As it was it must not stay: it may be in a segment that it has to leave. */
	take_away(fastpath, port->id);
}

/* Deletes and all but ports, in a transaction of their own. */
static void catch_up_rest(struct fastpath *fastpath, const struct model *model,
			  const struct table *wanted, bool with_other_deletes)
{
	struct mirror *mirror = &fastpath->mirror;
	char why[DP_TEXT_BYTES] = "";
	int error = mirror_begin(mirror, why);

	if (error == 0)
		error = mirror_stage_deletes(mirror, wanted, true, why);
	if (error == 0 && with_other_deletes)
		error = mirror_stage_deletes(mirror, wanted, false, why);
	if (error == 0)
		error = mirror_stage_rest(mirror, model, why);
	if (error == 0)
		error = mirror_prepare(mirror, why);
	if (error == 0) {
		commit_txn(fastpath);
		return;
	}
	log_error("fastpath", "catching up: %s", why);
	fastpath_abort(fastpath);
}

/* Everything in one transaction; if that is refused, port by port. */
static void catch_up(struct fastpath *fastpath, const struct model *model)
{
	char why[DP_TEXT_BYTES] = "";
	struct table wanted = {0};

	if (fastpath->foreign[0] != '\0' || fastpath->is_current)
		return;
	fastpath->is_current = mirror_is_current(&fastpath->mirror, model);
	if (fastpath->is_current)
		return;
	int error = mirror_list_wanted(model, &wanted);
	if (error == 0)
		error = stage_all(&fastpath->mirror, model, &wanted, &fastpath->broken, why);
	if (error == 0)
		commit_txn(fastpath);
	else
		fastpath_abort(fastpath);
	/* What segments a port goes to must be there first; what it leaves, goes last. */
	if (error < 0 && fastpath->client != NULL)
		catch_up_rest(fastpath, model, &wanted, false);
	for (size_t i = 0; i < model->n_ports && fastpath->client != NULL; i++) {
		if (!mirror_has_port(&fastpath->mirror, model, model->ports[i]))
			catch_up_port(fastpath, model, model->ports[i]);
	}
	if (error < 0 && fastpath->client != NULL)
		catch_up_rest(fastpath, model, &wanted, true);
	broken_keep(&fastpath->broken, &wanted);
	table_fini(&wanted);
}

/* --- connecting --- */

/* A store that was never used knows nothing, so it cannot know that what is there should go. */
static void check_foreign(struct fastpath *fastpath, const struct model *model)
{
	const struct table *actual = &fastpath->mirror.actual;
	size_t n_ports = 0, n_segments = 0;

	if (!model_is_unused(model) || actual->n_rows == 0)
		return;
	for (size_t i = 0; i < actual->n_rows; i++) {
		n_ports += actual->rows[i].kind == MODEL_PORT;
		n_segments += actual->rows[i].kind == MODEL_SEGMENT;
	}
	snprintf(fastpath->foreign, sizeof(fastpath->foreign),
		 "the dataplane holds %zu port(s) and %zu segment(s) that this store never knew; "
		 "is --state-dir of weftd right? to drop them: systemctl restart weft-dataplane",
		 n_ports, n_segments);
	log_error("fastpath", "%s", fastpath->foreign);
}

static void log_sync(const struct fastpath *fastpath)
{
	const struct mirror_tally *tally = &fastpath->mirror.tally;

	log_info("fastpath", "sync: %zu added, %zu changed, %zu removed", tally->n_added,
		 tally->n_changed, tally->n_removed);
}

static int welcome(struct fastpath *fastpath, const struct model *model, char *why)
{
	int counters_fd;
	int error = dp_client_welcome(fastpath->client, HELLO_TIMEOUT_MS, &fastpath->welcome,
				      &counters_fd, why);

	if (error < 0)
		return error;
	error = meter_open(&fastpath->meter, counters_fd);
	close(counters_fd);
	if (error < 0) {
		snprintf(why, DP_TEXT_BYTES,
			 "its counters have another layout; install weftd and "
			 "weft-dataplane of one release");
		return error;
	}
	error = loop_add(fastpath->loop, dp_client_fd(fastpath->client), EPOLLIN, on_readable,
			 fastpath, &fastpath->watch);
	if (error == 0)
		error = mirror_read(&fastpath->mirror, why);
	return error == 0 ? mirror_adopt(&fastpath->mirror, model, why) : error;
}

static void catch_up_first(struct fastpath *fastpath, const struct model *model, uint64_t now_ns)
{
	log_info("fastpath", "connected to %s, pid %u, %u worker(s)", fastpath->welcome.package,
		 fastpath->welcome.pid, fastpath->welcome.n_workers);
	fastpath->backoff_ms = BACKOFF_MIN_MS;
	fastpath->is_silent = false;
	fastpath->next_try_ns = now_ns + RETRY_MS * NS_PER_MS;
	fastpath->version++;
	check_foreign(fastpath, model);
	devices_find_lost(&fastpath->devices, take_away, fastpath);
	if (fastpath->client != NULL)
		catch_up(fastpath, model);
	log_sync(fastpath);
}

/* One step: hello, or what follows the welcome. -EAGAIN: it has not come yet. */
static int step_connect(struct fastpath *fastpath, const struct model *model, uint64_t now_ns,
			char *why)
{
	struct hello *hello = &fastpath->hello;
	int error = 0;

	if (hello->client == NULL)
		error = hello_say(hello, fastpath->loop, fastpath->socket_path, now_ns, why);
	if (error == 0)
		error = hello_check(hello, now_ns, &fastpath->client, why);
	if (error < 0)
		return error;
	fastpath->mirror.client = fastpath->client;
	return welcome(fastpath, model, why);
}

static void try_connect(struct fastpath *fastpath, const struct model *model, uint64_t now_ns)
{
	char why[DP_TEXT_BYTES] = "";

	fastpath->mirror.tally = (struct mirror_tally){0};
	int error = step_connect(fastpath, model, now_ns, why);
	if (error == 0) {
		catch_up_first(fastpath, model, now_ns);
		return;
	}
	if (error == -EAGAIN) {
		fastpath->next_try_ns = fastpath->hello.said_ns + HELLO_TIMEOUT_MS * NS_PER_MS;
		return;
	}
	disconnect(fastpath, NULL);
	hello_end(&fastpath->hello);
	if (!fastpath->is_silent)
		log_warn("fastpath", "no dataplane: %s; trying again", why);
	fastpath->is_silent = true;
	fastpath->next_try_ns = now_ns + fastpath->backoff_ms * NS_PER_MS;
	/* An eighth of the time that it is away already: a restart is seen soon. */
	fastpath->backoff_ms += (fastpath->backoff_ms + 7) / 8;
	if (fastpath->backoff_ms > BACKOFF_MAX_MS)
		fastpath->backoff_ms = BACKOFF_MAX_MS;
}

void fastpath_retry(struct fastpath *fastpath, const struct model *model, uint64_t now_ns)
{
	const struct mirror_tally *tally = &fastpath->mirror.tally;

	if (fastpath->client == NULL)
		return;
	/* What cannot be tried now must not hold up who is next. */
	if (!is_settled(fastpath, 0)) {
		fastpath->next_try_ns = now_ns + BACKOFF_MAX_MS * NS_PER_MS;
		return;
	}
	fastpath->next_try_ns = now_ns + RETRY_MS * NS_PER_MS;
	fastpath->mirror.tally = (struct mirror_tally){0};
	devices_find_lost(&fastpath->devices, take_away, fastpath);
	if (fastpath->client != NULL)
		catch_up(fastpath, model);
	if (tally->n_added + tally->n_changed + tally->n_removed > 0)
		log_sync(fastpath);
}

void fastpath_recheck(struct fastpath *fastpath)
{
	fastpath->is_current = false;
	fastpath->next_try_ns = 0;
}

struct taps *fastpath_taps(const struct fastpath *fastpath)
{
	return fastpath->devices.taps;
}

int fastpath_run(struct fastpath *fastpath, const struct model *model, uint64_t now_ns)
{
	if (fastpath->hello.is_answered ||
	    (now_ns >= fastpath->next_try_ns && fastpath->client == NULL)) {
		try_connect(fastpath, model, now_ns);
	} else if (now_ns >= fastpath->next_try_ns) {
		fastpath_retry(fastpath, model, now_ns);
	}
	return fastpath->next_try_ns > now_ns
		       ? (int)((fastpath->next_try_ns - now_ns) / NS_PER_MS) + 1
		       : 0;
}

int fastpath_unreachable(const struct fastpath *fastpath, struct problem *problem)
{
	return problem_set(problem, -ENOTCONN, 503, "dataplane-unreachable",
			   "weft-dataplane does not answer on %s; "
			   "see: systemctl status weft-dataplane",
			   fastpath->socket_path);
}

int fastpath_ask(struct fastpath *fastpath, enum dp_type type, void *message, size_t bytes,
		 dp_client_fn fn, void *ctx, struct problem *problem)
{
	char why[DP_TEXT_BYTES] = "";

	/* An answer that comes at once is worth waiting for the next one. */
	fastpath_look(fastpath);
	if (fastpath->client == NULL || fastpath->states.is_asked)
		return fastpath_unreachable(fastpath, problem);
	int error = dp_client_request(fastpath->client, type, message, bytes, ASK_TIMEOUT_MS, fn,
				      ctx, why);
	if (error < 0 && dp_client_is_broken(fastpath->client)) {
		disconnect(fastpath, why);
		return fastpath_unreachable(fastpath, problem);
	}
	return error < 0 ? refuse(fastpath, error, why, problem) : 0;
}
