/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether the pools, channels and loans of a transaction make sense: each by itself, then the
 * result as a whole, with the ports and segments that name them. weftd has admitted the sums: here
 * it is only made sure that everything named is there, and that a loan lends what its lender has.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/channel/loan.h"
#include "dataplane/channel/pool.h"
#include "dataplane/dataplane.h"
#include "dataplane/txn_channels.h"
#include "dataplane/txn_check.h"

#define LOAN_MS_MAX 1000000000000ULL /* 31 years */

static bool is_name(const char name[DP_NAME_BYTES])
{
	return name[0] != '\0' && memchr(name, '\0', DP_NAME_BYTES) != NULL;
}

static bool is_rate(uint64_t bps)
{
	return bps >= DP_RATE_BPS_MIN && bps <= DP_RATE_BPS_MAX;
}

static const char *check_pool(const struct txn_pool *staged)
{
	const struct dp_pool *spec = &staged->spec;

	if (spec->id == 0)
		return "pool without an id";
	if (staged->is_delete)
		return NULL;
	if (!is_name(spec->name))
		return "pool without a name";
	if (!is_rate(spec->capacity_bps[DP_TX]) || !is_rate(spec->capacity_bps[DP_RX]))
		return "pool with an impossible capacity";
	return NULL;
}

static const char *check_way(const struct dp_channel_way *way)
{
	if (way->assured_bps != 0 && !is_rate(way->assured_bps))
		return "channel with an impossible rate";
	if (way->ceiling_bps != 0 && !is_rate(way->ceiling_bps))
		return "channel with an impossible ceiling";
	if (way->ceiling_bps != 0 && way->ceiling_bps < way->assured_bps)
		return "channel with a ceiling below what it is assured of";
	if (way->weight == 0 || way->weight > DP_WEIGHT_MAX)
		return "channel with an impossible weight";
	if (way->burst_bytes > DP_BURST_BYTES_MAX)
		return "channel with an impossible burst";
	if (way->target_us == 0 || way->target_us > DP_TARGET_US_MAX)
		return "channel with an impossible latency";
	if (way->frames_per_s > DP_FRAMES_PER_S_MAX)
		return "channel with an impossible limit of frames";
	return NULL;
}

static const char *check_channel(const struct txn_channel *staged)
{
	const struct dp_channel *spec = &staged->spec;
	const char *line = NULL;

	if (spec->id == 0)
		return "channel without an id";
	if (staged->is_delete)
		return NULL;
	if (!is_name(spec->name))
		return "channel without a name";
	if (spec->account > DP_ACCOUNT_WIRE)
		return "channel with an unknown account";
	for (unsigned int i = 0; i < DP_WAYS && line == NULL; i++)
		line = check_way(&spec->ways[i]);
	return line;
}

static const char *check_loan(const struct txn_loan *staged)
{
	const struct dp_loan *spec = &staged->spec;

	if (spec->id == 0)
		return "loan without an id";
	if (staged->is_delete)
		return NULL;
	if (spec->ways == 0 || (spec->ways & ~((1u << DP_WAYS) - 1)) != 0)
		return "loan of no way, or of an unknown one";
	if (!is_rate(spec->rate_bps))
		return "loan of an impossible rate";
	if (spec->remaining_ms == 0 || spec->remaining_ms > LOAN_MS_MAX)
		return "loan for an impossible time";
	if (spec->from_id == spec->to_id)
		return "loan of a channel to itself";
	return NULL;
}

