/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of entries by port and segment. Main thread. */
#include "dataplane/fdb_lists.h"

#include <errno.h>
#include <stdlib.h>

#include "dataplane/fdb.h"

/* Indices are ours, not the guests': a multiplication spreads them. */
static uint32_t *head_of(const struct fdb_lists *lists, uint16_t port, uint16_t segment)
{
	uint32_t h = ((uint32_t)port << 16 | segment) * 0x9e3779b1U;

	return &lists->heads[(h ^ h >> 16) & (lists->n_max - 1)];
}

int fdb_lists_create(struct fdb_lists *lists, uint64_t n_slots, uint32_t n_lists)
{
	*lists = (struct fdb_lists){.n_max = n_lists};
	lists->links = calloc(n_slots, sizeof(lists->links[0]));
	lists->by_port = calloc(FDB_PORTS, sizeof(lists->by_port[0]));
	lists->lists = calloc(n_lists, sizeof(lists->lists[0]));
	lists->heads = calloc(n_lists, sizeof(lists->heads[0]));
	return lists->links != NULL && lists->by_port != NULL && lists->lists != NULL &&
			       lists->heads != NULL
		       ? 0
		       : -ENOMEM;
}

void fdb_lists_destroy(struct fdb_lists *lists)
{
	free(lists->links);
	free(lists->by_port);
	free(lists->lists);
	free(lists->heads);
}

static void chain(struct fdb_lists *lists, uint32_t number)
{
	struct fdb_list *list = &lists->lists[number - 1];
	uint32_t *head = head_of(lists, list->port, list->segment);

	list->next_of_hash = *head;
	*head = number;
}

bool fdb_lists_reserve(struct fdb_lists *lists)
{
	if (lists->free != 0 || lists->n_lists < lists->n_max)
		return true;
	uint32_t n_max = lists->n_max * 2;
	uint32_t *heads = calloc(n_max, sizeof(heads[0]));
	struct fdb_list *more =
		heads != NULL ? realloc(lists->lists, n_max * sizeof(more[0])) : NULL;

	if (more == NULL) {
		free(heads);
		return false;
	}
	free(lists->heads);
	lists->heads = heads;
	lists->lists = more;
	lists->n_max = n_max;
	/* None is free: all are in use. */
	for (uint32_t number = 1; number <= lists->n_lists; number++)
		chain(lists, number);
	return true;
}

/* Number of the pair's list, or 0. */
static uint32_t find(const struct fdb_lists *lists, uint16_t port, uint16_t segment)
{
	uint32_t number = *head_of(lists, port, segment);

	while (number != 0 && (lists->lists[number - 1].port != port ||
			       lists->lists[number - 1].segment != segment))
		number = lists->lists[number - 1].next_of_hash;
	return number;
}

static uint32_t start_list(struct fdb_lists *lists, uint16_t port, uint16_t segment)
{
	struct fdb_port_lists *of_port = &lists->by_port[port];
	uint32_t number = lists->free;

	if (number != 0)
		lists->free = lists->lists[number - 1].next_of_hash;
	else
		number = ++lists->n_lists;
	lists->lists[number - 1] =
		(struct fdb_list){.port = port, .segment = segment, .next_of_port = of_port->first};
	of_port->first = number;
	of_port->n_lists++;
	chain(lists, number);
	return number;
}

static void end_list(struct fdb_lists *lists, uint32_t number)
{
	struct fdb_list *list = &lists->lists[number - 1];
	uint32_t *link = head_of(lists, list->port, list->segment);

	while (*link != number)
		link = &lists->lists[*link - 1].next_of_hash;
	*link = list->next_of_hash;
	link = &lists->by_port[list->port].first;
	while (*link != number)
		link = &lists->lists[*link - 1].next_of_port;
	*link = list->next_of_port;
	lists->by_port[list->port].n_lists--;
	list->next_of_hash = lists->free;
	lists->free = number;
}

void fdb_lists_append(struct fdb_lists *lists, uint16_t port, uint16_t segment, uint32_t slot)
{
	uint32_t number = find(lists, port, segment);

	if (number == 0)
		number = start_list(lists, port, segment);
	struct fdb_list *list = &lists->lists[number - 1];

	lists->links[slot] = (struct fdb_link){.previous = list->last};
	if (list->last != 0)
		lists->links[list->last - 1].next = slot + 1;
	else
		list->first = slot + 1;
	list->last = slot + 1;
	list->count++;
	lists->by_port[port].count++;
}

void fdb_lists_remove(struct fdb_lists *lists, uint16_t port, uint16_t segment, uint32_t slot)
{
	uint32_t number = find(lists, port, segment);
	struct fdb_list *list = &lists->lists[number - 1];
	struct fdb_link link = lists->links[slot];

	*(link.previous != 0 ? &lists->links[link.previous - 1].next : &list->first) = link.next;
	*(link.next != 0 ? &lists->links[link.next - 1].previous : &list->last) = link.previous;
	lists->by_port[port].count--;
	if (--list->count == 0)
		end_list(lists, number);
}

void fdb_lists_move(struct fdb_lists *lists, uint16_t port, uint16_t segment, uint32_t from,
		    uint32_t to)
{
	struct fdb_list *list = &lists->lists[find(lists, port, segment) - 1];
	struct fdb_link link = lists->links[from];

	lists->links[to] = link;
	*(link.previous != 0 ? &lists->links[link.previous - 1].next : &list->first) = to + 1;
	*(link.next != 0 ? &lists->links[link.next - 1].previous : &list->last) = to + 1;
}

static uint32_t find_longest(const struct fdb_lists *lists, uint16_t port)
{
	uint32_t longest = lists->by_port[port].first;

	for (uint32_t i = longest; i != 0; i = lists->lists[i - 1].next_of_port) {
		if (lists->lists[i - 1].count > lists->lists[longest - 1].count)
			longest = i;
	}
	return longest;
}

const struct fdb_list *fdb_lists_find(const struct fdb_lists *lists, uint16_t port,
				      uint16_t segment)
{
	uint32_t number = segment != 0 ? find(lists, port, segment) : find_longest(lists, port);

	return number != 0 ? &lists->lists[number - 1] : NULL;
}
