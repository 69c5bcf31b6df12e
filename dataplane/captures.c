/* SPDX-License-Identifier: BSD-3-Clause */
/* See captures.h. Main thread. */
#include "dataplane/captures.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/channel/channel.h"
#include "dataplane/dataplane.h"
#include "dataplane/filter.h"
#include "dataplane/follow.h"
#include "dataplane/port.h"
#include "dataplane/recorder.h"
#include "dataplane/segment.h"

#define WAYS_OF_PORTS (1u << RECORD_RX | 1u << RECORD_TX)
#define WAYS_ALL (WAYS_OF_PORTS | 1u << RECORD_DROP)

static struct capture *capture_at(const struct dataplane *dp, unsigned int i)
{
	return atomic_load_explicit(&dp->captures[i], memory_order_relaxed);
}

static bool concerns(const struct capture *capture, const struct port *port)
{
	const struct dp_capture_open *spec = &capture->spec;
	bool is_named = spec->n_ports == 0;

	for (unsigned int i = 0; i < spec->n_ports; i++)
		is_named |= spec->port_ids[i] == port->spec.id;
	return is_named && (spec->ways & WAYS_OF_PORTS) != 0;
}

/* Is it in a segment that has a flight recorder? */
static bool is_in_flight(const struct port *port)
{
	const struct dataplane *dp = port->dp;

	if (atomic_load(&dp->n_flights) == 0)
		return false;
	for (unsigned int i = 1; i < dp->segments_end; i++) {
		const struct segment *segment = atomic_load(&dp->segments[i]);

		if (segment != NULL && atomic_load(&segment->flight) != NULL &&
		    port_is_in(port, (uint16_t)i))
			return true;
	}
	return false;
}

void captures_join(struct port *port)
{
	uint16_t bits = (uint16_t)((follow_concerns(port->dp, port) ? CAPTURES_FOLLOWED : 0) |
				   (is_in_flight(port) ? CAPTURES_IN_FLIGHT : 0));

	for (unsigned int i = 0; i < DP_CAPTURES_MAX; i++) {
		const struct capture *capture = capture_at(port->dp, i);

		if (capture != NULL && concerns(capture, port))
			bits |= (uint16_t)(1u << i);
	}
	bool is_seen = bits != 0 || atomic_load(&port->dp->n_fates) != 0;

	atomic_store_explicit(&port->captures, bits, memory_order_relaxed);
	atomic_store_explicit(&port->io, is_seen ? &recorder_io : port->type, memory_order_release);
}

void captures_join_all(struct dataplane *dp)
{
	uint8_t drops = 0;

	for (unsigned int i = 0; i < DP_CAPTURES_MAX; i++) {
		const struct capture *capture = capture_at(dp, i);

		if (capture != NULL && (capture->spec.ways & 1u << RECORD_DROP) != 0)
			drops |= (uint8_t)(1u << i);
	}
	atomic_store_explicit(&dp->drop_captures, drops, memory_order_relaxed);
	for (unsigned int i = 1; i < dp->ports_end; i++) {
		struct port *port = atomic_load(&dp->ports[i]);

		if (port != NULL)
			captures_join(port);
	}
}

static bool is_legal(const struct dp_capture_open *spec)
{
	return spec->ways != 0 && (spec->ways & ~WAYS_ALL) == 0 &&
	       spec->n_ports <= DP_CAPTURE_PORTS_MAX && spec->n_insns <= DP_INSNS_MAX &&
	       filter_check(spec->insns, spec->n_insns);
}

/* Is everything there that is named? */
static bool is_there(const struct dataplane *dp, const struct dp_capture_open *spec)
{
	for (unsigned int i = 0; i < spec->n_ports; i++) {
		if (port_find(dp, spec->port_ids[i]) == NULL)
			return false;
	}
	return (spec->segment_id == 0 || segment_find(dp, spec->segment_id) != NULL) &&
	       (spec->channel_id == 0 || channel_find(dp, spec->channel_id) != NULL);
}

