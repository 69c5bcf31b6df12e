/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The model: what the user asked for, as plain data. Objects of several kinds, each kind kept in
 * the order of its names. A model is a value: a change is made on a copy, checked, planned, stored,
 * and then takes the place of the old one. No I/O; one thread.
 *
 * A new kind of object is a struct and a list here, and a row in kinds.c that says how it is read,
 * written and compared: labs, plans, the store and the API know all kinds by that table.
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
#define MODEL_OBJECTS_MAX 16384 /* of a kind: weft-dataplane takes fewer of each */
#define MODEL_POOLS_MAX 256	/* the same */
#define MODEL_LOANS_MAX 256	/* at once */
#define MODEL_LOAN_S_MAX (30 * 86400)

enum model_kind {
	MODEL_SEGMENT,
	MODEL_PORT,
	MODEL_POOL,
	MODEL_CHANNEL,
	MODEL_VM,
	MODEL_LOAN,
	MODEL_KINDS,
};

/* What objects of every kind have. The name comes first: lists are sorted and searched by it. */
#define MODEL_OBJECT_FIELDS                                                                        \
	char name[DP_NAME_BYTES];                                                                  \
	char lab[DP_NAME_BYTES]; /* that made it; "" : none */                                     \
	uint64_t id;		 /* in the dataplane; 0: not numbered yet */                       \
	uint64_t generation;

struct model_object {
	MODEL_OBJECT_FIELDS
};

/* At the head of an object: the same fields, by themselves and as one. */
#define MODEL_OBJECT                                                                               \
	union {                                                                                    \
		struct model_object object;                                                        \
		struct {                                                                           \
			MODEL_OBJECT_FIELDS                                                        \
		};                                                                                 \
	}

struct model_segment {
	MODEL_OBJECT;
	uint32_t vni;
	uint16_t vlan; /* 0: none */
	uint16_t mtu;  /* layer-3 bytes; 0: as the host can, model_segment_mtu() */
	uint32_t age_s;
	char channel[DP_NAME_BYTES]; /* of its ports that have none of their own; "" : none */
	uint16_t n_options;
	struct dp_option options[DP_OPTIONS_MAX]; /* segment_options.h */
};

struct model_port {
	MODEL_OBJECT;
	const struct port_kind *kind;
	char segment[DP_NAME_BYTES]; /* untagged: access, or native of the trunk; "" : none */
	struct trunk *trunk;	     /* NULL: an access port. The port holds a reference */
	char vm[DP_NAME_BYTES];	     /* "" : none */
	char host[DP_NAME_BYTES];    /* "" : the host that was asked */
	char channel[DP_NAME_BYTES]; /* "" : its vm's, or its segments' (channels.h) */
	uint8_t mac[6];
	uint16_t n_options;
	struct dp_option options[DP_OPTIONS_MAX];
};

/* A capacity that channels divide, for each way by itself. */
struct model_pool {
	MODEL_OBJECT;
	uint64_t capacity_bps[DP_WAYS];
	bool is_overcommit;	    /* more may be assured than there is */
	bool is_derived;	    /* the capacity is the speed of the uplink (speeds.h) */
	char uplink[DP_NAME_BYTES]; /* that it stands for; "" : none */
};

/* One way of a channel as the user wrote it; what is 0 is derived (channels.h). */
struct model_channel_way {
	uint64_t rate_bps; /* assured */
	uint64_t ceil_bps;
	uint64_t burst_bytes;
	uint32_t weight; /* never 0 */
	uint32_t latency_us;
	uint32_t frames_per_s;
};

struct model_channel {
	MODEL_OBJECT;
	char pool[DP_NAME_BYTES]; /* "" : none */
	enum dp_account account;
	struct model_channel_way ways[DP_WAYS];
};

/* A machine, for what its ports have in common. A port may name one that is not here. */
struct model_vm {
	MODEL_OBJECT;
	char channel[DP_NAME_BYTES]; /* that its ports share; "" : none */
};

