/* SPDX-License-Identifier: BSD-3-Clause */
/* The log of what happened. Runs on weftd's thread. */
#include "control/events.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "control/fastpath.h"
#include "control/states.h"

struct event {
	char *line;	   /* with its newline */
	uint64_t revision; /* of the configuration after it */
	bool is_change;	   /* of the configuration */
};

/* What was last said of a port. */
struct seen {
	uint64_t id;
	uint64_t digest;
	uint32_t link;
};

struct events {
	uint32_t run;
	uint64_t n_events;	 /* ever; event i is at i % EVENTS_MAX */
	uint64_t first_revision; /* before the first event */
	uint64_t revision;	 /* now */
	struct event log[EVENTS_MAX];
	struct seen *seen; /* in the order of ids */
	size_t n_seen;
	bool is_connected;
	uint64_t looked_version, looked_revision;
};

int events_create(uint64_t revision, struct events **out)
{
	struct events *events = calloc(1, sizeof(*events));

	if (events == NULL)
		return -ENOMEM;
	if (getrandom(&events->run, sizeof(events->run), 0) != sizeof(events->run)) {
		free(events);
		return -EIO;
	}
	events->first_revision = events->revision = revision;
	events->looked_version = UINT64_MAX;
	*out = events;
	return 0;
}

void events_destroy(struct events *events)
{
	if (events == NULL)
		return;
	for (size_t i = 0; i < EVENTS_MAX; i++)
		free(events->log[i].line);
	free(events->seen);
	free(events);
}

uint64_t events_end(const struct events *events)
{
	return events->n_events;
}

void events_position(const struct events *events, uint64_t cursor,
		     char position[EVENTS_POSITION_BYTES])
{
	snprintf(position, EVENTS_POSITION_BYTES, "%08" PRIx32 "-%" PRIu64, events->run, cursor);
}

/* "2026-11-22T19:05:46.123Z" */
static json_t *format_now(void)
{
	struct timespec now;
	struct tm tm;
	char text[40], whole[64];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(whole, sizeof(whole), "%s.%03uZ", text, (unsigned int)(now.tv_nsec / 1000000));
	return json_string(whole);
}

/* Without memory for a line there is an empty one: its reader notices the gap in positions. */
static void add(struct events *events, bool is_change, json_t *event)
{
	struct event *slot = &events->log[events->n_events++ % EVENTS_MAX];
	char position[EVENTS_POSITION_BYTES], revision[24];

	events_position(events, events->n_events, position);
	snprintf(revision, sizeof(revision), "%" PRIu64, events->revision);
	json_object_set_new(event, "position", json_string(position));
	json_object_set_new(event, "revision", json_string(revision));
	json_object_set_new(event, "time", format_now());
	char *text = json_dumps(event, JSON_COMPACT);
	json_decref(event);
	free(slot->line);
	*slot = (struct event){.revision = events->revision, .is_change = is_change};
	if (text == NULL)
		return;
	size_t bytes = strlen(text);
	slot->line = bytes + 2 <= EVENTS_LINE_BYTES ? realloc(text, bytes + 2) : NULL;
	if (slot->line == NULL)
		free(text);
	else
		memcpy(slot->line + bytes, "\n", 2);
}

void events_add_plan(struct events *events, const struct plan *plan, uint64_t revision)
{
	json_t *changes = plan_format(plan);
	json_t *change;
	size_t i;

	events->revision = revision;
	json_array_foreach(changes, i, change) {
		json_object_set_new(change, "event", json_string("change"));
		add(events, true, json_incref(change));
	}
	json_decref(changes);
}

void events_add(struct events *events, json_t *event)
{
	add(events, false, event);
}

/* --- ports --- */

