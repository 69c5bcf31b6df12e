/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of commands: which words run what, with the help that users read. */
#pragma once

#include <stdio.h>

struct call;

enum cmd_flag {
	CMD_FILE = 1,	    /* takes -f, and needs it */
	CMD_DRY_RUN = 2,    /* takes --dry-run */
	CMD_PRUNE = 4,	    /* takes --prune */
	CMD_WAIT = 8,	    /* takes --wait */
	CMD_CONFIRM = 16,   /* takes --confirm */
	CMD_COMMENT = 32,   /* takes -m */
	CMD_REPEAT = 64,    /* takes --count and --interval */
	CMD_SCENARIO = 128, /* takes --update, --junit and --keep */
	CMD_WRITE = 256,    /* takes -w */
	CMD_CAPTURE = 512,  /* takes --filter, --snaplen, --count, --seconds, --files ... */
	CMD_FRAMES = 1024,  /* takes --frames */
	CMD_FRAME = 2048,   /* takes --frame, --pcap and --next, and needs one of them */
};

struct cmd {
	const char *noun;
	const char *verb;	  /* NULL: the noun alone is the command */
	const char *usage;	  /* the command with its arguments */
	const char *help;	  /* one line */
	const char *more;	  /* further lines of `weft help COMMAND`; NULL: none */
	int min_words, max_words; /* after noun and verb */
	unsigned int flags;
	int (*run)(const struct call *call); /* returns an exit code */
};

#define CMD_WORDS_MAX 64 /* more than any command has a use for */
#define CMD_SCENARIOS_MAX 4096

#define CMD_TABLE_MAX 128

/* All commands, a noun's together: cmd_table.c. */
const struct cmd *cmd_table(size_t *n_cmds);

/* The whole program: parses, runs, returns the exit code. */
int cmd_run(int argc, char **argv, FILE *in, FILE *out, FILE *err);
