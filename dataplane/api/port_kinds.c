/* SPDX-License-Identifier: BSD-3-Clause */
/* The port kinds: look up, compare. Pure; any thread. */
#include "dataplane/api/port_kinds.h"

#include <string.h>

#include "dataplane/api/kinds.h"
#include "dataplane/api/port_options.h"

/* clang-format off */
const struct port_kind *const port_kinds[] = {
#define X(kind) &kind,
	PORT_KINDS(X)
#undef X
	NULL,
};
/* clang-format on */

const struct port_kind *port_kinds_find(const char *name)
{
	for (size_t i = 0; port_kinds[i] != NULL; i++) {
		if (strcmp(port_kinds[i]->name, name) == 0)
			return port_kinds[i];
	}
	return NULL;
}

struct option_set port_kinds_options(const struct port_kind *kind)
{
	return (struct option_set){kind->options, kind->n_options, port_options,
				   port_options_count};
}

int port_kinds_option(const struct port_kind *kind, const char *key)
{
	struct option_set set = port_kinds_options(kind);

	return options_find(&set, key);
}

bool port_kinds_is_replace(const struct dp_port *from, const struct dp_port *to)
{
	const struct port_kind *kind = port_kinds_find(to->kind);

	if (kind == NULL || strcmp(from->kind, to->kind) != 0 || strcmp(from->name, to->name) != 0)
		return true;
	struct option_set set = port_kinds_options(kind);

	for (int i = options_next(&set, -1); i >= 0; i = options_next(&set, i)) {
		if (!options_row(&set, (unsigned int)i)->live &&
		    !options_is_same(from->options, from->n_options, to->options, to->n_options,
				     (unsigned int)i))
			return true;
	}
	return false;
}
