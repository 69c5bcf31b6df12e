/* SPDX-License-Identifier: BSD-3-Clause */
/* See replay_feed.h. */
#include "cli/replay_feed.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_S 1000000000ULL
#define FRAME_BYTES_MAX 65535
#define VLAN_BYTES 4
#define FRAME_BYTES_MIN 14
#define GAP_ALONE_NS 1000000ULL /* between rounds of one packet */

struct head {
	uint64_t due_ns;
	uint32_t len;
	uint16_t port;
	uint16_t reserved;
};

_Static_assert(sizeof(struct head) == REPLAY_HEAD_BYTES, "layout");

static int fail(struct replay_feed *feed, int err, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	vsnprintf(feed->why, sizeof(feed->why), format, values);
	va_end(values);
	return err;
}

static int open_input(struct replay_feed *feed, struct replay_input *input)
{
	int err = strcmp(input->path, "-") == 0 ? -EINVAL
						: capture_file_open(input->path, &input->file);

	if (strcmp(input->path, "-") == 0)
		return fail(feed, err, "-: a replay reads its files twice; name a file");
	return err ? fail(feed, err, "%s: %s", input->path, strerror(-err)) : 0;
}

static void close_input(struct replay_input *input)
{
	capture_file_close(input->file);
	input->file = NULL;
	input->has_packet = false;
}

/* Why a packet cannot be sent; NULL: it can. */
static const char *defect(const struct replay_input *input, const struct capture_packet *packet)
{
	const struct capture_interface *interface =
		capture_file_interface(input->file, packet->interface);

	if (interface && interface->link != CAPTURE_LINK_ETHERNET)
		return "is no Ethernet frame";
	if (packet->wire_len != packet->len)
		return "was cut by a snapshot length: record it whole (-s 0)";
	if (packet->len < FRAME_BYTES_MIN)
		return "is shorter than an Ethernet header";
	if (packet->len > FRAME_BYTES_MAX)
		return "has more than 65535 bytes";
	return NULL;
}

/* 1: input->packet is the next one; 0: the end; -errno. */
static int read_packet(struct replay_feed *feed, struct replay_input *input, uint64_t number)
{
	int n = capture_file_next(input->file, &input->packet);

	if (n == -EINVAL)
		return fail(feed, n, "%s: %s", input->path, capture_file_why(input->file));
	if (n < 0)
		return fail(feed, n, "%s: %s", input->path, strerror(-n));
	const char *why = n == 1 ? defect(input, &input->packet) : NULL;

	if (why) {
		const struct capture_interface *interface =
			capture_file_interface(input->file, input->packet.interface);

		return fail(feed, -EINVAL, "%s: packet %llu %s%s%s", input->path,
			    (unsigned long long)number, why,
			    interface && interface->link != CAPTURE_LINK_ETHERNET ? ", but " : "",
			    interface && interface->link != CAPTURE_LINK_ETHERNET
				    ? capture_link_name(interface->link)
				    : "");
	}
	return n;
}

static int scan(struct replay_feed *feed, struct replay_input *input)
{
	int n = open_input(feed, input);

	if (n)
		return n;
	while ((n = read_packet(feed, input, input->packets + 1)) == 1) {
		uint64_t time_ns = input->packet.time_ns;

		if (input->packets == 0)
			input->first_ns = input->last_ns = time_ns;
		if (time_ns < input->last_ns)
			input->backwards++;
		else
			input->last_ns = time_ns;
		input->packets++;
		input->bytes += input->packet.len;
	}
	close_input(input);
	if (n == 0 && input->packets == 0)
		return fail(feed, -EINVAL, "%s: has no packets", input->path);
	return n;
}

