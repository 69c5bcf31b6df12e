/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SIGBUS contained. A front-end that shrinks its shared file makes our next access fault, on main
 * or on a worker, in the middle of a copy. The handler finds the memory, puts zero pages over the
 * whole region, flags the memory and returns: the access is repeated and sees zeros. Whoever looks
 * at guest_memory.faulted next closes the port. Any other SIGBUS kills the process as it should.
 * A system call that is handed such memory (writev to a tap) is not signalled: it returns EFAULT.
 *
 * QEMU's memfd back-end seals its file against shrinking, DPDK's virtio-user does not: a missing
 * seal is no reason to refuse a front-end, so faults have to be survived.
 */
#pragma once

#include <stdatomic.h>

struct guest_memory;

#define FAULT_MAX_MEMORIES 4096 /* front-ends connected at the same time */

/* One for each dataplane, zeroed at first. Main writes, the handler reads on any thread. */
struct fault_registry {
	_Atomic(struct guest_memory *) memories[FAULT_MAX_MEMORIES];
	atomic_uint n_handlers;		/* handlers that look at memories[] now */
};

/* Takes over SIGBUS for the process; again and again is legal. 0 or -errno. */
int fault_install(void);

/* From now on faults of the calling thread are looked up in `registry`: main and every worker call
 * this before they touch guest memory. NULL ends it: do so before the registry goes away. */
void fault_enter(struct fault_registry *registry);

/* Before the first access, and after the last one by any thread. Register: 0 or -ENOSPC. */
int fault_register(struct fault_registry *registry, struct guest_memory *memory);
void fault_unregister(struct fault_registry *registry, struct guest_memory *memory);
