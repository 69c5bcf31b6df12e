/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects of the model as a user would write them. Pure. */
#include "control/spec.h"

#include <stdio.h>
#include <string.h>

#include "control/quantity.h"
#include "control/utc.h"
#include "dataplane/api/segment_options.h"

/* json_object_set_new() that remembers a failure instead of returning it each time. */
static void set(json_t *object, const char *key, json_t *value, bool *is_failed)
{
	if (json_object_set_new(object, key, value) < 0)
		*is_failed = true;
}

static json_t *finish(json_t *object, bool is_failed)
{
	if (!is_failed)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *format_option(const struct option_set *set, const struct dp_option *value)
{
	char text[DP_TEXT_BYTES];

	switch (value->kind) {
	case OPTION_BOOL:
		return json_boolean(value->number != 0);
	case OPTION_NUMBER:
		return json_integer((json_int_t)value->number);
	default:
		if (options_format(set, value, text, sizeof(text)) < 0)
			return NULL;
		return json_string(text);
	}
}

static void set_options(json_t *object, const struct option_set *options,
			const struct dp_option *list, unsigned int n, bool *is_failed)
{
	for (unsigned int i = 0; i < n; i++)
		set(object, options_row(options, list[i].index)->key,
		    format_option(options, &list[i]), is_failed);
}

json_t *spec_format_segment(const struct model_segment *segment, enum spec_form form)
{
	bool is_full = form == SPEC_FULL;
	bool is_failed = false;
	json_t *object = json_object();
	char age[16];

	snprintf(age, sizeof(age), "%us", segment->age_s);
	if (is_full)
		set(object, "name", json_string(segment->name), &is_failed);
	set(object, "vni", json_integer(segment->vni), &is_failed);
	if (segment->vlan != 0)
		set(object, "vlan", json_integer(segment->vlan), &is_failed);
	if (segment->mtu != 0)
		set(object, "mtu", json_integer(segment->mtu), &is_failed);
	if (is_full || segment->age_s != MODEL_AGE_S_DEFAULT)
		set(object, "age", json_string(age), &is_failed);
	if (segment->channel[0] != '\0')
		set(object, "channel", json_string(segment->channel), &is_failed);
	set_options(object, &segment_options, segment->options, segment->n_options, &is_failed);
	return finish(object, is_failed);
}

void spec_format_mac(const uint8_t mac[6], char text[SPEC_MAC_BYTES])
{
	static const char digits[] = "0123456789abcdef";

	/* By hand: every change formats the address of every port, to find a pair of the same. */
	for (int i = 0; i < 6; i++) {
		text[3 * i] = digits[mac[i] >> 4];
		text[3 * i + 1] = digits[mac[i] & 15];
		text[3 * i + 2] = i < 5 ? ':' : '\0';
	}
}

json_t *spec_format_port(const char *cluster, const struct model_port *port, enum spec_form form)
{
	struct option_set options = port_kinds_options(port->kind);
	bool is_full = form == SPEC_FULL;
	bool is_failed = false;
	json_t *object = json_object();
	char mac[SPEC_MAC_BYTES];
	uint8_t derived[6];

	model_derive_mac(cluster, port->name, derived);
	spec_format_mac(port->mac, mac);
	if (is_full)
		set(object, "name", json_string(port->name), &is_failed);
	set(object, "type", json_string(port->kind->name), &is_failed);
	if (port->kind->place == PORT_PLACE_VNI && port->trunk != NULL)
		set(object, "segments", trunk_format_names(port->trunk), &is_failed);
	else if (port->trunk != NULL)
		set(object, "trunk", trunk_format(port->trunk), &is_failed);
	if (port->segment[0] != '\0')
		set(object, port->trunk != NULL ? "native" : "segment", json_string(port->segment),
		    &is_failed);
	if (port->vm[0] != '\0')
		set(object, "vm", json_string(port->vm), &is_failed);
	if (model_has_card(port) && (is_full || memcmp(port->mac, derived, sizeof(derived)) != 0))
		set(object, "mac", json_string(mac), &is_failed);
	if (port->channel[0] != '\0')
		set(object, "channel", json_string(port->channel), &is_failed);
	if (port->host[0] != '\0')
		set(object, "host", json_string(port->host), &is_failed);
	set_options(object, &options, port->options, port->n_options, &is_failed);
	return finish(object, is_failed);
}

static void set_quantity(json_t *object, const char *key, enum quantity quantity, uint64_t value,
			 bool *is_failed)
{
	char text[QUANTITY_TEXT_BYTES];

	quantity_format(quantity, value, text);
	set(object, key, json_string(text), is_failed);
}

/* Only what the user has said. */
static void set_known(json_t *object, const char *key, enum quantity quantity, uint64_t value,
		      bool *is_failed)
{
	if (value != 0)
		set_quantity(object, key, quantity, value, is_failed);
}

json_t *spec_format_pool(const struct model_pool *pool, enum spec_form form)
{
	const uint64_t *capacity_bps = pool->capacity_bps;
	bool is_full = form == SPEC_FULL;
	bool is_failed = false;
	json_t *object = json_object();

	if (is_full)
		set(object, "name", json_string(pool->name), &is_failed);
	if (pool->is_derived) {
		/* It is the uplink that says so. */
	} else if (!is_full && capacity_bps[DP_TX] == capacity_bps[DP_RX]) {
		set_quantity(object, "capacity", QUANTITY_RATE, capacity_bps[DP_TX], &is_failed);
	} else {
		json_t *ways = json_object();

		set_quantity(ways, "tx", QUANTITY_RATE, capacity_bps[DP_TX], &is_failed);
		set_quantity(ways, "rx", QUANTITY_RATE, capacity_bps[DP_RX], &is_failed);
		set(object, "capacity", ways, &is_failed);
	}
	if (is_full || pool->is_overcommit)
		set(object, "overcommit", json_boolean(pool->is_overcommit), &is_failed);
	if (pool->uplink[0] != '\0')
		set(object, "uplink", json_string(pool->uplink), &is_failed);
	return finish(object, is_failed);
}

static json_t *format_way(const struct model_channel_way *way, bool is_full, bool *is_failed)
{
	json_t *object = json_object();

	set_known(object, "rate", QUANTITY_RATE, way->rate_bps, is_failed);
	set_known(object, "ceil", QUANTITY_RATE, way->ceil_bps, is_failed);
	set_known(object, "burst", QUANTITY_BYTES, way->burst_bytes, is_failed);
	if (is_full || way->weight != 1)
		set(object, "weight", json_integer(way->weight), is_failed);
	set_known(object, "latency", QUANTITY_TIME, way->latency_us, is_failed);
	set_known(object, "pps", QUANTITY_FRAMES, way->frames_per_s, is_failed);
	return object;
}

json_t *spec_format_channel(const struct model_channel *channel, enum spec_form form)
{
	static const char *const names[] = {[DP_TX] = "tx", [DP_RX] = "rx"};
	bool is_full = form == SPEC_FULL, is_wire = channel->account == DP_ACCOUNT_WIRE;
	bool is_failed = false;
	json_t *object = json_object();

	if (is_full)
		set(object, "name", json_string(channel->name), &is_failed);
	if (channel->pool[0] != '\0')
		set(object, "pool", json_string(channel->pool), &is_failed);
	for (enum dp_way way = DP_TX; way < DP_WAYS; way++) {
		json_t *part = format_way(&channel->ways[way], is_full, &is_failed);

		if (is_full || json_object_size(part) > 0)
			set(object, names[way], part, &is_failed);
		else
			json_decref(part);
	}
	if (is_full || is_wire)
		set(object, "account", json_string(is_wire ? "wire" : "l2"), &is_failed);
	return finish(object, is_failed);
}

json_t *spec_format_vm(const struct model_vm *vm, enum spec_form form)
{
	bool is_failed = false;
	json_t *object = json_object();

	if (form == SPEC_FULL)
		set(object, "name", json_string(vm->name), &is_failed);
	if (vm->channel[0] != '\0')
		set(object, "channel", json_string(vm->channel), &is_failed);
	return finish(object, is_failed);
}

json_t *spec_format_loan(const struct model_loan *loan, enum spec_form form)
{
	bool is_failed = false;
	json_t *object = json_object();
	char until[UTC_MS_BYTES];

	utc_format_ms(loan->end_ms, until);
	if (form == SPEC_FULL)
		set(object, "name", json_string(loan->name), &is_failed);
	set(object, "from", json_string(loan->from), &is_failed);
	set(object, "to", json_string(loan->to), &is_failed);
	set_quantity(object, "rate", QUANTITY_RATE, loan->rate_bps, &is_failed);
	set(object, "way", json_string(spec_ways_name(loan->ways)), &is_failed);
	set(object, "until", json_string(until), &is_failed);
	return finish(object, is_failed);
}