int replay_feed_scan(struct replay_feed *feed)
{
	uint64_t last_ns = 0, packets = 0;

	feed->epoch_ns = UINT64_MAX;
	for (size_t i = 0; i < feed->n_inputs; i++) {
		struct replay_input *input = &feed->inputs[i];
		int err = scan(feed, input);

		if (err)
			return err;
		packets += input->packets;
		if (input->first_ns < feed->epoch_ns)
			feed->epoch_ns = input->first_ns;
		if (input->last_ns > last_ns)
			last_ns = input->last_ns;
	}
	/* From one round to the next it is as long as from one packet to the next on average. */
	uint64_t span_ns = last_ns - feed->epoch_ns;

	feed->period_ns = packets > 1 ? span_ns + span_ns / (packets - 1) : GAP_ALONE_NS;
	feed->packets = packets * feed->loops;
	return 0;
}

/* --- one after the other --- */

static uint64_t scaled(const struct replay_feed *feed, uint64_t ns)
{
	return feed->speed == 1 ? ns : (uint64_t)((double)ns / feed->speed);
}

/* n * NS_PER_S / per, exact. */
static uint64_t ratio_ns(uint64_t n, uint64_t per)
{
	return n / per * NS_PER_S + (uint64_t)((unsigned __int128)(n % per) * NS_PER_S / per);
}

static uint64_t due_ns(const struct replay_feed *feed, struct replay_input *input)
{
	switch (feed->pace) {
	case REPLAY_PACE_MAX:
		return 0;
	case REPLAY_PACE_PPS:
		return ratio_ns(input->sent, feed->pps);
	case REPLAY_PACE_RATE:
		return ratio_ns(input->bits, feed->rate_bps);
	default:
		break;
	}
	/* Times that go back do not. */
	if (input->packet.time_ns > input->latest_ns)
		input->latest_ns = input->packet.time_ns;
	return scaled(feed, input->latest_ns - feed->epoch_ns + input->round * feed->period_ns);
}

/* Has the input another packet? It is then read. */
static int look(struct replay_feed *feed, struct replay_input *input)
{
	int n = 1;

	while (!input->has_packet && input->round < feed->loops) {
		if (!input->file) {
			n = open_input(feed, input);
			input->latest_ns = input->first_ns;
		}
		if (n >= 0)
			n = read_packet(feed, input, input->sent + 1);
		if (n < 0)
			return n;
		input->has_packet = n == 1;
		if (n == 0) {
			close_input(input);
			input->round++;
		}
	}
	if (input->has_packet)
		input->due_ns = due_ns(feed, input);
	return 0;
}

/* The input whose packet comes next, by time, else in turn; NULL: none has any. */
static struct replay_input *next_input(struct replay_feed *feed, int *err)
{
	struct replay_input *next = NULL;

	for (size_t i = 0; i < feed->n_inputs; i++) {
		struct replay_input *input = &feed->inputs[i];

		if (!input->has_packet) {
			*err = look(feed, input);
			if (*err)
				return NULL;
		}
		if (input->has_packet &&
		    (!next || input->due_ns < next->due_ns ||
		     (input->due_ns == next->due_ns && input->sent < next->sent)))
			next = input;
	}
	return next;
}

int replay_feed_fill(struct replay_feed *feed, uint8_t *buffer, size_t buffer_bytes, size_t *n)
{
	struct replay_input *input;
	size_t at = 0;
	int err = 0;

	while ((input = next_input(feed, &err))) {
		uint32_t len = input->packet.len;

		if (buffer_bytes - at < sizeof(struct head) + len + VLAN_BYTES)
			break;
		uint8_t *frame = buffer + at + sizeof(struct head);

		memcpy(frame, input->packet.bytes, len);
		len = replay_rewrite_frame(&feed->rewrite, frame, len);
		const struct head head = {.due_ns = input->due_ns,
					  .len = len,
					  .port = (uint16_t)(input - feed->inputs)};

		memcpy(buffer + at, &head, sizeof(head));
		at += sizeof(head) + len;
		input->sent++;
		input->bits += 8ull * len;
		input->has_packet = false;
	}
	*n = at;
	return err;
}

void replay_feed_fini(struct replay_feed *feed)
{
	for (size_t i = 0; i < feed->n_inputs; i++)
		close_input(&feed->inputs[i]);
}
