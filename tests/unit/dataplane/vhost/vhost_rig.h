/* SPDX-License-Identifier: BSD-3-Clause */
/* What the vhost tests share: guest memory in a memfd, messages as a front-end sends them (or never
 * would), and counts of what a leak would leave behind. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "dataplane/vhost/message.h"

/* A memfd of that size; close it. */
int vhost_rig_memfd(uint64_t bytes);
/* The same in 2 MiB pages, or -1 if this machine has none to spare. */
int vhost_rig_huge_memfd(uint64_t bytes);

/* Sends one message in one piece: `size` is what the header says, `sent` the payload bytes that go.
 * fds go with the first byte. Asserts that the socket took all. */
void vhost_rig_send_raw(int fd, const struct vhost_header *header, const void *payload, size_t sent,
			const int *fds, unsigned n_fds);
void vhost_rig_send(int fd, uint32_t request, const void *payload, uint32_t bytes, const int *fds,
		    unsigned n_fds);

/* Counts open descriptors and mapped memfds and guards; asserts later that there are no more, and
 * frees the count. */
struct vhost_rig_count;
struct vhost_rig_count *vhost_rig_count(void);
void vhost_rig_assert_no_leak(struct vhost_rig_count *before);

/* Runs check(arg) in a child. What waitpid() says of its end. */
int vhost_rig_in_child(int (*check)(void *arg), void *arg);
