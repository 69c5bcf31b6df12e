/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kinds of port and their options, without DPDK: what the lab file, the CLI, the OpenAPI file and
 * the messages know of a kind. Each kind has one file kind_NAME.c here with its table, and one line
 * in kinds.h; rows that every kind has are in port_options.c.
 */
#pragma once

#include "dataplane/api/options.h"

#define PORT_QUEUES_MAX 16	/* of a port, each way: as many as a message has descriptors */

/* How a port of the kind says which segments it carries. */
enum port_place {
	PORT_PLACE_VLAN,	/* one untagged, or several by VLAN tag */
	PORT_PLACE_VNI,		/* a set of segments, each by its VNI; without a member: all */
};

struct port_kind {
	const char *name;
	const char *help;
	enum port_place place;
	bool is_trusted;	/* brings what other hosts and switches have let pass: guards and
				 * storm limits are off by default */
	const struct option_def *options;
	size_t n_options;
};

/* All kinds, ended by NULL; and one by name, NULL if there is none. Any thread, as all here. */
extern const struct port_kind *const port_kinds[];
const struct port_kind *port_kinds_find(const char *name);

/* The kind's own rows and the common ones. */
struct option_set port_kinds_options(const struct port_kind *kind);

/* Index of a key in port_kinds_options(), or -ENOENT. */
int port_kinds_option(const struct port_kind *kind, const char *key);

/* Whether going from `from` to `to` needs the port to be closed and opened (a replace). */
bool port_kinds_is_replace(const struct dp_port *from, const struct dp_port *to);
