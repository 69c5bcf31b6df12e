/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The SIGBUS handler and the registry it reads. The handler runs on any thread that touches guest
 * memory, so it only does what a signal handler may: atomics, mmap(), sigaction(), raise().
 */
#include "dataplane/vhost/fault.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "dataplane/vhost/memory.h"

/* The one variable that no object owns: a signal handler is called with an address and nothing
 * else, and several dataplanes may live in one process. Per thread, set by the thread itself. */
static _Thread_local struct fault_registry *thread_registry;

/* The whole region is replaced: a huge page can only be replaced whole, and pages that are still
 * there are no use beside others that are not. */
static bool contain_in(struct guest_memory *memory, uintptr_t address)
{
	for (unsigned i = 0; i < memory->n_regions; i++) {
		const struct guest_mapping *mapping = &memory->mappings[i];

		if (address - (uintptr_t)mapping->start >= mapping->bytes)
			continue;
		if (mmap(mapping->start, mapping->bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
			 0) == MAP_FAILED)
			return false;
		atomic_store_explicit(&memory->faulted, true, memory_order_release);
		return true;
	}
	return false;
}

/* n_handlers keeps fault_unregister() from returning, and its caller from freeing a memory, while
 * that is looked at here for the sake of another one's fault. */
static bool contain(struct fault_registry *registry, uintptr_t address)
{
	bool is_contained = false;

	atomic_fetch_add(&registry->n_handlers, 1);
	for (unsigned i = 0; i < FAULT_MAX_MEMORIES && !is_contained; i++) {
		struct guest_memory *memory = atomic_load(&registry->memories[i]);

		if (memory != NULL)
			is_contained = contain_in(memory, address);
	}
	atomic_fetch_sub(&registry->n_handlers, 1);
	return is_contained;
}

static void on_sigbus(int signal, siginfo_t *info, void *context)
{
	struct sigaction default_action = {.sa_handler = SIG_DFL};
	bool is_fault = info->si_code > 0;	/* not sent by a process */
	int saved_errno = errno;

	if (!is_fault || thread_registry == NULL ||
	    !contain(thread_registry, (uintptr_t)info->si_addr)) {
		sigaction(signal, &default_action, NULL);
		if (!is_fault)	/* a fault comes back by itself, with its address */
			raise(signal);
	}
	errno = saved_errno;
}

int fault_install(void)
{
	struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};

	action.sa_sigaction = on_sigbus;
	sigemptyset(&action.sa_mask);
	return sigaction(SIGBUS, &action, NULL) < 0 ? -errno : 0;
}

void fault_enter(struct fault_registry *registry)
{
	thread_registry = registry;
}

int fault_register(struct fault_registry *registry, struct guest_memory *memory)
{
	for (unsigned i = 0; i < FAULT_MAX_MEMORIES; i++) {
		if (atomic_load(&registry->memories[i]) == NULL) {
			atomic_store(&registry->memories[i], memory);
			return 0;
		}
	}
	return -ENOSPC;
}

void fault_unregister(struct fault_registry *registry, struct guest_memory *memory)
{
	for (unsigned i = 0; i < FAULT_MAX_MEMORIES; i++) {
		if (atomic_load(&registry->memories[i]) == memory)
			atomic_store(&registry->memories[i], NULL);
	}
	while (atomic_load(&registry->n_handlers) != 0)
		sched_yield();
}
