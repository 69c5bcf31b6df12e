/* SPDX-License-Identifier: BSD-3-Clause */
/* HTTP by libmicrohttpd in weftd's loop: requests to handlers. Runs on weftd's thread. */
#include "control/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "control/http_peer.h"
#include "control/http_tls.h"
#include "dataplane/base/log.h"
#include "dataplane/base/loop.h"

#define NAME_BYTES 256
#define ALLOW_BYTES 32	 /* "DELETE, GET, POST, PUT" */
#define FLOW_BYTES 16384 /* asked of a stream at once */

struct http {
	struct loop *loop;
	struct MHD_Daemon *daemon;
	struct loop_watch *watch;
	struct http_config config;
	struct http_flow *flows;
	struct http_limits limits;
	struct log_limit broken; /* answers that broke off */
	bool is_ending;
};

/* A stream on its connection. */
struct http_flow {
	struct http *http;
	struct http_flow *next;
	struct MHD_Connection *connection;
	struct http_stream stream;
	bool is_suspended;
};

struct http_call {
	struct MHD_Connection *connection;
	char *body;
	size_t body_bytes, max_bytes;
	bool is_too_large;
};

const char *http_query(const struct http_request *request, const char *key)
{
	const char *value = NULL;

	if (MHD_lookup_connection_value_n(request->call->connection, MHD_GET_ARGUMENT_KIND, key,
					  strlen(key), &value, NULL) != MHD_YES)
		return NULL;
	return value != NULL ? value : "";
}

bool http_query_is_on(const struct http_request *request, const char *key)
{
	const char *value = http_query(request, key);

	return value != NULL && strcmp(value, "0") != 0 && strcmp(value, "false") != 0;
}

const char *http_header(const struct http_request *request, const char *key)
{
	return MHD_lookup_connection_value(request->call->connection, MHD_HEADER_KIND, key);
}

/* Does the path fit the pattern? What stands for {name} is copied out. */
static bool is_match(const char *pattern, const char *path, char name[NAME_BYTES])
{
	static const char hole[] = "{name}";

	name[0] = '\0';
	while (*pattern != '\0') {
		if (strncmp(pattern, hole, sizeof(hole) - 1) != 0) {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		size_t len = strcspn(path, "/");
		if (len == 0 || len >= NAME_BYTES)
			return false;
		memcpy(name, path, len);
		name[len] = '\0';
		path += len;
		pattern += sizeof(hole) - 1;
	}
	return *path == '\0';
}

/* `allow`: the methods that the path takes, or "". */
static enum MHD_Result send_text(struct MHD_Connection *connection, int status, const char *type,
				 char *text, uint64_t etag, const char *allow)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
	char value[32];

	if (response == NULL) {
		free(text);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (etag != 0) {
		snprintf(value, sizeof(value), "\"%llu\"", (unsigned long long)etag);
		MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, value);
	}
	if (*allow != '\0')
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allow);
	enum MHD_Result result = MHD_queue_response(connection, (unsigned int)status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result send_problem(struct MHD_Connection *connection, struct problem *problem,
				    const char *allow)
{
	json_t *errors = json_array_size(problem->errors) > 0 ? json_incref(problem->errors) : NULL;
	json_t *object = json_pack("{s:s, s:i, s:s, s:s, s:o*}", "code", problem->code, "status",
				   problem->status, "title",
				   MHD_get_reason_phrase_for((unsigned int)problem->status),
				   "detail", problem->detail, "errors", errors);
	char *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	problem_fini(problem);
	if (text == NULL)
		return MHD_NO;
	return send_text(connection, problem->status, "application/problem+json", text, 0, allow);
}

/* A connection without anything to send is suspended: it costs nothing until it is woken. What
 * breaks off has no last chunk (RFC 9112, 8): the client knows that it is not whole. */
static ssize_t read_flow(void *ctx, uint64_t offset, char *buffer, size_t buffer_bytes)
{
	struct http_flow *flow = ctx;
	struct http *http = flow->http;
	int n = http->is_ending ? -ECANCELED
				: flow->stream.read(flow->stream.ctx, buffer, buffer_bytes);

	if (n == -ENODATA)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (n < 0 && !http->is_ending)
		log_limited(&http->broken, loop_clock_ns(), LOG_LEVEL_WARN, "http",
			    "an answer breaks off: %s", strerror(-n));
	if (n < 0)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (n == 0) {
		flow->is_suspended = true;
		MHD_suspend_connection(flow->connection);
	}
	return n;
}

static void close_flow(void *ctx)
{
	struct http_flow *flow = ctx;
	struct http_flow **link = &flow->http->flows;

	while (*link != flow)
		link = &(*link)->next;
	*link = flow->next;
	flow->stream.close(flow->stream.ctx);
	free(flow);
}

static enum MHD_Result send_stream(struct http *http, struct MHD_Connection *connection,
				   const struct http_stream *stream)
{
	struct http_flow *flow = calloc(1, sizeof(*flow));
	struct MHD_Response *response = NULL;

	if (flow != NULL)
		response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, FLOW_BYTES,
							     read_flow, flow, close_flow);
	if (response == NULL) {
		stream->close(stream->ctx);
		free(flow);
		return MHD_NO;
	}
	*flow = (struct http_flow){
		.http = http, .next = http->flows, .connection = connection, .stream = *stream};
	http->flows = flow;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, stream->type);
	enum MHD_Result result = MHD_queue_response(connection, 200, response);
	MHD_destroy_response(response);
	return result;
}

