/* SPDX-License-Identifier: BSD-3-Clause */
/* Expectations: captures, drops, what was lost. */
#include "scenario/expect.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/capture.h"
#include "scenario/compare.h"
#include "scenario/drops_text.h"

static int fail(struct scenario *scenario, int error, const char *path, const char *why)
{
	snprintf(scenario->why, sizeof(scenario->why), "%.400s: %s", path, why);
	return error;
}

static const json_t *section(const struct scenario *scenario, const char *key, const char *port)
{
	return json_object_get(json_object_get(scenario->document, key), port);
}

/* --- captures --- */

static int read_rules(struct scenario *scenario, const char *port, struct compare_rules *rules)
{
	const json_t *words = section(scenario, "ignore", port);
	const json_t *word;
	size_t i;

	*rules = (struct compare_rules){.late_ns = 0};
	if (words != NULL && !json_is_array(words))
		return fail(scenario, -EINVAL, "ignore", "needs a list, as {p1: [ipv4.id]}");
	json_array_foreach(words, i, word) {
		const char *text = json_string_value(word);

		if (text == NULL || compare_add_rule(rules, text) < 0)
			return fail(scenario, -EINVAL, "ignore",
				    text != NULL ? text : "what is no text");
	}
	return 0;
}

/* No file: nothing is expected. */
static int read_expected(struct scenario *scenario, const char *port, struct packets *expected)
{
	char path[SCENARIO_PATH_BYTES], why[CAPTURE_WHY_BYTES];

	scenario_capture_path(scenario, port, "out", path);
	int error = packets_read(expected, path, why, sizeof(why));

	if (error == -ENOENT && section(scenario, "out", port) == NULL)
		return 0;
	return error < 0 ? fail(scenario, error, path, why) : 0;
}

static int check_output(struct scenario *scenario, const struct station *station,
			json_t *differences)
{
	struct packets expected = {0};
	struct compare_rules rules;
	int error = read_rules(scenario, station->name, &rules);

	if (error == 0)
		error = read_expected(scenario, station->name, &expected);
	if (error == 0)
		compare_packets(&expected, &station->out, &rules, station->name, differences);
	packets_clear(&expected);
	return error;
}

/* --- counters --- */

static unsigned int find_reason(const char *name)
{
	unsigned int i = 1;

	while (i < DROP_COUNT && strcmp(drop_reason_name(i), name) != 0)
		i++;
	return i;
}

static int check_reasons(struct scenario *scenario)
{
	const char *port, *reason;
	json_t *reasons, *frames;

	json_object_foreach(json_object_get(scenario->document, "drops"), port, reasons) {
		if (!json_is_object(reasons))
			return fail(scenario, -EINVAL, "drops", "needs {PORT: {REASON: frames}}");
		json_object_foreach(reasons, reason, frames) {
			if (find_reason(reason) == DROP_COUNT)
				return fail(scenario, -EINVAL, "drops: no such reason", reason);
			if (!json_is_integer(frames))
				return fail(scenario, -EINVAL, reason, "needs a number of frames");
		}
	}
	return 0;
}

static void add_count(json_t *differences, const char *port, const char *what, const char *reason,
		      json_int_t expected, json_int_t seen)
{
	json_t *difference = json_pack("{s:s, s:s, s:s*, s:I, s:I}", "port", port, "what", what,
				       "reason", reason, "expected", expected, "seen", seen);

	json_array_append_new(differences, difference);
}

/* Every reason counts as the scenario says; what it does not name must be 0. */
static void check_counts(const struct scenario *scenario, const struct station *station,
			 json_t *differences)
{
	struct counters_block count = rig_counters(&scenario->rig, station->name);
	const json_t *wanted = section(scenario, "drops", station->name);
	json_int_t lost = json_integer_value(section(scenario, "lost", station->name));

	for (unsigned int i = 1; i < DROP_COUNT; i++) {
		json_int_t expected =
			json_integer_value(json_object_get(wanted, drop_reason_name(i)));

		if ((json_int_t)count.drops[i] != expected)
			add_count(differences, station->name, "drops", drop_reason_name(i),
				  expected, (json_int_t)count.drops[i]);
	}
	if ((json_int_t)station->n_lost != lost)
		add_count(differences, station->name, "lost", NULL, lost,
			  (json_int_t)station->n_lost);
}

