/* SPDX-License-Identifier: BSD-3-Clause */
/* One attempt to reach the dataplane, without waiting. Runs on weftd's thread. */
#include "control/hello.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "dataplane/base/loop.h"

static void on_readable(void *ctx, uint32_t events, uint64_t now_ns)
{
	struct hello *hello = ctx;

	hello->is_answered = true;
}

int hello_say(struct hello *hello, struct loop *loop, const char *path, uint64_t now_ns,
	      char why[DP_TEXT_BYTES])
{
	int error = dp_client_open(&hello->client, path);

	hello->said_ns = now_ns;
	if (error == 0)
		error = loop_add(loop, dp_client_fd(hello->client), EPOLLIN, on_readable, hello,
				 &hello->watch);
	if (error == 0)
		return dp_client_greet(hello->client, why);
	snprintf(why, DP_TEXT_BYTES, "%s: %s", path, strerror(-error));
	return error;
}

int hello_check(struct hello *hello, uint64_t now_ns, struct dp_client **client,
		char why[DP_TEXT_BYTES])
{
	if (!hello->is_answered && now_ns < hello->said_ns + HELLO_TIMEOUT_MS * 1000000ULL)
		return -EAGAIN;
	if (!hello->is_answered) {
		snprintf(why, DP_TEXT_BYTES, "it does not answer");
		return -ETIMEDOUT;
	}
	*client = hello->client;
	hello->client = NULL;
	hello_end(hello);
	return 0;
}

void hello_end(struct hello *hello)
{
	loop_remove(hello->watch);
	dp_client_close(hello->client);
	*hello = (struct hello){0};
}
