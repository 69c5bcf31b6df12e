/* SPDX-License-Identifier: BSD-3-Clause */
/* weft completion bash: a script made of the table of commands, from what their usage lines say. */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "cli/call.h"
#include "cli/cmd.h"
#include "cli/cmds.h"

#define TOKEN_BYTES 128

/* Names are asked of weftd when they are needed; a word that ends in = waits for its value. */
static const char head[] =
	"# bash completion of weft, made by: weft completion bash\n"
	"_weft_names()\n"
	"{\n"
	"\tcase $1 in\n"
	"\tport) weft port list ;;\n"
	"\tuplink) weft uplink list ;;\n"
	"\tpeer) weft peer list ;;\n"
	"\tsegment) weft segment list ;;\n"
	"\tpool) weft pool list ;;\n"
	"\tchannel) weft channel list ;;\n"
	"\tvm) weft vm list ;;\n"
	"\tloan) weft loan list ;;\n"
	"\tflight) weft flight list ;;\n"
	"\tcapture) weft capture list ;;\n"
	"\tport-keys) weft port types ;;\n"
	"\tsegment-keys) weft segment keys ;;\n"
	"\tesac 2>/dev/null | awk -v end=\"${1#*-}\" '\n"
	"\t\t$1 ~ /^[A-Z]+$/ && NF > 1 && $2 ~ /^[A-Z]/ { next }\n"
	"\t\tNF > 1 && $1 !~ /:$|\\// { print $1 (end == \"keys\" ? \"=\" : \"\") }'\n"
	"}\n"
	"\n"
	"_weft()\n"
	"{\n"
	"\tlocal line=${COMP_LINE:0:COMP_POINT} cur word words='' names='' name\n"
	"\tlocal options='--run-dir -o --help --version'\n"
	"\tlocal -a typed=()\n"
	"\tcur=${line##* }\n"
	"\tfor word in ${line%\"$cur\"}; do\n"
	"\t\t[[ $word = -* ]] || typed+=(\"$word\")\n"
	"\tdone\n"
	"\tcase \"${typed[1]} ${typed[2]}\" in\n";

static const char tail[] =
	"\tesac\n"
	"\tcase $cur in\n"
	"\tsegment=*) names=segment ;;\n"
	"\tport=*) names=port ;;\n"
	"\tpool=*) names=pool ;;\n"
	"\tchannel=*|to=*) names=channel ;;\n"
	"\tvm=*) names=vm ;;\n"
	"\tuplink=*) names=uplink ;;\n"
	"\tesac\n"
	"\tfor name in $names; do\n"
	"\t\tfor word in $(_weft_names \"$name\"); do\n"
	"\t\t\t[[ $cur = *=* && $word != *= ]] && word=${cur%%=*}=$word\n"
	"\t\t\twords+=\" $word\"\n"
	"\t\tdone\n"
	"\tdone\n"
	"\t[[ $cur = -* ]] && words+=\" $options\"\n"
	"\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
	"\t[[ ${#COMPREPLY[@]} = 1 && ${COMPREPLY[0]} = *= ]] && compopt -o nospace\n"
	"\t# Readline takes = for the end of a word.\n"
	"\t[[ $cur = *=* ]] && COMPREPLY=(\"${COMPREPLY[@]#\"${cur%%=*}=\"}\")\n"
	"\tif [[ ${#COMPREPLY[@]} = 0 && ( ${line% *} = *\\ -f || ${typed[1]} = test ) ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	"\tfi\n"
	"}\n"
	"complete -F _weft weft\n";

/* The next word of a usage line, without its brackets; NULL: no more. */
static const char *next_token(const char *usage, char token[TOKEN_BYTES])
{
	size_t len;

	usage += strspn(usage, " []");
	len = strcspn(usage, " []");
	if (len == 0 || len >= TOKEN_BYTES)
		return NULL;
	memcpy(token, usage, len);
	token[len] = '\0';
	return usage + len;
}

/* key=a|b as key=a and key=b; key=VALUE as key=, and so what may stand in its place; other words as
 * they are. */
