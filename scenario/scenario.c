/* SPDX-License-Identifier: BSD-3-Clause */
/* A scenario: read, and played. */
#include "scenario/scenario.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/lab.h"
#include "control/lab_yaml.h"
#include "control/model.h"
#include "control/rules.h"
#include "dataplane/api/kinds.h"
#include "scenario/inputs.h"

#define CLUSTER "test" /* addresses that nobody gave are derived from it */
#define HOST "test"
#define RUN_DIR "/run/weft"
#define NEXTHOP_MTU 1500

int scenario_refuse(struct scenario *scenario, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(scenario->why, sizeof(scenario->why), format, arguments);
	va_end(arguments);
	return -EINVAL;
}

void scenario_name(const struct scenario *scenario, char name[SCENARIO_NAME_BYTES])
{
	const char *start = scenario->base + scenario->folder_len;

	/* With the last folder, if there is one. */
	if (start > scenario->base)
		for (start--; start > scenario->base && start[-1] != '/'; start--)
			;
	snprintf(name, SCENARIO_NAME_BYTES, "%s", start);
}

void scenario_capture_path(const struct scenario *scenario, const char *port, const char *key,
			   char path[SCENARIO_PATH_BYTES])
{
	const char *given =
		json_string_value(json_object_get(json_object_get(scenario->document, key), port));
	int len;

	if (given != NULL)
		len = snprintf(path, SCENARIO_PATH_BYTES, "%.*s%s",
			       given[0] == '/' ? 0 : (int)scenario->folder_len, scenario->base,
			       given);
	else
		len = snprintf(path, SCENARIO_PATH_BYTES, "%s.%s.%s.pcapng", scenario->base, port,
			       key);
	if (len < 0 || len >= SCENARIO_PATH_BYTES)
		path[0] = '\0';
	else if (given == NULL && access(path, F_OK) < 0)
		path[len - 2] = '\0'; /* ".pcap" */
}

/* --- reading --- */

/* Text of a YAML file as a tree. */
static int read_yaml(struct scenario *scenario, const char *path, struct lab *lab)
{
	struct problem problem = {.detail = ""};
	FILE *file = fopen(path, "re");
	char *text = malloc(LAB_BYTES_MAX + 1);

	if (file == NULL || text == NULL) {
		scenario_refuse(scenario, "%s: %s", path, strerror(errno));
		if (file != NULL)
			fclose(file);
		free(text);
		return -ENOENT;
	}
	size_t bytes = fread(text, 1, LAB_BYTES_MAX + 1, file);
	int error = lab_yaml_parse(text, bytes, lab, &problem);

	fclose(file);
	free(text);
	if (error < 0)
		scenario_refuse(scenario, "%s: %s", path, problem.detail);
	return error;
}

static int check_keys(struct scenario *scenario)
{
	static const char *const known[] = {"about", "at",    "drops", "full",	   "ignore",
					    "in",    "lab",   "lost",  "nexthops", "out",
					    "sends", "takes", "until"};
	const char *key;
	json_t *value;

	if (!json_is_object(scenario->document))
		return scenario_refuse(scenario,
				       "a scenario is an object with the keys lab, drops, ...");
	json_object_foreach(scenario->document, key, value) {
		size_t i = 0, n = sizeof(known) / sizeof(known[0]);

		while (i < n && strcmp(known[i], key) != 0)
			i++;
		if (i == n)
			return scenario_refuse(scenario,
					       "unknown key '%.60s'; known: about, at, drops, "
					       "full, ignore, in, lab, lost, nexthops, out, "
					       "sends, takes, until",
					       key);
		if (i != 0 && strcmp(key, "lab") != 0 && strcmp(key, "until") != 0 &&
		    !json_is_object(value))
			return scenario_refuse(scenario, "%s: needs names and values, as {p1: ...}",
					       key);
	}
	return 0;
}

/* The lab's tree: inline, or in a file beside the scenario. */
static int read_lab(struct scenario *scenario)
{
	json_t *given = json_object_get(scenario->document, "lab");
	const char *name = json_string_value(given);
	char path[SCENARIO_PATH_BYTES];
	struct lab lab = {0};

	if (json_is_object(given)) {
		scenario->lab = json_deep_copy(given);
		return scenario->lab != NULL ? 0 : -ENOMEM;
	}
	if (name == NULL)
		return scenario_refuse(scenario,
				       "lab: is missing; write it here, or the name of its file");
	if (snprintf(path, sizeof(path), "%.*s%s", name[0] == '/' ? 0 : (int)scenario->folder_len,
		     scenario->base, name) >= (int)sizeof(path))
		return scenario_refuse(scenario, "lab: the path is too long");
	int error = read_yaml(scenario, path, &lab);

	if (error < 0)
		return error;
	scenario->lab = json_incref(lab.tree);
	lab_fini(&lab);
	return 0;
}

