/* SPDX-License-Identifier: BSD-3-Clause */
/* Plans as lines: "+ segment ALPHA", "~ port web0 (segment)", then "1 created, 1 changed". */
#include "cli/changes.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *action;
	char mark;
	const char *said; /* after the name */
	const char *done; /* in the summary */
	const char *planned;
} actions[] = {
	{"create", '+', "", "created", "to create"},
	{"update", '~', "", "changed", "to change"},
	{"replace", '!', " replaced", "replaced", "to replace"},
	{"delete", '-', "", "deleted", "to delete"},
};

#define N_ACTIONS (sizeof(actions) / sizeof(actions[0]))

/* Position in the table; N_ACTIONS for what a newer weftd may say. */
static size_t find_action(const json_t *change)
{
	const char *action = json_string_value(json_object_get(change, "action"));
	size_t i = 0;

	while (i < N_ACTIONS && (!action || strcmp(action, actions[i].action) != 0))
		i++;
	return i;
}

static void print_change(FILE *out, const json_t *change, size_t i)
{
	const json_t *fields = json_object_get(change, "fields");
	char kind[PRINT_CELL_BYTES], name[PRINT_CELL_BYTES], cell[PRINT_CELL_BYTES];

	print_cell_plain(json_object_get(change, "kind"), kind, sizeof(kind));
	print_cell_plain(json_object_get(change, "name"), name, sizeof(name));
	fprintf(out, "%c %s %s%s", i < N_ACTIONS ? actions[i].mark : '?', kind, name,
		i < N_ACTIONS ? actions[i].said : "");
	if (json_array_size(fields) > 0) {
		print_cell_plain(fields, cell, sizeof(cell));
		fprintf(out, " (%s)", cell);
	}
	fputc('\n', out);
}

static void print_summary(FILE *out, const size_t *counts, bool is_planned)
{
	const char *comma = "";

	for (size_t i = 0; i < N_ACTIONS; i++) {
		if (counts[i] == 0)
			continue;
		fprintf(out, "%s%zu %s", comma, counts[i],
			is_planned ? actions[i].planned : actions[i].done);
		comma = ", ";
	}
	fputc('\n', out);
}

void changes_print_lines(FILE *out, const json_t *changes)
{
	const json_t *change;
	size_t index;

	json_array_foreach(changes, index, change)
		print_change(out, change, find_action(change));
}

void changes_count_cell(const json_t *counts, char *cell, size_t cell_bytes)
{
	size_t used = 0;

	snprintf(cell, cell_bytes, "-");
	for (size_t i = 0; i < N_ACTIONS && used < cell_bytes; i++) {
		json_int_t n = json_integer_value(json_object_get(counts, actions[i].action));

		if (n > 0)
			used += (size_t)snprintf(cell + used, cell_bytes - used,
						 "%s%c%" JSON_INTEGER_FORMAT, used ? " " : "",
						 actions[i].mark, n);
	}
}

void changes_print_trial(FILE *out, const json_t *answer)
{
	const json_t *confirm = json_object_get(answer, "confirm");
	char left[PRINT_CELL_BYTES], back_to[PRINT_CELL_BYTES];

	if (!confirm)
		return;
	print_cell_duration_s(json_object_get(confirm, "left_s"), left, sizeof(left));
	print_cell_plain(json_object_get(confirm, "back_to"), back_to, sizeof(back_to));
	fprintf(out, "revision %s comes back in %s unless confirmed: weft confirm\n", back_to,
		left);
}

bool changes_is_empty(const json_t *plan)
{
	return json_array_size(json_object_get(plan, "changes")) == 0;
}

int changes_print(const struct call *call, json_t *plan, bool is_lab)
{
	const json_t *changes = json_object_get(plan, "changes"), *change;
	bool is_planned = json_is_true(json_object_get(plan, "dry_run"));
	size_t counts[N_ACTIONS + 1] = {0}, index;

	if (call_is_raw(call))
		return call_print_raw(call, plan);
	if (!json_is_array(changes))
		return call_fail(call, CALL_REFUSED,
				 "the answer is no plan; weft and weftd differ in version");
	json_array_foreach(changes, index, change) {
		size_t i = find_action(change);

		counts[i]++;
		print_change(call->out, change, i);
	}
	if (index == 0)
		fputs("no change\n", call->out);
	else if (is_lab)
		print_summary(call->out, counts, is_planned);
	changes_print_trial(call->out, plan);
	return CALL_DONE;
}
