/* SPDX-License-Identifier: BSD-3-Clause */
/* Pools, channels and loans: staged, prepared, committed. Main thread. */
#include "dataplane/txn_channels.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/channel/loan.h"
#include "dataplane/channel/pool.h"
#include "dataplane/dataplane.h"
#include "dataplane/txn_check.h"

/* --- stage --- */

static struct txn_pool *add_pool(struct txn *txn)
{
	struct txn_channels *staged = &txn->channels;
	struct txn_pool *pools =
		txn_make_room(staged->pools, staged->n_pools, sizeof(staged->pools[0]));

	if (pools == NULL)
		return NULL;
	staged->pools = pools;
	memset(&pools[staged->n_pools], 0, sizeof(pools[0]));
	return &pools[staged->n_pools++];
}

static struct txn_channel *add_channel(struct txn *txn)
{
	struct txn_channels *staged = &txn->channels;
	struct txn_channel *channels =
		txn_make_room(staged->channels, staged->n_channels, sizeof(staged->channels[0]));

	if (channels == NULL)
		return NULL;
	staged->channels = channels;
	memset(&channels[staged->n_channels], 0, sizeof(channels[0]));
	return &channels[staged->n_channels++];
}

static struct txn_loan *add_loan(struct txn *txn)
{
	struct txn_channels *staged = &txn->channels;
	struct txn_loan *loans =
		txn_make_room(staged->loans, staged->n_loans, sizeof(staged->loans[0]));

	if (loans == NULL)
		return NULL;
	staged->loans = loans;
	memset(&loans[staged->n_loans], 0, sizeof(loans[0]));
	return &loans[staged->n_loans++];
}

int txn_channels_put_pool(struct txn *txn, const struct dp_pool *spec)
{
	struct txn_pool *pool = add_pool(txn);

	if (pool == NULL)
		return -ENOMEM;
	pool->spec = *spec;
	return 0;
}

int txn_channels_del_pool(struct txn *txn, uint32_t id)
{
	struct txn_pool *pool = add_pool(txn);

	if (pool == NULL)
		return -ENOMEM;
	pool->spec.id = id;
	pool->is_delete = true;
	return 0;
}

int txn_channels_put_channel(struct txn *txn, const struct dp_channel *spec)
{
	struct txn_channel *channel = add_channel(txn);

	if (channel == NULL)
		return -ENOMEM;
	channel->spec = *spec;
	return 0;
}

int txn_channels_del_channel(struct txn *txn, uint32_t id)
{
	struct txn_channel *channel = add_channel(txn);

	if (channel == NULL)
		return -ENOMEM;
	channel->spec.id = id;
	channel->is_delete = true;
	return 0;
}

int txn_channels_put_loan(struct txn *txn, const struct dp_loan *spec)
{
	struct txn_loan *loan = add_loan(txn);

	if (loan == NULL)
		return -ENOMEM;
	loan->spec = *spec;
	return 0;
}

int txn_channels_del_loan(struct txn *txn, uint32_t id)
{
	struct txn_loan *loan = add_loan(txn);

	if (loan == NULL)
		return -ENOMEM;
	loan->spec.id = id;
	loan->is_delete = true;
	return 0;
}

bool txn_channels_has_any(const struct txn *txn)
{
	return txn->channels.n_pools + txn->channels.n_channels + txn->channels.n_loans != 0;
}

/* --- prepare --- */

static int tell(int error, const char *what, const char *name, int most, char *why,
		size_t why_bytes)
{
	if (error == -ENOSPC)
		snprintf(why, why_bytes, "%s %.60s: this host already has %d of them, the maximum",
			 what, name, most);
	else if (error < 0)
		snprintf(why, why_bytes, "%s %.60s: out of memory", what, name);
	return error;
}

static int prepare_pool(struct txn *txn, struct txn_pool *staged, char *why, size_t why_bytes)
{
	staged->old = pool_find(txn->dp, staged->spec.id);
	if (staged->is_delete || staged->old != NULL)
		return 0;
	return tell(pool_create(txn->dp, &staged->spec, &staged->made), "pool", staged->spec.name,
		    POOLS_MAX - 1, why, why_bytes);
}

static int prepare_channel(struct txn *txn, struct txn_channel *staged, char *why, size_t why_bytes)
{
	staged->old = channel_find(txn->dp, staged->spec.id);
	if (staged->is_delete || staged->old != NULL)
		return 0;
	return tell(channel_create(txn->dp, &staged->spec, &staged->made), "channel",
		    staged->spec.name, CHANNELS_MAX - 1, why, why_bytes);
}

/* A loan that is there and is put again begins anew. */
static int prepare_loan(struct txn *txn, struct txn_loan *staged, char *why, size_t why_bytes)
{
	staged->old = loan_find(txn->dp, staged->spec.id);
	if (staged->is_delete)
		return 0;
	int error = loan_create(&staged->spec, &staged->made);

	if (error < 0)
		snprintf(why, why_bytes, "loan: out of memory");
	return error;
}

