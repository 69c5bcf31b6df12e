/* SPDX-License-Identifier: BSD-3-Clause */
/* Loans between channels. Main thread. */
#include "dataplane/channel/loan.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "dataplane/channel/channel.h"
#include "dataplane/dataplane.h"

#define NS_PER_MS 1000000ULL

int loan_create(const struct dp_loan *spec, struct loan **out)
{
	struct loan *loan = calloc(1, sizeof(*loan));

	if (loan == NULL)
		return -ENOMEM;
	loan->spec = *spec;
	*out = loan;
	return 0;
}

void loan_destroy(struct loan *loan)
{
	free(loan);
}

static void move(struct dataplane *dp, const struct dp_loan *spec, int64_t bps)
{
	struct channel *from = channel_find(dp, spec->from_id);
	struct channel *to = channel_find(dp, spec->to_id);

	for (unsigned int i = 0; i < DP_WAYS; i++) {
		if ((spec->ways >> i & 1) == 0)
			continue;
		channel_lend(from, i, bps);
		channel_lend(to, i, -bps);
	}
}

void loan_begin(struct dataplane *dp, struct loan *loan)
{
	struct loan **chain = &dp->loans_by_id[loan->spec.id % LOANS_BY_ID];

	loan->next_by_id = *chain;
	*chain = loan;
	dp->n_loans++;
	dp->loans_due_ns = 0;
	move(dp, &loan->spec, (int64_t)loan->spec.rate_bps);
}

void loan_end(struct dataplane *dp, struct loan *loan)
{
	struct loan **link = &dp->loans_by_id[loan->spec.id % LOANS_BY_ID];

	while (*link != loan)
		link = &(*link)->next_by_id;
	*link = loan->next_by_id;
	dp->n_loans--;
	move(dp, &loan->spec, -(int64_t)loan->spec.rate_bps);
}

struct loan *loan_find(const struct dataplane *dp, uint32_t id)
{
	struct loan *loan = dp->loans_by_id[id % LOANS_BY_ID];

	while (loan != NULL && loan->spec.id != id)
		loan = loan->next_by_id;
	return loan;
}

uint64_t loan_remaining_ms(const struct loan *loan, uint64_t now_ns)
{
	if (loan->end_ns == 0)
		return loan->spec.remaining_ms;
	if (loan->end_ns <= now_ns)
		return 0;
	return (loan->end_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;
}

/* Its time runs from now on, if it did not before. Is it over? */
static bool is_over(struct loan *loan, uint64_t now_ns)
{
	if (loan->end_ns == 0)
		loan->end_ns = now_ns + loan->spec.remaining_ms * NS_PER_MS;
	return loan->end_ns <= now_ns;
}

/* Those of a chain whose time is over; all: UINT64_MAX. */
static bool end_chain(struct dataplane *dp, unsigned int chain, uint64_t now_ns)
{
	bool has_ended = false;

	for (struct loan *loan = dp->loans_by_id[chain], *next; loan != NULL; loan = next) {
		next = loan->next_by_id;
		if (now_ns != UINT64_MAX && !is_over(loan, now_ns)) {
			if (loan->end_ns < dp->loans_due_ns)
				dp->loans_due_ns = loan->end_ns;
			continue;
		}
		loan_end(dp, loan);
		loan_destroy(loan);
		has_ended = true;
	}
	return has_ended;
}

void loan_turn(struct dataplane *dp, uint64_t now_ns)
{
	bool has_ended = false;

	if (dp->n_loans == 0 || now_ns < dp->loans_due_ns)
		return;
	dp->loans_due_ns = UINT64_MAX;
	for (unsigned int i = 0; i < LOANS_BY_ID; i++)
		has_ended |= end_chain(dp, i, now_ns);
	if (has_ended)
		channel_changed(dp);
}

void loan_end_all(struct dataplane *dp)
{
	for (unsigned int i = 0; i < LOANS_BY_ID; i++)
		end_chain(dp, i, UINT64_MAX);
}
