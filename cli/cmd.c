/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of commands, finding the one that is meant, help. */
#include "cli/cmd.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "cli/args.h"
#include "cli/call.h"
#include "cli/cmds.h"
#include "cli/suggest.h"

static int run_help(const struct call *call);

/* Each row in the same shape, whatever fits a line. */
/* clang-format off */
static const struct cmd table[] = {
	{"apply", NULL, "apply -f FILE|- [--prune] [--dry-run] [--confirm TIME] [-m COMMENT]",
	 "add and change what a lab file declares",
	 "All in one step or, if something is wrong, nothing. What the file does not name stays.\n"
	 "--prune    also delete what this lab (name: in the file) made and no longer declares\n"
	 "--dry-run  print the plan only\n"
	 "--confirm 60s  go back by itself unless weft confirm comes within that time\n"
	 "-m COMMENT     for weft history\n"
	 "+ created, ~ changed, ! replaced (closed and opened anew), - deleted.\n",
	 0, 0, CMD_FILE | CMD_DRY_RUN | CMD_PRUNE | CMD_CONFIRM | CMD_COMMENT, cmd_lab_apply},
	{"confirm", NULL, "confirm",
	 "keep what apply --confirm changed", NULL,
	 0, 0, 0, cmd_history_confirm},
	{"diff", NULL, "diff -f FILE|- [--prune]",
	 "print what apply would do; exit 1 if that is anything", NULL,
	 0, 0, CMD_FILE | CMD_PRUNE, cmd_lab_diff},
	{"export", NULL, "export [REVISION] [-o yaml|json]",
	 "print everything as one lab file",
	 "REVISION  as it was then; weft history shows which are kept\n",
	 0, 1, 0, cmd_lab_export},
	{"history", NULL, "history",
	 "the changes so far: when, by whom, how many",
	 "In CHANGES + is created, ~ changed, ! replaced, - deleted.\n"
	 "weft history show REVISION lists them.\n",
	 0, 0, 0, cmd_history_run},
	{"history", "show", "history show REVISION",
	 "one change: who, when, and what", NULL,
	 1, 1, 0, cmd_history_show},
	{"rollback", NULL, "rollback [REVISION] [--dry-run] [-m COMMENT]",
	 "make everything as it was at a revision, or before the last change",
	 "A rollback is a change like any other: it is checked, done whole or not at all, and has\n"
	 "a revision of its own.\n",
	 0, 1, CMD_DRY_RUN | CMD_COMMENT, cmd_history_rollback},
	{"status", NULL, "status [--wait[=SECONDS]]",
	 "is it up, and what does it hold; exit 1 if the dataplane is not connected",
	 "--wait  wait until weftd answers and its dataplane is connected, 10 s unless said\n"
	 "        otherwise; exit 3 if that does not come\n",
	 0, 0, CMD_WAIT, cmd_status_run},
	{"segment", "add",
	 "segment add NAME vni=N [vlan=N] [mtu=BYTES] [age=TIME] [KEY=VALUE ...] [--dry-run]",
	 "make an isolated network",
	 "vni   number of the segment in the overlay, 1 to 16777215, unique\n"
	 "vlan  VLAN id on trunks and uplinks, 1 to 4094, unique\n"
	 "mtu   largest IP packet in bytes, default 1500\n"
	 "age   how long a silent MAC address is remembered, default 300s\n"
	 "weft segment keys lists the others.\n",
	 1, CMD_WORDS_MAX, CMD_DRY_RUN, cmd_segment_add},
	{"segment", "list", "segment list",
	 "all segments", NULL,
	 0, 0, 0, cmd_segment_list},
	{"segment", "show", "segment show NAME",
	 "everything about one segment", NULL,
	 1, 1, 0, cmd_segment_show},
	{"segment", "set", "segment set NAME KEY=VALUE ... [--dry-run]",
	 "change some keys, keep the others",
	 "KEY= without a value goes back to the default.\n",
	 2, CMD_WORDS_MAX, CMD_DRY_RUN, cmd_segment_set},
	{"segment", "del", "segment del NAME [--dry-run]",
	 "delete a segment that no port uses", NULL,
	 1, 1, CMD_DRY_RUN, cmd_segment_del},
	{"segment", "keys", "segment keys",
	 "what else a segment can be set to", NULL,
	 0, 0, 0, cmd_segment_keys},
	{"port", "add",
	 "port add NAME type=TYPE segment=SEGMENT|trunk=SEGMENT:TAG,... [native=SEGMENT] [vm=VM] "
	 "[mac=MAC] [KEY=VALUE ...] [--dry-run]",
	 "plug something into a segment",
	 "weft port types lists the types and the keys of each.\n"
	 "  weft port add web0 type=vhost-user segment=ALPHA vm=web\n"
	 "  weft port add c1 type=tap segment=ALPHA netns=c1 ip=10.0.1.2/24\n"
	 "  weft port add t0 type=tap trunk=ALPHA:10,BETA:20 native=GAMMA\n",
	 1, CMD_WORDS_MAX, CMD_DRY_RUN, cmd_port_add},
	{"port", "list", "port list",
	 "all ports, and whether their link is up", NULL,
	 0, 0, 0, cmd_port_list},
	{"port", "show", "port show NAME",
	 "everything about one port", NULL,
	 1, 1, 0, cmd_port_show},
	{"port", "set", "port set NAME KEY=VALUE ... [--dry-run]",
	 "change some keys, keep the others",
	 "KEY= without a value goes back to the default.\n",
	 2, CMD_WORDS_MAX, CMD_DRY_RUN, cmd_port_set},
	{"port", "del", "port del NAME [--dry-run]",
	 "delete a port", NULL,
	 1, 1, CMD_DRY_RUN, cmd_port_del},
	{"port", "types", "port types",
	 "the types of port and the keys of each", NULL,
	 0, 0, 0, cmd_port_types},
	{"port", "qemu-args", "port qemu-args NAME [NAME ...] [memory=SIZE] [accel=kvm|tcg]",
	 "the QEMU arguments for the ports of one machine",
	 "memory  of the guest, as 256M or 4G, default 1G\n"
	 "accel   kvm or tcg; default: kvm if /dev/kvm can be opened by who runs this, else tcg\n"
	 "They hold -accel and -m: give QEMU no others.\n"
	 "On a terminal one option a line, to be pasted; else on one line:\n"
	 "  qemu-system-x86_64 $(weft port qemu-args web0) disk.img\n"
	 "-o json prints them as an array.\n",
	 1, CMD_WORDS_MAX, 0, cmd_port_qemu_args},
	{"port", "libvirt-xml", "port libvirt-xml NAME [accel=kvm|tcg]",
	 "the libvirt elements for a port",
	 "accel  kvm for a domain of type kvm, tcg for one of type qemu; default: kvm if\n"
	 "       /dev/kvm can be opened by who runs this, else tcg\n",
	 1, 2, 0, cmd_port_libvirt_xml},
	{"port", "doctor", "port doctor NAME",
	 "what keeps frames from a port, and what to do; exit 1 if something does",
	 "Each line is ok, warn (it works, but not as well as it could) or fail.\n",
	 1, 1, 0, cmd_doctor_run},
	{"uplink", "add",
	 "uplink add NAME [ifname=INTERFACE] trunk=SEGMENT:TAG,...|vtep=ADDRESS [KEY=VALUE ...] "
	 "[--dry-run]",
	 "use an interface of this host to reach other hosts",
	 "A port of type uplink; weft port types lists its keys. Its interface is called as it is\n"
	 "unless ifname says otherwise.\n"
	 "  weft uplink add eth1 trunk=ALPHA,BETA:20     segments as VLANs\n"
	 "  weft uplink add eth2 vtep=10.0.0.1           segments as VXLAN, to peers\n",
	 1, CMD_WORDS_MAX, CMD_DRY_RUN, cmd_uplink_add},
	{"uplink", "list", "uplink list",
	 "all uplinks, whether they are up, and what they lost", NULL,
	 0, 0, 0, cmd_uplink_list},
	{"uplink", "show", "uplink show NAME",
	 "everything about one uplink", NULL,
	 1, 1, 0, cmd_uplink_show},
	{"uplink", "set", "uplink set NAME KEY=VALUE ... [--dry-run]",
	 "change some keys, keep the others",
	 "KEY= without a value goes back to the default.\n",
	 2, CMD_WORDS_MAX, CMD_DRY_RUN, cmd_uplink_set},
	{"uplink", "del", "uplink del NAME [--dry-run]",
	 "delete an uplink; its interface stays", NULL,
	 1, 1, CMD_DRY_RUN, cmd_uplink_del},
	{"overlay", "test", "overlay test [PEER]",
	 "probe the way to a peer, or to all; exit 1 if something is wrong with it",
	 "Path MTU, outer checksums, loss, delay, and whether all source ports arrive: by probes\n"
	 "that the peer's weft-dataplane answers, 500 a second for some seconds.\n"
	 "Each line is ok, warn or fail. Only the way there: test from the peer, too.\n",
	 0, 1, 0, cmd_overlay_test},
	{"peer", "add",
	 "peer add NAME vtep=ADDRESS [segments=SEGMENT,...] [KEY=VALUE ...] [--dry-run]",
	 "have another host that segments reach as VXLAN",
	 "A port of type peer; weft port types lists its keys. An uplink with a vtep leads there.\n"
	 "vtep      address of that host's end of the tunnels\n"
	 "segments  those that it has; without them, every segment\n"
	 "  weft peer add h2 vtep=10.0.0.2 segments=ALPHA,BETA\n"
	 "  weft peer add h3 vtep=10.0.0.3 learn=off macs=02:00:00:00:00:03\n",
	 1, CMD_WORDS_MAX, CMD_DRY_RUN, cmd_peer_add},
	{"peer", "list", "peer list",
	 "all peers, what they have, and whether there is a way to them", NULL,
	 0, 0, 0, cmd_peer_list},
	{"peer", "show", "peer show NAME",
	 "everything about one peer", NULL,
	 1, 1, 0, cmd_peer_show},
	{"peer", "set", "peer set NAME KEY=VALUE ... [--dry-run]",
	 "change some keys, keep the others",
	 "KEY= without a value goes back to the default.\n",
	 2, CMD_WORDS_MAX, CMD_DRY_RUN, cmd_peer_set},
	{"peer", "del", "peer del NAME [--dry-run]",
	 "delete a peer: its host is reached no more", NULL,
	 1, 1, CMD_DRY_RUN, cmd_peer_del},
	{"fdb", "list", "fdb list [segment=SEGMENT] [port=PORT]",
	 "which MAC address is where",
	 "A table of more than about 10,000 comes in parts, each sorted by itself.\n",
	 0, 2, 0, cmd_stats_fdb},
	{"stats", NULL, "stats [PORT]",
	 "frames and bytes of each port, as weft receives (RX) and sends (TX) them",
	 "At an uplink they are what went over the wire, with the outer headers of tunnels; at a\n"
	 "peer what is inside. -o json tells them apart: carried_* are an uplink's for tunnels.\n",
	 0, 1, 0, cmd_stats_run},
	{"top", NULL, "top [sort=name|rx|tx|drops] [--count N] [--interval SECONDS]",
	 "the ports and what passes through them now, again and again",
	 "--count N           so many times; else until q or Ctrl-C, once if not to a terminal\n"
	 "--interval SECONDS  between two looks, 0.1 to 3600, default 1\n"
	 "On a terminal n, r, t and d sort, q ends. RX is what weft receives from the port.\n",
	 0, 1, CMD_REPEAT, cmd_top_run},
	{"drops", NULL, "drops [PORT]",
	 "frames that were not delivered, and why", NULL,
	 0, 1, 0, cmd_stats_drops},
	{"worker", "list", "worker list",
	 "how busy the workers are",
	 "BUSY is the share of the last second in turns that moved frames.\n",
	 0, 0, 0, cmd_worker_list},
	{"worker", "queues", "worker queues",
	 "which worker polls which queue", NULL,
	 0, 0, 0, cmd_worker_queues},
	{"worker", "move", "worker move PORT QUEUE WORKER|auto",
	 "have a worker poll a queue from now on",
	 "It stays there until auto, or until the port or weft-dataplane goes.\n"
	 "auto leaves it where it is, and lets it move by load again, as all queues do.\n",
	 3, 3, 0, cmd_worker_move},
	{"watch", NULL, "watch [since=POSITION]",
	 "print changes and states of ports as they happen, until interrupted",
	 "since  go on after a position or revision that -o json printed\n"
	 "Times are UTC. A port's state is looked at 5 times a second.\n",
	 0, 1, 0, cmd_watch_run},
	{"test", NULL, "test [--update] [--junit FILE] [--keep FOLDER] SCENARIO.yaml|FOLDER...",
	 "play captures through a lab and compare what comes; exit 1 if it differs",
	 "Needs no daemon and no rights: weft-scenario runs the same dataplane in virtual time.\n"
	 "FOLDER         every scenario below it\n"
	 "--update       make what comes what is expected, to be reviewed\n"
	 "--junit FILE   write the results as JUnit's XML, too\n"
	 "--keep FOLDER  write what each port sent to FOLDER/AREA/NAME.PORT.out.pcap\n"
	 "Exit code 2: a scenario cannot be played as it is written.\n",
	 1, CMD_SCENARIOS_MAX, CMD_SCENARIO, cmd_test_run},
	{"where", NULL, "where VM|PORT|MAC|IP",
	 "find a machine; exit 1 if nobody knows it",
	 "From the configuration (spec), from frames that it sent (fdb) and from what it said in\n"
	 "ARP and ND (neighbour). SEEN: since it was last heard.\n",
	 1, 1, 0, cmd_where_run},
	{"completion", NULL, "completion bash",
	 "what makes bash complete the words of weft",
	 "Installed with weft; else: . <(weft completion bash)\n",
	 1, 1, 0, cmd_completion_run},
	{"version", NULL, "version",
	 "version of this program", NULL,
	 0, 0, 0, cmd_status_version},
	{"help", NULL, "help [COMMAND]",
	 "this, or more about a command", NULL,
	 0, 2, 0, run_help},
};
/* clang-format on */

