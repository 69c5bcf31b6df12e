/* SPDX-License-Identifier: BSD-3-Clause */
/* weft channel plan, weft pool plan: shares under full demand, before and after a change. */
#include "cli/cmd_forecast.h"

#include <stdlib.h>
#include <string.h>

#include "cli/format.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void cell_rate(const json_t *value, char *cell, size_t cell_bytes)
{
	if (value)
		format_count((uint64_t)json_integer_value(value), cell, cell_bytes);
	else
		snprintf(cell, cell_bytes, "-");
}

/* 0: there is none. */
static void cell_ceiling(const json_t *value, char *cell, size_t cell_bytes)
{
	cell_rate(json_integer_value(value) != 0 ? value : NULL, cell, cell_bytes);
}

static const struct print_column pool_columns[] = {
	{.key = "pool", .heading = "POOL"},
	{.key = "way", .heading = "WAY"},
	{.key = "before.capacity_bps",
	 .heading = "CAPACITY-NOW",
	 .format = cell_rate,
	 .right = true},
	{.key = "capacity_bps", .heading = "CAPACITY", .format = cell_rate, .right = true},
	{.key = "before.assured_bps", .heading = "ASSURED-NOW", .format = cell_rate, .right = true},
	{.key = "assured_bps", .heading = "ASSURED", .format = cell_rate, .right = true},
	{.key = "oversubscribed", .heading = "OVERSUBSCRIBED"},
};

static const struct print_column channel_columns[] = {
	{.key = "channel", .heading = "CHANNEL"},
	{.key = "pool", .heading = "POOL"},
	{.key = "way", .heading = "WAY"},
	{.key = "assured_bps", .heading = "ASSURED", .format = cell_rate, .right = true},
	{.key = "ceiling_bps", .heading = "CEILING", .format = cell_ceiling, .right = true},
	{.key = "weight", .heading = "WEIGHT", .right = true},
	{.key = "before.share_bps", .heading = "SHARE-NOW", .format = cell_rate, .right = true},
	{.key = "share_bps", .heading = "SHARE", .format = cell_rate, .right = true},
};

/* How many of the words, from this one on, are about one object. */
static int count_group(const struct call *call, int at)
{
	int n = 1;

	while (at + n < call->n_words && strchr(call->words[at + n], '='))
		n++;
	return n;
}

/* The words as a lab: {"channels": {"gold": {...}}}. */
static int read_change(const struct call *call, const struct object_kind *kind, json_t *objects)
{
	struct call part = *call;

	for (int at = 0; at < call->n_words; at += part.n_words) {
		json_t *object;

		part.words = call->words + at;
		part.n_words = count_group(call, at);
		if (strchr(part.words[0], '='))
			return call_usage(call, "a name is expected, not '%s'", part.words[0]);
		if (part.n_words == 1)
			return call_usage(call, "%s: say what changes, as KEY=VALUE",
					  part.words[0]);
		if (json_object_get(objects, part.words[0]))
			return call_usage(call, "%s is given twice", part.words[0]);
		int code = object_wanted(&part, kind, &object);

		if (code)
			return code;
		json_object_set_new(objects, part.words[0], object);
	}
	return CALL_DONE;
}

static int ask(const struct call *call, const struct object_kind *kind, json_t **forecast)
{
	json_t *objects = json_object(), *lab = json_pack("{s:O}", kind->list, objects);
	struct client_request request = {.method = "POST", .path = "/v1/forecast"};
	int code = read_change(call, kind, objects);
	char *body = code ? NULL : json_dumps(lab, JSON_COMPACT);

	if (!code && !body)
		code = call_fail(call, CALL_REFUSED, "out of memory");
	if (!code) {
		request.body = body;
		request.body_bytes = strlen(body);
		code = call_ask(call, &request, forecast);
	}
	free(body);
	json_decref(lab);
	json_decref(objects);
	return code;
}

int cmd_forecast_print(const struct call *call, const struct object_kind *kind)
{
	json_t *forecast;
	int code = ask(call, kind, &forecast);

	if (code)
		return code;
	const char *refused = json_string_value(json_object_get(forecast, "refused"));
	if (call_is_raw(call)) {
		code = call_print_raw(call, forecast);
	} else {
		print_rows(call->out, pool_columns, N(pool_columns),
			   json_object_get(forecast, "pools"));
		fputc('\n', call->out);
		print_rows(call->out, channel_columns, N(channel_columns),
			   json_object_get(forecast, "channels"));
	}
	if (!code && refused && *refused)
		code = call_fail(call, CALL_FALSE, "this would be refused: %s", refused);
	json_decref(forecast);
	return code;
}
