/* SPDX-License-Identifier: BSD-3-Clause */
/* weft top: rates of every port, from two looks at the counters; live on a terminal. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/args.h"
#include "cli/call.h"
#include "cli/cmd_top_channels.h"
#include "cli/cmds.h"
#include "cli/format.h"
#include "cli/screen.h"

#define INTERVAL_DEFAULT_MS 1000
#define LINES_AROUND 4 /* sums, keys, headings, and the one with the cursor */
#define RATE_FORMAT "%-24.24s%11s%11s%11s%11s%11s"

struct look {
	json_t *ports; /* of /v1/stats, by name */
	uint64_t at_ns;
};

struct row {
	const char *name;
	uint64_t rx_pps, rx_bps, tx_pps, tx_bps, drops_ps;
};

struct top {
	const struct call *call;
	const struct screen *screen;
	struct look before, now;
	struct row *rows;
	size_t n_rows;
	struct row sum;
	char sort; /* first letter of a word of `sorts` */
};

static const char *const sorts[] = {"name", "rx", "tx", "drops"};

/* ---- looking ---- */

static int take_look(const struct call *call, struct look *look)
{
	json_t *answer, *port;
	size_t i;
	int code = call_get(call, "/v1/stats", &answer);

	if (code)
		return code;
	look->at_ns = screen_clock_ns();
	look->ports = json_object();
	json_array_foreach(json_object_get(answer, "ports"), i, port) {
		const char *name = json_string_value(json_object_get(port, "name"));

		if (name)
			json_object_set(look->ports, name, port);
	}
	json_decref(answer);
	return CALL_DONE;
}

static uint64_t counter(const json_t *port, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(port, key));
}

/* What was counted in a second. A counter that went back began anew, with its dataplane. */
static uint64_t rate(const json_t *before, const json_t *now, const char *key, uint64_t elapsed_ns)
{
	uint64_t from = counter(before, key), to = counter(now, key);

	if (from > to)
		from = 0;
	return elapsed_ns == 0 ? 0 : (uint64_t)((double)(to - from) * 1e9 / (double)elapsed_ns);
}

static int compare(const void *a, const void *b, void *ctx)
{
	const struct row *x = a, *y = b;
	uint64_t left = 0, right = 0;

	switch (*(const char *)ctx) {
	case 'r':
		left = x->rx_bps, right = y->rx_bps;
		break;
	case 't':
		left = x->tx_bps, right = y->tx_bps;
		break;
	case 'd':
		left = x->drops_ps, right = y->drops_ps;
		break;
	}
	if (left != right)
		return left > right ? -1 : 1;
	return format_natural_compare(x->name, y->name);
}

static void add_sum(struct row *sum, const struct row *row)
{
	sum->rx_pps += row->rx_pps;
	sum->rx_bps += row->rx_bps;
	sum->tx_pps += row->tx_pps;
	sum->tx_bps += row->tx_bps;
	sum->drops_ps += row->drops_ps;
}

/* The rows, from both looks. CALL_DONE, or CALL_REFUSED: no memory. */
static int fill_rows(const struct call *call, struct top *top)
{
	uint64_t ns = top->now.at_ns - top->before.at_ns;
	const char *name;
	json_t *now;

	free(top->rows);
	top->rows = calloc(json_object_size(top->now.ports) + 1, sizeof(*top->rows));
	if (!top->rows)
		return call_fail(call, CALL_REFUSED, "out of memory");
	top->n_rows = 0;
	top->sum = (struct row){0};
	json_object_foreach(top->now.ports, name, now) {
		struct row *row = &top->rows[top->n_rows];
		const json_t *before = json_object_get(top->before.ports, name);

		row->name = name;
		/* A port that is new has no rate yet. What an uplink carried for tunnels counts,
		 * as it does in weft stats. */
		if (before) {
			row->rx_pps = rate(before, now, "rx_frames", ns) +
				      rate(before, now, "carried_rx_frames", ns);
			row->rx_bps = (rate(before, now, "rx_bytes", ns) +
				       rate(before, now, "carried_rx_bytes", ns)) *
				      8;
			row->tx_pps = rate(before, now, "tx_frames", ns) +
				      rate(before, now, "carried_tx_frames", ns);
			row->tx_bps = (rate(before, now, "tx_bytes", ns) +
				       rate(before, now, "carried_tx_bytes", ns)) *
				      8;
			row->drops_ps = rate(before, now, "drops", ns);
		}
		add_sum(&top->sum, row);
		top->n_rows++;
	}
	return CALL_DONE;
}

/* ---- showing ---- */

static void print_row(FILE *out, const struct row *row, const char *end)
{
	const uint64_t values[] = {row->rx_pps, row->rx_bps, row->tx_pps, row->tx_bps,
				   row->drops_ps};
	char name[256], cells[5][FORMAT_NUMBER_BYTES];

	snprintf(name, sizeof(name), "%s", row->name);
	format_clean(name);
	for (size_t i = 0; i < 5; i++)
		format_count(values[i], cells[i], sizeof(cells[i]));
	fprintf(out, RATE_FORMAT "%s\n", name, cells[0], cells[1], cells[2], cells[3], cells[4],
		end);
}

