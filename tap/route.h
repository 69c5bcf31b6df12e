/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which way the kernel would send a packet: route and neighbour, and news of both.
 *
 * A route_ctx is two netlink sockets of the calling thread's network namespace: one asks, one
 * listens. Nothing is remembered here: who wants to know asks again when there is news. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct route_ctx;

/* A host's address: network order; AF_INET: the first 4 bytes, the others are zero. */
struct route_address {
	int family;		/* AF_INET or AF_INET6 */
	uint8_t bytes[16];
};

struct route_hop {
	int ifindex;		/* the packet leaves here */
	struct route_address next;	/* a gateway, or the destination itself */
	uint32_t mtu_bytes;	/* that the route knows; 0: it is the interface's */
	bool is_resolved;	/* mac is known */
	bool is_failed;		/* it was asked for lately, and did not answer */
	bool is_fresh;		/* and was confirmed lately: no need for route_probe() */
	uint8_t mac[6];
};

#define ROUTE_NEWS_MAX 64

/* What has changed since the last look. */
struct route_news {
	bool is_all;		/* routes, addresses, interfaces, or more than fits below */
	unsigned int n;
	struct route_address neighbours[ROUTE_NEWS_MAX];
};

int route_open(struct route_ctx **ctx);
void route_close(struct route_ctx *ctx);	/* NULL is legal */

/* "10.9.0.1", "fd00::1": a unicast address of a host. 0 or -EINVAL. */
int route_parse_address(const char *text, struct route_address *address);
bool route_is_same_address(const struct route_address *a, const struct route_address *b);

/*
 * The way from an address of this host to another host. -ENETUNREACH, -EHOSTUNREACH and the like:
 * there is none, or `from` is no address of this host; -ELOOP: `to` is one.
 */
int route_find(struct route_ctx *ctx, const struct route_address *from,
	       const struct route_address *to, struct route_hop *hop);

/* Asks the kernel to find out or confirm the neighbour's MAC, as if there were a packet for it.
 * Does not wait. */
int route_probe(struct route_ctx *ctx, int ifindex, const struct route_address *neighbour);

/* Readable when there is news. */
int route_fd(const struct route_ctx *ctx);

/* Takes all news there are. Where the kernel had more than the socket holds, is_all is set. */
void route_read_news(struct route_ctx *ctx, struct route_news *news);