static int compare_seen(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static const struct seen *find_seen(const struct events *events, uint64_t id)
{
	struct seen key = {.id = id};

	if (events->n_seen == 0)
		return NULL;
	return bsearch(&key, events->seen, events->n_seen, sizeof(key), compare_seen);
}

static void add_state(struct events *events, const struct model_port *port,
		      const struct dp_port_state *state, const struct seen *before)
{
	add(events, false,
	    json_pack("{s:s, s:s, s:s, s:s*, s:s, s:i, s:I}", "event", "state", "port", port->name,
		      "link", states_link_name(state->link), "was",
		      before != NULL ? states_link_name(before->link) : NULL, "reason",
		      state->reason, "queues", (int)state->n_queues, "attaches",
		      (json_int_t)state->attaches));
}

static void look_at_ports(struct events *events, const struct model *model,
			  struct fastpath *fastpath)
{
	struct seen *seen = calloc(model->n_ports + 1, sizeof(*seen));

	if (seen == NULL)
		return;
	for (size_t i = 0; i < model->n_ports; i++) {
		const struct model_port *port = model->ports[i];
		struct dp_port_state state = fastpath_state(fastpath, port->id);
		const struct seen *before = find_seen(events, port->id);
		uint64_t digest = model_hash(state.link, state.reason, strlen(state.reason));

		digest = model_hash(digest, &state.attaches, sizeof(state.attaches));
		digest = model_hash(digest, &state.n_queues, sizeof(state.n_queues));
		seen[i] = (struct seen){.id = port->id, .digest = digest, .link = state.link};
		if (before == NULL || before->digest != digest)
			add_state(events, port, &state, before);
	}
	qsort(seen, model->n_ports, sizeof(*seen), compare_seen);
	free(events->seen);
	events->seen = seen;
	events->n_seen = model->n_ports;
}

void events_look(struct events *events, const struct model *model, struct fastpath *fastpath)
{
	bool is_connected =
		fastpath_welcome(fastpath) != NULL && fastpath_silence_ms(fastpath) == 0;
	uint64_t version = fastpath_states_version(fastpath);

	/* Before the first dataplane there is nothing to say of ports. */
	if (!is_connected && events->seen == NULL)
		return;
	if (is_connected != events->is_connected)
		add(events, false,
		    json_pack("{s:s, s:b}", "event", "dataplane", "connected", is_connected));
	events->is_connected = is_connected;
	if (version == events->looked_version && events->revision == events->looked_revision)
		return;
	events->looked_version = version;
	events->looked_revision = events->revision;
	look_at_ports(events, model, fastpath);
}

/* --- reading --- */

static uint64_t oldest(const struct events *events)
{
	return events->n_events > EVENTS_MAX ? events->n_events - EVENTS_MAX : 0;
}

/* After the last change of `revision`. States follow the change that they belong to. */
static bool find_revision(const struct events *events, uint64_t revision, uint64_t *cursor)
{
	uint64_t first = oldest(events);
	bool is_found =
		revision == events->revision || (first == 0 && revision == events->first_revision);

	*cursor = first;
	for (uint64_t i = first; i < events->n_events; i++) {
		const struct event *event = &events->log[i % EVENTS_MAX];

		if (!event->is_change || event->revision != revision)
			continue;
		*cursor = i + 1;
		is_found = true;
	}
	return is_found;
}

int events_find(const struct events *events, const char *since, uint64_t *cursor,
		struct problem *problem)
{
	char position[EVENTS_POSITION_BYTES];
	const char *dash = strchr(since, '-');
	char *end;

	*cursor = strtoull(dash != NULL ? dash + 1 : since, &end, 10);
	events_position(events, *cursor, position);
	if (dash != NULL && strcmp(position, since) == 0 && *cursor >= oldest(events) &&
	    *cursor <= events->n_events)
		return 0;
	uint64_t revision = *cursor;
	if (dash == NULL && *end == '\0' && end != since && find_revision(events, revision, cursor))
		return 0;
	return problem_set(
		problem, -ESTALE, 410, "position-gone",
		"what came after %.40s is not known any more; read everything, then watch "
		"from the revision that was read",
		since);
}

int events_read(const struct events *events, uint64_t *cursor, char *text, size_t text_bytes)
{
	size_t len = 0;

	if (*cursor < oldest(events))
		return -ESTALE;
	for (; *cursor < events->n_events; (*cursor)++) {
		const char *line = events->log[*cursor % EVENTS_MAX].line;
		size_t bytes = line != NULL ? strlen(line) : 0;

		if (len + bytes > text_bytes)
			break;
		if (line != NULL)
			memcpy(text + len, line, bytes);
		len += bytes;
	}
	return (int)len;
}
