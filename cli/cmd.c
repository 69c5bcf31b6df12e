/* SPDX-License-Identifier: BSD-3-Clause */
/* Finding the command that is meant, help. */
#include "cli/cmd.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "cli/args.h"
#include "cli/call.h"
#include "cli/cmds.h"
#include "cli/suggest.h"

static const char intro[] = "weft connects the network cards of virtual machines.\n"
			    "\n"
			    "usage: weft [--run-dir DIR] [-o table|json|yaml] COMMAND\n"
			    "\n";

static const char outro[] =
	"\n"
	"Options, before or after the command:\n"
	"  --run-dir DIR         where weftd runs; default WEFT_RUN_DIR, then /run/weft\n"
	"  -o table|json|yaml    how to print; json and yaml are the API's answer as it is\n"
	"  --help                this, or more about the command\n"
	"  --version             the version of this program\n"
	"Exit codes: 0 done, 1 what was asked is false (diff, status), 2 usage, 3 weftd does not\n"
	"answer, 4 refused, or a file cannot be read or written. If weftd refuses, -o json prints\n"
	"the API's problem+json.\n";

static bool is_noun(const struct cmd *cmd, const char *word)
{
	return strcmp(cmd->noun, word) == 0;
}

/* Whether row `i` starts a noun's rows, which stand together in the table. */
static bool is_first_of_noun(const struct cmd *table, size_t i)
{
	return i == 0 || !is_noun(&table[i - 1], table[i].noun);
}

static void print_help_line(FILE *out, const struct cmd *cmd)
{
	fprintf(out, "  weft %s\n          %s\n", cmd->usage, cmd->help);
}

static void print_help(FILE *out)
{
	size_t n_cmds;
	const struct cmd *table = cmd_table(&n_cmds);
	fputs(intro, out);
	for (size_t i = 0; i < n_cmds; i++) {
		char words[32];

		snprintf(words, sizeof(words), "%s%s%s", table[i].noun, table[i].verb ? " " : "",
			 table[i].verb ? table[i].verb : "");
		fprintf(out, "  %-20s  %s\n", words, table[i].help);
	}
	fputs(outro, out);
}

/* Help on one command, or on all of a noun's. */
static void print_help_on(FILE *out, const struct cmd *cmd)
{
	fprintf(out, "usage: weft %s\n\n%s\n", cmd->usage, cmd->help);
	if (cmd->more)
		fprintf(out, "\n%s", cmd->more);
}

static void print_help_on_noun(FILE *out, const char *noun)
{
	size_t n_cmds;
	const struct cmd *table = cmd_table(&n_cmds);
	fprintf(out, "weft %s:\n", noun);
	for (size_t i = 0; i < n_cmds; i++) {
		if (is_noun(&table[i], noun))
			print_help_line(out, &table[i]);
	}
}

/* The nouns, or with a noun its verbs. Returns how many. */
static size_t list_words(const char *noun, const char *words[CMD_TABLE_MAX])
{
	size_t n_cmds;
	const struct cmd *table = cmd_table(&n_cmds);
	size_t n_words = 0;

	for (size_t i = 0; i < n_cmds; i++) {
		if (!noun && is_first_of_noun(table, i))
			words[n_words++] = table[i].noun;
		else if (noun && is_noun(&table[i], noun))
			words[n_words++] = table[i].verb;
	}
	return n_words;
}

static int complain_unknown(FILE *err, const char *noun, const char *typed)
{
	const char *words[CMD_TABLE_MAX];
	size_t n_words = list_words(noun, words);
	const char *nearest = typed ? suggest_nearest(typed, words, n_words) : NULL;

	fprintf(err, "weft: ");
	if (typed)
		fprintf(err, "unknown command '%s%s%s'", noun ? noun : "", noun ? " " : "", typed);
	else
		fprintf(err, "%s what?", noun);
	if (nearest) {
		fprintf(err, "; did you mean 'weft %s%s%s'?\n", noun ? noun : "", noun ? " " : "",
			nearest);
		return CALL_USAGE;
	}
	fprintf(err, "%s", typed ? "; known: " : " ");
	for (size_t i = 0; i < n_words; i++)
		fprintf(err, "%s%s", i ? ", " : "", words[i]);
	fputc('\n', err);
	return CALL_USAGE;
}

