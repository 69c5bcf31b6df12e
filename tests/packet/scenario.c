/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs one golden scenario. */
#include "tests/packet/scenario.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/lab.h"
#include "control/lab_yaml.h"
#include "control/model.h"
#include "dataplane/offload.h"
#include "tests/packet/rig.h"

#define TEXT_BYTES_MAX 65536
#define NEXTHOP_MTU 1500

struct scenario {
	char base[PATH_MAX]; /* path without ".yaml" */
	json_t *tree;
	struct model *model;
	struct rig rig;
	bool update;
};

static void path_of(const struct scenario *scenario, const char *port, const char *what,
		    char path[PATH_MAX])
{
	int len = snprintf(path, PATH_MAX, "%s.%s.%s.pcap", scenario->base, port, what);

	if (len >= PATH_MAX)
		path[0] = '\0';
}

/* The lab of the scenario as a model with numbers. */
static int read_lab(struct scenario *scenario, struct problem *problem)
{
	struct lab lab = {.tree = json_object_get(scenario->tree, "lab"), .places = json_object()};
	struct model *empty = NULL;
	int error = model_create(&empty);

	if (error == 0 && lab.tree == NULL)
		error = problem_set(problem, -EINVAL, 422, "lab-missing", "no lab: in it");
	if (error == 0)
		error = lab_merge(&lab, "test", empty, false, &scenario->model, problem);
	for (size_t i = 0; error == 0 && i < scenario->model->n_segments; i++)
		scenario->model->segments[i]->id = (uint32_t)i + 1;
	for (size_t i = 0; error == 0 && i < scenario->model->n_ports; i++)
		scenario->model->ports[i]->id = i + 1;
	json_decref(lab.places);
	model_destroy(empty);
	return error;
}

static int load(struct scenario *scenario, const char *path)
{
	char text[TEXT_BYTES_MAX], why[256];
	FILE *file = fopen(path, "re");
	struct problem problem = {.detail = "cannot be read"};
	struct lab document = {0};
	int error = -ENOENT;

	if (file != NULL) {
		size_t bytes = fread(text, 1, sizeof(text), file);

		fclose(file);
		error = lab_yaml_parse(text, bytes, &document, &problem);
	}
	if (error == 0) {
		scenario->tree = json_incref(document.tree);
		lab_fini(&document);
		error = read_lab(scenario, &problem);
	}
	if (error < 0) {
		fprintf(stderr, "  %s: %s\n", path, problem.detail);
		return error;
	}
	error = rig_create(&scenario->rig, scenario->model, why, sizeof(why));
	if (error < 0)
		fprintf(stderr, "  %s: %s\n", path, why);
	return error;
}

static int read_input(struct scenario *scenario)
{
	bool any = false;

	for (size_t i = 0; i < scenario->model->n_ports; i++) {
		const char *name = scenario->model->ports[i]->name;
		char path[PATH_MAX];

		if (rig_port(&scenario->rig, name) == NULL)
			continue;
		path_of(scenario, name, "in", path);
		int error = packets_read(&rig_port(&scenario->rig, name)->in, path);

		if (error < 0 && error != -ENOENT) {
			fprintf(stderr, "  %s: %s\n", path, strerror(-error));
			return error;
		}
		any |= error == 0;
	}
	if (!any)
		fprintf(stderr, "  %s: no port has an .in.pcap\n", scenario->base);
	return any ? 0 : -ENOENT;
}

/* What ports send and take, in offloads. */
static int read_offloads(const struct scenario *scenario)
{
	const char *name;
	json_t *value;

	json_object_foreach(json_object_get(scenario->tree, "sends"), name, value) {
		struct rig_port *port = rig_port(&scenario->rig, name);

		if (port == NULL || json_integer_value(value) <= 0) {
			fprintf(stderr, "  sends: no port %s, or no size\n", name);
			return -EINVAL;
		}
		port->segment_bytes = (uint16_t)json_integer_value(value);
	}
	json_object_foreach(json_object_get(scenario->tree, "takes"), name, value) {
		struct rig_port *port = rig_port(&scenario->rig, name);
		const char *what = json_string_value(value);

		if (port == NULL || what == NULL) {
			fprintf(stderr, "  takes: no port %s, or nothing to take\n", name);
			return -EINVAL;
		}
		atomic_store(&port->rxq.port->offload_caps,
			     strcmp(what, "all") == 0 ? OFFLOAD_ALL : OFFLOAD_CSUM);
	}
	return 0;
}

