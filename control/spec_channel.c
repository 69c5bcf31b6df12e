/* SPDX-License-Identifier: BSD-3-Clause */
/* Pools, channels, vms and loans as a user writes them, into the model. Pure. */
#include "control/spec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "control/spec_word.h"
#include "control/utc.h"

/* Calls `take` for each key of a body. Where faults are collected, for all that are left too. */
static int take_keys(const struct spec_place *place, const json_t *json, void *object,
		     int (*take)(const struct spec_place *place, const char *key,
				 const json_t *value, void *object))
{
	const char *key;
	json_t *value;
	bool is_bad = false;

	/* cast: jansson's iteration macro takes no const object, but does not write to it */
	json_object_foreach((json_t *)(uintptr_t)json, key, value) {
		int error = take(place, key, value, object);

		is_bad = is_bad || error < 0;
		if (error < 0 && problem_collect(place->problem, error) < 0)
			return error;
	}
	return is_bad ? -EINVAL : 0;
}

static int take_name(const struct spec_place *place, const char *key, const json_t *value,
		     char name[DP_NAME_BYTES])
{
	char word[SPEC_WORD_BYTES];
	int error = spec_word_read(place, key, value, word);

	return error < 0 ? error : spec_word_name(place, key, word, name);
}

static int take_quantity(const struct spec_place *place, const char *key, enum quantity quantity,
			 const json_t *value, uint64_t *number)
{
	char word[SPEC_WORD_BYTES];
	int error = spec_word_read(place, key, value, word);

	return error < 0 ? error : spec_word_quantity(place, key, quantity, word, number);
}

static int take_own_name(const struct spec_place *place, const json_t *value)
{
	char word[SPEC_WORD_BYTES];
	int error = spec_word_read(place, "name", value, word);

	return error < 0 ? error : spec_word_check_name(place, word);
}

/* "tx" or "rx"; DP_WAYS: neither. */
static enum dp_way find_way(const char *word)
{
	return strcmp(word, "tx") == 0 ? DP_TX : strcmp(word, "rx") == 0 ? DP_RX : DP_WAYS;
}

/* --- pools --- */

static int take_capacity_way(const struct spec_place *place, const char *key, const json_t *value,
			     void *object)
{
	static const char *const ways[] = {"tx", "rx"};
	struct model_pool *pool = object;
	enum dp_way way = find_way(key);
	char dotted[80];

	snprintf(dotted, sizeof(dotted), "capacity.%.60s", key);
	if (way == DP_WAYS)
		return spec_word_refuse_key(place, dotted, ways, 2, NULL);
	return take_quantity(place, dotted, QUANTITY_RATE, value, &pool->capacity_bps[way]);
}

static int take_capacity(const struct spec_place *place, const json_t *value,
			 struct model_pool *pool)
{
	if (json_is_object(value))
		return take_keys(place, value, pool, take_capacity_way);
	int error =
		take_quantity(place, "capacity", QUANTITY_RATE, value, &pool->capacity_bps[DP_TX]);

	pool->capacity_bps[DP_RX] = pool->capacity_bps[DP_TX];
	return error;
}

static int take_switch(const struct spec_place *place, const char *key, const json_t *value,
		       bool *is_on)
{
	static const char *const words[] = {"off", "on", "false", "true", "no", "yes", "0", "1"};
	char word[SPEC_WORD_BYTES], text[120];
	int error = spec_word_read(place, key, value, word);

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && error == 0; i++) {
		if (strcasecmp(word, words[i]) == 0) {
			*is_on = i % 2 == 1;
			return 0;
		}
	}
	if (error < 0)
		return error;
	snprintf(text, sizeof(text), "%s: %.40s: use yes or no", key, word);
	return spec_word_refuse(place, key, "value-invalid", text);
}

static int take_pool_key(const struct spec_place *place, const char *key, const json_t *value,
			 void *object)
{
	static const char *const keys[] = {"capacity", "overcommit", "uplink"};
	struct model_pool *pool = object;

	if (strcmp(key, "capacity") == 0)
		return take_capacity(place, value, pool);
	if (strcmp(key, "overcommit") == 0)
		return take_switch(place, key, value, &pool->is_overcommit);
	if (strcmp(key, "uplink") == 0)
		return take_name(place, key, value, pool->uplink);
	if (strcmp(key, "name") == 0)
		return take_own_name(place, value);
	return spec_word_refuse_key(place, key, keys, sizeof(keys) / sizeof(keys[0]), NULL);
}

int spec_parse_pool(const char *name, const json_t *json, struct model_pool *pool,
		    struct problem *problem)
{
	struct spec_place place = {.problem = problem};
	int error = spec_word_check_self("pool", name, json, &place);

