/* SPDX-License-Identifier: BSD-3-Clause */
/* Sending and receiving vhost-user messages on a non-blocking socket. See vhu.h. Any thread. */
#include "tests/lib/vhu.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/deadline.h"

static int wait_for(int fd, short events, uint64_t deadline_ns)
{
	struct pollfd ready = {.fd = fd, .events = events};
	int n;

	do {
		n = poll(&ready, 1, deadline_left_ms(deadline_ns));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == 0 ? -ETIMEDOUT : 0;
}

/* One sendmsg; a descriptor may travel only with a first byte, so a retry repeats them. */
static ssize_t send_some(int fd, const void *bytes, size_t n_bytes, const int *fds,
			 unsigned int n_fds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * VHU_FDS_MAX)];
	} control = {0};
	union {
		const void *from;
		void *to;
	} data = {.from = bytes};
	struct iovec iov = {.iov_base = data.to, .iov_len = n_bytes};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (n_fds > 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * n_fds);
	}
	return sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int vhu_send(int fd, const void *bytes, size_t n_bytes, const int *fds, unsigned int n_fds,
	     uint64_t deadline_ns)
{
	const char *rest = bytes;

	if (n_fds > VHU_FDS_MAX)
		return -EINVAL;
	while (n_bytes > 0) {
		ssize_t n = send_some(fd, rest, n_bytes, fds, n_fds);

		if (n > 0) {
			rest += n;
			n_bytes -= (size_t)n;
			n_fds = 0;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return errno == EPIPE ? -ECONNRESET : -errno;
		int err = wait_for(fd, POLLOUT, deadline_ns);

		if (err < 0)
			return err;
	}
	return 0;
}

int vhu_request(int fd, struct vhu_message *message, const int *fds, unsigned int n_fds,
		uint64_t deadline_ns)
{
	message->header.flags |= VHU_VERSION;
	return vhu_send(fd, message, sizeof(message->header) + message->header.bytes, fds, n_fds,
			deadline_ns);
}

/* The answers here carry no descriptors; a peer that adds some must not leak them into us. */
static void close_descriptors(struct msghdr *msg)
{
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg != NULL;
	     cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(fd));
			close(fd);
		}
	}
}

static int receive_bytes(int fd, void *bytes, size_t n_bytes, uint64_t deadline_ns)
{
	char *rest = bytes;

	while (n_bytes > 0) {
		union {
			struct cmsghdr align;
			char bytes[CMSG_SPACE(sizeof(int) * VHU_FDS_MAX)];
		} control;
		struct iovec iov = {.iov_base = rest, .iov_len = n_bytes};
		struct msghdr msg = {.msg_iov = &iov,
				     .msg_iovlen = 1,
				     .msg_control = control.bytes,
				     .msg_controllen = sizeof(control.bytes)};
		ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

		if (n == 0)
			return -ECONNRESET;
		if (n > 0) {
			close_descriptors(&msg);
			rest += n;
			n_bytes -= (size_t)n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		int err = wait_for(fd, POLLIN, deadline_ns);

		if (err < 0)
			return err;
	}
	return 0;
}

int vhu_receive(int fd, struct vhu_message *message, uint64_t deadline_ns)
{
	int err = receive_bytes(fd, &message->header, sizeof(message->header), deadline_ns);

	if (err < 0)
		return err;
	if (message->header.bytes > sizeof(message->payload))
		return -EPROTO;
	if ((message->header.flags & (VHU_REPLY | 0x3U)) != (VHU_REPLY | VHU_VERSION))
		return -EPROTO;
	return receive_bytes(fd, &message->payload, message->header.bytes, deadline_ns);
}