/* PEER: UPLINK, by which it is reached. The next hop of the Nth peer has the MAC 02:ee:00:00:00:N,
 * the uplink 02:ee:00:00:00:00, and the path carries 1,500 bytes. */
static int read_nexthops(const struct scenario *scenario)
{
	struct dp_nexthop nexthop = {
		.src_mac = {2, 0xee}, .dst_mac = {2, 0xee}, .mtu = NEXTHOP_MTU};
	const char *peer;
	json_t *uplink;

	json_object_foreach(json_object_get(scenario->tree, "nexthops"), peer, uplink) {
		const char *name = json_string_value(uplink);

		nexthop.dst_mac[5]++;
		if (name == NULL || rig_nexthop(&scenario->rig, peer, name, &nexthop) < 0) {
			fprintf(stderr, "  nexthops: no peer %s, or no such uplink\n", peer);
			return -EINVAL;
		}
	}
	return 0;
}

static bool check_output(const struct scenario *scenario, const char *name)
{
	const struct rig_port *port = rig_port(&scenario->rig, name);

	if (port == NULL)
		return true;
	const struct packets *seen = &port->out;
	struct packets expected = {0};
	char path[PATH_MAX];

	path_of(scenario, name, "out", path);
	if (scenario->update) {
		unlink(path);
		return seen->n == 0 || packets_write(seen, path) == 0;
	}
	int error = packets_read(&expected, path);
	bool ok = error == 0 || error == -ENOENT;

	if (!ok)
		fprintf(stderr, "  %s: %s\n", path, strerror(-error));
	ok = ok && packets_compare(&expected, seen, name) == 0;
	packets_clear(&expected);
	return ok;
}

/* Every reason counts as the scenario says; what it does not name must be 0. */
static bool check_drops(const struct scenario *scenario, const char *name)
{
	const struct counters_block *count = rig_counters(&scenario->rig, name);
	const json_t *wanted = json_object_get(json_object_get(scenario->tree, "drops"), name);
	bool ok = true;

	for (unsigned int i = 1; i < DROP_COUNT; i++) {
		uint64_t expected =
			(uint64_t)json_integer_value(json_object_get(wanted, drop_reason_name(i)));

		if (count->drops[i] == expected)
			continue;
		fprintf(stderr, "  %s: %" PRIu64 " drops by %s, expected %" PRIu64 "\n", name,
			count->drops[i], drop_reason_name(i), expected);
		ok = false;
	}
	return ok;
}

/* A misspelt name in drops: would otherwise expect nothing. */
static bool check_names(const struct scenario *scenario)
{
	const char *port, *reason;
	json_t *reasons, *frames;

	json_object_foreach(json_object_get(scenario->tree, "drops"), port, reasons) {
		if (rig_counters(&scenario->rig, port) == NULL) {
			fprintf(stderr, "  drops: no port %s\n", port);
			return false;
		}
		json_object_foreach(reasons, reason, frames) {
			unsigned int i = 1;

			while (i < DROP_COUNT && strcmp(drop_reason_name(i), reason) != 0)
				i++;
			if (i == DROP_COUNT) {
				fprintf(stderr, "  drops: no reason %s\n", reason);
				return false;
			}
		}
	}
	return true;
}

bool scenario_run(const char *path, bool update)
{
	struct scenario scenario = {.update = update};
	size_t len = strlen(path);
	bool ok;

	if (len < 5 || len >= sizeof(scenario.base) || strcmp(path + len - 5, ".yaml") != 0)
		return false;
	memcpy(scenario.base, path, len - 5);
	ok = load(&scenario, path) == 0 && read_input(&scenario) == 0 &&
	     read_offloads(&scenario) == 0 && read_nexthops(&scenario) == 0 &&
	     check_names(&scenario);
	if (ok) {
		rig_run(&scenario.rig);
		for (size_t i = 0; i < scenario.model->n_ports; i++) {
			ok &= check_output(&scenario, scenario.model->ports[i]->name);
			ok &= check_drops(&scenario, scenario.model->ports[i]->name);
		}
		ok &= rig_accounts_for_all(&scenario.rig);
	}
	rig_destroy(&scenario.rig);
	model_destroy(scenario.model);
	json_decref(scenario.tree);
	return ok;
}