void http_wake(struct http *http)
{
	for (struct http_flow *flow = http->flows; flow != NULL; flow = flow->next) {
		if (flow->is_suspended)
			MHD_resume_connection(flow->connection);
		flow->is_suspended = false;
	}
}

static enum MHD_Result send_reply(struct http *http, struct MHD_Connection *connection,
				  struct http_reply *reply)
{
	int status = reply->status != 0 ? reply->status : 200;

	if (reply->stream.read != NULL)
		return send_stream(http, connection, &reply->stream);
	if (reply->text != NULL)
		return send_text(connection, status, reply->text_type, reply->text, reply->etag,
				 "");
	char *text = json_dumps(reply->json, JSON_COMPACT);
	json_decref(reply->json);
	if (text == NULL)
		return MHD_NO;
	return send_text(connection, status, "application/json", text, reply->etag, "");
}

/* Adds a method to a list as "GET, PUT". Two patterns may fit one path, with the same method. */
static void add_method(char allow[ALLOW_BYTES], const char *method)
{
	size_t len = strlen(allow);

	if (strstr(allow, method) == NULL)
		snprintf(allow + len, ALLOW_BYTES - len, "%s%s", len > 0 ? ", " : "", method);
}

/* `allow`: "", or with 405 the methods that the path takes (RFC 9110, 15.5.6). */
static const struct http_route *find_route(const struct http *http, const char *method,
					   const char *path, char name[NAME_BYTES],
					   char allow[ALLOW_BYTES], struct problem *problem)
{
	for (size_t i = 0; i < http->config.n_routes; i++) {
		const struct http_route *route = &http->config.routes[i];

		if (!is_match(route->path, path, name))
			continue;
		if (strcmp(route->method, method) == 0)
			return route;
		add_method(allow, route->method);
	}
	if (*allow != '\0')
		problem_set(problem, -EINVAL, 405, "method-not-allowed",
			    "%.20s is not possible on %.200s; use %s", method, path, allow);
	else
		problem_set(problem, -ENOENT, 404, "path-unknown",
			    "there is no %.200s; see docs/api.md for the paths", path);
	return NULL;
}

/* Is `word` one of "dry_run, prune"? */
static bool is_listed(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (*list != '\0') {
		size_t item_len = strcspn(list, ",");

		if (item_len == len && len > 0 && memcmp(list, word, len) == 0)
			return true;
		list += item_len;
		list += strspn(list, ", ");
	}
	return false;
}

struct query_check {
	const char *known;
	const char *unknown; /* the first one */
};

static enum MHD_Result check_parameter(void *ctx, enum MHD_ValueKind kind, const char *key,
				       const char *value)
{
	struct query_check *check = ctx;

	if (is_listed(check->known, key))
		return MHD_YES;
	check->unknown = key;
	return MHD_NO;
}