	if (error < 0)
		return error;
	memset(pool, 0, sizeof(*pool));
	snprintf(pool->name, sizeof(pool->name), "%s", name);
	error = take_keys(&place, json, pool, take_pool_key);
	if (error < 0)
		return error;
	pool->is_derived = json_object_get(json, "capacity") == NULL && pool->uplink[0] != '\0';
	if (pool->is_derived)
		return 0;
	if (json_object_get(json, "capacity") == NULL)
		return spec_word_missing(&place, "capacity",
					 "the bits per second that its channels share, as 10G, or "
					 "{tx: 1G, rx: 500M}, or give it an uplink");
	for (enum dp_way way = DP_TX; way < DP_WAYS; way++) {
		if (pool->capacity_bps[way] == 0)
			return spec_word_missing(&place,
						 way == DP_TX ? "capacity.tx" : "capacity.rx",
						 "too, as 10G");
	}
	return 0;
}

/* --- channels --- */

struct way_place {
	const char *name;
	struct model_channel_way *way;
};

static int take_weight(const struct spec_place *place, const char *key, const json_t *value,
		       uint32_t *weight)
{
	char word[SPEC_WORD_BYTES];
	uint64_t number = 0;
	int error = spec_word_read(place, key, value, word);

	if (error == 0)
		error = spec_word_number(place, key, word, 1, DP_WEIGHT_MAX, &number);
	*weight = (uint32_t)number;
	return error;
}

static int take_way_key(const struct spec_place *place, const char *key, const json_t *value,
			void *object)
{
	static const char *const keys[] = {"rate", "ceil", "burst", "weight", "latency", "pps"};
	const struct way_place *at = object;
	struct model_channel_way *way = at->way;
	char dotted[80];
	uint64_t number = 0;
	int error;

	snprintf(dotted, sizeof(dotted), "%s.%.60s", at->name, key);
	if (strcmp(key, "rate") == 0)
		return take_quantity(place, dotted, QUANTITY_RATE, value, &way->rate_bps);
	if (strcmp(key, "ceil") == 0)
		return take_quantity(place, dotted, QUANTITY_RATE, value, &way->ceil_bps);
	if (strcmp(key, "burst") == 0)
		return take_quantity(place, dotted, QUANTITY_BYTES, value, &way->burst_bytes);
	if (strcmp(key, "weight") == 0)
		return take_weight(place, dotted, value, &way->weight);
	if (strcmp(key, "latency") == 0) {
		error = take_quantity(place, dotted, QUANTITY_TIME, value, &number);
		way->latency_us = (uint32_t)number;
		return error;
	}
	if (strcmp(key, "pps") == 0) {
		error = take_quantity(place, dotted, QUANTITY_FRAMES, value, &number);
		way->frames_per_s = (uint32_t)number;
		return error;
	}
	return spec_word_refuse_key(place, dotted, keys, sizeof(keys) / sizeof(keys[0]), NULL);
}

static int check_way(const struct spec_place *place, const struct way_place *at)
{
	char rate[QUANTITY_TEXT_BYTES], ceil[QUANTITY_TEXT_BYTES], key[16], text[200];

	if (at->way->ceil_bps == 0 || at->way->rate_bps <= at->way->ceil_bps)
		return 0;
	quantity_format(QUANTITY_RATE, at->way->rate_bps, rate);
	quantity_format(QUANTITY_RATE, at->way->ceil_bps, ceil);
	snprintf(key, sizeof(key), "%s.rate", at->name);
	snprintf(text, sizeof(text),
		 "%s: %s is assured but the ceiling is %s; lower %s.rate or raise %s.ceil",
		 at->name, rate, ceil, at->name, at->name);
	return spec_word_refuse(place, key, "value-invalid", text);
}

static int take_way(const struct spec_place *place, const char *key, const json_t *value,
		    struct model_channel_way *way)
{
	struct way_place at = {.name = key, .way = way};
	char text[120];

	if (!json_is_object(value)) {
		snprintf(text, sizeof(text), "%s: needs keys and values, as {rate: 100M, ceil: 1G}",
			 key);
		return spec_word_refuse(place, key, "value-invalid", text);
	}
	int error = take_keys(place, value, &at, take_way_key);

	return error < 0 ? error : check_way(place, &at);
}

static int take_account(const struct spec_place *place, const json_t *value,
			enum dp_account *account)
{
	char word[SPEC_WORD_BYTES], text[200];
	int error = spec_word_read(place, "account", value, word);

	if (error < 0)
		return error;
	if (strcmp(word, "l2") == 0 || strcmp(word, "wire") == 0) {
		*account = word[0] == 'w' ? DP_ACCOUNT_WIRE : DP_ACCOUNT_L2;
		return 0;
	}
	snprintf(text, sizeof(text),
		 "account: %.40s: use l2 (bytes of frames), or wire (and 24 for each frame)", word);
	return spec_word_refuse(place, "account", "value-invalid", text);
}

static int take_channel_key(const struct spec_place *place, const char *key, const json_t *value,
			    void *object)
{
	static const char *const keys[] = {"pool", "tx", "rx", "account"};
	struct model_channel *channel = object;
	enum dp_way way = find_way(key);

	if (way != DP_WAYS)
		return take_way(place, key, value, &channel->ways[way]);
	if (strcmp(key, "pool") == 0)
		return take_name(place, key, value, channel->pool);
	if (strcmp(key, "account") == 0)
		return take_account(place, value, &channel->account);
	if (strcmp(key, "name") == 0)
		return take_own_name(place, value);
	return spec_word_refuse_key(place, key, keys, sizeof(keys) / sizeof(keys[0]), NULL);
}