/* How many there will be: one that is put may take the place of another. */
static int count_loans(const struct txn *txn, char *why, size_t why_bytes)
{
	size_t n = txn->dp->n_loans;

	for (size_t i = 0; i < txn->channels.n_loans; i++) {
		n += txn->channels.loans[i].made != NULL;
		n -= txn->channels.loans[i].old != NULL;
	}
	if (n <= LOANS_MAX)
		return 0;
	snprintf(why, why_bytes, "loan: this host already has %d of them, the maximum", LOANS_MAX);
	return -ENOSPC;
}

int txn_channels_prepare(struct txn *txn, char *why, size_t why_bytes)
{
	struct txn_channels *staged = &txn->channels;
	int error = 0;

	for (size_t i = 0; error == 0 && i < staged->n_pools; i++)
		error = prepare_pool(txn, &staged->pools[i], why, why_bytes);
	for (size_t i = 0; error == 0 && i < staged->n_channels; i++)
		error = prepare_channel(txn, &staged->channels[i], why, why_bytes);
	for (size_t i = 0; error == 0 && i < staged->n_loans; i++)
		error = prepare_loan(txn, &staged->loans[i], why, why_bytes);
	return error == 0 ? count_loans(txn, why, why_bytes) : error;
}

/* --- commit --- */

static void publish_pools(struct txn *txn)
{
	for (size_t i = 0; i < txn->channels.n_pools; i++) {
		struct txn_pool *staged = &txn->channels.pools[i];

		if (staged->is_delete)
			continue;
		if (staged->old != NULL)
			pool_apply(staged->old, &staged->spec);
		else
			pool_publish(staged->made);
		staged->made = NULL;
	}
}

static void publish_channels(struct txn *txn)
{
	for (size_t i = 0; i < txn->channels.n_channels; i++) {
		struct txn_channel *staged = &txn->channels.channels[i];
		struct channel *channel = staged->old != NULL ? staged->old : staged->made;

		if (staged->is_delete)
			continue;
		channel_apply(channel, &staged->spec, pool_find(txn->dp, staged->spec.pool_id));
		if (staged->made != NULL)
			channel_publish(staged->made);
		staged->made = NULL;
	}
}

void txn_channels_publish(struct txn *txn)
{
	struct txn_channels *staged = &txn->channels;

	for (size_t i = 0; i < staged->n_loans; i++) {
		struct txn_loan *loan = &staged->loans[i];

		/* Its time may have ended since prepare. */
		loan->old = loan_find(txn->dp, loan->spec.id);
		if (loan->old != NULL)
			loan_end(txn->dp, loan->old);
	}
	publish_pools(txn);
	publish_channels(txn);
	for (size_t i = 0; i < staged->n_loans; i++) {
		if (staged->loans[i].made != NULL)
			loan_begin(txn->dp, staged->loans[i].made);
		staged->loans[i].made = NULL;
	}
}

void txn_channels_withdraw(struct txn *txn)
{
	for (size_t i = 0; i < txn->channels.n_channels; i++) {
		struct txn_channel *staged = &txn->channels.channels[i];

		if (staged->is_delete && staged->old != NULL)
			channel_unpublish(staged->old);
	}
	for (size_t i = 0; i < txn->channels.n_pools; i++) {
		struct txn_pool *staged = &txn->channels.pools[i];

		if (staged->is_delete && staged->old != NULL)
			pool_unpublish(staged->old);
	}
}

void txn_channels_release(struct txn *txn)
{
	for (size_t i = 0; i < txn->channels.n_channels; i++) {
		if (txn->channels.channels[i].is_delete)
			channel_destroy(txn->channels.channels[i].old);
	}
	for (size_t i = 0; i < txn->channels.n_pools; i++) {
		if (txn->channels.pools[i].is_delete)
			pool_destroy(txn->channels.pools[i].old);
	}
	for (size_t i = 0; i < txn->channels.n_loans; i++)
		loan_destroy(txn->channels.loans[i].old);
}

void txn_channels_free(struct txn *txn)
{
	struct txn_channels *staged = &txn->channels;

	for (size_t i = 0; i < staged->n_channels; i++)
		channel_destroy(staged->channels[i].made);
	for (size_t i = 0; i < staged->n_pools; i++)
		pool_destroy(staged->pools[i].made);
	for (size_t i = 0; i < staged->n_loans; i++)
		loan_destroy(staged->loans[i].made);
	free(staged->pools_by_id);
	free(staged->channels_by_id);
	free(staged->loans_by_id);
	free(staged->pools);
	free(staged->channels);
	free(staged->loans);
}
