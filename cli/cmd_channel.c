/* SPDX-License-Identifier: BSD-3-Clause */
/* weft channel ...: channels, whose they are, and what they lend. */
#include "cli/cmds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd_forecast.h"
#include "cli/cmd_report.h"
#include "cli/object.h"

#define WORD_BYTES 128
#define DEFAULT_NAME "host/default"

static const struct print_column columns[] = {
	{.key = "name", .heading = "NAME"},
	{.key = "pool", .heading = "POOL"},
	{.key = "tx.rate", .heading = "TX-RATE", .right = true},
	{.key = "status.tx.ceil", .heading = "TX-CEIL", .right = true},
	{.key = "tx.weight", .heading = "WEIGHT", .right = true},
	{.key = "rx.rate", .heading = "RX-RATE", .right = true},
	{.key = "status.rx.ceil", .heading = "RX-CEIL", .right = true},
	{.key = "rx.weight", .heading = "WEIGHT", .right = true},
};

static const struct object_kind channel = {
	.noun = "channel",
	.path = "/v1/channels",
	.list = "channels",
	.columns = columns,
	.n_columns = sizeof(columns) / sizeof(columns[0]),
};

int cmd_channel_add(const struct call *call)
{
	return object_add(call, &channel);
}

int cmd_channel_list(const struct call *call)
{
	return object_list(call, &channel);
}

int cmd_channel_show(const struct call *call)
{
	char path[CLIENT_PATH_BYTES];
	json_t *object, *report;
	int code = CALL_DONE;

	/* What weft makes by itself has a name that nothing else can have. */
	path[0] = '\0';
	if (strcmp(call->words[0], DEFAULT_NAME) == 0)
		client_path_add(path, "/v1/channels/" DEFAULT_NAME);
	else
		code = call_name_path(call, path, channel.path, call->words[0]);
	if (!code)
		code = call_get(call, path, &object);
	if (code)
		return code;
	client_path_add(path, "/report");
	code = call_get(call, path, &report);
	if (!code && call_is_raw(call))
		json_object_set(object, "report", report);
	if (!code)
		code = call_print_object(call, object);
	if (!code && !call_is_raw(call))
		cmd_report_print(call->out, report);
	if (!code)
		json_decref(report);
	json_decref(object);
	return code;
}

int cmd_channel_plan(const struct call *call)
{
	return cmd_forecast_print(call, &channel);
}

int cmd_channel_set(const struct call *call)
{
	return object_set(call, &channel);
}

int cmd_channel_del(const struct call *call)
{
	return object_del(call, &channel);
}

/* --- whose it is --- */

/* What has a channel. */
static const struct object_kind users[] = {
	{.noun = "port", .path = "/v1/ports", .list = "ports"},
	{.noun = "vm", .path = "/v1/vms", .list = "vms"},
	{.noun = "segment", .path = "/v1/segments", .list = "segments"},
};

/* "vm=web": the kind, and the name behind it; NULL: something else. */
static const struct object_kind *find_user(const char *word, const char **name)
{
	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		size_t chars = strlen(users[i].noun);

		*name = word + chars + 1;
		if (strncmp(word, users[i].noun, chars) == 0 && word[chars] == '=')
			return &users[i];
	}
	return NULL;
}

/* *is_there: whether weftd has an object of that name. */
static int look_up(const struct call *call, const struct object_kind *kind, const char *name,
		   bool *is_there)
{
	struct client_answer answer;
	char path[CLIENT_PATH_BYTES];
	int code = call_name_path(call, path, kind->path, name);

	if (!code)
		code = call_send(call, &(struct client_request){.method = "GET", .path = path},
				 &answer);
	if (code)
		return code;
	*is_there = answer.status != 404;
	if (*is_there)
		code = call_check(call, &answer);
	client_release(&answer);
	return code;
}

/* The same as weft KIND set NAME channel=...; a vm need not be there before. */
static int set_channel(const struct call *call, const char *user, const char *value)
{
	const char *name;
	const struct object_kind *kind = find_user(user, &name);
	char owner[WORD_BYTES], word[WORD_BYTES], *words[] = {owner, word};
	struct call set = *call;
	bool is_there = true;
	int code = CALL_DONE;

	if (!kind)
		return call_usage(call, "'%s' is none of port=PORT, vm=VM, segment=SEGMENT", user);
	snprintf(owner, sizeof(owner), "%s", name);
	snprintf(word, sizeof(word), "channel=%s", value);
	set.words = words;
	set.n_words = 2;
	if (strcmp(kind->noun, "vm") == 0 && *value)
		code = look_up(call, kind, name, &is_there);
	if (code)
		return code;
	return is_there ? object_set(&set, kind) : object_add(&set, kind);
}

int cmd_channel_assign(const struct call *call)
{
	char path[CLIENT_PATH_BYTES];
	int code = call_name_path(call, path, channel.path, call->words[0]);

	return code ? code : set_channel(call, call->words[1], call->words[0]);
}

int cmd_channel_unassign(const struct call *call)
{
	return set_channel(call, call->words[0], "");
}

/* --- loans --- */

/* Puts to=, for=, way= into the body of a loan. */
static int take_loan_words(const struct call *call, json_t *loan)
{
	static const char *const keys[] = {"to", "for", "way"};

	for (int i = 2; i < call->n_words; i++) {
		char key[WORD_BYTES];
		const char *value;
		size_t k = 0;

		if (args_split(call->words[i], key, sizeof(key), &value))
			return call_usage(call, "'%s' is not KEY=VALUE", call->words[i]);
		while (k < 3 && strcmp(key, keys[k]) != 0)
			k++;
		if (k == 3)
			return call_usage(call, "%s is none of to, for, way", key);
		if (json_object_get(loan, key))
			return call_usage(call, "%s is given twice", key);
		if (json_object_set_new(loan, key, json_string(value)))
			return call_usage(call, "%s: the value is not UTF-8 text", key);
	}
	if (!json_object_get(loan, "to") || !json_object_get(loan, "for"))
		return call_usage(call, "say to whom with to=CHANNEL, and how long with for=TIME");
	return CALL_DONE;
}

int cmd_channel_lend(const struct call *call)
{
	json_t *loan = json_pack("{s:s, s:s}", "from", call->words[0], "rate", call->words[1]);
	struct client_request request = {.method = "POST", .path = "/v1/loans"};
	char *body = NULL;
	int code = loan ? take_loan_words(call, loan)
			: call_usage(call, "the words are not UTF-8 text");

	if (call->args->dry_run)
		request.path = "/v1/loans?dry_run=1";
	if (!code)
		body = json_dumps(loan, JSON_COMPACT);
	if (!code && !body)
		code = call_fail(call, CALL_REFUSED, "out of memory");
	if (!code) {
		request.body = body;
		request.body_bytes = strlen(body);
		code = object_change(call, &request);
	}
	free(body);
	json_decref(loan);
	return code;
}

int cmd_channel_recall(const struct call *call)
{
	char path[CLIENT_PATH_BYTES];
	int code = call_name_path(call, path, "/v1/loans", call->words[0]);

	if (!code && call->args->dry_run)
		code = call_add_query(call, path, "dry_run", "1");
	if (code)
		return code;
	return object_change(call, &(struct client_request){.method = "DELETE", .path = path});
}