static int check(const struct dataplane *dp, const struct dp_capture_open *spec, char *why,
		 size_t why_bytes)
{
	if (!is_legal(spec)) {
		snprintf(why, why_bytes, "the capture or its filter is malformed");
		return -EINVAL;
	}
	if (!is_there(dp, spec)) {
		snprintf(why, why_bytes,
			 "a port, segment or channel is not in the dataplane (any more)");
		return -ENOENT;
	}
	return 0;
}

/* A place for one more, or -EBUSY. */
static int find_place(const struct dataplane *dp)
{
	for (int i = 0; i < DP_CAPTURES_MAX; i++) {
		if (capture_at(dp, (unsigned int)i) == NULL)
			return i;
	}
	return -EBUSY;
}

static int create(struct dataplane *dp, const struct dp_capture_open *spec, const void *owner,
		  struct capture **out, int *fd)
{
	struct capture *capture = calloc(1, sizeof(*capture));

	if (capture == NULL)
		return -ENOMEM;
	int error = record_create(dp->config.n_workers, spec->ring_bytes, &capture->map, fd);

	if (error < 0) {
		free(capture);
		return error;
	}
	capture->spec = *spec;
	capture->owner = owner;
	capture->id = ++dp->last_capture_id;
	if (spec->channel_id != 0)
		atomic_store(&capture->channel, channel_find(dp, spec->channel_id));
	for (unsigned int i = 0; i < dp->config.n_workers; i++)
		record_writer_begin(&capture->writers[i], &capture->map, i);
	*out = capture;
	return 0;
}

int captures_open(struct dataplane *dp, const struct dp_capture_open *spec, const void *owner,
		  uint64_t *id, int *fd, char *why, size_t why_bytes)
{
	struct capture *capture;
	int error = check(dp, spec, why, why_bytes), place = find_place(dp);

	if (error < 0)
		return error;
	if (place < 0) {
		snprintf(why, why_bytes, "%d captures run already; end one of them",
			 DP_CAPTURES_MAX);
		return place;
	}
	error = create(dp, spec, owner, &capture, fd);
	if (error < 0) {
		snprintf(why, why_bytes, "no memory for the capture: %s", strerror(-error));
		return error;
	}
	*id = capture->id;
	atomic_store_explicit(&dp->captures[place], capture, memory_order_release);
	captures_join_all(dp);
	return 0;
}

static void destroy(struct capture *capture)
{
	record_end(&capture->map);
	record_close(&capture->map);
	free(capture);
}

static void close_at(struct dataplane *dp, unsigned int place)
{
	struct capture *capture = capture_at(dp, place);

	atomic_store_explicit(&dp->captures[place], NULL, memory_order_relaxed);
	captures_join_all(dp);
	dataplane_synchronize(dp);
	destroy(capture);
}

int captures_close(struct dataplane *dp, uint64_t id, const void *owner)
{
	for (unsigned int i = 0; i < DP_CAPTURES_MAX; i++) {
		const struct capture *capture = capture_at(dp, i);

		if (capture != NULL && capture->id == id && capture->owner == owner) {
			close_at(dp, i);
			return 0;
		}
	}
	return -ENOENT;
}

void captures_close_all(struct dataplane *dp, const void *owner)
{
	for (unsigned int i = 0; i < DP_CAPTURES_MAX; i++) {
		const struct capture *capture = capture_at(dp, i);

		if (capture != NULL && (owner == NULL || capture->owner == owner))
			close_at(dp, i);
	}
}

void captures_forget(struct dataplane *dp, const struct channel *channel)
{
	for (unsigned int i = 0; i < DP_CAPTURES_MAX; i++) {
		struct capture *capture = capture_at(dp, i);

		if (capture != NULL && atomic_load(&capture->channel) == channel)
			atomic_store(&capture->channel, NULL);
	}
}
