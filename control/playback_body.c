/* SPDX-License-Identifier: BSD-3-Clause */
/* See playback_body.h. Pure. */
#include "control/playback_body.h"

#include <errno.h>
#include <string.h>

struct head {
	uint64_t due_ns;
	uint32_t len;
	uint16_t port;
	uint16_t reserved;
};

_Static_assert(sizeof(struct head) == PLAYBACK_HEAD_BYTES, "layout");
_Static_assert(PLAYBACK_FRAME_BYTES_MAX == 65599, "what is said of it");

static int refuse(struct problem *problem, const char *what)
{
	return problem_set(problem, -EINVAL, 422, "value-invalid", "frames: %s", what);
}

int playback_body_check(const char *body, size_t bytes, size_t n_ports, struct problem *problem)
{
	struct head head;

	for (size_t at = 0; at < bytes; at += sizeof(head) + head.len) {
		if (bytes - at < sizeof(head))
			return refuse(problem, "the body ends within a header");
		memcpy(&head, body + at, sizeof(head));
		if (head.len == 0 || head.len > PLAYBACK_FRAME_BYTES_MAX)
			return refuse(problem, "a frame has 1 to 65599 bytes");
		if (bytes - at - sizeof(head) < head.len)
			return refuse(problem, "the body ends within a frame");
		if (head.port >= n_ports || head.reserved != 0)
			return refuse(problem, "no such port in this replay");
	}
	return 0;
}

size_t playback_body_frame(const char *body, struct playback_frame *frame)
{
	struct head head;

	memcpy(&head, body, sizeof(head));
	*frame = (struct playback_frame){.due_ns = head.due_ns,
					 .len = head.len,
					 .port = head.port,
					 .bytes = body + sizeof(head)};
	return sizeof(head) + head.len;
}