/*
 * The command that the words start with, or NULL with a line on err. With only a noun that has
 * verbs: its first row, and *is_noun_only.
 */
static const struct cmd *find(char *const *words, int n_words, bool *is_noun_only, FILE *err)
{
	size_t n_cmds;
	const struct cmd *table = cmd_table(&n_cmds);
	const struct cmd *noun = NULL;

	*is_noun_only = false;
	for (size_t i = 0; i < n_cmds && !noun; i++)
		noun = is_noun(&table[i], words[0]) ? &table[i] : NULL;
	if (!noun) {
		complain_unknown(err, NULL, words[0]);
		return NULL;
	}
	if (n_words < 2) {
		*is_noun_only = noun->verb != NULL;
		return noun;
	}
	for (const struct cmd *cmd = noun; cmd < table + n_cmds && is_noun(cmd, words[0]); cmd++) {
		if (cmd->verb && strcmp(cmd->verb, words[1]) == 0)
			return cmd;
	}
	if (!noun->verb)
		return noun;
	complain_unknown(err, words[0], words[1]);
	return NULL;
}

static int help_on(FILE *out, FILE *err, char *const *words, int n_words)
{
	const struct cmd *cmd;
	bool is_noun_only;

	if (n_words == 0) {
		print_help(out);
		return CALL_DONE;
	}
	cmd = find(words, n_words, &is_noun_only, err);
	if (!cmd)
		return CALL_USAGE;
	if (is_noun_only)
		print_help_on_noun(out, cmd->noun);
	else
		print_help_on(out, cmd);
	return CALL_DONE;
}

/* Everything that help says, for who makes other pages of it. */
static json_t *help_as_json(void)
{
	size_t n_cmds;
	const struct cmd *table = cmd_table(&n_cmds);
	json_t *list = json_array();

	for (size_t i = 0; i < n_cmds; i++) {
		const struct cmd *cmd = &table[i];

		json_array_append_new(list,
				      json_pack("{s:s, s:s*, s:s, s:s, s:s*}", "noun", cmd->noun,
						"verb", cmd->verb, "usage", cmd->usage, "help",
						cmd->help, "more", cmd->more));
	}
	return json_pack("{s:s, s:o, s:s}", "intro", intro, "commands", list, "outro", outro);
}

int cmd_help(const struct call *call)
{
	if (call_is_raw(call) && call->n_words == 0) {
		json_t *json = help_as_json();
		int code = call_print_raw(call, json);

		json_decref(json);
		return code;
	}
	return help_on(call->out, call->err, call->words, call->n_words);
}

/* The options of captures. */
static int check_capture(const struct call *call)
{
	const struct args *args = call->args;
	unsigned int flags = call->cmd->flags;

	if (!(flags & CMD_WRITE) && args->write)
		return call_usage(call, "-w has no meaning here");
	if (!(flags & CMD_FRAMES) && args->frames)
		return call_usage(call, "--frames has no meaning here");
	if (!(flags & CMD_CAPTURE) &&
	    (args->filter || args->snaplen || args->n_files || args->file_bytes))
		return call_usage(call, "--filter, --snaplen, --files and --file-size have no "
					"meaning here");
	if (!(flags & CMD_CAPTURE) && args->seconds && !((flags & CMD_FRAME) && args->next))
		return call_usage(call, "--seconds has no meaning here");
	if (args->file_bytes && !args->n_files)
		return call_usage(call, "--file-size is of one of --files N");
	return CALL_DONE;
}