int expect_check(struct scenario *scenario, json_t *differences)
{
	const struct rig *rig = &scenario->rig;
	char text[256];
	int error = check_reasons(scenario);

	for (size_t i = 0; i < rig->stations.n && error == 0; i++) {
		error = check_output(scenario, rig->stations.list[i], differences);
		if (error == 0)
			check_counts(scenario, rig->stations.list[i], differences);
	}
	if (error == 0 && !rig_accounts_for_all(rig, text, sizeof(text)))
		json_array_append_new(differences,
				      json_pack("{s:s, s:s}", "what", "unaccounted", "text", text));
	return error;
}

/* --- update --- */

static int write_capture(struct scenario *scenario, const struct packets *packets, const char *path)
{
	int error = packets_write(packets, path);

	return error < 0 ? fail(scenario, error, path, strerror(-error)) : 0;
}

/* What is as expected stays as it is, also what is in it that does not count. */
static int update_output(struct scenario *scenario, const struct station *station, json_t *files)
{
	json_t *differences = json_array();
	char path[SCENARIO_PATH_BYTES];
	int error = check_output(scenario, station, differences);
	bool is_same = error == 0 && json_array_size(differences) == 0;

	json_decref(differences);
	/* What cannot be read is written anew. */
	if (is_same)
		return 0;
	scenario_capture_path(scenario, station->name, "out", path);
	json_array_append_new(files, json_string(path));
	if (station->out.n != 0 || section(scenario, "out", station->name) != NULL)
		return write_capture(scenario, &station->out, path);
	return unlink(path) < 0 && errno != ENOENT ? fail(scenario, -errno, path, strerror(errno))
						   : 0;
}

/* {PORT: {REASON: frames}} and {PORT: frames}, of what came. */
static void collect(const struct scenario *scenario, json_t *drops, json_t *lost)
{
	for (size_t i = 0; i < scenario->rig.stations.n; i++) {
		const struct station *station = scenario->rig.stations.list[i];
		struct counters_block count = rig_counters(&scenario->rig, station->name);
		json_t *reasons = json_object();

		for (unsigned int k = 1; k < DROP_COUNT; k++) {
			if (count.drops[k] != 0)
				json_object_set_new(reasons, drop_reason_name(k),
						    json_integer((json_int_t)count.drops[k]));
		}
		if (json_object_size(reasons) != 0)
			json_object_set(drops, station->name, reasons);
		json_decref(reasons);
		if (station->n_lost != 0)
			json_object_set_new(lost, station->name,
					    json_integer((json_int_t)station->n_lost));
	}
}

static int update_counts(struct scenario *scenario, json_t *files)
{
	json_t *drops = json_object(), *lost = json_object(), *differences = json_array();
	char path[SCENARIO_PATH_BYTES + 8];
	int error = 0;

	snprintf(path, sizeof(path), "%s.yaml", scenario->base);
	for (size_t i = 0; i < scenario->rig.stations.n; i++)
		check_counts(scenario, scenario->rig.stations.list[i], differences);
	if (json_array_size(differences) != 0) {
		collect(scenario, drops, lost);
		error = drops_text_rewrite(path, drops, lost);
		if (error < 0)
			fail(scenario, error, path, strerror(-error));
		json_array_append_new(files, json_string(path));
	}
	json_decref(drops);
	json_decref(lost);
	json_decref(differences);
	return error;
}

int expect_update(struct scenario *scenario, json_t *files)
{
	int error = 0;

	for (size_t i = 0; i < scenario->rig.stations.n && error == 0; i++)
		error = update_output(scenario, scenario->rig.stations.list[i], files);
	return error == 0 ? update_counts(scenario, files) : error;
}

/* --- keeping what came --- */

static int make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		int result = mkdir(path, 0777);

		*slash = '/';
		if (result < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

int expect_keep(struct scenario *scenario, const char *folder)
{
	char name[SCENARIO_NAME_BYTES], path[SCENARIO_PATH_BYTES];
	int error = 0;

	scenario_name(scenario, name);
	for (size_t i = 0; i < scenario->rig.stations.n && error == 0; i++) {
		const struct station *station = scenario->rig.stations.list[i];
		int len = snprintf(path, sizeof(path), "%s/%s.%s.out.pcap", folder, name,
				   station->name);

		if (len < 0 || len >= (int)sizeof(path))
			return fail(scenario, -ENAMETOOLONG, folder, "the path is too long");
		if (station->out.n == 0)
			continue;
		error = make_folders(path);
		if (error < 0)
			return fail(scenario, error, path, strerror(-error));
		error = write_capture(scenario, &station->out, path);
	}
	return error;
}
