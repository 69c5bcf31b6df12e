/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weft-scenario: plays scenarios, one after the other, each in a dataplane of its own. It is what
 * `weft test` starts; apart from the weft that runs on this host, if any.
 *
 * Exit codes: 0 all came as expected, 1 something did not, 2 usage, or a scenario that cannot be
 * played.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "scenario/compare.h"
#include "scenario/expect.h"
#include "scenario/packets.h"
#include "scenario/report.h"
#include "scenario/scenario.h"

#define FOLDER_DEPTH_MAX 8

struct options {
	bool update, json;
	const char *keep;    /* folder; NULL: none */
	const char *junit;   /* file; NULL: none */
	const char *compare; /* what the captures are compared with; NULL: nothing */
};

struct run {
	struct options options;
	json_t *results;
	unsigned int n;
	bool is_wrong; /* something that is no scenario was named */
};

static const char usage[] =
	"usage: weft-scenario [--update] [-o table|json] [--junit FILE] [--keep FOLDER] "
	"SCENARIO.yaml|FOLDER...\n"
	"  --update       make what comes what is expected\n"
	"  -o json        print the results as JSON\n"
	"  --junit FILE   write them as JUnit's XML, too\n"
	"  --keep FOLDER  write what each port sent to FOLDER/AREA/NAME.PORT.out.pcap\n"
	"  --compare FILE compare the captures that are named with this one, but for times\n"
	"  --version      the version of this program\n";

/* --- one scenario --- */

static void set_result(json_t *result, const char *word)
{
	json_object_set_new(result, "result", json_string(word));
}

static int judge(struct scenario *scenario, const struct options *options, json_t *result)
{
	json_t *list = json_array();
	int error = options->keep != NULL ? expect_keep(scenario, options->keep) : 0;

	if (error == 0)
		error = options->update ? expect_update(scenario, list)
					: expect_check(scenario, list);
	bool is_empty = json_array_size(list) == 0;

	if (error == 0 && !is_empty)
		json_object_set(result, options->update ? "files" : "differences", list);
	json_decref(list);
	set_result(result, is_empty ? "passed" : options->update ? "updated" : "failed");
	return error;
}

static json_t *run_scenario(const char *path, const struct options *options)
{
	char name[SCENARIO_NAME_BYTES];
	json_t *result = json_object();
	struct scenario scenario;
	int error = scenario_load(&scenario, path);

	scenario_name(&scenario, name);
	json_object_set_new(result, "name", json_string(name));
	json_object_set_new(result, "path", json_string(path));
	json_object_set(result, "about", json_object_get(scenario.document, "about"));
	if (error == 0)
		error = scenario_play(&scenario);
	if (error == 0)
		error = judge(&scenario, options, result);
	if (error < 0) {
		set_result(result, "invalid");
		json_object_set_new(
			result, "problem",
			json_string(scenario.why[0] != '\0' ? scenario.why : strerror(-error)));
	}
	scenario_fini(&scenario);
	return result;
}

/* Two captures: what was expected, and what came. 0, or -errno with a line. */
static int compare_files(const char *expected_path, const char *seen_path, json_t *differences,
			 char *line, size_t line_bytes)
{
	struct compare_rules rules = {0};
	struct packets expected = {0}, seen = {0};
	const char *path = expected_path;
	char why[SCENARIO_PATH_BYTES] = "";
	int error = packets_read(&expected, path, why, sizeof(why));

	if (error == 0) {
		path = seen_path;
		error = packets_read(&seen, path, why, sizeof(why));
	}
	if (error == 0)
		error = compare_add_rule(&rules, "time");
	if (error == 0)
		compare_packets(&expected, &seen, &rules, "seen", differences);
	else
		snprintf(line, line_bytes, "%s: %s", path, why[0] != '\0' ? why : strerror(-error));
	packets_clear(&expected);
	packets_clear(&seen);
	return error;
}

static json_t *run_compare(const char *path, const struct options *options)
{
	json_t *differences = json_array();
	json_t *result = json_pack("{s:s, s:s}", "name", options->compare, "path", path);
	char line[2 * SCENARIO_PATH_BYTES];
	int error = compare_files(options->compare, path, differences, line, sizeof(line));
	bool is_same = json_array_size(differences) == 0;

	set_result(result, error < 0 ? "invalid" : is_same ? "passed" : "failed");
	if (error < 0)
		json_object_set_new(result, "problem", json_string(line));
	if (!is_same)
		json_object_set(result, "differences", differences);
	json_decref(differences);
	return result;
}

