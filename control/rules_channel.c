/* SPDX-License-Identifier: BSD-3-Clause */
/* What must hold between pools, channels, loans and those that use them. Pure. */
#include "control/rules_channel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "control/channels.h"
#include "control/quantity.h"
#include "dataplane/api/kinds.h"

#define SUMMANDS_SHOWN 5

static const char *const way_names[] = {[DP_TX] = "tx", [DP_RX] = "rx"};

static void format_rate(uint64_t rate_bps, char text[QUANTITY_TEXT_BYTES])
{
	quantity_format(QUANTITY_RATE, rate_bps, text);
}

/* A model to be, and what it is measured by. */
struct check {
	const struct model *model, *former;
	struct channels_assured assured, former_assured;
	uint64_t frame_bytes;
	struct problem *problem;
};

/* --- references --- */

static int check_reference(const struct model *model, const char *kind, const char *name,
			   const char *channel, struct problem *problem)
{
	if (channel[0] == '\0' || model_channel(model, channel) != NULL)
		return 0;
	int error = problem_set(problem, -EINVAL, 422, "channel-unknown",
				"%s %s: channel %s is not declared; add that channel, or correct "
				"the name",
				kind, name, channel);
	problem_at(problem, "%ss.%s.channel", kind, name);
	return error;
}

static int check_references(const struct model *model, struct problem *problem)
{
	int error = 0;

	for (size_t i = 0; i < model->n_segments && error == 0; i++)
		error = problem_collect(problem,
					check_reference(model, "segment", model->segments[i]->name,
							model->segments[i]->channel, problem));
	for (size_t i = 0; i < model->n_ports && error == 0; i++)
		error = problem_collect(problem,
					check_reference(model, "port", model->ports[i]->name,
							model->ports[i]->channel, problem));
	for (size_t i = 0; i < model->n_vms && error == 0; i++)
		error = problem_collect(problem, check_reference(model, "vm", model->vms[i]->name,
								 model->vms[i]->channel, problem));
	return error;
}

/* --- pools --- */

/* What a pool was before, if it had the speed of the same link then, which may have become slower
 * since. NULL: its capacity is what counts, for it is the user's word. */
static const struct model_pool *find_former(const struct model *model, const struct model *former,
					    const struct model_pool *pool)
{
	const struct model_pool *was = model_pool(former, pool->name);
	const char *ifname = channels_pool_ifname(model, pool);
	const char *former_ifname = was != NULL ? channels_pool_ifname(former, was) : NULL;

	if (!pool->is_derived || ifname == NULL || former_ifname == NULL || !was->is_derived ||
	    strcmp(ifname, former_ifname) != 0)
		return NULL;
	return was;
}

/* What may be assured of a pool: all of it, or as much as was when its link was faster. What was
 * assured beyond it by the user's leave (overcommit) says nothing of its link. */
static uint64_t admitted_bps(const struct check *check, const struct model_pool *pool,
			     enum dp_way way)
{
	const struct model_pool *was = find_former(check->model, check->former, pool);
	uint64_t assured_bps =
		was != NULL && !was->is_overcommit
			? channels_assured_bps(&check->former_assured, was->name, way)
			: 0;

	return assured_bps > pool->capacity_bps[way] ? assured_bps : pool->capacity_bps[way];
}

/* What a channel of such a pool was given then: it may keep it. NULL: nothing. */
static const struct model_channel_way *find_former_way(const struct check *check,
						       const struct model_pool *pool,
						       const struct model_channel *channel,
						       enum dp_way way)
{
	const struct model_channel *was = find_former(check->model, check->former, pool) != NULL
						  ? model_channel(check->former, channel->name)
						  : NULL;

	return was != NULL && strcmp(was->pool, pool->name) == 0 ? &was->ways[way] : NULL;
}

/* Ranks channels by what is assured to them, so that the largest are named: they are the ones to
 * look at. At most SUMMANDS_SHOWN. Returns how many there are in all. */
static size_t rank_assured(const struct model *model, const char *pool, enum dp_way way,
			   const struct model_channel *top[SUMMANDS_SHOWN])
{
	size_t n = 0;

	for (size_t i = 0; i < model->n_channels; i++) {
		const struct model_channel *channel = model->channels[i];
		size_t at = n < SUMMANDS_SHOWN ? n : SUMMANDS_SHOWN;

		if (channel->ways[way].rate_bps == 0 || strcmp(channel->pool, pool) != 0)
			continue;
		n++;
		for (; at > 0 && top[at - 1]->ways[way].rate_bps < channel->ways[way].rate_bps;
		     at--) {
			if (at < SUMMANDS_SHOWN)
				top[at] = top[at - 1];
		}
		if (at < SUMMANDS_SHOWN)
			top[at] = channel;
	}
	return n;
}

