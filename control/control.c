/* SPDX-License-Identifier: BSD-3-Clause */
/* A running weftd: opening the parts in order, and the turn. One thread. */
#include "control/control.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "control/api.h"
#include "control/claims.h"
#include "control/config.h"
#include "control/events.h"
#include "control/fastpath.h"
#include "control/flights.h"
#include "control/following.h"
#include "control/http.h"
#include "control/http_listen.h"
#include "control/loans.h"
#include "control/playback.h"
#include "control/recent.h"
#include "control/recording.h"
#include "control/reports.h"
#include "control/speeds.h"
#include "control/store.h"
#include "control/trial.h"
#include "control/underlay.h"
#include "dataplane/base/log.h"
#include "dataplane/base/loop.h"

#define CLUSTER "default" /* one host is a cluster of one */
#define NS_PER_MS 1000000ULL
#define WAIT_MAX_MS 1000
#define LOCK_WAIT_MS 1000
#define LOCK_TRY_MS 10
#define CLAIMS_RETRY_MS 2000 /* turns may be 5 ms apart */
#define POKE_MS 200	     /* how late a change of a port's state is noticed, at most */

/* The directory, made if only its last part is missing. */
static int open_dir(const char *path, mode_t mode, const char *flag, char *why, size_t why_bytes)
{
	struct stat stat_;

	if (mkdir(path, mode) < 0 && errno != EEXIST) {
		int error = -errno;

		snprintf(why, why_bytes,
			 "%s %s: cannot be made: %s; make its parent directory, or "
			 "choose another one",
			 flag, path, strerror(-error));
		return error;
	}
	if (stat(path, &stat_) == 0 && S_ISDIR(stat_.st_mode) && access(path, W_OK | X_OK) == 0)
		return 0;
	snprintf(why, why_bytes, "%s %s: not a directory that can be written to", flag, path);
	return -ENOTDIR;
}

/* The lock of one that was killed goes with its last thread: who starts the next at once waits a
 * moment. */
static bool lock_soon(int fd)
{
	const struct timespec pause = {.tv_nsec = LOCK_TRY_MS * 1000000L};

	for (unsigned int i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
		if (i == LOCK_WAIT_MS / LOCK_TRY_MS)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

/* One weftd for each state directory: two would undo each other's work. */
static int lock_state(const char *state_dir, int *lock_fd, char *why, size_t why_bytes)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/weftd.lock", state_dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		int error = -errno;

		snprintf(why, why_bytes, "%s: %s", path, strerror(-error));
		return error;
	}
	if (!lock_soon(fd)) {
		close(fd);
		snprintf(why, why_bytes,
			 "another weftd uses %s; stop it, or choose another "
			 "--state-dir and --run-dir",
			 state_dir);
		return -EBUSY;
	}
	*lock_fd = fd;
	return 0;
}

static void name_host(char host[DP_NAME_BYTES])
{
	char name[HOST_NAME_MAX + 1] = "";

	gethostname(name, sizeof(name) - 1);
	name[strcspn(name, ".")] = '\0';
	snprintf(host, DP_NAME_BYTES, "%.*s", DP_NAME_BYTES - 1,
		 model_is_name(name) ? name : "localhost");
}

static int open_state(struct control *control, const struct control_options *options, char *why,
		      size_t why_bytes)
{
	const char *state_dir = options->state_dir;
	struct problem problem = {0};
	char path[PATH_MAX];
	int error = open_dir(state_dir, 0700, "--state-dir", why, why_bytes);

	if (error == 0)
		error = lock_state(state_dir, &control->lock_fd, why, why_bytes);
	if (error < 0)
		return error;
	snprintf(path, sizeof(path), "%s/weft.db", state_dir);
	error = store_sqlite_open(path, loop_clock_ns() / NS_PER_MS, &control->store, why,
				  why_bytes);
	if (error < 0)
		return error;
	error = config_open(control->store, control->cluster, options->history, &control->config,
			    &control->model, &problem);
	if (error == 0)
		error = claims_open(control->store, control->cluster, control->host,
				    &control->claims);
	if (error < 0)
		snprintf(why, why_bytes, "%s: %s", path,
			 problem.detail[0] != '\0' ? problem.detail : strerror(-error));
	return error;
}

/* node/HOST/info: who is here. */
static int announce(struct control *control, char *why, size_t why_bytes)
{
	char key[192];
	json_t *info = json_pack("{s:s, s:s}", "host", control->host, "version", WEFT_VERSION);
	char *text = info != NULL ? json_dumps(info, JSON_COMPACT) : NULL;
	int error = -ENOMEM;
	bool is_done;
	store_rev rev;

	json_decref(info);
	snprintf(key, sizeof(key), "/weft/v1/%s/node/%s/info", control->cluster, control->host);
	if (text != NULL) {
		struct store_op op = {
			.what = STORE_PUT, .key = key, .value = text, .value_bytes = strlen(text)};
		struct store_txn txn = {.ops = &op, .n_ops = 1};

		error = store_commit(control->store, &txn, &is_done, &rev);
	}
	free(text);
	if (error < 0)
		snprintf(why, why_bytes, "writing the store: %s", strerror(-error));
	return error;
}

