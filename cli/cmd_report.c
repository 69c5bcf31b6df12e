/* SPDX-License-Identifier: BSD-3-Clause */
/* What a channel was given, for weft channel show. */
#include "cli/cmd_report.h"

#include "cli/format.h"
#include "cli/print.h"

#define SPANS 3

static const char *const ways[] = {"tx", "rx"};
static const char *const spans[SPANS] = {"second", "minute", "hour"};

static void cell_rate(const json_t *value, char *cell, size_t cell_bytes)
{
	char count[FORMAT_NUMBER_BYTES] = "-";

	if (json_integer_value(value) != 0)
		format_count((uint64_t)json_integer_value(value), count, sizeof(count));
	snprintf(cell, cell_bytes, "%s", count);
}

static void cell_delay(const json_t *value, char *cell, size_t cell_bytes)
{
	snprintf(cell, cell_bytes, "-");
	if (value)
		format_delay_us(json_number_value(value), cell, cell_bytes);
}

static void cell_ms(const json_t *value, char *cell, size_t cell_bytes)
{
	snprintf(cell, cell_bytes, "-");
	if (json_integer_value(value) != 0)
		format_delay_us((double)json_integer_value(value) * 1000, cell, cell_bytes);
}

static const struct print_column terms[] = {
	{.key = "way", .heading = "WAY"},
	{.key = "assured_bps", .heading = "ASSURED", .format = cell_rate, .right = true},
	{.key = "ceiling_bps", .heading = "CEILING", .format = cell_rate, .right = true},
	{.key = "loans_in_bps", .heading = "LOANS-IN", .format = cell_rate, .right = true},
	{.key = "loans_out_bps", .heading = "LOANS-OUT", .format = cell_rate, .right = true},
	{.key = "weight", .heading = "WEIGHT", .right = true},
	{.key = "queued_bytes", .heading = "QUEUED", .format = print_cell_bytes, .right = true},
};

static const struct print_column columns[] = {
	{.key = "way", .heading = "WAY"},
	{.key = "last", .heading = "LAST"},
	{.key = "asked_bps", .heading = "ASKED", .format = cell_rate, .right = true},
	{.key = "passed_bps", .heading = "PASSED", .format = cell_rate, .right = true},
	{.key = "borrowed_bps", .heading = "BORROWED", .format = cell_rate, .right = true},
	{.key = "lent_bps", .heading = "LENT", .format = cell_rate, .right = true},
	{.key = "delay_p50_us", .heading = "DELAY-P50", .format = cell_delay, .right = true},
	{.key = "delay_p99_us", .heading = "P99", .format = cell_delay, .right = true},
	{.key = "held_ms", .heading = "HELD", .format = cell_ms, .right = true},
	{.key = "marks", .heading = "MARKS", .right = true},
	{.key = "drops", .heading = "DROPS", .right = true},
};

/* A copy with the way, and how long it is. */
static json_t *make_row(const json_t *part, const char *way)
{
	json_t *row = json_object();
	char last[32];

	json_object_update(row, (json_t *)(uintptr_t)part);
	json_object_set_new(row, "way", json_string(way));
	snprintf(last, sizeof(last), "%.0fs", json_number_value(json_object_get(part, "seconds")));
	json_object_set_new(row, "last", json_string(last));
	return row;
}

static void print_rate(FILE *out, const char *before, const json_t *bps, const char *after)
{
	char count[FORMAT_NUMBER_BYTES];

	format_count((uint64_t)json_integer_value(bps), count, sizeof(count));
	fprintf(out, "%s%s%s", before, count, after);
}

/* "tx, last 60s: 300M borrowed: 200M of nobody's, 75.0M of silver's, 25.0M of gold's" */
static void print_lenders(FILE *out, const char *way, const json_t *part)
{
	const json_t *others = json_object_get(part, "borrowed_of_others_bps");
	const json_t *free_bps = json_object_get(part, "free_bps");
	const char *between = ": ";
	json_t *lender;
	size_t i;

	if (json_integer_value(json_object_get(part, "borrowed_bps")) == 0)
		return;
	fprintf(out, "%s, last %.0fs", way, json_number_value(json_object_get(part, "seconds")));
	print_rate(out, ": ", json_object_get(part, "borrowed_bps"), " borrowed");
	if (json_integer_value(free_bps) != 0) {
		print_rate(out, between, free_bps, " of nobody's");
		between = ", ";
	}
	json_array_foreach(json_object_get(part, "borrowed_from"), i, lender) {
		char name[256];

		snprintf(name, sizeof(name), "%s",
			 json_string_value(json_object_get(lender, "channel")));
		format_clean(name);
		print_rate(out, between, json_object_get(lender, "bps"), " of ");
		fprintf(out, "%s's", name);
		between = ", ";
	}
	if (json_integer_value(others) != 0)
		print_rate(out, between, others, " of others'");
	fputc('\n', out);
}

void cmd_report_print(FILE *out, const json_t *report)
{
	json_t *in_force = json_array(), *rows = json_array();

	for (size_t w = 0; w < sizeof(ways) / sizeof(ways[0]); w++) {
		const json_t *way = json_object_get(report, ways[w]);

		json_array_append_new(in_force, make_row(way, ways[w]));
		for (size_t s = 0; s < SPANS; s++)
			json_array_append_new(rows,
					      make_row(json_object_get(way, spans[s]), ways[w]));
	}
	fputc('\n', out);
	print_rows(out, terms, sizeof(terms) / sizeof(terms[0]), in_force);
	fputc('\n', out);
	print_rows(out, columns, sizeof(columns) / sizeof(columns[0]), rows);
	for (size_t w = 0; w < sizeof(ways) / sizeof(ways[0]); w++) {
		const json_t *way = json_object_get(report, ways[w]);

		for (size_t s = 0; s < SPANS; s++)
			print_lenders(out, ways[w], json_object_get(way, spans[s]));
	}
	json_decref(in_force);
	json_decref(rows);
}