static int compare_ids(const void *a, const void *b)
{
	const struct txn_id *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* The ids of n objects, each of so many bytes with its id at an offset, in their order. -EEXIST:
 * one is there twice. */
static int index_ids(const void *objects, size_t n, size_t bytes, size_t offset,
		     struct txn_id **index)
{
	*index = calloc(n + 1, sizeof((*index)[0]));
	if (*index == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		memcpy(&(*index)[i].id, (const char *)objects + i * bytes + offset,
		       sizeof((*index)[i].id));
		(*index)[i].at = (uint32_t)i;
	}
	qsort(*index, n, sizeof((*index)[0]), compare_ids);
	for (size_t i = 1; i < n; i++) {
		if ((*index)[i].id == (*index)[i - 1].id)
			return -EEXIST;
	}
	return 0;
}

/* Where an id is among those staged; NULL: it is not. */
static const struct txn_id *find(const struct txn_id *index, size_t n, uint32_t id)
{
	const struct txn_id key = {.id = id};

	return bsearch(&key, index, n, sizeof(key), compare_ids);
}

static int index_all(struct txn_channels *staged, char *why, size_t why_bytes)
{
	int error = index_ids(staged->pools, staged->n_pools, sizeof(staged->pools[0]),
			      offsetof(struct txn_pool, spec.id), &staged->pools_by_id);

	if (error == 0)
		error = index_ids(staged->channels, staged->n_channels, sizeof(staged->channels[0]),
				  offsetof(struct txn_channel, spec.id), &staged->channels_by_id);
	if (error == 0)
		error = index_ids(staged->loans, staged->n_loans, sizeof(staged->loans[0]),
				  offsetof(struct txn_loan, spec.id), &staged->loans_by_id);
	if (error < 0)
		snprintf(why, why_bytes,
			 error == -ENOMEM ? "out of memory"
					  : "a pool, channel or loan is put or deleted twice in "
					    "one change");
	return error;
}

/* --- the result --- */

static bool has_pool(const struct txn *txn, uint32_t id)
{
	const struct txn_channels *staged = &txn->channels;
	const struct txn_id *found = find(staged->pools_by_id, staged->n_pools, id);

	return found != NULL ? !staged->pools[found->at].is_delete : pool_find(txn->dp, id) != NULL;
}

/* The channel as it will be; NULL: there will be none. */
static const struct dp_channel *channel_in_result(const struct txn *txn, uint32_t id)
{
	const struct txn_channels *staged = &txn->channels;
	const struct txn_id *found = find(staged->channels_by_id, staged->n_channels, id);

	if (found != NULL)
		return staged->channels[found->at].is_delete ? NULL
							     : &staged->channels[found->at].spec;
	const struct channel *channel = channel_find(txn->dp, id);

	return channel != NULL ? &channel->spec : NULL;
}

static bool is_channel_staged(const struct txn *txn, uint32_t id)
{
	return find(txn->channels.channels_by_id, txn->channels.n_channels, id) != NULL;
}

static int check_pool_of(const struct txn *txn, const struct dp_channel *spec, bool is_put,
			 char *why, size_t why_bytes)
{
	if (spec->pool_id == 0 || has_pool(txn, spec->pool_id))
		return 0;
	if (is_put) {
		snprintf(why, why_bytes, "channel %.60s: its pool does not exist", spec->name);
		return -ENOENT;
	}
	snprintf(why, why_bytes,
		 "channel %.60s is in a pool that is to go: move or delete the channel first",
		 spec->name);
	return -EBUSY;
}

static bool deletes_pools(const struct txn *txn)
{
	for (size_t i = 0; i < txn->channels.n_pools; i++) {
		if (txn->channels.pools[i].is_delete)
			return true;
	}
	return false;
}

static bool deletes_channels(const struct txn *txn)
{
	for (size_t i = 0; i < txn->channels.n_channels; i++) {
		if (txn->channels.channels[i].is_delete)
			return true;
	}
	return false;
}

/* Channels that are put, and those that stay where a pool goes. */
static int check_pools_of_all(const struct txn *txn, char *why, size_t why_bytes)
{
	int error = 0;

	for (size_t i = 0; i < txn->channels.n_channels && error == 0; i++) {
		if (!txn->channels.channels[i].is_delete)
			error = check_pool_of(txn, &txn->channels.channels[i].spec, true, why,
					      why_bytes);
	}
	if (!deletes_pools(txn))
		return error;
	for (unsigned int i = 1; i < CHANNELS_MAX && error == 0; i++) {
		const struct channel *channel = atomic_load(&txn->dp->channels[i]);

		if (channel == NULL || is_channel_staged(txn, channel->spec.id))
			continue;
		error = check_pool_of(txn, &channel->spec, false, why, why_bytes);
	}
	return error;
}

static int check_user(const struct txn *txn, const char *what, const char *name,
		      uint32_t channel_id, bool is_put, char *why, size_t why_bytes)
{
	if (channel_id == 0 || channel_in_result(txn, channel_id) != NULL)
		return 0;
	if (is_put) {
		snprintf(why, why_bytes, "%s %.60s: its channel does not exist", what, name);
		return -ENOENT;
	}
	snprintf(why, why_bytes, "%s %.60s uses a channel that is to go: give it another one first",
		 what, name);
	return -EBUSY;
}

/* Ports and segments that are put, and those that stay where a channel goes. */
static int check_users(const struct txn *txn, const bool *is_touched, char *why, size_t why_bytes)
{
	const struct dataplane *dp = txn->dp;
	bool is_deletion = deletes_channels(txn);
	int error = 0;

	for (size_t i = 0; i < txn->n_segments && error == 0; i++) {
		const struct dp_segment *spec = &txn->segments[i].spec;

		if (!txn->segments[i].is_delete)
			error = check_user(txn, "segment", spec->name, spec->channel_id, true, why,
					   why_bytes);
	}
	for (size_t i = 0; i < txn->n_ports && error == 0; i++) {
		const struct dp_port *spec = &txn->ports[i].spec;

		if (!txn->ports[i].is_delete)
			error = check_user(txn, "port", spec->name, spec->channel_id, true, why,
					   why_bytes);
	}
	for (unsigned int i = 1; is_deletion && i < dp->segments_end && error == 0; i++) {
		const struct segment *segment = atomic_load(&dp->segments[i]);

		if (segment != NULL && txn_check_staged_segment(txn, segment->spec.id) == NULL)
			error = check_user(txn, "segment", segment->spec.name,
					   segment->spec.channel_id, false, why, why_bytes);
	}
	for (unsigned int i = 1; is_deletion && i < dp->ports_end && error == 0; i++) {
		const struct port *port = atomic_load(&dp->ports[i]);

		if (port != NULL && !is_touched[i])
			error = check_user(txn, "port", port->spec.name, port->spec.channel_id,
					   false, why, why_bytes);
	}
	return error;
}

/* --- loans --- */

/* The loans of the result, in an array of the caller's; NULL: no memory. */
static const struct dp_loan **collect_loans(const struct txn *txn, size_t *n)
{
	const struct txn_channels *staged = &txn->channels;
	const struct dp_loan **loans =
		calloc(txn->dp->n_loans + staged->n_loans + 1, sizeof(loans[0]));

	*n = 0;
	for (size_t i = 0; loans != NULL && i < staged->n_loans; i++) {
		if (!staged->loans[i].is_delete)
			loans[(*n)++] = &staged->loans[i].spec;
	}
	for (unsigned int i = 0; loans != NULL && txn->dp->n_loans != 0 && i < LOANS_BY_ID; i++) {
		const struct loan *loan = txn->dp->loans_by_id[i];

		for (; loan != NULL; loan = loan->next_by_id) {
			if (find(staged->loans_by_id, staged->n_loans, loan->spec.id) == NULL)
				loans[(*n)++] = &loan->spec;
		}
	}
	return loans;
}

static int compare_lenders(const void *a, const void *b)
{
	const struct dp_loan *x = *(const struct dp_loan *const *)a;
	const struct dp_loan *y = *(const struct dp_loan *const *)b;

	return (x->from_id > y->from_id) - (x->from_id < y->from_id);
}

static int check_ends(const struct txn *txn, const struct dp_loan *loan, char *why,
		      size_t why_bytes)
{
	const struct dp_channel *from = channel_in_result(txn, loan->from_id);
	const struct dp_channel *to = channel_in_result(txn, loan->to_id);

	if (from == NULL || to == NULL) {
		snprintf(why, why_bytes,
			 "loan %u: %s does not exist, or is to go: end the loan first", loan->id,
			 from == NULL ? "its lender" : "who borrows");
		return -ENOENT;
	}
	if (from->pool_id != 0 && from->pool_id == to->pool_id)
		return 0;
	snprintf(why, why_bytes, "loan %u: channels %.60s and %.60s do not share a pool", loan->id,
		 from->name, to->name);
	return -EINVAL;
}

/* What n loans of one lender add up to; what it borrows itself it cannot lend. */
static int check_lender(const struct txn *txn, const struct dp_loan *const *loans, size_t n,
			char *why, size_t why_bytes)
{
	const struct dp_channel *from = channel_in_result(txn, loans[0]->from_id);

	for (unsigned int way = 0; way < DP_WAYS; way++) {
		uint64_t sum_bps = 0;

		for (size_t i = 0; i < n; i++)
			sum_bps += (loans[i]->ways >> way & 1) != 0 ? loans[i]->rate_bps : 0;
		if (sum_bps <= from->ways[way].assured_bps)
			continue;
		snprintf(why, why_bytes,
			 "channel %.60s lends %llu bit/s %s, but is assured of %llu only",
			 from->name, (unsigned long long)sum_bps, way == DP_TX ? "tx" : "rx",
			 (unsigned long long)from->ways[way].assured_bps);
		return -ERANGE;
	}
	return 0;
}

static int check_loans(const struct txn *txn, char *why, size_t why_bytes)
{
	size_t n, run;
	const struct dp_loan **loans = collect_loans(txn, &n);
	int error = 0;

	if (loans == NULL) {
		snprintf(why, why_bytes, "out of memory");
		return -ENOMEM;
	}
	for (size_t i = 0; i < n && error == 0; i++)
		error = check_ends(txn, loans[i], why, why_bytes);
	qsort(loans, n, sizeof(loans[0]), compare_lenders);
	for (size_t i = 0; i < n && error == 0; i += run) {
		for (run = 1; i + run < n && loans[i + run]->from_id == loans[i]->from_id;)
			run++;
		error = check_lender(txn, loans + i, run, why, why_bytes);
	}
	free(loans);
	return error;
}

/* --- all --- */

static const char *check_each(const struct txn_channels *staged)
{
	const char *line = NULL;

	for (size_t i = 0; line == NULL && i < staged->n_pools; i++)
		line = check_pool(&staged->pools[i]);
	for (size_t i = 0; line == NULL && i < staged->n_channels; i++)
		line = check_channel(&staged->channels[i]);
	for (size_t i = 0; line == NULL && i < staged->n_loans; i++)
		line = check_loan(&staged->loans[i]);
	return line;
}

int txn_channels_check(struct txn *txn, const bool *is_touched, char *why, size_t why_bytes)
{
	const char *line = check_each(&txn->channels);

	if (line != NULL) {
		snprintf(why, why_bytes, "%s", line);
		return -EINVAL;
	}
	int error = index_all(&txn->channels, why, why_bytes);

	if (error == 0)
		error = check_pools_of_all(txn, why, why_bytes);
	if (error == 0)
		error = check_users(txn, is_touched, why, why_bytes);
	if (error == 0 && txn->channels.n_loans + txn->channels.n_channels != 0)
		error = check_loans(txn, why, why_bytes);
	return error;
}
