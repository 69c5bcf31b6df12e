/* SPDX-License-Identifier: BSD-3-Clause */
/* Uplinks, peers and the ways between them. Runs on weftd's thread. */
#include "control/underlay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "control/fastpath.h"
#include "dataplane/base/loop.h"
#include "tap/link.h"
#include "vxlan/vxlan.h"

#define NS_PER_MS 1000000ULL
#define REST_MS 1000
#define RETRY_MS 1000  /* a neighbour that does not answer */
#define TELL_MIN_MS 20 /* a dataplane that refuses: each time twice as long */
#define TELL_MAX_MS 250
#define CONFIRM_MS 10000  /* the kernel, which sends nothing there itself, is asked to look again */
#define PROBES_AT_ONCE 64 /* the rest in the next turn: a thousand hosts do not stall weftd */
#define DEVICE_MTU 1500	  /* of an uplink whose interface is not there (yet) */

/* An uplink that tunnels start from. */
struct uplink {
	uint64_t port_id;
	char ifname[16];
	struct route_address vtep;
	int ifindex; /* 0: there is no such interface */
	uint32_t mtu_bytes;
	uint8_t mac[6];
};

struct peer {
	uint64_t port_id, generation;
	struct route_address vtep;
	struct route_hop hop; /* ifindex 0: no way */
	struct dp_nexthop wanted;
	struct dp_nexthop told;	 /* peer_id 0: nothing yet */
	struct dp_nexthop known; /* the last way that was whole; uplink_id 0: none, or given up */
	struct route_address known_next; /* its neighbour */
	bool is_pending;		 /* the kernel is finding out the neighbour's MAC */
	bool is_dirty;			 /* the kernel has not been asked */
	uint64_t next_probe_ns;
	uint64_t next_tell_ns;
	unsigned int tell_rest_ms; /* 0: the last word was taken */
	char why[DP_TEXT_BYTES];
};

struct underlay {
	struct loop_watch *watch;
	struct route_ctx *routes;
	struct link_ctx *links;
	uint64_t revision; /* of the model that is known; UINT64_MAX: none */
	uint64_t epoch;	   /* of the dataplane that was told */
	bool has_news;
	struct uplink *uplinks;
	size_t n_uplinks;
	struct peer *peers;
	size_t n_peers;
};

static void on_news(void *ctx, uint32_t events, uint64_t now_ns)
{
	struct underlay *underlay = ctx;

	underlay->has_news = true;
}

int underlay_create(struct loop *loop, struct underlay **out)
{
	struct underlay *underlay = calloc(1, sizeof(*underlay));

	if (underlay == NULL)
		return -ENOMEM;
	underlay->revision = UINT64_MAX;
	int error = link_open(-1, &underlay->links);

	if (error == 0)
		error = route_open(&underlay->routes);
	if (error == 0)
		error = loop_add(loop, route_fd(underlay->routes), EPOLLIN, on_news, underlay,
				 &underlay->watch);
	if (error < 0) {
		underlay_destroy(underlay);
		return error;
	}
	*out = underlay;
	return 0;
}

void underlay_destroy(struct underlay *underlay)
{
	if (underlay == NULL)
		return;
	loop_remove(underlay->watch);
	route_close(underlay->routes);
	link_close(underlay->links);
	free(underlay->uplinks);
	free(underlay->peers);
	free(underlay);
}

/* --- what the model says --- */

static bool read_vtep(const struct model_port *port, const char *kind, struct route_address *vtep)
{
	const char *text = model_option_text(port, "vtep");

	return strcmp(port->kind->name, kind) == 0 && text != NULL &&
	       route_parse_address(text, vtep) == 0;
}

static const struct peer *find_peer(const struct peer *peers, size_t n, uint64_t port_id)
{
	for (size_t i = 0; i < n; i++) {
		if (peers[i].port_id == port_id)
			return &peers[i];
	}
	return NULL;
}