/* "gold 700M, silver 500M and 3 more" */
static void format_sum(const struct model_channel *const *top, size_t n, enum dp_way way,
		       char *text, size_t text_bytes)
{
	size_t len = 0;
	char rate[QUANTITY_TEXT_BYTES];

	text[0] = '\0';
	for (size_t i = 0; i < n && i < SUMMANDS_SHOWN && len < text_bytes; i++) {
		format_rate(top[i]->ways[way].rate_bps, rate);
		len += (size_t)snprintf(text + len, text_bytes - len, "%s%.30s %s",
					i > 0 ? ", " : "", top[i]->name, rate);
	}
	if (n > SUMMANDS_SHOWN && len < text_bytes)
		snprintf(text + len, text_bytes - len, " and %zu more", n - SUMMANDS_SHOWN);
}

static int check_admission(const struct check *check, const struct model_pool *pool,
			   enum dp_way way)
{
	struct problem *problem = check->problem;
	uint64_t assured_bps = channels_assured_bps(&check->assured, pool->name, way);
	uint64_t most_bps = admitted_bps(check, pool, way);
	char assured[QUANTITY_TEXT_BYTES], capacity[QUANTITY_TEXT_BYTES], sum[320];
	const struct model_channel *top[SUMMANDS_SHOWN] = {NULL};

	if (pool->is_overcommit || assured_bps <= most_bps)
		return 0;
	size_t n = rank_assured(check->model, pool->name, way, top);

	/* Of one that is too large by itself it has been told already. */
	if (n == 0 || top[0]->ways[way].rate_bps > most_bps)
		return 0;
	format_rate(assured_bps, assured);
	format_rate(pool->capacity_bps[way], capacity);
	format_sum(top, n, way, sum, sizeof(sum));
	int error =
		problem_set(problem, -EINVAL, 422, "pool-exhausted",
			    "pool %s: %s: %s assured of %s%s (%s): lower one, %s, "
			    "or set overcommit: yes",
			    pool->name, way_names[way], assured, capacity,
			    pool->is_derived ? ", the speed of its link" : "", sum,
			    pool->is_derived ? "give the pool a capacity" : "raise the capacity");
	problem_at(problem, "pools.%s.capacity", pool->name);
	return error;
}

static int check_uplink(const struct model *model, const struct model_pool *pool,
			struct problem *problem)
{
	const struct model_port *port = model_port(model, pool->uplink);

	if (pool->uplink[0] == '\0' || (port != NULL && port->kind == &kind_uplink))
		return 0;
	int error = problem_set(problem, -EINVAL, 422, "port-unknown",
				"pool %s: uplink %s is no uplink; weft uplink list shows them",
				pool->name, pool->uplink);
	problem_at(problem, "pools.%s.uplink", pool->name);
	return error;
}

/* Of an uplink that is there. */
static int check_speed(const struct model *model, const struct model_pool *pool,
		       struct problem *problem)
{
	if (!pool->is_derived || pool->capacity_bps[DP_TX] != 0)
		return 0;
	int error = problem_set(problem, -EINVAL, 422, "key-missing",
				"pool %s: the kernel knows no speed of %s, the interface of uplink "
				"%s; give the pool a capacity, as 10G",
				pool->name, model_ifname(model_port(model, pool->uplink)),
				pool->uplink);

	problem_at(problem, "pools.%s.uplink", pool->name);
	return error;
}

static int check_pools(const struct check *check)
{
	const struct model *model = check->model;
	struct problem *problem = check->problem;
	int error = 0;

	for (size_t i = 0; i < model->n_pools && error == 0; i++) {
		const struct model_pool *pool = model->pools[i];

		/* One that could not be read stands for its name alone. */
		if (pool->capacity_bps[DP_TX] == 0 && !pool->is_derived)
			continue;
		error = check_uplink(model, pool, problem);
		if (error == 0)
			error = check_speed(model, pool, problem);
		/* Nothing can be reckoned with what is not known. */
		if (error < 0) {
			error = problem_collect(problem, error);
			continue;
		}
		for (enum dp_way way = DP_TX; way < DP_WAYS && error == 0; way++)
			error = problem_collect(problem, check_admission(check, pool, way));
	}
	return error;
}

/* --- channels --- */