static void print_table(FILE *out, const struct top *top, size_t n_rows, const char *end)
{
	char total[32];
	struct row sum = top->sum;

	fprintf(out, RATE_FORMAT "%s\n", "PORT", "RX-FRAME/S", "RX-BIT/S", "TX-FRAME/S", "TX-BIT/S",
		"DROPS/S", end);
	for (size_t i = 0; i < top->n_rows && i < n_rows; i++)
		print_row(out, &top->rows[i], end);
	snprintf(total, sizeof(total), "(%zu port%s)", top->n_rows, top->n_rows == 1 ? "" : "s");
	sum.name = total;
	print_row(out, &sum, end);
}

static json_t *to_json(const struct top *top)
{
	json_t *list = json_array();

	for (size_t i = 0; i < top->n_rows; i++) {
		const struct row *row = &top->rows[i];

		json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "name",
						      row->name, "rx_pps", (json_int_t)row->rx_pps,
						      "rx_bps", (json_int_t)row->rx_bps, "tx_pps",
						      (json_int_t)row->tx_pps, "tx_bps",
						      (json_int_t)row->tx_bps, "drops_ps",
						      (json_int_t)row->drops_ps));
	}
	return json_pack("{s:o}", "ports", list);
}

/* To a terminal: from its first line on, and nothing of the last picture is left. */
static void draw(const struct screen *screen, const struct top *top)
{
	unsigned int lines, columns;

	screen_size(screen, &lines, &columns);
	fputs("\033[H", screen->out);
	fprintf(screen->out, "weft top: sorted by %c; n r t d sort, q quits\033[K\n", top->sort);
	print_table(screen->out, top, lines > LINES_AROUND ? lines - LINES_AROUND : 1, "\033[K");
	fputs("\033[J", screen->out);
	fflush(screen->out);
}

static int show(const struct call *call, const struct screen *screen, struct top *top)
{
	json_t *json;
	int code;

	if (top->n_rows != 0)
		qsort_r(top->rows, top->n_rows, sizeof(*top->rows), compare, &top->sort);
	if (screen_is_terminal(screen)) {
		draw(screen, top);
		return CALL_DONE;
	}
	if (!call_is_raw(call)) {
		print_table(call->out, top, top->n_rows, "");
		fflush(call->out);
		return CALL_DONE;
	}
	json = to_json(top);
	code = call_print_raw(call, json);
	json_decref(json);
	return code;
}

/* ---- the loop ---- */

/* Keys sort at once. */
static void take_key(void *ctx, int key)
{
	struct top *top = ctx;

	for (size_t i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++)
		top->sort = key == sorts[i][0] ? (char)key : top->sort;
	show(top->call, top->screen, top);
}

static int run(const struct call *call, const struct screen *screen, struct top *top)
{
	unsigned int interval_ms = call->args->interval_ms;
	unsigned int left = call->args->count;
	int code = take_look(call, &top->now);

	top->call = call;
	top->screen = screen;
	if (!interval_ms)
		interval_ms = INTERVAL_DEFAULT_MS;
	if (!left && !screen_is_terminal(screen))
		left = 1;
	while (!code && screen_pass(screen, interval_ms, take_key, top)) {
		json_decref(top->before.ports);
		top->before = top->now;
		top->now.ports = NULL;
		code = take_look(call, &top->now);
		if (!code)
			code = fill_rows(call, top);
		if (!code)
			code = show(call, screen, top);
		if (left && --left == 0)
			break;
	}
	return code;
}

static int read_sort(const struct call *call, char *sort)
{
	const char *word = call->n_words ? call->words[0] : "sort=name";

	for (size_t i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++) {
		if (strncmp(word, "sort=", 5) == 0 && strcmp(word + 5, sorts[i]) == 0) {
			*sort = sorts[i][0];
			return CALL_DONE;
		}
	}
	return call_usage(call, "'%s' is not sort=name, rx, tx or drops, nor channels", word);
}

int cmd_top_run(const struct call *call)
{
	struct call inner = *call;
	struct top top = {0};
	struct screen screen;
	char *said = NULL;
	size_t said_bytes = 0;
	bool is_channels = call->n_words && strcmp(call->words[0], "channels") == 0;
	int code = is_channels ? CALL_DONE : read_sort(call, &top.sort);

	if (code)
		return code;
	/* What goes wrong is said when the screen is the user's again. */
	inner.err = open_memstream(&said, &said_bytes);
	if (!inner.err)
		return call_fail(call, CALL_REFUSED, "out of memory");
	if (call_is_raw(call))
		screen = (struct screen){.out = call->out, .keys_fd = -1, .signals_fd = -1};
	else if (screen_open(&screen, call->in, call->out))
		code = call_fail(&inner, CALL_REFUSED, "the terminal cannot be used");
	if (!code)
		code = is_channels ? cmd_top_channels_run(&inner, &screen)
				   : run(&inner, &screen, &top);
	screen_close(&screen);
	fclose(inner.err);
	fputs(said, call->err);
	free(said);
	json_decref(top.before.ports);
	json_decref(top.now.ports);
	free(top.rows);
	return code;
}
