/* SPDX-License-Identifier: BSD-3-Clause */
/* Parses the command line with getopt_long(); says in one line what is wrong with it. */
#include "cli/args.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_RUN_DIR "/run/weft"
#define WAIT_DEFAULT_S 10
#define WAIT_MAX_S 3600
#define COUNT_MAX 1000000
#define INTERVAL_MAX_S 3600
#define SNAPLEN_MAX 262144
#define SECONDS_MAX (7 * 86400)
#define FILES_MAX 1000
#define NEXT_MAX 1000
#define FILE_BYTES_MIN 100000
#define FILE_BYTES_MAX 1000000000000ULL

enum {
	OPT_RUN_DIR = 256, /* above every short option */
	OPT_DRY_RUN,
	OPT_PRUNE,
	OPT_WAIT,
	OPT_CONFIRM,
	OPT_COUNT,
	OPT_INTERVAL,
	OPT_UPDATE,
	OPT_JUNIT,
	OPT_KEEP,
	OPT_FILTER,
	OPT_SNAPLEN,
	OPT_SECONDS,
	OPT_FILES,
	OPT_FILE_SIZE,
	OPT_FRAMES,
	OPT_FRAME,
	OPT_PCAP,
	OPT_NEXT,
	OPT_VERSION,
};

static const struct option long_options[] = {
	{"run-dir", required_argument, NULL, OPT_RUN_DIR},
	{"output", required_argument, NULL, 'o'},
	{"file", required_argument, NULL, 'f'},
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	{"prune", no_argument, NULL, OPT_PRUNE},
	{"wait", optional_argument, NULL, OPT_WAIT},
	{"confirm", required_argument, NULL, OPT_CONFIRM},
	{"comment", required_argument, NULL, 'm'},
	{"count", required_argument, NULL, OPT_COUNT},
	{"interval", required_argument, NULL, OPT_INTERVAL},
	{"update", no_argument, NULL, OPT_UPDATE},
	{"junit", required_argument, NULL, OPT_JUNIT},
	{"keep", required_argument, NULL, OPT_KEEP},
	{"write", required_argument, NULL, 'w'},
	{"filter", required_argument, NULL, OPT_FILTER},
	{"snaplen", required_argument, NULL, OPT_SNAPLEN},
	{"seconds", required_argument, NULL, OPT_SECONDS},
	{"files", required_argument, NULL, OPT_FILES},
	{"file-size", required_argument, NULL, OPT_FILE_SIZE},
	{"frames", no_argument, NULL, OPT_FRAMES},
	{"frame", required_argument, NULL, OPT_FRAME},
	{"pcap", required_argument, NULL, OPT_PCAP},
	{"next", required_argument, NULL, OPT_NEXT},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, OPT_VERSION},
	{NULL, 0, NULL, 0},
};

static int parse_style(const char *word, enum print_style *style, char *why, size_t why_bytes)
{
	static const char *const words[] = {
		[PRINT_TABLE] = "table",
		[PRINT_JSON] = "json",
		[PRINT_YAML] = "yaml",
	};

	for (size_t i = PRINT_TABLE; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(word, words[i]) == 0) {
			*style = (enum print_style)i;
			return 0;
		}
	}
	snprintf(why, why_bytes, "-o %s: say table, json or yaml", word);
	return -EINVAL;
}

static int parse_wait(const char *word, unsigned int *wait_s, char *why, size_t why_bytes)
{
	unsigned long seconds = WAIT_DEFAULT_S;
	char *end = NULL;

	if (word && isdigit((unsigned char)*word))
		seconds = strtoul(word, &end, 10);
	if ((word && (!end || *end)) || seconds < 1 || seconds > WAIT_MAX_S) {
		snprintf(why, why_bytes, "--wait=%s: say how many seconds, 1 to %d", word,
			 WAIT_MAX_S);
		return -EINVAL;
	}
	*wait_s = (unsigned int)seconds;
	return 0;
}

static int parse_count(const char *word, unsigned int *count, char *why, size_t why_bytes)
{
	char *end;
	unsigned long number = strtoul(word, &end, 10);

	if (!isdigit((unsigned char)*word) || *end || number < 1 || number > COUNT_MAX) {
		snprintf(why, why_bytes, "--count %s: say how many times, 1 to %d", word,
			 COUNT_MAX);
		return -EINVAL;
	}
	*count = (unsigned int)number;
	return 0;
}

/* A whole number; may end in k, M or G. */
static int parse_number(const char *option, const char *word, uint64_t min, uint64_t max,
			uint64_t *number, char *why, size_t why_bytes)
{
	static const char letters[] = "kMG";
	char *end;

	errno = 0;
	*number = strtoull(word, &end, 10);
	for (const char *letter = letters; *end && *letter; letter++) {
		if (*number <= UINT64_MAX / 1000)
			*number *= 1000;
		if (*end == *letter && !end[1])
			end++;
	}
	if (errno == 0 && isdigit((unsigned char)*word) && !*end && *number >= min &&
	    *number <= max)
		return 0;
	snprintf(why, why_bytes, "%s %.40s: say a number, %llu to %llu", option, word,
		 (unsigned long long)min, (unsigned long long)max);
	return -EINVAL;
}