/* Makes the rig what the tree says, as weftd would: the whole lab anew, checked as weftd checks. */
static int apply_lab(struct scenario *scenario)
{
	struct problem problem = {.detail = "no memory"};
	struct lab lab = {.tree = json_deep_copy(scenario->lab), .places = json_object()};
	struct model *empty = NULL, *wanted = NULL;
	int error = lab.tree != NULL && lab.places != NULL ? model_create(&empty) : -ENOMEM;

	if (error == 0)
		error = lab_merge(&lab, CLUSTER, empty, false, &wanted, &problem);
	if (error == 0)
		error = rules_check(wanted, empty, HOST, RUN_DIR, &problem);
	if (error < 0) {
		scenario_refuse(scenario, "%s", problem.detail);
		model_destroy(wanted);
	} else {
		error = rig_apply(&scenario->rig, wanted, scenario->why, sizeof(scenario->why));
	}
	problem_fini(&problem);
	model_destroy(empty);
	lab_fini(&lab);
	return error;
}

/* --- next hops --- */

/* The Nth peer that is named has the next hop 02:ee:00:00:00:N, the uplink is 02:ee:00:00:00:00. */
static int send_nexthop(struct scenario *scenario, const char *peer, const json_t *way)
{
	struct dp_nexthop nexthop = {
		.src_mac = {2, 0xee}, .dst_mac = {2, 0xee}, .mtu = NEXTHOP_MTU};
	const char *uplink = json_string_value(way);
	json_int_t n = json_integer_value(json_object_get(scenario->hop_numbers, peer));

	if (json_is_object(way)) {
		const json_t *mtu = json_object_get(way, "mtu");

		uplink = json_string_value(json_object_get(way, "via"));
		if (mtu != NULL)
			nexthop.mtu = (uint16_t)json_integer_value(mtu);
	}
	if (n == 0 && way != NULL) {
		n = (json_int_t)json_object_size(scenario->hop_numbers) + 1;
		json_object_set_new(scenario->hop_numbers, peer, json_integer(n));
	}
	nexthop.dst_mac[5] = (uint8_t)n;
	if (way != NULL && uplink == NULL)
		return scenario_refuse(scenario, "nexthops.%.60s: needs an uplink", peer);
	return rig_nexthop(&scenario->rig, peer, uplink, &nexthop, scenario->why,
			   sizeof(scenario->why));
}

static int send_nexthops(struct scenario *scenario)
{
	const struct model *model = scenario->rig.model;
	const char *peer;
	json_t *way;

	json_object_foreach(scenario->nexthops, peer, way) {
		const char *uplink = json_is_object(way)
					     ? json_string_value(json_object_get(way, "via"))
					     : json_string_value(way);
		int error = send_nexthop(scenario, peer, way);

		if (error < 0)
			return error;
		if (model_port(model, uplink) == NULL)
			return scenario_refuse(scenario, "nexthops.%.60s: there is no uplink %.60s",
					       peer, uplink);
	}
	for (size_t i = 0; i < model->n_ports; i++) {
		const char *name = model->ports[i]->name;

		if (model->ports[i]->kind != &kind_peer ||
		    json_object_get(scenario->nexthops, name) != NULL)
			continue;
		int error = send_nexthop(scenario, name, NULL);

		if (error < 0)
			return error;
	}
	return 0;
}

/* --- what it changes on the way --- */

/* Whatever ports come later need their stations, and input, before the first packet. */
static int make_later_stations(struct scenario *scenario)
{
	for (size_t i = 0; i < scenario->timeline.n; i++) {
		const json_t *patch = scenario->timeline.events[i].patch;
		const char *name;
		json_t *value;

		json_object_foreach(json_object_get(patch, "ports"), name, value) {
			if (station_make(&scenario->rig.stations, name) == NULL)
				return -ENOMEM;
		}
	}
	return 0;
}

static int merge_into(json_t **tree, const json_t *patch)
{
	json_t *merged = timeline_merge(*tree, patch);

	if (merged == NULL)
		return -ENOMEM;
	json_decref(*tree);
	*tree = merged;
	return 0;
}