static int serve(struct control *control, int listen_fd, const struct http_tls *tls,
		 struct http **http)
{
	struct http_config config = {.roles = &control->roles, .ctx = control, .tls = tls};

	config.routes = api_routes(&config.n_routes);
	return http_create(control->loop, listen_fd, &config, http);
}

static int open_socket(struct control *control, char *why, size_t why_bytes)
{
	char path[sizeof(control->run_dir) + 16];

	snprintf(path, sizeof(path), "%s/weftd.sock", control->run_dir);
	int fd = http_listen_unix(path, ROLES_GROUP);
	if (fd == -EADDRINUSE)
		snprintf(why, why_bytes,
			 "another weftd answers on %s; stop it, or choose another "
			 "--run-dir",
			 path);
	else if (fd < 0)
		snprintf(why, why_bytes, "%s: %s", path, strerror(-fd));
	if (fd < 0)
		return fd;
	int error = serve(control, fd, NULL, &control->http);
	if (error < 0)
		snprintf(why, why_bytes, "starting the HTTP server: %s", strerror(-error));
	return error;
}

int control_listen(struct control *control, const char *address, struct http_tls *tls, char *why,
		   size_t why_bytes)
{
	control->tls = *tls;
	*tls = (struct http_tls){0};
	int fd = http_listen_tcp(address, why, why_bytes);
	if (fd < 0)
		return fd;
	int error = serve(control, fd, &control->tls, &control->https);
	if (error < 0)
		snprintf(why, why_bytes, "--listen %.100s: starting TLS: %s", address,
			 strerror(-error));
	return error;
}

static int open_parts(struct control *control, const struct control_options *options, char *why,
		      size_t why_bytes)
{
	const char *run_dir = options->run_dir;
	char real[PATH_MAX];
	int error = open_dir(run_dir, 0755, "--run-dir", why, why_bytes);

	if (error < 0)
		return error;
	if (realpath(run_dir, real) == NULL || strlen(real) >= sizeof(control->run_dir)) {
		snprintf(why, why_bytes,
			 "--run-dir %s: the path is too long for sockets; choose a "
			 "shorter one",
			 run_dir);
		return -ENAMETOOLONG;
	}
	snprintf(control->run_dir, sizeof(control->run_dir), "%s", real);
	name_host(control->host);
	error = open_state(control, options, why, why_bytes);
	if (error == 0)
		error = announce(control, why, why_bytes);
	if (error < 0)
		return error;
	error = events_create(config_revision(control->config), &control->events);
	if (error == 0)
		error = reports_create(&control->reports);
	if (error == 0)
		error = recent_create(&control->recent);
	if (error == 0)
		error = flights_create(options->state_dir, &control->flights);
	if (error == 0)
		error = loop_create(&control->loop);
	if (error == 0)
		error = underlay_create(control->loop, &control->underlay);
	if (error == 0)
		error = fastpath_create(control->loop, control->run_dir, &control->fastpath);
	if (error < 0) {
		snprintf(why, why_bytes, "starting: %s", strerror(-error));
		return error;
	}
	return open_socket(control, why, why_bytes);
}

int control_create(const struct control_options *options, struct control **out, char *why,
		   size_t why_bytes)
{
	struct control *control = calloc(1, sizeof(*control));

	if (control == NULL) {
		snprintf(why, why_bytes, "out of memory");
		return -ENOMEM;
	}
	control->lock_fd = -1;
	control->cluster = CLUSTER;
	int error = open_parts(control, options, why, why_bytes);
	if (error < 0) {
		control_destroy(control);
		return error;
	}
	trial_arm(control);
	loans_start(control);
	*out = control;
	return 0;
}

void control_destroy(struct control *control)
{
	char path[sizeof(control->run_dir) + 16];

	if (control == NULL)
		return;
	if (control->http != NULL) {
		snprintf(path, sizeof(path), "%s/weftd.sock", control->run_dir);
		unlink(path);
	}
	http_destroy(control->http);
	http_destroy(control->https);
	http_tls_fini(&control->tls);
	events_destroy(control->events);
	reports_destroy(control->reports);
	recent_destroy(control->recent);
	flights_destroy(control->flights);
	if (control->fastpath != NULL)
		playback_end_all(control);
	fastpath_destroy(control->fastpath);
	underlay_destroy(control->underlay);
	loop_destroy(control->loop);
	claims_close(control->claims);
	config_close(control->config);
	model_destroy(control->model);
	store_close(control->store);
	if (control->lock_fd >= 0)
		close(control->lock_fd);
	free(control);
}