/* A misspelt ?dry_run must not be carried out for real. */
static int check_query(const struct http_call *call, const struct http_route *route,
		       struct problem *problem)
{
	struct query_check check = {.known = route->query};

	MHD_get_connection_values(call->connection, MHD_GET_ARGUMENT_KIND, check_parameter, &check);
	if (check.unknown == NULL)
		return 0;
	return problem_set(problem, -EINVAL, 400, "query-unknown",
			   "unknown query parameter '%.60s'; %s %s takes %s", check.unknown,
			   route->method, route->path,
			   route->query[0] != '\0' ? route->query : "none");
}

static int check_role(struct http_peer *peer, const struct http_route *route,
		      struct problem *problem)
{
	if (peer->role >= route->role && peer->role != ROLES_NONE)
		return 0;
	return problem_set(
		problem, -EACCES, 403, "role-missing",
		"%s %s asks for the role %s, and %s has %s; an administrator can give it "
		"with weftd --grant %s=%s",
		route->method, route->path, roles_name(route->role), peer->who,
		roles_name(peer->role), roles_name(route->role), peer->grantee);
}

static enum MHD_Result answer(struct http *http, struct http_call *call, struct http_peer *peer,
			      const char *method, const char *path)
{
	char name[NAME_BYTES], allow[ALLOW_BYTES] = "";
	struct problem problem = {0};
	struct http_reply reply = {0};
	const struct http_route *route = NULL;

	if (!http_limits_take(&http->limits, peer->who, peer->uid, loop_clock_ns()))
		problem_set(&problem, -EBUSY, 429, "requests-many",
			    "%s has sent more than %d requests a second; wait a second", peer->who,
			    HTTP_LIMITS_PER_S);
	else if (call->is_too_large)
		problem_set(&problem, -E2BIG, 413, "body-too-large",
			    "the body has more than 8 MiB; split it");
	else
		route = find_route(http, method, path, name, allow, &problem);
	if (route == NULL)
		return send_problem(call->connection, &problem, allow);
	if (check_role(peer, route, &problem) < 0 || check_query(call, route, &problem) < 0)
		return send_problem(call->connection, &problem, "");
	struct http_request request = {
		.method = method,
		.name = name,
		.body = call->body != NULL ? call->body : "",
		.body_bytes = call->body_bytes,
		.who = peer->who,
		.user = peer->name,
		.uid = peer->uid,
		.call = call,
	};
	request.tag = route->tag;
	if (route->fn(http->config.ctx, &request, &reply, &problem) < 0)
		return send_problem(call->connection, &problem, "");
	problem_fini(&problem);
	return send_reply(http, call->connection, &reply);
}

/* Beyond the limit the rest is read and forgotten: only then can the answer be sent. */
static enum MHD_Result take_body(struct http_call *call, const char *data, size_t bytes)
{
	if (call->is_too_large || bytes > HTTP_BODY_BYTES_MAX - call->body_bytes) {
		call->is_too_large = true;
		return MHD_YES;
	}
	if (call->body_bytes + bytes + 1 > call->max_bytes) {
		size_t max = (call->body_bytes + bytes + 1) * 2;
		char *body = realloc(call->body, max);

		if (body == NULL)
			return MHD_NO;
		call->body = body;
		call->max_bytes = max;
	}
	memcpy(call->body + call->body_bytes, data, bytes);
	call->body_bytes += bytes;
	call->body[call->body_bytes] = '\0';
	return MHD_YES;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_bytes, void **state)
{
	struct http *http = ctx;
	struct http_call *call = *state;
	struct http_peer *peer = http_peer_at(connection);

	if (peer == NULL)
		return MHD_NO;
	if (call == NULL) {
		call = calloc(1, sizeof(*call));
		if (call == NULL)
			return MHD_NO;
		call->connection = connection;
		*state = call;
		http_limits_await_body(&peer->seat, loop_clock_ns());
		return MHD_YES;
	}
	if (*upload_bytes > 0) {
		size_t bytes = *upload_bytes;

		*upload_bytes = 0;
		return take_body(call, upload, bytes);
	}
	http_limits_await_nothing(&peer->seat);
	return answer(http, call, http_peer_of(connection, http->config.roles), method, url);
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **state,
			 enum MHD_RequestTerminationCode code)
{
	struct http_call *call = *state;
	struct http_peer *peer = http_peer_at(connection);

