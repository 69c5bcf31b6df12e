/* SPDX-License-Identifier: BSD-3-Clause */
/* Inputs: what the machines of a scenario send, and can. */
#include "scenario/inputs.h"

#include <errno.h>
#include <string.h>

#include "capture/capture.h"
#include "control/model.h"
#include "dataplane/api/kinds.h"
#include "dataplane/offload.h"

static struct station *machine(struct scenario *scenario, const char *key, const char *port)
{
	struct station *station = station_find(&scenario->rig.stations, port);
	const struct model_port *known = model_port(scenario->rig.model, port);

	/* What comes later in the scenario has no station yet. */
	if (station == NULL)
		station = station_make(&scenario->rig.stations, port);
	if (station == NULL || (known != NULL && known->kind == &kind_peer)) {
		scenario_refuse(scenario,
				"%s.%.60s: a peer has no packets of its own; its uplink has", key,
				port);
		return NULL;
	}
	return station;
}

/* `full` */
static int set_pauses(struct scenario *scenario)
{
	const char *name;
	json_t *value;

	json_object_foreach(json_object_get(scenario->document, "full"), name, value) {
		struct station *station = machine(scenario, "full", name);
		const char *from = json_string_value(json_array_get(value, 0));
		const char *until = json_string_value(json_array_get(value, 1));

		if (station == NULL)
			return -EINVAL;
		if (json_array_size(value) != 2 || from == NULL || until == NULL ||
		    timeline_parse_time(from, &station->full_from_ns) < 0 ||
		    timeline_parse_time(until, &station->full_until_ns) < 0 ||
		    station->full_from_ns >= station->full_until_ns)
			return scenario_refuse(scenario, "full.%.60s: two times, as [10ms, 40ms]",
					       name);
	}
	return 0;
}

int inputs_set_machines(struct scenario *scenario)
{
	const char *name;
	json_t *value;

	json_object_foreach(json_object_get(scenario->document, "sends"), name, value) {
		struct station *station = machine(scenario, "sends", name);
		json_int_t size = json_integer_value(value);

		if (station == NULL)
			return -EINVAL;
		if (size <= 0 || size > UINT16_MAX)
			return scenario_refuse(scenario, "sends.%.60s: needs a size in bytes",
					       name);
		station->segment_bytes = (uint16_t)size;
	}
	json_object_foreach(json_object_get(scenario->document, "takes"), name, value) {
		struct station *station = machine(scenario, "takes", name);
		const char *what = json_string_value(value);

		if (station == NULL)
			return -EINVAL;
		if (what == NULL || (strcmp(what, "all") != 0 && strcmp(what, "checksum") != 0))
			return scenario_refuse(scenario, "takes.%.60s: all or checksum", name);
		station->offload_caps = strcmp(what, "all") == 0 ? OFFLOAD_ALL : OFFLOAD_CSUM;
	}
	return set_pauses(scenario);
}

static int read_input(struct scenario *scenario, struct station *station, bool is_named)
{
	char path[SCENARIO_PATH_BYTES], why[CAPTURE_WHY_BYTES];

	scenario_capture_path(scenario, station->name, "in", path);
	int error = packets_read(&station->in, path, why, sizeof(why));

	if (error == -ENOENT && !is_named)
		return 0;
	return error < 0 ? scenario_refuse(scenario, "%s: %s", path, why) : 0;
}

/* Names of files, for ports that may have one. */
static int check_named(struct scenario *scenario)
{
	const char *name;
	json_t *value;

	json_object_foreach(json_object_get(scenario->document, "in"), name, value) {
		if (!json_is_string(value))
			return scenario_refuse(scenario, "in.%.60s: needs the name of a file",
					       name);
		if (machine(scenario, "in", name) == NULL)
			return -EINVAL;
	}
	return 0;
}

/* The time of the first packet of all, and of the last. */
static void find_span(const struct stations *stations, uint64_t *first_ns, uint64_t *last_ns)
{
	*first_ns = UINT64_MAX;
	*last_ns = 0;
	for (size_t i = 0; i < stations->n; i++) {
		const struct packets *in = &stations->list[i]->in;

		if (in->n == 0)
			continue;
		if (in->list[0].time_ns < *first_ns)
			*first_ns = in->list[0].time_ns;
		if (in->list[in->n - 1].time_ns > *last_ns)
			*last_ns = in->list[in->n - 1].time_ns;
	}
}

/* Times of a calendar are counted from the first packet on. */
static int set_origin(struct scenario *scenario)
{
	const struct stations *stations = &scenario->rig.stations;
	uint64_t first_ns, last_ns;

	find_span(stations, &first_ns, &last_ns);
	if (last_ns < first_ns)
		return scenario_refuse(
			scenario,
			"no packet comes in; make %.200s.PORT.in.pcap, or in:", scenario->base);
	if (first_ns <= TIMELINE_NS_MAX)
		first_ns = 0;
	if (last_ns - first_ns > TIMELINE_NS_MAX)
		return scenario_refuse(scenario, "the packets are more than two years apart");
	for (size_t i = 0; i < stations->n && first_ns != 0; i++)
		packets_shift(&stations->list[i]->in, first_ns);
	return 0;
}

int inputs_read(struct scenario *scenario)
{
	const json_t *named = json_object_get(scenario->document, "in");
	int error = check_named(scenario);

	for (size_t i = 0; i < scenario->rig.stations.n && error == 0; i++) {
		struct station *station = scenario->rig.stations.list[i];

		error = read_input(scenario, station,
				   json_object_get(named, station->name) != NULL);
	}
	return error == 0 ? set_origin(scenario) : error;
}