static void run_one(struct run *run, const char *path)
{
	json_t *result = run->options.compare != NULL ? run_compare(path, &run->options)
						      : run_scenario(path, &run->options);

	run->n++;
	if (!run->options.json) {
		report_text(stdout, run->n, result);
		fflush(stdout);
	}
	json_array_append_new(run->results, result);
}

/* --- all of them --- */

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_wanted(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static bool is_folder(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool is_scenario(const char *path)
{
	size_t len = strlen(path);

	return len > 5 && strcmp(path + len - 5, ".yaml") == 0;
}

/* Every scenario below the folder, in the order of the alphabet. */
static void run_folder(struct run *run, const char *folder, unsigned int depth)
{
	struct dirent **entries = NULL;
	int n = depth < FOLDER_DEPTH_MAX ? scandir(folder, &entries, is_wanted, by_name) : 0;
	char path[SCENARIO_PATH_BYTES];

	for (int i = 0; i < n; i++) {
		int len = snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);

		free(entries[i]);
		if (len < 0 || len >= (int)sizeof(path))
			continue;
		if (is_folder(path))
			run_folder(run, path, depth + 1);
		else if (is_scenario(path))
			run_one(run, path);
	}
	free(entries);
}

static void run_word(struct run *run, const char *word)
{
	unsigned int before = run->n;

	if (!is_folder(word)) {
		run_one(run, word);
		return;
	}
	run_folder(run, word, 0);
	if (run->n == before) {
		fprintf(stderr, "weft-scenario: no scenario below %s\n", word);
		run->is_wrong = true;
	}
}

static int write_junit(const char *path, const json_t *results)
{
	FILE *file = fopen(path, "we");

	if (file == NULL) {
		fprintf(stderr, "weft-scenario: %s: %s\n", path, strerror(errno));
		return 2;
	}
	report_junit(file, results);
	return fclose(file) != 0 ? 2 : 0;
}

static int finish(struct run *run)
{
	struct report_counts counts = report_count(run->results);
	int code = counts.failed != 0 ? 1 : 0;

	if (run->options.json)
		report_json(stdout, run->results);
	else
		report_text_end(stdout, run->results);
	if (run->options.junit != NULL && write_junit(run->options.junit, run->results) != 0)
		code = 2;
	if (fflush(stdout) != 0 || ferror(stdout) || run->is_wrong || counts.invalid != 0)
		code = 2;
	return code;
}

/* What is to be printed in place of a run. Returns the exit code + 1. */
static int say(int option)
{
	if (option == 'v')
		puts("weft-scenario " WEFT_VERSION);
	else
		fputs(usage, option == 'h' ? stdout : stderr);
	return option == 'v' || option == 'h' ? 1 : 3;
}

/* 0, or the exit code + 1. */
static int parse(int argc, char **argv, struct options *options)
{
	static const struct option words[] = {
		{"update", no_argument, NULL, 'u'},	  {"junit", required_argument, NULL, 'j'},
		{"keep", required_argument, NULL, 'k'},	  {"compare", required_argument, NULL, 'c'},
		{"output", required_argument, NULL, 'o'}, {"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},	  {NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "o:h", words, NULL)) != -1) {
		if (option == 'u')
			options->update = true;
		else if (option == 'j')
			options->junit = optarg;
		else if (option == 'c')
			options->compare = optarg;
		else if (option == 'k')
			options->keep = optarg;
		else if (option == 'o' &&
			 (strcmp(optarg, "json") == 0 || strcmp(optarg, "table") == 0))
			options->json = optarg[0] == 'j';
		else
			return say(option);
	}
	return optind < argc ? 0 : say('?');
}

int main(int argc, char **argv)
{
	struct run run = {.results = json_array()};
	int code = parse(argc, argv, &run.options);

	if (code != 0) {
		json_decref(run.results);
		return code - 1;
	}
	for (int i = optind; i < argc; i++)
		run_word(&run, argv[i]);
	code = finish(&run);
	json_decref(run.results);
	return code;
}