static bool is_broken(void *ctx, const struct model_port *port)
{
	struct control *control = ctx;

	return fastpath_broken(control->fastpath, port->id) != NULL;
}

void control_claim(struct control *control)
{
	uint64_t version = fastpath_version(control->fastpath);
	uint64_t now_ns = loop_clock_ns();

	if (version == control->claimed_version || fastpath_welcome(control->fastpath) == NULL ||
	    now_ns < control->claims_retry_ns)
		return;
	int error = claims_sync(control->claims, control->model, is_broken, control);
	if (error < 0) {
		control->claims_retry_ns = now_ns + CLAIMS_RETRY_MS * NS_PER_MS;
		log_error("control", "writing claims: %s; trying again", strerror(-error));
	} else {
		control->claimed_version = version;
	}
}

static int sooner(int a_ms, int64_t b_ms)
{
	return b_ms >= 0 && b_ms < a_ms ? (int)b_ms : a_ms;
}

void control_publish(struct control *control, const struct plan *plan)
{
	events_add_plan(control->events, plan, config_revision(control->config));
	if (control->watches != NULL)
		fastpath_poke(control->fastpath);
}

void control_wake(struct control *control)
{
	http_wake(control->http);
	if (control->https != NULL)
		http_wake(control->https);
}

/* For who watches. Returns ms until it wants to be called again; -1: nobody does. */
static int follow(struct control *control, uint64_t now_ns)
{
	if (control->watches == NULL)
		return -1;
	if (now_ns >= control->next_poke_ns) {
		fastpath_poke(control->fastpath);
		control->next_poke_ns = now_ns + POKE_MS * NS_PER_MS;
	}
	/* With old answers a new port would look as if the dataplane did not have it. */
	if (!fastpath_is_asking(control->fastpath))
		events_look(control->events, control->model, control->fastpath);
	control_wake(control);
	return POKE_MS;
}

/* What channels and ports counted. Returns ms until it wants to be called again. */
static int report(struct control *control, uint64_t now_ns)
{
	const struct meter *meter = fastpath_meter(control->fastpath);

	if (!control->is_reported)
		control->is_reported = reports_follow(control->reports, control->model) == 0;
	return sooner(reports_run(control->reports, meter, now_ns),
		      recent_run(control->recent, meter, now_ns));
}

/* Pools that have the capacity of a link follow its speed. No turn is longer than the rest. */
static void follow_speeds(struct control *control, uint64_t now_ns)
{
	if (now_ns < control->speeds_due_ns)
		return;
	control->speeds_due_ns = now_ns + WAIT_MAX_MS * NS_PER_MS;
	if (!speeds_find(control->model, control->model, true))
		return;
	log_info("control", "the link of an uplink has another speed, and so have its pools");
	control->is_reported = false;
	fastpath_recheck(control->fastpath);
}

int control_turn(struct control *control)
{
	int wait_ms = WAIT_MAX_MS;
	uint64_t now_ns = loop_clock_ns();
	int64_t store_ms = store_run(control->store, now_ns / NS_PER_MS);

	if (store_ms < 0 && store_ms != -1)
		log_limited(&control->store_limit, now_ns, LOG_LEVEL_ERROR, "control", "store: %s",
			    strerror((int)-store_ms));
	wait_ms = sooner(wait_ms, store_ms);
	/* Before the dataplane is told: if a trial ended meanwhile, it gets the old state. */
	wait_ms = sooner(wait_ms, trial_run(control, now_ns));
	wait_ms = sooner(wait_ms, loans_run(control, now_ns));
	/* Before the dataplane is told, too: segments depend on what tunnels carry. */
	if (underlay_look(control->underlay, control->model, config_revision(control->config)))
		fastpath_recheck(control->fastpath);
	follow_speeds(control, now_ns);
	wait_ms = sooner(wait_ms, fastpath_run(control->fastpath, control->model, now_ns));
	wait_ms = sooner(wait_ms, underlay_tell(control->underlay, control->fastpath, now_ns));
	wait_ms = sooner(wait_ms, report(control, now_ns));
	wait_ms = sooner(wait_ms, flights_turn(control));
	wait_ms = sooner(wait_ms, follow(control, now_ns));
	wait_ms = sooner(wait_ms, api_run_tests(control, now_ns));
	wait_ms = sooner(wait_ms, recording_turn(control));
	wait_ms = sooner(wait_ms, playback_turn(control, now_ns));
	wait_ms = sooner(wait_ms, following_turn(control));
	wait_ms = sooner(wait_ms, http_run(control->http));
	if (control->https != NULL)
		wait_ms = sooner(wait_ms, http_run(control->https));
	control_claim(control);
	int n = loop_turn(control->loop, wait_ms, loop_clock_ns);
	return n < 0 ? n : 0;
}