int spec_parse_channel(const char *name, const json_t *json, struct model_channel *channel,
		       struct problem *problem)
{
	struct spec_place place = {.problem = problem};
	int error = spec_word_check_self("channel", name, json, &place);

	if (error < 0)
		return error;
	memset(channel, 0, sizeof(*channel));
	snprintf(channel->name, sizeof(channel->name), "%s", name);
	channel->ways[DP_TX].weight = channel->ways[DP_RX].weight = 1;
	return take_keys(&place, json, channel, take_channel_key);
}

/* --- vms --- */

static int take_vm_key(const struct spec_place *place, const char *key, const json_t *value,
		       void *object)
{
	static const char *const keys[] = {"channel"};
	struct model_vm *vm = object;

	if (strcmp(key, "channel") == 0)
		return take_name(place, key, value, vm->channel);
	if (strcmp(key, "name") == 0)
		return take_own_name(place, value);
	return spec_word_refuse_key(place, key, keys, sizeof(keys) / sizeof(keys[0]), NULL);
}

int spec_parse_vm(const char *name, const json_t *json, struct model_vm *vm,
		  struct problem *problem)
{
	struct spec_place place = {.problem = problem};
	int error = spec_word_check_self("vm", name, json, &place);

	if (error < 0)
		return error;
	memset(vm, 0, sizeof(*vm));
	snprintf(vm->name, sizeof(vm->name), "%s", name);
	return take_keys(&place, json, vm, take_vm_key);
}

/* --- loans --- */

static const char *const ways_names[] = {
	[1 << DP_TX] = "tx",
	[1 << DP_RX] = "rx",
	[1 << DP_TX | 1 << DP_RX] = "both",
};

const char *spec_ways_name(uint32_t ways)
{
	return ways_names[ways];
}

static int take_ways(const struct spec_place *place, const json_t *value, uint32_t *ways)
{
	char word[SPEC_WORD_BYTES], text[120];
	int error = spec_word_read(place, "way", value, word);

	if (error < 0)
		return error;
	for (*ways = 1; *ways < sizeof(ways_names) / sizeof(ways_names[0]); ++*ways) {
		if (strcmp(word, ways_names[*ways]) == 0)
			return 0;
	}
	snprintf(text, sizeof(text), "way: %.40s: use tx, rx or both", word);
	return spec_word_refuse(place, "way", "value-invalid", text);
}

static int take_until(const struct spec_place *place, const json_t *value, int64_t *end_ms)
{
	char word[SPEC_WORD_BYTES], text[160];
	int error = spec_word_read(place, "until", value, word);

	if (error < 0 || utc_parse_ms(word, end_ms) == 0)
		return error;
	snprintf(text, sizeof(text), "until: %.40s is no time; write it as 2026-01-31T23:59:59Z",
		 word);
	return spec_word_refuse(place, "until", "value-invalid", text);
}

static int take_loan_key(const struct spec_place *place, const char *key, const json_t *value,
			 void *object)
{
	static const char *const keys[] = {"from", "to", "rate", "way", "until"};
	struct model_loan *loan = object;

	if (strcmp(key, "from") == 0)
		return take_name(place, key, value, loan->from);
	if (strcmp(key, "to") == 0)
		return take_name(place, key, value, loan->to);
	if (strcmp(key, "rate") == 0)
		return take_quantity(place, key, QUANTITY_RATE, value, &loan->rate_bps);
	if (strcmp(key, "way") == 0)
		return take_ways(place, value, &loan->ways);
	if (strcmp(key, "until") == 0)
		return take_until(place, value, &loan->end_ms);
	if (strcmp(key, "name") == 0)
		return take_own_name(place, value);
	return spec_word_refuse_key(place, key, keys, sizeof(keys) / sizeof(keys[0]), NULL);
}

int spec_parse_loan(const char *name, const json_t *json, struct model_loan *loan,
		    struct problem *problem)
{
	static const struct {
		const char *key, *example;
	} needed[] = {
		{"from", "the channel that lends"},
		{"to", "the channel that borrows"},
		{"rate", "the bits per second that are lent, as 500M"},
		{"until", "the time of its end, as for=10m"},
	};
	struct spec_place place = {.problem = problem};
	int error = spec_word_check_self("loan", name, json, &place);

	if (error < 0)
		return error;
	memset(loan, 0, sizeof(*loan));
	snprintf(loan->name, sizeof(loan->name), "%s", name);
	loan->ways = 1 << DP_TX | 1 << DP_RX;
	error = take_keys(&place, json, loan, take_loan_key);
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]) && error == 0; i++) {
		if (json_object_get(json, needed[i].key) == NULL)
			error = spec_word_missing(&place, needed[i].key, needed[i].example);
	}
	return error;
}
