/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kinds of port and their options, without DPDK: what the lab file, the CLI, the OpenAPI file and
 * the messages know of a kind. Each kind has one file kind_NAME.c here with its table, and one line
 * in port_kinds.c. Values travel typed and bounded (struct dp_option), never as text to be parsed
 * by the dataplane.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/api/dp_msg.h"

enum option_kind {
	OPTION_BOOL,	/* on|off, true|false, yes|no */
	OPTION_NUMBER,	/* unsigned, between min and max */
	OPTION_TEXT,	/* between 1 and max bytes; characters limited by `charset` */
	OPTION_CHOICE,	/* one word of `choices` */
};

/* Who acts on the option. Rows for weftd alone are not sent to the dataplane. */
enum option_user {
	OPTION_FOR_DATAPLANE,
	OPTION_FOR_CONTROL,
};

struct option_def {
	const char *key;
	enum option_kind kind;
	enum option_user user;
	bool live;		/* can change without closing the port */
	const char *unit;	/* "" or "bytes", "s", ... */
	const char *value;	/* default as a user would write it; NULL: none, "" : derived */
	uint64_t min, max;	/* OPTION_NUMBER: value; OPTION_TEXT: bytes */
	const char *choices;	/* OPTION_CHOICE: words parted by '|' */
	const char *help;
};

struct port_kind {
	const char *name;
	const char *help;
	const struct option_def *options;
	size_t n_options;
};

/* All kinds, ended by NULL; and one by name, NULL if there is none. Any thread. */
extern const struct port_kind *const port_kinds[];
const struct port_kind *port_kinds_find(const char *name);

/* Row of a key, or -ENOENT. */
int port_kinds_option(const struct port_kind *kind, const char *key);

/* How many words an OPTION_CHOICE chooses from. */
unsigned int port_kinds_choices(const struct option_def *def);

/*
 * Parses a user's word for row `index` into *value. 0, or -EINVAL with one line in `why` that names
 * the key and says what is allowed. Pure; any thread.
 */
int port_kinds_parse(const struct port_kind *kind, unsigned int index, const char *word,
		     struct dp_option *value, char *why, size_t why_bytes);

/* Writes a value as a user would write it. Returns bytes written without the NUL, or -ENOSPC. */
int port_kinds_format(const struct port_kind *kind, const struct dp_option *value, char *text,
		      size_t text_bytes);

/* Whether going from `from` to `to` needs the port to be closed and opened (a replace). */
bool port_kinds_is_replace(const struct dp_port *from, const struct dp_port *to);
