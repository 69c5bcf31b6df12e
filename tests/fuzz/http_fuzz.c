/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: what a client of weftd sends, byte for byte: request lines, paths, queries, headers,
 * bodies, several requests in a row. A handler gets what it may rely on; whatever is answered is an
 * answer; nothing is left open.
 *
 *	input: bytes of one connection
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/http.h"
#include "dataplane/base/loop.h"

#define TURNS_MAX 200u
#define FDS_MAX 128

struct scene {
	struct loop *loop;
	struct http *http;
	struct roles roles;
	struct sockaddr_un address;
	socklen_t address_bytes;
};

static void check(bool is_true)
{
	if (!is_true)
		abort();
}

/* Says back what it was asked. */
static int answer(void *ctx, const struct http_request *request, struct http_reply *reply,
		  struct problem *problem)
{
	const char *match = http_header(request, "If-Match"), *age = http_query(request, "age");

	check(strchr(request->name, '/') == NULL && strlen(request->name) < 256);
	check(request->body[request->body_bytes] == '\0');
	check(strlen(request->body) <= request->body_bytes);
	if (http_query_is_on(request, "refuse"))
		return problem_set(problem, -EINVAL, 422, "value-invalid", "%.60s, %.60s", match,
				   age);
	reply->json = json_pack("{s:s%, s:i}", "body", request->body, strlen(request->body) % 64,
				"bytes", (int)request->body_bytes);
	if (reply->json == NULL)
		reply->json = json_object();
	return 0;
}

static const struct http_route routes[] = {
	{.method = "GET", .path = "/v1/ports", .query = "age, refuse", .role = ROLES_READ},
	{.method = "GET", .path = "/v1/ports/{name}/doctor", .query = "", .role = ROLES_READ},
	{.method = "PUT", .path = "/v1/ports/{name}", .query = "refuse", .role = ROLES_OPERATE},
	{.method = "POST", .path = "/v1/apply", .query = "dry_run, prune", .role = ROLES_ADMIN},
};

static struct scene *open_scene(void)
{
	static struct http_route table[sizeof(routes) / sizeof(routes[0])];
	static struct scene scene;
	struct http_config config = {.routes = table, .roles = &scene.roles};

	if (scene.loop != NULL)
		return &scene;
	memcpy(table, routes, sizeof(routes));
	config.n_routes = sizeof(routes) / sizeof(routes[0]);
	for (size_t i = 0; i < config.n_routes; i++)
		table[i].fn = answer;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	/* Without a path the kernel chooses a name in no directory. */
	scene.address.sun_family = AF_UNIX;
	scene.address_bytes = sizeof(scene.address);
	check(bind(fd, (struct sockaddr *)&scene.address, sizeof(sa_family_t)) == 0);
	check(listen(fd, 4) == 0);
	check(getsockname(fd, (struct sockaddr *)&scene.address, &scene.address_bytes) == 0);
	check(loop_create(&scene.loop) == 0);
	check(http_create(scene.loop, fd, &config, &scene.http) == 0);
	return &scene;
}

static unsigned int count_fds(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < FDS_MAX; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
	static const char version[] = "HTTP/1.";
	struct scene *scene = open_scene();
	unsigned int before = count_fds();
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char answers[65536];
	size_t n_answers = 0;

	check(connect(fd, (struct sockaddr *)&scene->address, scene->address_bytes) == 0);
	/* Larger than any input is what a socket takes at once. */
	check(n_bytes == 0 || send(fd, bytes, n_bytes, MSG_NOSIGNAL) == (ssize_t)n_bytes);
	check(shutdown(fd, SHUT_WR) == 0);
	for (unsigned int i = 0; i < TURNS_MAX; i++) {
		http_run(scene->http);
		ssize_t n = recv(fd, answers + n_answers, sizeof(answers) - n_answers, 0);

		if (n == 0)
			break;
		n_answers += n > 0 ? (size_t)n : 0;
		check(n_answers < sizeof(answers));
	}
	check(n_answers == 0 ||
	      (n_answers > sizeof(version) && memcmp(answers, version, sizeof(version) - 1) == 0));
	close(fd);
	http_run(scene->http);
	http_run(scene->http);
	check(count_fds() == before);
	return 0;
}
