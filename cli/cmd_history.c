/* SPDX-License-Identifier: BSD-3-Clause */
/* weft history, history show, rollback, confirm. */
#include "cli/cmds.h"

#include "cli/changes.h"

static const struct print_column columns[] = {
	{.key = "revision", .heading = "REVISION", .right = true},
	{.key = "time", .heading = "TIME"},
	{.key = "user", .heading = "USER"},
	{.key = "how", .heading = "HOW"},
	{.key = "counts", .heading = "CHANGES", .format = changes_count_cell},
	{.key = "object", .heading = "OBJECT"},
	{.key = "lab", .heading = "LAB"},
	{.key = "comment", .heading = "COMMENT"},
};

int cmd_history_run(const struct call *call)
{
	json_t *history;
	int code = call_get(call, "/v1/history", &history);

	if (code)
		return code;
	code = call_print_rows(call, history, "revisions", columns,
			       sizeof(columns) / sizeof(columns[0]));
	if (!code && !call_is_raw(call))
		changes_print_trial(call->out, history);
	json_decref(history);
	return code;
}

/* What one revision changed, as apply printed it then. */
static void print_entry(const struct call *call, json_t *entry)
{
	json_t *changes = json_incref(json_object_get(entry, "changes"));

	json_object_del(entry, "changes");
	json_object_del(entry, "counts");
	print_object(call->out, entry);
	if (json_is_array(changes))
		changes_print_lines(call->out, changes);
	else
		fputs("(the revision before it is no longer kept)\n", call->out);
	json_decref(changes);
}

int cmd_history_show(const struct call *call)
{
	char path[CLIENT_PATH_BYTES];
	json_t *entry;
	int code = call_name_path(call, path, "/v1/history", call->words[0]);

	if (!code)
		code = call_get(call, path, &entry);
	if (code)
		return code;
	if (call_is_raw(call))
		code = call_print_raw(call, entry);
	else
		print_entry(call, entry);
	json_decref(entry);
	return code;
}

int cmd_history_rollback(const struct call *call)
{
	char path[CLIENT_PATH_BYTES] = "";
	struct client_request request = {.method = "POST", .path = path};
	json_t *plan;
	int code = CALL_DONE;

	client_path_add(path, "/v1/rollback");
	if (call->n_words > 0)
		code = call_add_query(call, path, "revision", call->words[0]);
	if (!code && call->args->dry_run)
		code = call_add_query(call, path, "dry_run", "1");
	if (!code && call->args->comment)
		code = call_add_query(call, path, "comment", call->args->comment);
	if (!code)
		code = call_ask(call, &request, &plan);
	if (code)
		return code;
	code = changes_print(call, plan, true);
	json_decref(plan);
	return code;
}

int cmd_history_confirm(const struct call *call)
{
	struct client_request request = {.method = "POST", .path = "/v1/confirm"};
	char revision[PRINT_CELL_BYTES];
	json_t *answer;
	int code = call_ask(call, &request, &answer);

	if (code)
		return code;
	if (call_is_raw(call)) {
		code = call_print_raw(call, answer);
	} else {
		print_cell_plain(json_object_get(answer, "revision"), revision, sizeof(revision));
		fprintf(call->out, "revision %s stays\n", revision);
	}
	json_decref(answer);
	return code;
}
