/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Validation of a transaction: each message by itself, then the result as a whole. weftd has
 * checked the same with better words before; this is the door of the process. Main thread.
 */
#include "dataplane/txn_check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/api/segment_options.h"
#include "dataplane/dataplane.h"

#define VNI_MAX 0xffffff
#define VLAN_MAX 4094
#define CLAIM_BYTES 256

static bool is_text(const char *text, size_t bytes)
{
	return text[0] != '\0' && memchr(text, '\0', bytes) != NULL;
}

static bool is_beyond_rate(const uint32_t pps[DP_STORM_KINDS])
{
	for (int i = 0; i < DP_STORM_KINDS; i++) {
		if (pps[i] > RATE_PER_S_MAX)
			return true;
	}
	return false;
}

static bool are_addresses(const struct dp_port *spec)
{
	if (spec->n_addresses > DP_ADDRESSES_MAX)
		return false;
	for (unsigned int i = 0; i < spec->n_addresses; i++) {
		const struct dp_address *address = &spec->addresses[i];

		if ((address->version != 4 || address->prefix_bits > 32) &&
		    (address->version != 6 || address->prefix_bits > 128))
			return false;
	}
	return true;
}

static const char *check_options(const char *what, const struct option_set *set,
				 const struct dp_option *options, unsigned int n, char *why,
				 size_t why_bytes)
{
	if (n > DP_OPTIONS_MAX) {
		snprintf(why, why_bytes, "%s with too many options", what);
		return why;
	}
	for (unsigned int i = 0; i < n; i++) {
		const char *fault = options_check(set, &options[i]);

		if (fault == NULL)
			continue;
		snprintf(why, why_bytes, "%s with %s", what, fault);
		return why;
	}
	return NULL;
}

static const char *check_segment(const struct txn_segment *staged, char *why, size_t why_bytes)
{
	const struct dp_segment *spec = &staged->spec;

	if (spec->id == 0)
		return "segment without an id";
	if (staged->is_delete)
		return NULL;
	if (!is_text(spec->name, sizeof(spec->name)))
		return "segment without a name";
	if (spec->vni == 0 || spec->vni > VNI_MAX || spec->vlan > VLAN_MAX)
		return "segment with an impossible VNI or VLAN id";
	if (is_beyond_rate(spec->storm_pps) || (spec->guards & ~DP_GUARD_ALL) != 0)
		return "segment with impossible limits or guards";
	/* Ages are compared as signed differences of the clock. */
	if (spec->age_s > INT32_MAX)
		return "segment with an impossible age";
	return check_options("segment", &segment_options, spec->options, spec->n_options, why,
			     why_bytes);
}

