/* SPDX-License-Identifier: BSD-3-Clause */
/* Which keys of two objects differ. Pure. */
#include "control/plan_compare.h"

#include <string.h>

#include "dataplane/api/segment_options.h"

static void add_field(struct plan_step *step, bool is_changed, const char *key)
{
	if (is_changed)
		step->fields[step->n_fields++] = key;
}

/* A set of options, and two lists of values. */
static void compare_options(const struct option_set *set, const struct dp_option *from,
			    unsigned int n_from, const struct dp_option *to, unsigned int n_to,
			    struct plan_step *step)
{
	for (int i = options_next(set, -1); i >= 0; i = options_next(set, i))
		add_field(step, !options_is_same(from, n_from, to, n_to, (unsigned int)i),
			  options_row(set, (unsigned int)i)->key);
}

void plan_compare_segments(const struct model_object *a, const struct model_object *b,
			   struct plan_step *step)
{
	const struct model_segment *from = (const struct model_segment *)a;
	const struct model_segment *to = (const struct model_segment *)b;

	add_field(step, from->vni != to->vni, "vni");
	add_field(step, from->vlan != to->vlan, "vlan");
	add_field(step, from->mtu != to->mtu, "mtu");
	add_field(step, from->age_s != to->age_s, "age");
	add_field(step, strcmp(from->channel, to->channel) != 0, "channel");
	compare_options(&segment_options, from->options, from->n_options, to->options,
			to->n_options, step);
}

void plan_compare_ports(const struct model_object *a, const struct model_object *b,
			struct plan_step *step)
{
	const struct model_port *from = (const struct model_port *)a;
	const struct model_port *to = (const struct model_port *)b;
	struct option_set set = port_kinds_options(to->kind);

	add_field(step, from->kind != to->kind, "type");
	/* An access port's segment and a trunk's native one: two keys for one field. */
	bool by_vlan = to->kind->place == PORT_PLACE_VLAN;
	bool was_trunk = from->trunk != NULL, is_trunk = to->trunk != NULL;
	bool is_moved = strcmp(from->segment, to->segment) != 0;

	add_field(step, by_vlan && (was_trunk != is_trunk || (!is_trunk && is_moved)), "segment");
	add_field(step, !trunk_is_same(from->trunk, to->trunk), by_vlan ? "trunk" : "segments");
	add_field(step, by_vlan && is_trunk && is_moved, "native");
	add_field(step, strcmp(from->vm, to->vm) != 0, "vm");
	add_field(step, memcmp(from->mac, to->mac, sizeof(from->mac)) != 0, "mac");
	add_field(step, strcmp(from->host, to->host) != 0, "host");
	add_field(step, strcmp(from->channel, to->channel) != 0, "channel");
	if (from->kind == to->kind)
		compare_options(&set, from->options, from->n_options, to->options, to->n_options,
				step);
}

void plan_compare_pools(const struct model_object *a, const struct model_object *b,
			struct plan_step *step)
{
	const struct model_pool *from = (const struct model_pool *)a;
	const struct model_pool *to = (const struct model_pool *)b;

	bool is_given = !from->is_derived || !to->is_derived;

	add_field(step,
		  is_given && (from->is_derived != to->is_derived ||
			       memcmp(from->capacity_bps, to->capacity_bps,
				      sizeof(from->capacity_bps)) != 0),
		  "capacity");
	add_field(step, from->is_overcommit != to->is_overcommit, "overcommit");
	add_field(step, strcmp(from->uplink, to->uplink) != 0, "uplink");
}

/* keys: of the way, in the order of the struct. */
static void compare_ways(const struct model_channel_way *from, const struct model_channel_way *to,
			 const char *const keys[6], struct plan_step *step)
{
	add_field(step, from->rate_bps != to->rate_bps, keys[0]);
	add_field(step, from->ceil_bps != to->ceil_bps, keys[1]);
	add_field(step, from->burst_bytes != to->burst_bytes, keys[2]);
	add_field(step, from->weight != to->weight, keys[3]);
	add_field(step, from->latency_us != to->latency_us, keys[4]);
	add_field(step, from->frames_per_s != to->frames_per_s, keys[5]);
}

void plan_compare_channels(const struct model_object *a, const struct model_object *b,
			   struct plan_step *step)
{
	static const char *const tx[] = {"tx.rate",   "tx.ceil",    "tx.burst",
					 "tx.weight", "tx.latency", "tx.pps"};
	static const char *const rx[] = {"rx.rate",   "rx.ceil",    "rx.burst",
					 "rx.weight", "rx.latency", "rx.pps"};
	const struct model_channel *from = (const struct model_channel *)a;
	const struct model_channel *to = (const struct model_channel *)b;

	add_field(step, strcmp(from->pool, to->pool) != 0, "pool");
	compare_ways(&from->ways[DP_TX], &to->ways[DP_TX], tx, step);
	compare_ways(&from->ways[DP_RX], &to->ways[DP_RX], rx, step);
	add_field(step, from->account != to->account, "account");
}

void plan_compare_vms(const struct model_object *a, const struct model_object *b,
		      struct plan_step *step)
{
	const struct model_vm *from = (const struct model_vm *)a;
	const struct model_vm *to = (const struct model_vm *)b;

	add_field(step, strcmp(from->channel, to->channel) != 0, "channel");
}

void plan_compare_loans(const struct model_object *a, const struct model_object *b,
			struct plan_step *step)
{
	const struct model_loan *from = (const struct model_loan *)a;
	const struct model_loan *to = (const struct model_loan *)b;

	add_field(step, strcmp(from->from, to->from) != 0, "from");
	add_field(step, strcmp(from->to, to->to) != 0, "to");
	add_field(step, from->rate_bps != to->rate_bps, "rate");
	add_field(step, from->ways != to->ways, "way");
	add_field(step, from->end_ms != to->end_ms, "until");
}