/* Anew, but what is known of peers that stay is kept: they may have been told. */
static int read_model(struct underlay *underlay, const struct model *model)
{
	struct uplink *uplinks = calloc(model->n_ports + 1, sizeof(*uplinks));
	struct peer *peers = calloc(model->n_ports + 1, sizeof(*peers));
	size_t n_uplinks = 0, n_peers = 0;

	if (uplinks == NULL || peers == NULL) {
		free(uplinks);
		free(peers);
		return -ENOMEM;
	}
	for (size_t i = 0; i < model->n_ports; i++) {
		const struct model_port *port = model->ports[i];
		struct uplink *uplink = &uplinks[n_uplinks];
		struct peer *peer = &peers[n_peers];

		if (read_vtep(port, "uplink", &uplink->vtep)) {
			uplink->port_id = port->id;
			snprintf(uplink->ifname, sizeof(uplink->ifname), "%.15s",
				 model_ifname(port));
			n_uplinks++;
		} else if (read_vtep(port, "peer", &peer->vtep)) {
			const struct peer *old =
				find_peer(underlay->peers, underlay->n_peers, port->id);

			if (old != NULL && old->generation == port->generation)
				*peer = *old;
			peer->port_id = port->id;
			peer->generation = port->generation;
			n_peers++;
		}
	}
	free(underlay->uplinks);
	free(underlay->peers);
	underlay->uplinks = uplinks;
	underlay->n_uplinks = n_uplinks;
	underlay->peers = peers;
	underlay->n_peers = n_peers;
	return 0;
}

/* --- what the kernel says --- */

static void look_at_uplinks(struct underlay *underlay)
{
	for (size_t i = 0; i < underlay->n_uplinks; i++) {
		struct uplink *uplink = &underlay->uplinks[i];
		struct link_info info = {0};

		if (link_find(underlay->links, uplink->ifname, &info) < 0)
			info = (struct link_info){.mtu_bytes = DEVICE_MTU};
		uplink->ifindex = info.index;
		uplink->mtu_bytes = info.mtu_bytes;
		memcpy(uplink->mac, info.mac, sizeof(uplink->mac));
	}
}

static uint32_t overhead_bytes(const struct route_address *vtep)
{
	/* The outer Ethernet header is no part of the outer packet, the inner one is. */
	return vtep->family == AF_INET ? VXLAN_OVERHEAD_IPV4_BYTES : VXLAN_OVERHEAD_IPV6_BYTES;
}

/* What every tunnel of this host can carry; 0: it has none. */
static uint16_t find_tunnel_mtu(const struct underlay *underlay)
{
	uint32_t mtu = UINT32_MAX;

	for (size_t i = 0; i < underlay->n_uplinks; i++) {
		const struct uplink *uplink = &underlay->uplinks[i];
		uint32_t overhead = overhead_bytes(&uplink->vtep);
		uint32_t left = uplink->mtu_bytes > overhead + MODEL_MTU_MIN
					? uplink->mtu_bytes - overhead
					: MODEL_MTU_MIN;

		mtu = left < mtu ? left : mtu;
	}
	if (mtu == UINT32_MAX)
		return 0;
	return mtu < MODEL_MTU_MAX ? (uint16_t)mtu : MODEL_MTU_MAX;
}

/* The uplink by which the kernel would leave for the peer, from that uplink's own address. */
static const struct uplink *choose_uplink(struct underlay *underlay, struct peer *peer)
{
	int error = -EAFNOSUPPORT;

	for (size_t i = 0; i < underlay->n_uplinks; i++) {
		const struct uplink *uplink = &underlay->uplinks[i];

		if (uplink->vtep.family != peer->vtep.family)
			continue;
		int result = route_find(underlay->routes, &uplink->vtep, &peer->vtep, &peer->hop);
		if (result == 0 && peer->hop.ifindex == uplink->ifindex)
			return uplink;
		error = result == 0 ? -EXDEV : result;
	}
	peer->hop = (struct route_hop){.ifindex = 0};
	if (error == -EAFNOSUPPORT)
		snprintf(peer->why, sizeof(peer->why),
			 "no uplink has a vtep of the same IP version; see weft help uplink add");
	else if (error == -EXDEV)
		snprintf(peer->why, sizeof(peer->why),
			 "the route to it leaves by an interface that is no uplink; see ip route "
			 "get");
	else if (error == -ELOOP)
		snprintf(peer->why, sizeof(peer->why), "its vtep is an address of this host");
	else
		snprintf(peer->why, sizeof(peer->why), "no route to its vtep: %s; see ip route get",
			 strerror(-error));
	return NULL;
}

/* The whole way, now that the kernel has all of it. */
static void set_way(struct peer *peer, const struct uplink *uplink)
{
	uint32_t mtu = peer->hop.mtu_bytes != 0 ? peer->hop.mtu_bytes : uplink->mtu_bytes;

	peer->wanted = (struct dp_nexthop){
		.peer_id = peer->port_id,
		.uplink_id = uplink->port_id,
		.mtu = mtu < UINT16_MAX ? (uint16_t)mtu : UINT16_MAX,
	};
	memcpy(peer->wanted.dst_mac, peer->hop.mac, sizeof(peer->wanted.dst_mac));
	memcpy(peer->wanted.src_mac, uplink->mac, sizeof(peer->wanted.src_mac));
	peer->known = peer->wanted;
	peer->known_next = peer->hop.next;
	peer->why[0] = '\0';
}

