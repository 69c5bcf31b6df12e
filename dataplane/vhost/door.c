/* SPDX-License-Identifier: BSD-3-Clause */
/* Accepting or dialling front-ends, and the check of who they are. Main thread. */
#include "dataplane/vhost/door.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "dataplane/api/dp_msg.h"
#include "dataplane/base/loop.h"
#include "dataplane/vhost/reaper.h"

int door_open(struct door *door, const struct door_config *config, char *why, size_t why_bytes)
{
	int error = 0;

	*door = (struct door){.config = *config, .listener.fd = -1};
	rate_init(&door->arrivals, DOOR_PER_S, DOOR_BURST);
	door->config.path = door->config.owner = NULL;
	if (config->owner != NULL)
		error = peer_find_owner(&door->owner, config->owner, why, why_bytes);
	if (error < 0)
		return error;
	if (config->mode == DOOR_CLIENT)
		return dialer_init(&door->dialer, config->path, why, why_bytes);
	return listener_open(&door->listener, config->path, config->may_exist, why, why_bytes);
}

/* In server mode the file's owner and group say who may connect, unless an owner is named. */
static int check_peer(const struct door *door, int fd, char *why, size_t why_bytes)
{
	if (door->config.mode == DOOR_SERVER && !door->owner.is_named)
		return 0;
	return peer_check(fd, &door->owner, why, why_bytes);
}

static void greet(struct door *door, int fd, uint64_t now_ns)
{
	char why[DP_TEXT_BYTES];

	if (check_peer(door, fd, why, sizeof(why)) == 0) {
		door->config.on_front_end(door->config.ctx, fd, now_ns);
		return;
	}
	reaper_close(door->config.reaper, fd);
	door->config.on_failure(door->config.ctx, why, now_ns);
}

static const char too_many[] =
	"front-ends connect and go all the time: they are let in more slowly";

static void on_connect(void *ctx, uint32_t events, uint64_t now_ns)
{
	struct door *door = ctx;
	int fd = -1;

	if (rate_take(&door->arrivals, now_ns))
		fd = accept4(door->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	else
		door->config.on_failure(door->config.ctx, too_many, now_ns);
	/* It would be reported again at once, for as long as there is no descriptor or no time. */
	if (fd < 0)
		door->is_deaf = loop_modify(door->watch, 0) == 0;
	else
		greet(door, fd, now_ns);
}

int door_publish(struct door *door)
{
	/* A client's first turn connects. */
	if (door->config.mode == DOOR_CLIENT)
		return 0;
	int error = listener_publish(&door->listener);

	if (error < 0)
		return error;
	return loop_add(door->config.loop, door->listener.fd, EPOLLIN, on_connect, door,
			&door->watch);
}

static void dial(struct door *door, uint64_t now_ns)
{
	char why[DP_TEXT_BYTES];
	int fd = dialer_try(&door->dialer, now_ns, why, sizeof(why));

	if (fd >= 0)
		greet(door, fd, now_ns);
	else if (fd != -EINPROGRESS)
		door->config.on_failure(door->config.ctx, why, now_ns);
}

void door_turn(struct door *door, bool wants_one, uint64_t now_ns)
{
	if (door->is_deaf)
		door->is_deaf = loop_modify(door->watch, EPOLLIN) < 0;
	if (wants_one && door->config.mode == DOOR_CLIENT)
		dial(door, now_ns);
}

void door_reset(struct door *door)
{
	dialer_reset(&door->dialer);
}

void door_close(struct door *door)
{
	loop_remove(door->watch);
	listener_close(&door->listener);
}

const char *door_listens_at(const struct door *door)
{
	return door->config.mode == DOOR_SERVER ? door->listener.path : NULL;
}
