/* SPDX-License-Identifier: BSD-3-Clause */
/* See server_rig.h. */
#include "tests/unit/dataplane/server_rig.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "dataplane/base/loop.h"
#include "dataplane/dataplane.h"
#include "dataplane/server.h"

static void *be_main(void *arg)
{
	struct server_rig *rig = arg;

	while (!atomic_load(&rig->is_over)) {
		loop_turn(rig->dp->loop, 1, loop_clock_ns);
		dataplane_turn(rig->dp, loop_clock_ns());
	}
	return NULL;
}

struct server_rig *server_rig_open(struct dataplane *dp)
{
	struct server_rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	rig->dp = dp;
	strcpy(rig->dir, "/tmp/weft-server-XXXXXX");
	assert_non_null(mkdtemp(rig->dir));
	snprintf(rig->path, sizeof(rig->path), "%s/dataplane.sock", rig->dir);
	assert_int_equal(
		server_create(dp, rig->path, true, &rig->server, rig->why, sizeof(rig->why)), 0);
	assert_int_equal(pthread_create(&rig->thread, NULL, be_main, rig), 0);
	assert_int_equal(dp_client_open(&rig->client, rig->path), 0);
	return rig;
}

void server_rig_stop(struct server_rig *rig)
{
	if (!atomic_exchange(&rig->is_over, true))
		pthread_join(rig->thread, NULL);
}

void server_rig_close(struct server_rig *rig)
{
	server_rig_stop(rig);
	dp_client_close(rig->client);
	server_destroy(rig->server);
	assert_int_equal(rmdir(rig->dir), 0);
	free(rig);
}

int server_rig_ask(struct server_rig *rig, enum dp_type type)
{
	return dp_client_request(rig->client, type, NULL, 0, SERVER_RIG_TIMEOUT_MS, NULL, NULL,
				 rig->why);
}

void server_rig_stage(struct server_rig *rig, enum dp_type type, void *message, size_t bytes)
{
	assert_int_equal(
		dp_client_stage(rig->client, type, message, bytes, NULL, 0, SERVER_RIG_TIMEOUT_MS),
		0);
}

int server_rig_connect(const struct server_rig *rig)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, rig->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

ssize_t server_rig_receive(int fd, void *message, size_t bytes)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&pollfd, 1, SERVER_RIG_TIMEOUT_MS), 1);
	ssize_t n = recv(fd, message, bytes, 0);

	return n < 0 && errno == ECONNRESET ? 0 : n;
}

void server_rig_assert_done(int fd, uint64_t cookie, int error)
{
	struct dp_done done;

	assert_int_equal(server_rig_receive(fd, &done, sizeof(done)), sizeof(done));
	assert_int_equal(done.header.type, DP_DONE);
	assert_int_equal(done.header.cookie, cookie);
	assert_int_equal(done.error, error);
	assert_true(error == 0 || done.text[0] != '\0');
}

void server_rig_assert_closed(int fd)
{
	char byte;

	assert_int_equal(server_rig_receive(fd, &byte, 1), 0);
	close(fd);
}
