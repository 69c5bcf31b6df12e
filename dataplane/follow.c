/* SPDX-License-Identifier: BSD-3-Clause */
/* See follow.h. Main thread. */
#include "dataplane/follow.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/captures.h"
#include "dataplane/dataplane.h"
#include "dataplane/filter.h"
#include "dataplane/follower.h"

static struct follow *current(const struct dataplane *dp)
{
	return atomic_load_explicit(&dp->follow, memory_order_relaxed);
}

bool follow_concerns(const struct dataplane *dp, const struct port *port)
{
	const struct follow *follow = current(dp);

	if (follow == NULL)
		return false;
	for (unsigned int i = 0; i < follow->spec.n_ports; i++) {
		if (follow->spec.port_ids[i] == port->spec.id)
			return true;
	}
	return follow->spec.n_ports == 0;
}

static int check(const struct dataplane *dp, const struct dp_follow_open *open, char *why,
		 size_t why_bytes)
{
	snprintf(why, why_bytes, "what is to be followed, or its filter, is malformed");
	if (open->n_frames == 0 || open->n_frames > FOLLOW_FRAMES_MAX ||
	    open->n_ports > DP_CAPTURE_PORTS_MAX || !filter_check(open->insns, open->n_insns))
		return -EINVAL;
	snprintf(why, why_bytes, "a port is not in the dataplane (any more)");
	for (unsigned int i = 0; i < open->n_ports; i++) {
		if (port_find(dp, open->port_ids[i]) == NULL)
			return -ENOENT;
	}
	snprintf(why, why_bytes, "somebody follows frames already; try again when that has ended");
	if (current(dp) != NULL)
		return -EBUSY;
	why[0] = '\0';
	return 0;
}

static void destroy(struct follow *follow)
{
	for (unsigned int i = 0; i < follow->n_followers; i++)
		follower_destroy(follow->followers[i]);
	free(follow);
}

static struct follow *create(const struct dataplane *dp, const struct dp_follow_open *open,
			     const void *owner)
{
	unsigned int n = dp->config.n_workers;
	struct follow *follow = calloc(1, sizeof(*follow) + n * sizeof(follow->followers[0]));

	if (follow == NULL)
		return NULL;
	follow->owner = owner;
	follow->spec = *open;
	atomic_store(&follow->left, open->n_frames);
	for (unsigned int i = 0; i < n; i++) {
		follow->followers[i] = follower_create(follow, dp->workers[i]);
		if (follow->followers[i] == NULL) {
			destroy(follow);
			return NULL;
		}
		follow->n_followers++;
	}
	return follow;
}

int follow_open(struct dataplane *dp, const struct dp_follow_open *open, const void *owner,
		uint64_t *id, char *why, size_t why_bytes)
{
	struct follow *follow;
	int error = check(dp, open, why, why_bytes);

	if (error < 0)
		return error;
	follow = create(dp, open, owner);
	if (follow == NULL) {
		snprintf(why, why_bytes, "out of memory");
		return -ENOMEM;
	}
	*id = follow->id = ++dp->last_follow_id;
	atomic_store_explicit(&dp->follow, follow, memory_order_release);
	captures_join_all(dp);
	return 0;
}

static void end(struct dataplane *dp, struct follow *follow)
{
	atomic_store_explicit(&dp->follow, NULL, memory_order_relaxed);
	/* Of what was held back by rx, rx_done must still be ours. */
	dataplane_synchronize(dp);
	captures_join_all(dp);
	destroy(follow);
}

struct follow *follow_find(const struct dataplane *dp, uint64_t id, const void *owner)
{
	struct follow *follow = current(dp);

	return follow != NULL && follow->id == id && follow->owner == owner ? follow : NULL;
}

int follow_close(struct dataplane *dp, uint64_t id, const void *owner)
{
	struct follow *follow = follow_find(dp, id, owner);

	if (follow == NULL)
		return -ENOENT;
	end(dp, follow);
	return 0;
}

void follow_close_all(struct dataplane *dp, const void *owner)
{
	struct follow *follow = current(dp);

	if (follow != NULL && (owner == NULL || follow->owner == owner))
		end(dp, follow);
}

bool follow_next(struct follow *follow, struct follower_record *record)
{
	struct follower *from = NULL;
	const struct follower_record *oldest = NULL;

	for (unsigned int i = 0; i < follow->n_followers; i++) {
		const struct follower_record *next = follower_peek(follow->followers[i]);

		if (next == NULL || (oldest != NULL && next->time_ns >= oldest->time_ns))
			continue;
		oldest = next;
		from = follow->followers[i];
	}
	if (oldest == NULL)
		return false;
	*record = *oldest;
	follower_take(from);
	return true;
}

uint64_t follow_missed(const struct follow *follow)
{
	uint64_t missed = 0;

	for (unsigned int i = 0; i < follow->n_followers; i++)
		missed += follower_missed(follow->followers[i]);
	return missed;
}