/* What is traced. */
static int check_frame(const struct call *call)
{
	const struct args *args = call->args;
	int n = (args->frame != NULL) + (args->pcap != NULL) + (args->next != 0);

	if (!(call->cmd->flags & CMD_FRAME) && n)
		return call_usage(call, "--frame, --pcap and --next have no meaning here");
	if ((call->cmd->flags & CMD_FRAME) && n != 1)
		return call_usage(call, "say --frame, --pcap or --next, one of them");
	if ((call->cmd->flags & CMD_FRAME) && !args->next && call->n_words != 1)
		return call_usage(call, call->n_words ? "one port sends the frame"
						      : "something is missing");
	return check_capture(call);
}

static int check_call(const struct call *call)
{
	const struct cmd *cmd = call->cmd;

	if (call->n_words < cmd->min_words)
		return call_usage(call, "something is missing");
	if ((cmd->flags & CMD_FILE) && !call->args->file && call->n_words == 1)
		return call_usage(call, "did you mean -f %s?", call->words[0]);
	if (call->n_words > cmd->max_words)
		return call_usage(call, "too much: '%s'", call->words[cmd->max_words]);
	if ((cmd->flags & CMD_FILE) && !call->args->file)
		return call_usage(call, "say which file with -f FILE, or -f - for standard input");
	if (!(cmd->flags & CMD_FILE) && call->args->file)
		return call_usage(call, "-f has no meaning here");
	if (!(cmd->flags & CMD_DRY_RUN) && call->args->dry_run)
		return call_usage(call, "--dry-run has no meaning here");
	if (!(cmd->flags & CMD_PRUNE) && call->args->prune)
		return call_usage(call, "--prune has no meaning here");
	if (!(cmd->flags & CMD_CONFIRM) && call->args->confirm)
		return call_usage(call, "--confirm has no meaning here");
	if (!(cmd->flags & CMD_COMMENT) && call->args->comment)
		return call_usage(call, "-m has no meaning here");
	if (!(cmd->flags & CMD_WAIT) && call->args->wait_s)
		return call_usage(call, "--wait has no meaning here");
	if (!(cmd->flags & (CMD_REPEAT | CMD_CAPTURE)) && call->args->count)
		return call_usage(call, "--count has no meaning here");
	if (!(cmd->flags & CMD_REPEAT) && call->args->interval_ms)
		return call_usage(call, "--interval has no meaning here");
	if (!(cmd->flags & CMD_SCENARIO) &&
	    (call->args->update || call->args->junit || call->args->keep))
		return call_usage(call, "--update, --junit and --keep have no meaning here");
	return check_frame(call);
}

static int run_words(const struct args *args, FILE *in, FILE *out, FILE *err)
{
	struct call call = {.args = args, .in = in, .out = out, .err = err};
	bool is_noun_only;
	int n_own, code;

	call.cmd = find(args->words, args->n_words, &is_noun_only, err);
	if (!call.cmd)
		return CALL_USAGE;
	if (is_noun_only)
		return complain_unknown(err, call.cmd->noun, NULL);
	n_own = call.cmd->verb ? 2 : 1;
	call.words = args->words + n_own;
	call.n_words = args->n_words - n_own;
	code = check_call(&call);
	return code ? code : call.cmd->run(&call);
}

int cmd_run(int argc, char **argv, FILE *in, FILE *out, FILE *err)
{
	char version[] = "version", *version_words[] = {version};
	struct args args;
	char why[256];

	if (args_parse(argc, argv, &args, why, sizeof(why))) {
		fprintf(err, "weft: %s\n", why);
		return CALL_USAGE;
	}
	if (args.help)
		return help_on(out, err, args.words, args.n_words);
	if (args.version) {
		args.words = version_words;
		args.n_words = 1;
	}
	if (args.n_words == 0) {
		print_help(err);
		return CALL_USAGE;
	}
	return run_words(&args, in, out, err);
}
