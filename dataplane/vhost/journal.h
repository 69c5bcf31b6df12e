/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The file in which the packed rings of one port remember where they stand (ring_journal.h), one
 * page each, at RUN-DIR/vhost/NAME.rings. It is mapped when the first packed ring starts, survives
 * us however we end, and goes when no ring needs it any more. See docs/adr/0010-packed-journal.md.
 * Main thread; the pages are the rings'.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "dataplane/vhost/ring_journal.h"

struct journal {
	char path[PATH_MAX];
	unsigned int n_rings;
	uint8_t *pages; /* NULL: no packed ring has started yet */
};

/* Only notes what is wanted. run_dir and port make the path. */
void journal_init(struct journal *journal, const char *run_dir, const char *port,
		  unsigned int n_rings);
/* The page of a ring, zeros if it is new. It stays until journal_fini(). 0 or -errno. */
int journal_open_ring(struct journal *journal, unsigned int index, struct ring_journal **out);
/* The front-end knows where the ring stands: nothing has to be remembered. */
void journal_forget(struct journal *journal, unsigned int index);
/* Unmaps; removes the file if every ring was forgotten. No ring runs any more. */
void journal_fini(struct journal *journal);
