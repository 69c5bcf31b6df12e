/* SPDX-License-Identifier: BSD-3-Clause */
/* Output queue of a client of the control socket. Main thread. */
#include "dataplane/client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/base/loop.h"

/* More than a dump of everything at the largest: beyond, the client is not reading. */
#define QUEUE_BYTES_MAX (128u * 1024 * 1024)

struct client_message {
	struct client_message *next;
	int fd;
	size_t bytes;
	char data[];
};

/* 0 or -errno. */
static int send_now(int socket, const void *message, size_t bytes, int fd)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)message, .iov_len = bytes};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (fd >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.space);
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	return sendmsg(socket, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static int enqueue(struct client *client, const void *message, size_t bytes, int fd)
{
	struct client_message *queued;

	if (client->queued_bytes + bytes > QUEUE_BYTES_MAX)
		return -ENOBUFS;
	queued = malloc(sizeof(*queued) + bytes);
	if (queued == NULL)
		return -ENOMEM;
	*queued = (struct client_message){.bytes = bytes, .fd = -1};
	memcpy(queued->data, message, bytes);
	if (fd >= 0) {
		queued->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (queued->fd < 0) {
			free(queued);
			return -EMFILE;
		}
	}
	*client->queue_end = queued;
	client->queue_end = &queued->next;
	client->queued_bytes += bytes;
	return loop_modify(client->watch, EPOLLIN | EPOLLOUT);
}

void client_send(struct client *client, void *message, size_t bytes, enum dp_type type, int fd)
{
	struct dp_header *header = message;
	int error = -EAGAIN;

	header->bytes = (uint32_t)bytes;
	header->type = (uint16_t)type;
	header->version = client->version;
	if (client->has_failed)
		return;
	if (client->queue == NULL)
		error = send_now(client->fd, message, bytes, fd);
	if (error == -EAGAIN)
		error = enqueue(client, message, bytes, fd);
	client->has_failed |= error < 0;
}

void client_done(struct client *client, uint64_t cookie, int error, const char *text)
{
	struct dp_done done = {.header = {.cookie = cookie}, .error = error};
	size_t len = strlen(text);

	if (len >= sizeof(done.text))
		len = sizeof(done.text) - 1;
	memcpy(done.text, text, len);
	client_send(client, &done, sizeof(done), DP_DONE, -1);
}

static void free_first(struct client *client)
{
	struct client_message *first = client->queue;

	client->queue = first->next;
	if (client->queue == NULL)
		client->queue_end = &client->queue;
	client->queued_bytes -= first->bytes;
	if (first->fd >= 0)
		close(first->fd);
	free(first);
}

void client_flush(struct client *client)
{
	while (client->queue != NULL) {
		struct client_message *first = client->queue;
		int error = send_now(client->fd, first->data, first->bytes, first->fd);

		if (error == -EAGAIN)
			return;
		if (error < 0) {
			client->has_failed = true;
			return;
		}
		free_first(client);
	}
	client->has_failed |= loop_modify(client->watch, EPOLLIN) < 0;
}

void client_drop_queue(struct client *client)
{
	while (client->queue != NULL)
		free_first(client);
}