static int refuse_channel(const struct model_channel *channel, enum dp_way way, const char *key,
			  struct problem *problem, const char *text)
{
	int error = problem_set(problem, -EINVAL, 422, "value-invalid", "channel %s: %s.%s: %s",
				channel->name, way_names[way], key, text);

	problem_at(problem, "channels.%s.%s.%s", channel->name, way_names[way], key);
	return error;
}

static int check_capacity(const struct check *check, const struct model_channel *channel,
			  const struct model_pool *pool, enum dp_way way)
{
	const struct model_channel_way *given = &channel->ways[way];
	const struct model_channel_way *was = find_former_way(check, pool, channel, way);
	uint64_t capacity_bps = pool->capacity_bps[way];
	uint64_t most_bps = admitted_bps(check, pool, way);
	bool is_rate =
		given->rate_bps > most_bps && (was == NULL || given->rate_bps > was->rate_bps);
	bool is_ceil =
		given->ceil_bps > capacity_bps && (was == NULL || given->ceil_bps > was->ceil_bps);
	char rate[QUANTITY_TEXT_BYTES], capacity[QUANTITY_TEXT_BYTES], text[200];

	if (capacity_bps == 0 || (!is_rate && !is_ceil))
		return 0;
	format_rate(is_rate ? given->rate_bps : given->ceil_bps, rate);
	format_rate(capacity_bps, capacity);
	snprintf(text, sizeof(text), "%s is more than pool %s has, %s; lower it%s", rate,
		 pool->name, capacity, is_rate ? "" : ", or leave ceil out");
	return refuse_channel(channel, way, is_rate ? "rate" : "ceil", check->problem, text);
}

/* A frame that is larger than the burst would have to be cut. */
static int check_burst(const struct model_channel *channel, uint64_t frame_bytes, enum dp_way way,
		       struct problem *problem)
{
	char burst[QUANTITY_TEXT_BYTES], text[200];

	if (channel->ways[way].burst_bytes == 0 || channel->ways[way].burst_bytes >= frame_bytes)
		return 0;
	quantity_format(QUANTITY_BYTES, channel->ways[way].burst_bytes, burst);
	snprintf(text, sizeof(text),
		 "%s is less than one frame of the largest MTU, %" PRIu64
		 " bytes; raise it, or leave it out",
		 burst, frame_bytes);
	return refuse_channel(channel, way, "burst", problem, text);
}

static int check_channel(const struct check *check, const struct model_channel *channel)
{
	const struct model_pool *pool = model_pool(check->model, channel->pool);
	struct problem *problem = check->problem;
	int error = 0;

	if (channel->ways[DP_TX].weight == 0)
		return 0;
	if (channel->pool[0] != '\0' && pool == NULL) {
		error = problem_set(problem, -EINVAL, 422, "pool-unknown",
				    "channel %s: pool %s is not declared; add that pool, or "
				    "correct the name",
				    channel->name, channel->pool);
		problem_at(problem, "channels.%s.pool", channel->name);
		return error;
	}
	for (enum dp_way way = DP_TX; way < DP_WAYS && error == 0; way++) {
		if (pool != NULL)
			error = check_capacity(check, channel, pool, way);
		if (error == 0)
			error = check_burst(channel, check->frame_bytes, way, problem);
	}
	return error;
}

static int check_channels(const struct check *check)
{
	const struct model *model = check->model;
	int error = 0;

	for (size_t i = 0; i < model->n_channels && error == 0; i++)
		error = problem_collect(check->problem, check_channel(check, model->channels[i]));
	return error;
}

/* --- loans --- */

static int refuse_loan(const struct model_loan *loan, struct problem *problem, const char *text)
{
	int error =
		problem_set(problem, -EINVAL, 422, "loan-invalid", "loan %s: %s", loan->name, text);

	problem_at(problem, "loans.%s", loan->name);
	return error;
}

/* Does `from` lend to `to`, by any number of loans in between? Each loan is looked at once. */
static bool is_lending(const struct model *model, const char *from, const char *to)
{
	const struct model_loan *reached[MODEL_LOANS_MAX];
	bool is_reached[MODEL_LOANS_MAX] = {false};
	size_t n_reached = 0;

	for (size_t at = 0;; at++) {
		const char *lender = at == 0 ? from : reached[at - 1]->to;

		for (size_t i = 0; i < model->n_loans; i++) {
			const struct model_loan *loan = model->loans[i];

			if (is_reached[i] || strcmp(loan->from, lender) != 0)
				continue;
			if (strcmp(loan->to, to) == 0)
				return true;
			is_reached[i] = true;
			reached[n_reached++] = loan;
		}
		if (at == n_reached)
			return false;
	}
}