#define N_CMDS (sizeof(table) / sizeof(table[0]))

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
	"answer, 4 refused. On 4, -o json prints the API's problem+json.\n";

const struct cmd *cmd_table(size_t *n_cmds)
{
	*n_cmds = N_CMDS;
	return table;
}

static bool is_noun(const struct cmd *cmd, const char *word)
{
	return strcmp(cmd->noun, word) == 0;
}

/* Whether row `i` starts a noun's rows, which stand together in the table. */
static bool is_first_of_noun(size_t i)
{
	return i == 0 || !is_noun(&table[i - 1], table[i].noun);
}

static void print_help_line(FILE *out, const struct cmd *cmd)
{
	fprintf(out, "  weft %s\n          %s\n", cmd->usage, cmd->help);
}

static void print_help(FILE *out)
{
	fputs(intro, out);
	for (size_t i = 0; i < N_CMDS; i++) {
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
	fprintf(out, "weft %s:\n", noun);
	for (size_t i = 0; i < N_CMDS; i++) {
		if (is_noun(&table[i], noun))
			print_help_line(out, &table[i]);
	}
}

/* The nouns, or with a noun its verbs. Returns how many. */
static size_t list_words(const char *noun, const char *words[N_CMDS])
{
	size_t n_words = 0;

	for (size_t i = 0; i < N_CMDS; i++) {
		if (!noun && is_first_of_noun(i))
			words[n_words++] = table[i].noun;
		else if (noun && is_noun(&table[i], noun))
			words[n_words++] = table[i].verb;
	}
	return n_words;
}

static int complain_unknown(FILE *err, const char *noun, const char *typed)
{
	const char *words[N_CMDS];
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
	const struct cmd *noun = NULL;

	*is_noun_only = false;
	for (size_t i = 0; i < N_CMDS && !noun; i++)
		noun = is_noun(&table[i], words[0]) ? &table[i] : NULL;
	if (!noun) {
		complain_unknown(err, NULL, words[0]);
		return NULL;
	}
	if (n_words < 2) {
		*is_noun_only = noun->verb != NULL;
		return noun;
	}
	for (const struct cmd *cmd = noun; cmd < table + N_CMDS && is_noun(cmd, words[0]); cmd++) {
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
	json_t *list = json_array();

	for (size_t i = 0; i < N_CMDS; i++) {
		const struct cmd *cmd = &table[i];

		json_array_append_new(list, json_pack("{s:s, s:s*, s:s, s:s, s:s*}", "noun",
						      cmd->noun, "verb", cmd->verb, "usage",
						      cmd->usage, "help", cmd->help, "more",
						      cmd->more));
	}
	return json_pack("{s:s, s:o, s:s}", "intro", intro, "commands", list, "outro", outro);
}

static int run_help(const struct call *call)
{
	if (call_is_raw(call) && call->n_words == 0) {
		json_t *json = help_as_json();
		int code = call_print_raw(call, json);

		json_decref(json);
		return code;
	}
	return help_on(call->out, call->err, call->words, call->n_words);
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
	if (!(cmd->flags & CMD_REPEAT) && (call->args->count || call->args->interval_ms))
		return call_usage(call, "--count and --interval have no meaning here");
	if (!(cmd->flags & CMD_SCENARIO) &&
	    (call->args->update || call->args->junit || call->args->keep))
		return call_usage(call, "--update, --junit and --keep have no meaning here");
	return CALL_DONE;
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