/* Those of captures, and of frames that are followed. -ENOENT: it is none. */
static int take_capture_option(int option, struct args *args, char *why, size_t why_bytes)
{
	uint64_t number = 0;
	int err = 0;

	switch (option) {
	case 'w':
		args->write = optarg;
		return 0;
	case OPT_FILTER:
		args->filter = optarg;
		return 0;
	case OPT_FRAMES:
		args->frames = true;
		return 0;
	case OPT_SNAPLEN:
		err = parse_number("--snaplen", optarg, 1, SNAPLEN_MAX, &number, why, why_bytes);
		args->snaplen = (unsigned int)number;
		return err;
	case OPT_SECONDS:
		err = parse_number("--seconds", optarg, 1, SECONDS_MAX, &number, why, why_bytes);
		args->seconds = (unsigned int)number;
		return err;
	case OPT_NEXT:
		err = parse_number("--next", optarg, 1, NEXT_MAX, &number, why, why_bytes);
		args->next = (unsigned int)number;
		return err;
	case OPT_FILES:
		err = parse_number("--files", optarg, 2, FILES_MAX, &number, why, why_bytes);
		args->n_files = (unsigned int)number;
		return err;
	case OPT_FILE_SIZE:
		return parse_number("--file-size", optarg, FILE_BYTES_MIN, FILE_BYTES_MAX,
				    &args->file_bytes, why, why_bytes);
	default:
		return -ENOENT;
	}
}

static int parse_interval(const char *word, unsigned int *interval_ms, char *why, size_t why_bytes)
{
	char *end;
	double seconds = strtod(word, &end);

	if (!isdigit((unsigned char)*word) || *end || seconds < 0.1 || seconds > INTERVAL_MAX_S) {
		snprintf(why, why_bytes, "--interval %s: say how many seconds, 0.1 to %d", word,
			 INTERVAL_MAX_S);
		return -EINVAL;
	}
	*interval_ms = (unsigned int)(seconds * 1000);
	return 0;
}

static int take_option(int option, char *const *argv, struct args *args, char *why,
		       size_t why_bytes)
{
	/* getopt leaves the culprit here: its word, or for a short option the letter. */
	char letter[3] = {'-', (char)optopt, '\0'};
	const char *culprit = optopt > 0 && optopt < OPT_RUN_DIR ? letter : argv[optind - 1];
	int err = take_capture_option(option, args, why, why_bytes);

	if (err != -ENOENT)
		return err;
	switch (option) {
	case OPT_RUN_DIR:
		args->run_dir = optarg;
		return 0;
	case OPT_DRY_RUN:
		args->dry_run = true;
		return 0;
	case OPT_PRUNE:
		args->prune = true;
		return 0;
	case OPT_WAIT:
		return parse_wait(optarg, &args->wait_s, why, why_bytes);
	case OPT_COUNT:
		return parse_count(optarg, &args->count, why, why_bytes);
	case OPT_INTERVAL:
		return parse_interval(optarg, &args->interval_ms, why, why_bytes);
	case OPT_UPDATE:
		args->update = true;
		return 0;
	case OPT_JUNIT:
		args->junit = optarg;
		return 0;
	case OPT_KEEP:
		args->keep = optarg;
		return 0;
	case OPT_FRAME:
		args->frame = optarg;
		return 0;
	case OPT_PCAP:
		args->pcap = optarg;
		return 0;
	case OPT_VERSION:
		args->version = true;
		return 0;
	case OPT_CONFIRM:
		args->confirm = optarg;
		return 0;
	case 'm':
		args->comment = optarg;
		return 0;
	case 'f':
		args->file = optarg;
		return 0;
	case 'h':
		args->help = true;
		return 0;
	case 'o':
		return parse_style(optarg, &args->style, why, why_bytes);
	case ':':
		snprintf(why, why_bytes, "option %s needs a value", culprit);
		return -EINVAL;
	default:
		snprintf(why, why_bytes, "unknown option %s; see weft help", culprit);
		return -EINVAL;
	}
}

int args_parse(int argc, char **argv, struct args *args, char *why, size_t why_bytes)
{
	const char *run_dir = getenv("WEFT_RUN_DIR");
	int option;

	*args = (struct args){.run_dir = run_dir && *run_dir ? run_dir : DEFAULT_RUN_DIR};
	optind = 0; /* start anew, also in tests that parse several lines */
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":o:f:m:w:h", long_options, NULL)) != -1) {
		int err = take_option(option, argv, args, why, why_bytes);

		if (err)
			return err;
	}
	if (*args->run_dir == '\0') {
		snprintf(why, why_bytes, "--run-dir is empty; name weftd's run directory");
		return -EINVAL;
	}
	args->words = argv + optind;
	args->n_words = argc - optind;
	return 0;
}

int args_split(const char *word, char *key, size_t key_bytes, const char **value)
{
	const char *equals = strchr(word, '=');

	if (!equals || equals == word || (size_t)(equals - word) >= key_bytes)
		return -EINVAL;
	memcpy(key, word, (size_t)(equals - word));
	key[equals - word] = '\0';
	*value = equals + 1;
	return 0;
}
