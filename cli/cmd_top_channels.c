/* SPDX-License-Identifier: BSD-3-Clause */
/* weft top channels: a bar for each way of each channel, as weftd reports its last second. */
#include "cli/cmd_top_channels.h"

#include <stdlib.h>
#include <string.h>

#include "cli/args.h"
#include "cli/format.h"

#define INTERVAL_DEFAULT_MS 1000
#define LINES_AROUND 3 /* keys, headings, and the one with the cursor */
#define ROW_FORMAT "%-17.17s %-2s%8s%8s%8s%8s%8s%9s "
#define ROW_COLUMNS 70
#define BAR_CHARS_MIN 8
#define BAR_CHARS_MAX 60

struct row {
	const char *channel, *way;
	uint64_t passed_bps, assured_bps, ceiling_bps, asked_bps;
	uint64_t drops;
	double p99_us; /* below 0: nothing was measured */
};

struct view {
	const struct call *call;
	const struct screen *screen;
	json_t *answer; /* that the rows point into */
	struct row *rows;
	size_t n_rows;
	char sort;
};

static uint64_t number(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

static int compare(const void *a, const void *b, void *ctx)
{
	const struct row *x = a, *y = b;
	char sort = *(const char *)ctx;

	if (sort == 'r' && x->passed_bps != y->passed_bps)
		return x->passed_bps > y->passed_bps ? -1 : 1;
	if (sort == 'd' && x->drops != y->drops)
		return x->drops > y->drops ? -1 : 1;
	int order = format_natural_compare(x->channel, y->channel);

	/* tx before rx. */
	return order != 0 ? order : -strcmp(x->way, y->way);
}

static int take_look(const struct call *call, struct view *view)
{
	json_t *report;
	size_t i;

	json_decref(view->answer);
	view->answer = NULL;
	view->n_rows = 0;
	int code = call_get(call, "/v1/reports", &view->answer);
	if (code)
		return code;
	const json_t *list = json_object_get(view->answer, "reports");
	free(view->rows);
	view->rows = calloc(json_array_size(list) + 1, sizeof(*view->rows));
	if (!view->rows)
		return call_fail(call, CALL_REFUSED, "out of memory");
	json_array_foreach(list, i, report) {
		const char *channel = json_string_value(json_object_get(report, "channel"));
		const char *way = json_string_value(json_object_get(report, "way"));
		const json_t *p99_us = json_object_get(report, "delay_p99_us");

		if (!channel || !way)
			continue;
		view->rows[view->n_rows++] = (struct row){
			.channel = channel,
			.way = way,
			.passed_bps = number(report, "passed_bps"),
			.asked_bps = number(report, "asked_bps"),
			.assured_bps = number(report, "assured_bps"),
			.ceiling_bps = number(report, "ceiling_bps"),
			.drops = number(report, "drops"),
			.p99_us = p99_us ? json_number_value(p99_us) : -1,
		};
	}
	return CALL_DONE;
}

/* What is passed up to the assured rate as '=', what is borrowed beyond it as '+'; '|' is where the
 * assured rate is. The whole bar is the ceiling, or the larger of the two where there is none. */
static void draw_bar(const struct row *row, size_t n_chars, char *bar)
{
	uint64_t whole_bps = row->ceiling_bps;

	if (whole_bps < row->passed_bps)
		whole_bps = row->passed_bps;
	if (whole_bps < row->assured_bps)
		whole_bps = row->assured_bps;
	memset(bar, ' ', n_chars);
	bar[n_chars] = '\0';
	if (whole_bps == 0)
		return;
	size_t mark = (size_t)((double)row->assured_bps / (double)whole_bps * (double)n_chars);
	size_t end = (size_t)((double)row->passed_bps / (double)whole_bps * (double)n_chars + 0.5);

	for (size_t i = 0; i < end && i < n_chars; i++)
		bar[i] = i < mark ? '=' : '+';
	if (row->assured_bps != 0)
		bar[mark < n_chars ? mark : n_chars - 1] = '|';
}

static void print_row(FILE *out, const struct row *row, size_t bar_chars, const char *end)
{
	const uint64_t rates[] = {row->asked_bps, row->passed_bps, row->assured_bps,
				  row->ceiling_bps};
	char name[256], cells[4][FORMAT_NUMBER_BYTES], drops[FORMAT_NUMBER_BYTES];
	char delay[FORMAT_NUMBER_BYTES] = "-", bar[BAR_CHARS_MAX + 1];

	snprintf(name, sizeof(name), "%s", row->channel);
	format_clean(name);
	for (size_t i = 0; i < 4; i++)
		format_count(rates[i], cells[i], sizeof(cells[i]));
	format_count(row->drops, drops, sizeof(drops));
	if (row->p99_us >= 0)
		format_delay_us(row->p99_us, delay, sizeof(delay));
	draw_bar(row, bar_chars, bar);
	fprintf(out, ROW_FORMAT "%s%s\n", name, row->way, cells[0], cells[1], cells[2],
		row->ceiling_bps != 0 ? cells[3] : "-", drops, delay, bar, end);
}

static void print_table(FILE *out, const struct view *view, size_t n_rows, unsigned int columns,
			const char *end)
{
	size_t bar_chars =
		columns > ROW_COLUMNS + BAR_CHARS_MIN ? columns - ROW_COLUMNS - 1 : BAR_CHARS_MIN;

	if (bar_chars > BAR_CHARS_MAX)
		bar_chars = BAR_CHARS_MAX;
	fprintf(out, ROW_FORMAT "%s%s\n", "CHANNEL", "", "ASKED", "PASSED", "ASSURED", "CEILING",
		"DROPS/S", "P99", "RATE", end);
	for (size_t i = 0; i < view->n_rows && i < n_rows; i++)
		print_row(out, &view->rows[i], bar_chars, end);
}

static int show(const struct call *call, const struct screen *screen, struct view *view)
{
	unsigned int lines, columns;

	if (call_is_raw(call))
		return call_print_raw(call, view->answer);
	if (view->n_rows != 0)
		qsort_r(view->rows, view->n_rows, sizeof(*view->rows), compare, &view->sort);
	if (!screen_is_terminal(screen)) {
		print_table(call->out, view, view->n_rows, 80, "");
		fflush(call->out);
		return CALL_DONE;
	}
	screen_size(screen, &lines, &columns);
	fputs("\033[H", screen->out);
	fprintf(screen->out, "weft top channels: sorted by %c; n r d sort, q quits\033[K\n",
		view->sort);
	print_table(screen->out, view, lines > LINES_AROUND ? lines - LINES_AROUND : 1, columns,
		    "\033[K");
	fputs("\033[J", screen->out);
	fflush(screen->out);
	return CALL_DONE;
}

/* Keys sort at once. */
static void take_key(void *ctx, int key)
{
	struct view *view = ctx;

	if (key == 'n' || key == 'r' || key == 'd')
		view->sort = (char)key;
	show(view->call, view->screen, view);
}

int cmd_top_channels_run(const struct call *call, const struct screen *screen)
{
	unsigned int interval_ms = call->args->interval_ms;
	unsigned int left = call->args->count;
	struct view view = {.call = call, .screen = screen, .sort = 'n'};
	int code;

	if (!interval_ms)
		interval_ms = INTERVAL_DEFAULT_MS;
	if (!left && !screen_is_terminal(screen))
		left = 1;
	do {
		code = take_look(call, &view);
		if (!code)
			code = show(call, screen, &view);
	} while (!code && (left == 0 || --left != 0) &&
		 screen_pass(screen, interval_ms, take_key, &view));
	json_decref(view.answer);
	free(view.rows);
	return code;
}
