/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line: options, which may stand before or after the command, and the words. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/print.h"

struct args {
	const char *run_dir; /* --run-dir, else WEFT_RUN_DIR, else /run/weft */
	const char *file;    /* -f; NULL if not given */
	enum print_style style;
	const char *confirm;	  /* --confirm: a time, weftd's to read; NULL if not given */
	const char *comment;	  /* -m; NULL if not given */
	const char *junit;	  /* --junit: a file; NULL if not given */
	const char *keep;	  /* --keep: a folder; NULL if not given */
	const char *frame;	  /* --frame: hex digits, weftd's to read; NULL if not given */
	const char *pcap;	  /* --pcap: a file; NULL if not given */
	unsigned int wait_s;	  /* --wait; 0 if not given */
	unsigned int count;	  /* --count; 0 if not given */
	unsigned int interval_ms; /* --interval; 0 if not given */
	const char *write;	  /* -w; NULL if not given, as the next one */
	const char *filter;	  /* --filter */
	unsigned int snaplen;	  /* --snaplen; 0 if not given, as all to come */
	unsigned int seconds;	  /* --seconds */
	unsigned int next;	  /* --next */
	unsigned int n_files;	  /* --files */
	uint64_t file_bytes;	  /* --file-size */
	bool frames;		  /* --frames */
	bool dry_run;
	bool prune;
	bool update;
	bool help;
	bool version;
	int n_words;
	char **words; /* point into argv */
};

/* Reorders argv. 0, or -EINVAL with one line in `why`. Main thread: getopt_long() has state. */
int args_parse(int argc, char **argv, struct args *args, char *why, size_t why_bytes);

/*
 * Splits "key=value" after the first '='. 0, or -EINVAL if the word has no '=', or no key, or a key
 * that does not fit. *value points into the word.
 */
int args_split(const char *word, char *key, size_t key_bytes, const char **value);