static void print_key(FILE *out, const char *token)
{
	const char *equals = strchr(token, '=');
	const char *value = equals ? equals + 1 : token;
	int key_len = (int)(value - token);

	if (equals && !islower((unsigned char)*value)) {
		const char *other = strchr(value, '|');

		fprintf(out, " %.*s", key_len, token);
		if (other && strchr(other, '='))
			print_key(out, other + 1);
		return;
	}
	while (*value) {
		int len = (int)strcspn(value, "|");

		fprintf(out, " %.*s%.*s", key_len, token, len, value);
		value += len + (value[len] == '|');
	}
}

/* What is to be asked for at run time in place of a word in capitals; NULL: nothing. */
static const char *names_of(const struct cmd *cmd, const char *token)
{
	bool is_new = cmd->verb && strcmp(cmd->verb, "add") == 0;
	bool is_segment = strcmp(cmd->noun, "segment") == 0;

	if (strcmp(token, "KEY=VALUE") == 0)
		return is_segment ? "segment-keys" : "port-keys";
	if (strcmp(token, "PORT") == 0)
		return "port";
	if (strcmp(token, "CHANNEL") == 0)
		return "channel";
	if (strcmp(token, "LOAN") == 0)
		return "loan";
	/* Whose objects are called by their noun; the other nouns are about ports. */
	static const char *const own[] = {"segment", "uplink", "peer",	 "pool",
					  "channel", "vm",     "flight", "capture"};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]) && strcmp(token, "NAME") == 0; i++) {
		if (!is_new && strcmp(cmd->noun, own[i]) == 0)
			return own[i];
	}
	if (strcmp(token, "NAME") == 0 && !is_new)
		return "port";
	return NULL;
}

static void print_words(FILE *out, const struct cmd *cmd)
{
	char token[TOKEN_BYTES], names[TOKEN_BYTES] = "";
	const char *rest = cmd->usage;

	fprintf(out, "\t'%s %s'%s) words='", cmd->noun, cmd->verb ? cmd->verb : "",
		cmd->verb ? "" : "*");
	for (int i = 0; (rest = next_token(rest, token)); i++) {
		const char *name = names_of(cmd, token);

		if (name && !strstr(names, name))
			snprintf(names + strlen(names), sizeof(names) - strlen(names), " %s", name);
		else if (!name && i > (cmd->verb != NULL) && token[0] == '-')
			fprintf(out, " %s", token);
		else if (!name && i > (cmd->verb != NULL) && islower((unsigned char)token[0]))
			print_key(out, token);
	}
	fprintf(out, "' names='%s' ;;\n", names);
}

/* The nouns, and for each noun its verbs. */
static void print_command_words(FILE *out, const struct cmd *table, size_t n_cmds)
{
	for (size_t i = 0; i < n_cmds; i++) {
		bool is_first = i == 0 || !table[i - 1].verb ||
				strcmp(table[i - 1].noun, table[i].noun) != 0;

		if (table[i].verb && is_first)
			fprintf(out, "\t'%s ') words='", table[i].noun);
		if (table[i].verb)
			fprintf(out, " %s", table[i].verb);
		if (table[i].verb &&
		    (i + 1 == n_cmds || strcmp(table[i + 1].noun, table[i].noun) != 0))
			fputs("' ;;\n", out);
	}
	fputs("\t' ') words='", out);
	for (size_t i = 0; i < n_cmds; i++) {
		if (i == 0 || strcmp(table[i - 1].noun, table[i].noun) != 0)
			fprintf(out, " %s", table[i].noun);
	}
	fputs("' ;;\n", out);
}

int cmd_completion_run(const struct call *call)
{
	size_t n_cmds;
	const struct cmd *table = cmd_table(&n_cmds);

	if (strcmp(call->words[0], "bash") != 0)
		return call_usage(call, "'%s': only bash has a completion", call->words[0]);
	fputs(head, call->out);
	print_command_words(call->out, table, n_cmds);
	/* A noun alone matches whatever follows it, so its verbs come first. */
	for (size_t i = 0; i < n_cmds; i++) {
		if (table[i].verb)
			print_words(call->out, &table[i]);
	}
	for (size_t i = 0; i < n_cmds; i++) {
		if (!table[i].verb)
			print_words(call->out, &table[i]);
	}
	fputs(tail, call->out);
	return CALL_DONE;
}