static int change(struct scenario *scenario, const struct timeline_event *event)
{
	json_t *lab = json_deep_copy(event->patch);
	const json_t *nexthops = json_object_get(event->patch, "nexthops");
	char why[sizeof(scenario->why)];
	int error = lab != NULL ? 0 : -ENOMEM;

	if (error == 0 && nexthops != NULL)
		error = merge_into(&scenario->nexthops, nexthops);
	json_object_del(lab, "nexthops");
	if (error == 0)
		error = merge_into(&scenario->lab, lab);
	json_decref(lab);
	if (error == 0)
		error = apply_lab(scenario);
	if (error == 0)
		error = send_nexthops(scenario);
	if (error < 0) {
		memcpy(why, scenario->why, sizeof(why));
		scenario_refuse(scenario, "at.%.40s: %.550s", event->word, why);
	}
	return error;
}

/* --- names --- */

static bool is_in(const json_t *lab, const char *name)
{
	return json_object_get(json_object_get(lab, "ports"), name) != NULL ||
	       json_object_get(json_object_get(lab, "peers"), name) != NULL;
}

/* A port or peer that is there at the start, or comes later. */
static bool is_known(const struct scenario *scenario, const char *name)
{
	bool found = is_in(scenario->lab, name);

	for (size_t i = 0; i < scenario->timeline.n && !found; i++)
		found = is_in(scenario->timeline.events[i].patch, name);
	return found;
}

/* A misspelt name would otherwise expect nothing. */
static int check_names(struct scenario *scenario)
{
	static const char *const keys[] = {"in",     "out",   "drops", "lost",
					   "ignore", "sends", "takes", "full"};
	const char *name;
	json_t *value;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		json_object_foreach(json_object_get(scenario->document, keys[i]), name, value) {
			if (!is_known(scenario, name))
				return scenario_refuse(scenario, "%s: there is no port %.60s",
						       keys[i], name);
		}
	}
	return 0;
}

/* --- the whole --- */

static int load_all(struct scenario *scenario, const char *path)
{
	struct lab document = {0};
	int error = read_yaml(scenario, path, &document);

	if (error < 0)
		return error;
	scenario->document = json_incref(document.tree);
	lab_fini(&document);
	scenario->nexthops = json_object();
	scenario->hop_numbers = json_object();
	error = check_keys(scenario);
	if (error == 0)
		error = timeline_parse(json_object_get(scenario->document, "at"),
				       &scenario->timeline, scenario->why, sizeof(scenario->why));
	if (error == 0)
		error = read_lab(scenario);
	if (error == 0)
		error = rig_create(&scenario->rig, scenario->why, sizeof(scenario->why));
	if (error == 0)
		error = check_names(scenario);
	if (error == 0)
		error = inputs_set_machines(scenario);
	return error;
}

int scenario_load(struct scenario *scenario, const char *path)
{
	size_t len = strlen(path);
	const json_t *nexthops;

	*scenario = (struct scenario){.folder_len = 0};
	if (len < 6 || len >= sizeof(scenario->base) || strcmp(path + len - 5, ".yaml") != 0)
		return scenario_refuse(scenario, "%s: a scenario's name ends in .yaml", path);
	memcpy(scenario->base, path, len - 5);
	const char *slash = strrchr(scenario->base, '/');

	scenario->folder_len = slash != NULL ? (size_t)(slash - scenario->base) + 1 : 0;
	int error = load_all(scenario, path);

	if (error == 0)
		error = apply_lab(scenario);
	nexthops = json_object_get(scenario->document, "nexthops");
	if (error == 0 && nexthops != NULL)
		error = merge_into(&scenario->nexthops, nexthops);
	if (error == 0)
		error = send_nexthops(scenario);
	if (error == 0)
		error = make_later_stations(scenario);
	return error == 0 ? inputs_read(scenario) : error;
}

void scenario_fini(struct scenario *scenario)
{
	rig_destroy(&scenario->rig);
	timeline_fini(&scenario->timeline);
	json_decref(scenario->document);
	json_decref(scenario->lab);
	json_decref(scenario->nexthops);
	json_decref(scenario->hop_numbers);
	*scenario = (struct scenario){.folder_len = 0};
}

int scenario_play(struct scenario *scenario)
{
	const json_t *until = json_object_get(scenario->document, "until");
	uint64_t end_ns = 0;

	if (until != NULL &&
	    (!json_is_string(until) || timeline_parse_time(json_string_value(until), &end_ns) < 0))
		return scenario_refuse(scenario,
				       "until: write a number with ns, us, ms, s, m or h");
	for (size_t i = 0; i < scenario->timeline.n; i++) {
		const struct timeline_event *event = &scenario->timeline.events[i];

		rig_play(&scenario->rig, event->time_ns);
		rig_wait(&scenario->rig, event->time_ns);
		int error = change(scenario, event);

		if (error < 0)
			return error;
		rig_wait(&scenario->rig, event->time_ns);
	}
	rig_play(&scenario->rig, UINT64_MAX);
	rig_wait(&scenario->rig, end_ns);
	return 0;
}
