/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a hostile guest or a front-end that was taken over can do, as rows of a table: each has a
 * name, what it does, and how it may end. A system test runs every row against a port of a live
 * switch, and checks in between that the other ports forward and that nothing leaks.
 *
 * Rows are in attack_message.c (what is said on the socket), attack_ring.c and attack_packed.c
 * (what stands in the rings), attack_log.c (live migration), attack_race.c (what changes while it
 * is read) and attack_storm.c (what never ends). One thread at a time per port.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/lib/frontend.h"

enum attack_end {
	ATTACK_HARMLESS = 1,	/* the port goes on: frames pass */
	ATTACK_QUARANTINED = 2, /* connected, but the ring stands still */
	ATTACK_DISCONNECTED = 4,
};

#define ATTACK_STOPPED (ATTACK_QUARANTINED | ATTACK_DISCONNECTED)
#define ATTACK_ANY (ATTACK_HARMLESS | ATTACK_STOPPED)

struct attack_scene {
	struct frontend *attacker;
	struct frontend *peer; /* honest, in the same segment; broadcasts when `receives` */
	bool receives;
};

struct attack {
	const char *name;
	const char *what;
	unsigned int ends;	   /* enum attack_end: those that are right */
	enum frontend_stage stage; /* how far the attacker behaves */
	bool receives;		   /* on the receive ring: needs the peer's frames */
	bool packed;		   /* on packed rings */
	bool unsealed;		   /* memory without seals */
	bool shuts_out;		   /* afterwards the port refuses front-ends for some seconds */
	bool memory_gone;	   /* afterwards the rings must not be touched here either */
	uint64_t detail;	   /* what rows with the same function differ in */
	int (*run)(struct attack_scene *scene, uint64_t detail); /* 0 or -errno: not done */
};

/* Ended by a row without a name. */
extern const struct attack attack_message_rows[];
extern const struct attack attack_ring_rows[];
extern const struct attack attack_packed_rows[];
extern const struct attack attack_log_rows[];
extern const struct attack attack_race_rows[];
extern const struct attack attack_storm_rows[];

/* Row i of all of them, NULL behind the last; one by name, or NULL. */
const struct attack *attack_row(size_t i);
const struct attack *attack_find(const char *name);

/* "harmless", "quarantined|disconnected", ... */
const char *attack_ends_name(unsigned int ends);

/*
 * Attacks the port at `path` and says how it ended in *seen. peer may be NULL: then -ENOTSUP for
 * rows that need it. 0: it was carried out, whatever the end; -errno: it could not, why says why
 * (FRONTEND_WHY_BYTES). -EPROTO: the switch wrote something into the rings that it must not.
 */
int attack_run(const struct attack *attack, const char *path, struct frontend *peer,
	       unsigned int *seen, char *why);

/* For rows: one broadcast from the peer, -EAGAIN without room. */
int attack_broadcast(struct frontend *from);