/*
 * While the kernel asks for a neighbour the way that was there before is the best there is: by the
 * old gateway, or, after the interface was down, to the MAC that the neighbour had.
 */
static void keep_way(struct peer *peer, const struct uplink *uplink)
{
	if (peer->wanted.uplink_id == 0 && peer->known.uplink_id == uplink->port_id &&
	    route_is_same_address(&peer->known_next, &peer->hop.next))
		peer->wanted = peer->known;
	if (peer->wanted.uplink_id == uplink->port_id)
		memcpy(peer->wanted.src_mac, uplink->mac, sizeof(peer->wanted.src_mac));
}

static void ask_for_peer(struct underlay *underlay, struct peer *peer)
{
	const struct uplink *uplink = choose_uplink(underlay, peer);

	peer->is_dirty = false;
	peer->is_pending = uplink != NULL && !peer->hop.is_resolved && !peer->hop.is_failed;
	if (uplink != NULL && peer->hop.is_resolved) {
		set_way(peer, uplink);
		return;
	}
	if (uplink != NULL)
		snprintf(peer->why, sizeof(peer->why),
			 "no neighbour on %s answers on the way to it; is that host up?",
			 uplink->ifname);
	if (peer->is_pending)
		keep_way(peer, uplink);
	else
		peer->wanted = (struct dp_nexthop){.uplink_id = 0};
	peer->wanted.peer_id = peer->port_id;
	if (peer->hop.is_failed)
		peer->known.uplink_id = 0;
	/* A neighbour that is not known is asked for at once. */
	if (uplink != NULL)
		peer->next_probe_ns = 0;
}

static void mark_peers(struct underlay *underlay, const struct route_news *news)
{
	for (size_t i = 0; i < underlay->n_peers; i++) {
		struct peer *peer = &underlay->peers[i];

		peer->is_dirty |= news->is_all;
		for (unsigned int k = 0; k < news->n && !peer->is_dirty; k++)
			peer->is_dirty =
				route_is_same_address(&peer->hop.next, &news->neighbours[k]);
	}
}

bool underlay_look(struct underlay *underlay, struct model *model, uint64_t revision)
{
	struct route_news news = {.n = 0};

	if (underlay->has_news)
		route_read_news(underlay->routes, &news);
	underlay->has_news = false;
	if (revision != underlay->revision && read_model(underlay, model) == 0) {
		underlay->revision = revision;
		news.is_all = true;
	}
	if (underlay->n_uplinks + underlay->n_peers == 0 && model->tunnel_mtu == 0)
		return false;
	mark_peers(underlay, &news);
	if (news.is_all)
		look_at_uplinks(underlay);
	for (size_t i = 0; i < underlay->n_peers; i++) {
		if (underlay->peers[i].is_dirty)
			ask_for_peer(underlay, &underlay->peers[i]);
	}
	uint16_t mtu = find_tunnel_mtu(underlay);
	bool is_changed = mtu != model->tunnel_mtu;

	model->tunnel_mtu = mtu;
	return is_changed;
}

/* --- what the dataplane is told --- */

static void probe(struct underlay *underlay, struct peer *peer, uint64_t now_ns)
{
	uint64_t rest_ms = peer->hop.is_resolved ? CONFIRM_MS : RETRY_MS;

	peer->next_probe_ns = now_ns + rest_ms * NS_PER_MS;
	/* Where the kernel cannot (the interface just went down) there will be news. */
	if (route_probe(underlay->routes, peer->hop.ifindex, &peer->hop.next) < 0)
		return;
}

static unsigned int rest_longer(unsigned int rest_ms)
{
	if (rest_ms == 0)
		return TELL_MIN_MS;
	return rest_ms < TELL_MAX_MS / 2 ? rest_ms * 2 : TELL_MAX_MS;
}