static int check_lender(const struct model *model, const struct model_loan *loan,
			const struct model_channel *from, enum dp_way way, struct problem *problem)
{
	uint64_t lent_bps = channels_lent_bps(model, loan->from, way);
	uint64_t assured_bps = from->ways[way].rate_bps;
	uint64_t others_bps = lent_bps - loan->rate_bps;
	char lent[QUANTITY_TEXT_BYTES], assured[QUANTITY_TEXT_BYTES], others[QUANTITY_TEXT_BYTES];
	char text[320];

	if (lent_bps <= assured_bps)
		return 0;
	format_rate(loan->rate_bps, lent);
	format_rate(assured_bps, assured);
	format_rate(others_bps, others);
	if (assured_bps == 0)
		snprintf(text, sizeof(text),
			 "channel %s has nothing assured for %s, so it cannot lend %s; choose "
			 "another one, or give it %s.rate",
			 loan->from, way_names[way], lent, way_names[way]);
	else
		snprintf(text, sizeof(text),
			 "%s: %s is more than channel %s has left: %s assured, %s lent to others; "
			 "lend less, or recall a loan",
			 way_names[way], lent, loan->from, assured, others);
	return refuse_loan(loan, problem, text);
}

int rules_channel_check_loan(const struct model *model, const struct model_loan *loan,
			     struct problem *problem)
{
	const struct model_channel *from = model_channel(model, loan->from);
	const struct model_channel *to = model_channel(model, loan->to);
	char text[320];
	int error = 0;

	if (from == NULL || to == NULL) {
		snprintf(text, sizeof(text),
			 "channel %s is not declared; weft channel list shows "
			 "them; an end to the loan: weft channel recall %s",
			 from == NULL ? loan->from : loan->to, loan->name);
		return refuse_loan(loan, problem, text);
	}
	if (from == to)
		return refuse_loan(loan, problem,
				   "from and to are the same channel; name the one that borrows");
	if (from->pool[0] == '\0' || strcmp(from->pool, to->pool) != 0) {
		snprintf(text, sizeof(text),
			 "%s is in pool %s and %s in pool %s; a loan is made within one pool",
			 from->name, from->pool[0] != '\0' ? from->pool : "(none)", to->name,
			 to->pool[0] != '\0' ? to->pool : "(none)");
		return refuse_loan(loan, problem, text);
	}
	if (is_lending(model, loan->to, loan->from)) {
		snprintf(text, sizeof(text),
			 "channel %s lends to %s already; recall that loan first, weft loan list "
			 "shows it",
			 loan->to, loan->from);
		return refuse_loan(loan, problem, text);
	}
	for (enum dp_way way = DP_TX; way < DP_WAYS && error == 0; way++) {
		if ((loan->ways >> way & 1) != 0)
			error = check_lender(model, loan, from, way, problem);
	}
	return error;
}

/* What is new is to blame, not what was there. */
static int check_loans(const struct model *model, struct problem *problem)
{
	int error = 0;

	if (model->n_loans > MODEL_LOANS_MAX)
		return problem_set(problem, -EINVAL, 422, "loan-invalid",
				   "there are %d loans, which is as many as there may be at once; "
				   "recall one first",
				   MODEL_LOANS_MAX);
	for (int is_old = 0; is_old < 2; is_old++) {
		for (size_t i = 0; i < model->n_loans && error == 0; i++) {
			const struct model_loan *loan = model->loans[i];

			if ((loan->id != 0) == is_old)
				error = problem_collect(
					problem, rules_channel_check_loan(model, loan, problem));
		}
	}
	return error;
}

int rules_channel_check(const struct model *model, const struct model *former,
			struct problem *problem)
{
	struct check check = {
		.model = model,
		.former = former,
		.frame_bytes = channels_frame_bytes(model),
		.problem = problem,
	};
	int error = channels_assured_init(&check.assured, model);

	if (error == 0)
		error = channels_assured_init(&check.former_assured, former);
	if (error < 0)
		problem_system(problem, error, "checking");
	if (error == 0)
		error = check_channels(&check);
	if (error == 0)
		error = check_pools(&check);
	channels_assured_fini(&check.assured);
	channels_assured_fini(&check.former_assured);
	if (error == 0)
		error = check_references(model, problem);
	return error == 0 ? check_loans(model, problem) : error;
}
