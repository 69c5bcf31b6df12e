/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The model: what the user asked for, as plain data. Segments and ports, each kind kept in the
 * order of its names. A model is a value: a change is made on a copy, checked, planned, stored,
 * and then takes the place of the old one. No I/O; one thread.
 *
 * Canonical: two models that mean the same are equal field by field. So options hold only what
 * differs from the default, in the order of the option table, and every string is zero-filled.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/trunk.h"
#include "dataplane/api/port_kinds.h"

#define MODEL_MTU_MIN 68
#define MODEL_MTU_MAX 9216
#define MODEL_MTU_DEFAULT 1500
#define MODEL_VLAN_MAX 4094
#define MODEL_AGE_S_DEFAULT 300
#define MODEL_AGE_S_MAX (7 * 86400)

/* The name comes first in both: the lists are sorted and searched by it. */
struct model_segment {
	char name[DP_NAME_BYTES];
	char lab[DP_NAME_BYTES]; /* that made it; "" : none */
	uint32_t id;		 /* in the dataplane; 0: not numbered yet */
	uint64_t generation;
	uint32_t vni;
	uint16_t vlan; /* 0: none */
	uint16_t mtu;  /* layer-3 bytes; 0: as the host can, model_segment_mtu() */
	uint32_t age_s;
	uint16_t n_options;
	struct dp_option options[DP_OPTIONS_MAX]; /* segment_options.h */
};

struct model_port {
	char name[DP_NAME_BYTES];
	char lab[DP_NAME_BYTES];
	uint64_t id;
	uint64_t generation;
	const struct port_kind *kind;
	char segment[DP_NAME_BYTES]; /* untagged: access, or native of the trunk; "" : none */
	struct trunk *trunk;	     /* NULL: an access port. The port holds a reference */
	char vm[DP_NAME_BYTES];	  /* "" : none */
	char host[DP_NAME_BYTES]; /* "" : the host that was asked */
	uint8_t mac[6];
	uint16_t n_options;
	struct dp_option options[DP_OPTIONS_MAX];
};

struct model {
	uint64_t next_id; /* ids are given once, to segments and ports alike */
	uint16_t tunnel_mtu; /* what tunnels of this host can carry; 0: it has none. Not stored */
	struct model_segment **segments;
	size_t n_segments;
	struct model_port **ports;
	size_t n_ports;
	size_t max_segments, max_ports; /* room in the arrays */
};

int model_create(struct model **model);
int model_copy(const struct model *model, struct model **copy);
void model_destroy(struct model *model); /* NULL is legal */

/* NULL if there is none of that name. Valid until the object is put again or deleted. */
struct model_segment *model_segment(const struct model *model, const char *name);
struct model_port *model_port(const struct model *model, const char *name);

/* In a model an object has no room for more options than it has: what of it may be copied. */
size_t model_segment_bytes(const struct model_segment *segment);
size_t model_port_bytes(const struct model_port *port);

/* Adds the object, or takes the place of the one of the same name. 0 or -ENOMEM. */
int model_put_segment(struct model *model, const struct model_segment *segment);
int model_put_port(struct model *model, const struct model_port *port);
void model_del_segment(struct model *model, const char *name); /* absent is no error */
void model_del_port(struct model *model, const char *name);

/* For a port that is not in a model: lets go of what it refers to. */
void model_port_fini(struct model_port *port);

/* Does the port carry the segment, tagged or not? */
bool model_port_is_in(const struct model_port *port, const char *segment);

/* Its MTU as given, else what is usual, unless a tunnel of this host carries less. */
uint16_t model_segment_mtu(const struct model *model, const struct model_segment *segment);

/* The largest of its segments' MTUs: what its card must be able to carry. */
uint16_t model_port_mtu(const struct model *model, const struct model_port *port);

/* Was nothing ever stored in it? Then no id was ever given. */
bool model_is_unused(const struct model *model);

/* An option's text if it is set and differs from the default, else NULL. */
const char *model_option_text(const struct model_port *port, const char *key);
/* The same of a number; `fallback` is the default. */
uint64_t model_option_number(const struct model_port *port, const char *key, uint64_t fallback);

/* Does an option have this value, as a user writes it, by default or by the user's will? */
bool model_option_is(const struct model_port *port, const char *key, const char *word);

/* Name of the network device of a tap port, or of the interface of an uplink. */
const char *model_ifname(const struct model_port *port);

/* Is there the card of a machine behind it? Not behind ports towards other hosts. */
bool model_has_card(const struct model_port *port);

/* Is it an uplink that tunnels end at? */
bool model_is_underlay(const struct model_port *port);

/* The address that a port has unless one is given: the same on every host and at every start. */
void model_derive_mac(const char *cluster, const char *port, uint8_t mac[6]);

/* 1 to 63 of A-Z a-z 0-9 . _ - and first a letter or digit. */
bool model_is_name(const char *name);

/* FNV-1a, for digests and buckets; no defence against those who choose the input. */
uint64_t model_hash(uint64_t seed, const void *data, size_t bytes);