static void tell(struct fastpath *fastpath, struct peer *peer, uint64_t now_ns)
{
	struct dp_nexthop message = peer->wanted;
	struct problem problem = {0};

	/* A hang of the dataplane is noticed by its first question: what follows must not wait. */
	if (fastpath_silence_ms(fastpath) != 0) {
		peer->next_tell_ns = now_ns + TELL_MIN_MS * NS_PER_MS;
		return;
	}
	if (fastpath_ask(fastpath, DP_NEXTHOP, &message, sizeof(message), NULL, NULL, &problem) ==
	    0) {
		peer->told = peer->wanted;
		peer->tell_rest_ms = 0;
	} else {
		peer->tell_rest_ms = rest_longer(peer->tell_rest_ms);
		snprintf(peer->why, sizeof(peer->why), "%.*s", DP_TEXT_BYTES - 1, problem.detail);
	}
	peer->next_tell_ns = now_ns + peer->tell_rest_ms * NS_PER_MS;
	problem_fini(&problem);
}

static bool is_told(const struct peer *peer)
{
	/* A weftd that has just started: the dataplane may know a way from the last one. */
	bool is_unknown = peer->is_pending && peer->wanted.uplink_id == 0;

	return is_unknown || memcmp(&peer->wanted, &peer->told, sizeof(peer->told)) == 0;
}

static int sooner(int wait_ms, uint64_t at_ns, uint64_t now_ns)
{
	uint64_t left_ms = at_ns > now_ns ? (at_ns - now_ns) / NS_PER_MS + 1 : 0;

	return left_ms < (uint64_t)wait_ms ? (int)left_ms : wait_ms;
}

int underlay_tell(struct underlay *underlay, struct fastpath *fastpath, uint64_t now_ns)
{
	const struct dp_welcome *welcome = fastpath_welcome(fastpath);
	unsigned int n_probes = 0;
	int wait_ms = REST_MS;

	if (welcome != NULL && welcome->epoch != underlay->epoch) {
		for (size_t i = 0; i < underlay->n_peers; i++)
			underlay->peers[i].told = (struct dp_nexthop){.peer_id = 0};
		underlay->epoch = welcome->epoch;
	}
	for (size_t i = 0; i < underlay->n_peers; i++) {
		struct peer *peer = &underlay->peers[i];

		if (peer->hop.ifindex != 0 && !peer->hop.is_fresh &&
		    now_ns >= peer->next_probe_ns && n_probes++ < PROBES_AT_ONCE)
			probe(underlay, peer, now_ns);
		if (peer->hop.ifindex != 0 && !peer->hop.is_fresh)
			wait_ms = sooner(wait_ms, peer->next_probe_ns, now_ns);
		/* A hang of the dataplane is noticed by the first question: the others wait. */
		if (is_told(peer) || fastpath_welcome(fastpath) == NULL)
			continue;
		if (now_ns >= peer->next_tell_ns)
			tell(fastpath, peer, now_ns);
		if (!is_told(peer))
			wait_ms = sooner(wait_ms, peer->next_tell_ns, now_ns);
	}
	return wait_ms;
}

bool underlay_way(const struct underlay *underlay, uint64_t port_id, struct underlay_way *way)
{
	const struct peer *peer = find_peer(underlay->peers, underlay->n_peers, port_id);

	if (peer == NULL || peer->wanted.uplink_id == 0)
		return false;
	*way = (struct underlay_way){
		.to = peer->vtep,
		.uplink_id = peer->wanted.uplink_id,
		.mtu_bytes = peer->wanted.mtu,
		.overhead_bytes = overhead_bytes(&peer->vtep),
	};
	for (size_t i = 0; i < underlay->n_uplinks; i++) {
		if (underlay->uplinks[i].port_id == way->uplink_id)
			way->from = underlay->uplinks[i].vtep;
	}
	return way->from.family == way->to.family;
}

const char *underlay_reason(const struct underlay *underlay, uint64_t port_id)
{
	const struct peer *peer = find_peer(underlay->peers, underlay->n_peers, port_id);

	return peer != NULL && peer->why[0] != '\0' ? peer->why : NULL;
}

uint16_t underlay_path_mtu(const struct underlay *underlay, uint64_t port_id)
{
	const struct peer *peer = find_peer(underlay->peers, underlay->n_peers, port_id);

	return peer != NULL && peer->wanted.uplink_id != 0 ? peer->wanted.mtu : 0;
}

uint16_t underlay_inner_mtu(const struct underlay *underlay, uint64_t port_id)
{
	const struct peer *peer = find_peer(underlay->peers, underlay->n_peers, port_id);
	uint16_t mtu = underlay_path_mtu(underlay, port_id);
	uint32_t overhead = peer != NULL ? overhead_bytes(&peer->vtep) : 0;

	return mtu > overhead ? (uint16_t)(mtu - overhead) : 0;
}