static int compare_numbers(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* An object that is deleted twice, or deleted and put, has no one result. Sorts the ids. */
static bool has_twice(uint64_t *ids, size_t n)
{
	qsort(ids, n, sizeof(ids[0]), compare_numbers);
	for (size_t i = 1; i < n; i++) {
		if (ids[i] == ids[i - 1])
			return true;
	}
	return false;
}

/* A peer's segments: each once, and no tags. */
static bool has_sound_segments(const struct dp_port *spec)
{
	uint64_t ids[DP_MEMBERS_MAX];

	if (spec->n_members > DP_MEMBERS_MAX)
		return false;
	for (unsigned int i = 0; i < spec->n_members; i++) {
		ids[i] = spec->members[i].segment_id;
		if (spec->members[i].vlan != 0)
			return false;
	}
	return !has_twice(ids, spec->n_members);
}

/* One address of a host, the rest of its bytes zero: it is compared as a whole. */
static bool is_vtep(const struct dp_address *address)
{
	static const uint8_t zero[16];
	bool is_ipv4 = address->version == 4;

	if (address->prefix_bits != (is_ipv4 ? 32 : 128) || memcmp(address->ip, zero, 16) == 0)
		return false;
	return is_ipv4 ? address->ip[0] < 224 && memcmp(address->ip + 4, zero, 12) == 0
		       : address->ip[0] != 0xff;
}

/* Of a kind that tunnels: what is wrong with its VTEP, or NULL. */
static const char *check_vtep(const struct dp_port *spec, const struct port_kind *kind)
{
	bool is_peer = kind->place == PORT_PLACE_VNI;

	if (is_peer && spec->n_addresses != 1)
		return "peer without a VTEP";
	if (!is_peer && (strcmp(kind->name, "uplink") != 0 || spec->n_addresses == 0))
		return NULL;
	if (!is_vtep(&spec->addresses[0]))
		return "port with an impossible VTEP";
	return is_peer || spec->n_members == 0
		       ? NULL
		       : "uplink with a VTEP and segments: one or the other";
}

/* Each tag once: what a trunk's segments are known by on the wire. No tag counts as one. */
static bool has_sound_members(const struct dp_port *spec)
{
	bool seen[VLAN_MAX + 1] = {false};

	if (spec->n_members > DP_MEMBERS_MAX)
		return false;
	for (unsigned int i = 0; i < spec->n_members; i++) {
		uint16_t vlan = spec->members[i].vlan;

		if (vlan > VLAN_MAX || seen[vlan])
			return false;
		seen[vlan] = true;
	}
	return true;
}

static const char *check_port(const struct txn_port *staged, char *why, size_t why_bytes)
{
	const struct dp_port *spec = &staged->spec;
	const struct port_kind *kind;

	if (spec->id == 0)
		return "port without an id";
	if (staged->is_delete)
		return NULL;
	/* The name becomes part of a path. */
	if (!is_text(spec->name, sizeof(spec->name)) || strchr(spec->name, '/') != NULL ||
	    spec->name[0] == '.')
		return "port without a usable name";
	if (memchr(spec->vm, '\0', sizeof(spec->vm)) == NULL ||
	    memchr(spec->kind, '\0', sizeof(spec->kind)) == NULL)
		return "port with an endless name";
	kind = port_kinds_find(spec->kind);
	if (kind == NULL)
		return "port of an unknown type";
	if (is_beyond_rate(spec->storm_pps) ||
	    ((spec->guards_on | spec->guards_off) & ~DP_GUARD_ALL) != 0)
		return "port with impossible limits or guards";
	if (!are_addresses(spec))
		return "port with impossible addresses";
	if (kind->place == PORT_PLACE_VNI ? !has_sound_segments(spec) : !has_sound_members(spec))
		return "port with impossible segments or tags";
	const char *fault = check_vtep(spec, kind);

	if (fault != NULL)
		return fault;
	struct option_set set = port_kinds_options(kind);
	const struct dp_option *macs = port_spec_option(spec, kind, "macs");
	uint8_t list[PORT_OPTIONS_MACS_MAX][6];

	if (macs != NULL && (memchr(macs->text, '\0', sizeof(macs->text)) == NULL ||
			     port_options_parse_macs(macs->text, list) < 0))
		return "port with impossible MAC addresses";
	return check_options("port", &set, spec->options, spec->n_options, why, why_bytes);
}

static int check_once(const struct txn *txn, char *why, size_t why_bytes)
{
	uint64_t *ids = calloc(txn->n_segments + txn->n_ports + 1, sizeof(ids[0]));
	const char *what = NULL;

	if (ids == NULL) {
		snprintf(why, why_bytes, "out of memory");
		return -ENOMEM;
	}
	for (size_t i = 0; i < txn->n_segments; i++)
		ids[i] = txn->segments[i].spec.id;
	if (has_twice(ids, txn->n_segments))
		what = "segment";
	for (size_t i = 0; i < txn->n_ports; i++)
		ids[i] = txn->ports[i].spec.id;
	if (has_twice(ids, txn->n_ports))
		what = "port";
	free(ids);
	if (what != NULL)
		snprintf(why, why_bytes, "a %s is put or deleted twice in one change", what);
	return what != NULL ? -EEXIST : 0;
}

/* The result: what is there and not touched, and what is put. */
struct result {
	const struct dp_segment **segments;
	size_t n_segments;
	const struct dp_port **ports;
	size_t n_ports;
	bool *is_touched;	/* by the index of a port that is there */
};

static bool touches_segment(const struct txn *txn, uint32_t id)
{
	for (size_t i = 0; i < txn->n_segments; i++) {
		if (txn->segments[i].spec.id == id)
			return true;
	}
	return false;
}

/* Marks, by index, the ports that the transaction touches. */
static void mark_touched(const struct txn *txn, bool *is_touched)
{
	for (size_t i = 0; i < txn->n_ports; i++) {
		const struct port *port = port_find(txn->dp, txn->ports[i].spec.id);

		if (port != NULL)
			is_touched[port->index] = true;
	}
}

static void collect(const struct txn *txn, struct result *result)
{
	const struct dataplane *dp = txn->dp;

	for (unsigned int i = 1; i < dp->segments_end; i++) {
		struct segment *segment = atomic_load(&dp->segments[i]);

		if (segment != NULL && !touches_segment(txn, segment->spec.id))
			result->segments[result->n_segments++] = &segment->spec;
	}
	for (unsigned int i = 1; i < dp->ports_end; i++) {
		struct port *port = atomic_load(&dp->ports[i]);

		if (port != NULL && !result->is_touched[i])
			result->ports[result->n_ports++] = &port->spec;
	}
	for (size_t i = 0; i < txn->n_segments; i++) {
		if (!txn->segments[i].is_delete)
			result->segments[result->n_segments++] = &txn->segments[i].spec;
	}
	for (size_t i = 0; i < txn->n_ports; i++) {
		if (!txn->ports[i].is_delete)
			result->ports[result->n_ports++] = &txn->ports[i].spec;
	}
}

static int compare_segment_ids(const void *a, const void *b)
{
	uint32_t x = (*(const struct dp_segment *const *)a)->id;
	uint32_t y = (*(const struct dp_segment *const *)b)->id;

	return x < y ? -1 : x > y;
}

static int compare_port_names(const void *a, const void *b)
{
	return strcmp((*(const struct dp_port *const *)a)->name,
		      (*(const struct dp_port *const *)b)->name);
}

static int check_members(const struct result *result, const struct dp_port *port, char *why,
			 size_t why_bytes)
{
	for (unsigned int i = 0; i < port->n_members; i++) {
		struct dp_segment key = {.id = port->members[i].segment_id};
		const struct dp_segment *wanted = &key;

		if (bsearch(&wanted, result->segments, result->n_segments,
			    sizeof(result->segments[0]), compare_segment_ids) != NULL)
			continue;
		snprintf(why, why_bytes, "port %s: its segment does not exist", port->name);
		return -ENOENT;
	}
	return 0;
}

/* Sorting makes equal names neighbours, and segments quick to find. */
static int check_result(struct result *result, char *why, size_t why_bytes)
{
	qsort(result->segments, result->n_segments, sizeof(result->segments[0]),
	      compare_segment_ids);
	for (size_t i = 0; i < result->n_ports; i++) {
		int error = check_members(result, result->ports[i], why, why_bytes);

		if (error < 0)
			return error;
	}
	qsort(result->ports, result->n_ports, sizeof(result->ports[0]), compare_port_names);
	for (size_t i = 1; i < result->n_ports; i++) {
		if (compare_port_names(&result->ports[i], &result->ports[i - 1]) == 0) {
			snprintf(why, why_bytes, "port %s: two ports have this name",
				 result->ports[i]->name);
			return -EEXIST;
		}
	}
	return 0;
}

/* A VNI is one segment's: tunnels know no other name of it. */
static int check_vnis(const struct result *result, char *why, size_t why_bytes)
{
	uint64_t *vnis = calloc(result->n_segments + 1, sizeof(vnis[0]));
	int error = vnis == NULL ? -ENOMEM : 0;

	for (size_t i = 0; error == 0 && i < result->n_segments; i++)
		vnis[i] = result->segments[i]->vni;
	if (error == 0 && has_twice(vnis, result->n_segments))
		error = -EEXIST;
	free(vnis);
	if (error < 0)
		snprintf(why, why_bytes,
			 error == -EEXIST ? "two segments have one VNI" : "out of memory");
	return error;
}

/* A port's claim, to be sorted. */
struct claim {
	char text[CLAIM_BYTES];
	const struct dp_port *port;
};

static int compare_claims(const void *a, const void *b)
{
	return strcmp(((const struct claim *)a)->text, ((const struct claim *)b)->text);
}

/* No two ports of the result may have the same claim: two sockets at one path. */
static int check_claims(const struct txn *txn, const struct result *result, char *why,
			size_t why_bytes)
{
	struct claim *claims = calloc(result->n_ports + 1, sizeof(claims[0]));
	size_t n = 0;
	int error = 0;

	if (claims == NULL) {
		snprintf(why, why_bytes, "out of memory");
		return -ENOMEM;
	}
	for (size_t i = 0; i < result->n_ports; i++) {
		const struct dp_port *port = result->ports[i];
		const struct port_type *type = port_find_type(txn->dp, port->kind);

		if (type == NULL || type->claim == NULL)
			continue;
		type->claim(txn->dp, port, claims[n].text, sizeof(claims[n].text));
		claims[n++].port = port;
	}
	qsort(claims, n, sizeof(claims[0]), compare_claims);
	for (size_t i = 1; i < n && error == 0; i++) {
		if (compare_claims(&claims[i], &claims[i - 1]) != 0)
			continue;
		snprintf(why, why_bytes, "port %.60s: %.100s is taken by port %.60s",
			 claims[i].port->name, claims[i].text, claims[i - 1].port->name);
		error = -EADDRINUSE;
	}
	free(claims);
	return error;
}

int txn_check(const struct txn *txn, char *why, size_t why_bytes)
{
	const char *line = NULL;
	char text[DP_TEXT_BYTES];

	for (size_t i = 0; line == NULL && i < txn->n_segments; i++)
		line = check_segment(&txn->segments[i], text, sizeof(text));
	for (size_t i = 0; line == NULL && i < txn->n_ports; i++)
		line = check_port(&txn->ports[i], text, sizeof(text));
	if (line != NULL) {
		snprintf(why, why_bytes, "%s", line);
		return -EINVAL;
	}
	int error = check_once(txn, why, why_bytes);

	if (error < 0)
		return error;
	struct result result = {
		.segments =
			calloc(txn->dp->segments_end + txn->n_segments, sizeof(result.segments[0])),
		.ports = calloc(txn->dp->ports_end + txn->n_ports, sizeof(result.ports[0])),
		.is_touched = calloc(txn->dp->ports_end, sizeof(result.is_touched[0])),
	};

	error = -ENOMEM;
	snprintf(why, why_bytes, "out of memory");
	if (result.segments != NULL && result.ports != NULL && result.is_touched != NULL) {
		mark_touched(txn, result.is_touched);
		collect(txn, &result);
		error = check_result(&result, why, why_bytes);
		if (error == 0)
			error = check_vnis(&result, why, why_bytes);
		if (error == 0)
			error = check_claims(txn, &result, why, why_bytes);
	}
	free(result.segments);
	free(result.ports);
	free(result.is_touched);
	return error;
}