/* For a time, so much less is assured to one channel and so much more to another. Passes, so it is
 * no part of labs and revisions (config.h). */
struct model_loan {
	MODEL_OBJECT;
	char from[DP_NAME_BYTES], to[DP_NAME_BYTES];
	uint64_t rate_bps;
	uint32_t ways;	  /* bits: 1 << enum dp_way */
	int64_t end_ms;	  /* since 1970, UTC */
	uint64_t span_ms; /* what it was made for: never is more left of it */
	uint64_t end_ns;  /* of loop_clock_ns(), while weftd runs (loans.h). Not stored */
};

/* Room for an object of any kind. */
union model_any {
	struct model_object object;
	struct model_segment segment;
	struct model_port port;
	struct model_pool pool;
	struct model_channel channel;
	struct model_vm vm;
	struct model_loan loan;
};

struct model_list {
	struct model_object **items;
	size_t n, max; /* max: room in the array */
};

/* The list of a kind, by its own name and type. */
#define MODEL_LIST(kind)                                                                           \
	struct model_##kind **kind##s;                                                             \
	size_t n_##kind##s, max_##kind##s;

struct model {
	uint64_t next_id;    /* ids are given once, to objects of all kinds alike */
	uint16_t tunnel_mtu; /* what tunnels of this host can carry; 0: it has none. Not stored */
	union {
		struct model_list lists[MODEL_KINDS];
		struct {
			MODEL_LIST(segment)
			MODEL_LIST(port)
			MODEL_LIST(pool)
			MODEL_LIST(channel)
			MODEL_LIST(vm)
			MODEL_LIST(loan)
		};
	};
};

int model_create(struct model **model);
int model_copy(const struct model *model, struct model **copy);
void model_destroy(struct model *model); /* NULL is legal */

/* NULL if there is none of that name. Valid until the object is put again or deleted. */
struct model_object *model_find(const struct model *model, enum model_kind kind, const char *name);

/* Its place in the list of its kind; false: there is none of that name. */
bool model_place(const struct model *model, enum model_kind kind, const char *name, size_t *place);

/* The object, by kind. */
#define MODEL_FIND(kind, KIND)                                                                     \
	static inline struct model_##kind *model_##kind(const struct model *model,                 \
							const char *name)                          \
	{                                                                                          \
		return (struct model_##kind *)model_find(model, KIND, name);                       \
	}
MODEL_FIND(segment, MODEL_SEGMENT)
MODEL_FIND(port, MODEL_PORT)
MODEL_FIND(pool, MODEL_POOL)
MODEL_FIND(channel, MODEL_CHANNEL)
MODEL_FIND(vm, MODEL_VM)
MODEL_FIND(loan, MODEL_LOAN)

/* In a model an object has no room for more options than it has: what of it may be copied. */
size_t model_bytes(enum model_kind kind, const struct model_object *object);

/* Adds the object, or takes the place of the one of the same name. 0 or -ENOMEM. */
int model_put(struct model *model, enum model_kind kind, const struct model_object *object);
void model_del(struct model *model, enum model_kind kind, const char *name); /* absent: no error */

/* For an object that is not in a model: lets go of what it refers to. */
void model_fini(enum model_kind kind, struct model_object *object);

/* Does the port carry the segment, tagged or not? */
bool model_port_is_in(const struct model_port *port, const char *segment);

/* Its MTU as given, else what is usual, unless a tunnel of this host carries less. */
uint16_t model_segment_mtu(const struct model *model, const struct model_segment *segment);

/* The largest of all segments' MTUs; without one, the usual. */
uint16_t model_largest_mtu(const struct model *model);

/* The largest of its segments' MTUs: what its card must be able to carry. */
uint16_t model_port_mtu(const struct model *model, const struct model_port *port);

/* What is left of a loan at a time of loop_clock_ns(), rounded up; 0: it is over. */
uint64_t model_loan_left_ms(const struct model_loan *loan, uint64_t now_ns);

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