	if (call == NULL)
		return;
	if (peer != NULL)
		http_limits_await_request(&peer->seat, loop_clock_ns());
	free(call->body);
	free(call);
	*state = NULL;
}

static void on_ready(void *ctx, uint32_t events, uint64_t now_ns)
{
	struct http *http = ctx;

	MHD_run(http->daemon);
}

static void greet(struct http *http, struct MHD_Connection *connection, struct http_peer *peer)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	int fd = info->connect_fd;
	int64_t uid = peer == NULL || peer->is_remote ? HTTP_LIMITS_REMOTE : http_peer_uid(fd);

	/* Here it cannot be refused, only ended. */
	if (peer == NULL ||
	    !http_limits_enter(&http->limits, &peer->seat, fd, uid, loop_clock_ns()))
		shutdown(fd, SHUT_RDWR);
}

/* Who is there is asked once, and as long as the connection lasts. */
static void on_connection(void *ctx, struct MHD_Connection *connection, void **state,
			  enum MHD_ConnectionNotificationCode code)
{
	struct http *http = ctx;
	struct http_peer *peer = *state;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (peer != NULL)
			http_limits_leave(&http->limits, &peer->seat);
		http_peer_destroy(peer);
		*state = NULL;
		return;
	}
	if (http->config.tls != NULL)
		http_tls_demand(connection);
	*state = http_peer_create(http->config.tls != NULL);
	greet(http, connection, *state);
}

static struct MHD_Daemon *start(struct http *http, int listen_fd)
{
	const struct http_tls *tls = http->config.tls;
	struct MHD_OptionItem tls_options[HTTP_TLS_OPTIONS_MAX];

	http_tls_options(tls, tls_options);
	return MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (tls != NULL ? MHD_USE_TLS : 0), 0, NULL,
		NULL, on_request, http, MHD_OPTION_LISTEN_SOCKET, listen_fd,
		MHD_OPTION_CONNECTION_LIMIT, HTTP_LIMITS_CONNECTIONS + HTTP_LIMITS_SPARE,
		MHD_OPTION_CONNECTION_TIMEOUT, HTTP_TIMEOUT_S, MHD_OPTION_NOTIFY_COMPLETED,
		on_completed, http, MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,
		MHD_OPTION_ARRAY, tls_options, MHD_OPTION_END);
}

int http_create(struct loop *loop, int listen_fd, const struct http_config *config,
		struct http **out)
{
	struct http *http = calloc(1, sizeof(*http));
	int error = -ENOMEM;

	if (http == NULL)
		goto close_fd;
	*http = (struct http){.loop = loop, .config = *config};
	http->daemon = start(http, listen_fd);
	if (http->daemon == NULL)
		goto free_http;
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	error = loop_add(loop, info->epoll_fd, EPOLLIN, on_ready, http, &http->watch);
	if (error < 0)
		goto stop_daemon;
	*out = http;
	return 0;
stop_daemon:
	MHD_stop_daemon(http->daemon); /* closes listen_fd */
	free(http);
	return error;
free_http:
	free(http);
close_fd:
	close(listen_fd);
	return error;
}

void http_destroy(struct http *http)
{
	if (http == NULL)
		return;
	/* A suspended connection cannot be closed. */
	http->is_ending = true;
	http_wake(http);
	MHD_run(http->daemon);
	loop_remove(http->watch);
	MHD_stop_daemon(http->daemon);
	free(http);
}

int http_run(struct http *http)
{
	MHD_UNSIGNED_LONG_LONG timeout_ms;

	MHD_run(http->daemon);
	/* After reading: what came while weftd was busy came in time. */
	if (http_limits_enforce(&http->limits, loop_clock_ns()) != 0)
		MHD_run(http->daemon);
	if (MHD_get_timeout(http->daemon, &timeout_ms) != MHD_YES)
		return -1;
	return timeout_ms < 1000 ? (int)timeout_ms : 1000;
}
