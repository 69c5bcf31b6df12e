/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/vhost/fault.c. Every fault happens in a child: a handler that fails kills. */
#include "dataplane/vhost/fault.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataplane/vhost/memory.h"
#include "tests/unit/dataplane/vhost/vhost_rig.h"

#define PAGE 4096
#define MIB (UINT64_C(1) << 20)

enum { SURVIVED = 0, WRONG = 1 };

struct rig {
	struct fault_registry *registry;
	struct guest_memory *memory, *other;
	int fd, other_fd;
};

static struct guest_memory *map(int fd, uint64_t bytes)
{
	struct vhost_memory_table table = {
		.n_regions = 2,
		.regions = {{.gpa = 0, .bytes = bytes / 2, .uva = 0, .offset = 0},
			    {.gpa = bytes, .bytes = bytes / 2, .uva = bytes, .offset = bytes / 2}},
	};
	int fds[] = {fd, fd};
	struct guest_memory *memory = NULL;
	const char *why = "";

	if (memory_create(&memory, &table, fds, MEMORY_MAX_BYTES, &why) < 0)
		fail_msg("%s", why);
	return memory;
}

static int set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	rig->registry = calloc(1, sizeof(*rig->registry));
	rig->fd = vhost_rig_memfd(4 * PAGE);
	rig->other_fd = vhost_rig_memfd(4 * PAGE);
	rig->memory = map(rig->fd, 4 * PAGE);
	rig->other = map(rig->other_fd, 4 * PAGE);
	assert_int_equal(fault_register(rig->registry, rig->other), 0);
	assert_int_equal(fault_register(rig->registry, rig->memory), 0);
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	fault_unregister(rig->registry, rig->memory);
	fault_unregister(rig->registry, rig->other);
	memory_destroy(rig->memory);
	memory_destroy(rig->other);
	close(rig->fd);
	close(rig->other_fd);
	free(rig->registry);
	free(rig);
	return 0;
}

static bool has_faulted(struct guest_memory *memory)
{
	return atomic_load(&memory->faulted);
}

/* What every child does first. */
static void guard(struct rig *rig)
{
	if (fault_install() < 0)
		_exit(WRONG);
	fault_enter(rig->registry);
}

static bool is_killed_by_bus(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS;
}

static int read_after_shrink(void *arg)
{
	struct rig *rig = arg;
	volatile char *high = (volatile char *)rig->memory->regions[1].host;
	volatile char *low = (volatile char *)rig->memory->regions[0].host;

	guard(rig);
	low[0] = 'l';
	high[0] = 'h';
	*rig->other->regions[0].host = 'o';
	if (has_faulted(rig->memory) || ftruncate(rig->fd, 2 * PAGE) < 0)
		return WRONG;
	if (high[PAGE] != 0 || !has_faulted(rig->memory))
		return WRONG;
	/* The whole region is zeros, and can be written; the first one is still the file. */
	high[1] = 'x';
	if (high[0] != 0 || high[1] != 'x' || low[0] != 'l')
		return WRONG;
	return has_faulted(rig->other) || *rig->other->regions[0].host != 'o' ? WRONG : SURVIVED;
}

static void a_shrunk_file_reads_as_zeros_and_is_flagged(void **state)
{
	assert_int_equal(vhost_rig_in_child(read_after_shrink, *state), SURVIVED);
}

static int copy_after_shrink(void *arg)
{
	struct rig *rig = arg;
	char buffer[PAGE];

	guard(rig);
	if (ftruncate(rig->fd, 0) < 0)
		return WRONG;
	memset(rig->memory->regions[0].host, 1, PAGE);
	memcpy(buffer, rig->memory->regions[1].host, PAGE);
	return has_faulted(rig->memory) ? SURVIVED : WRONG;
}

static void writes_and_copies_survive_too(void **state)
{
	assert_int_equal(vhost_rig_in_child(copy_after_shrink, *state), SURVIVED);
}

static void *worker(void *arg)
{
	struct rig *rig = arg;

	fault_enter(rig->registry);
	for (unsigned i = 0; i < 2; i++)
		memset(rig->memory->regions[i].host, 1, 2 * PAGE);
	fault_enter(NULL);
	return NULL;
}

static int fault_on_threads(void *arg)
{
	struct rig *rig = arg;
	pthread_t threads[4];

	if (fault_install() < 0 || ftruncate(rig->fd, 0) < 0)
		return WRONG;
	for (unsigned i = 0; i < 4; i++) {
		if (pthread_create(&threads[i], NULL, worker, rig) != 0)
			return WRONG;
	}
	for (unsigned i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	return has_faulted(rig->memory) ? SURVIVED : WRONG;
}

static void threads_that_fault_together_all_survive(void **state)
{
	assert_int_equal(vhost_rig_in_child(fault_on_threads, *state), SURVIVED);
}

static int fault_in_huge_page(void *arg)
{
	struct rig *rig = arg;
	int fd = vhost_rig_huge_memfd(4 * MIB);
	struct guest_memory *memory = map(fd, 4 * MIB);

	guard(rig);
	if (fault_register(rig->registry, memory) < 0)
		return WRONG;
	memset(memory->regions[1].host, 1, MIB);
	if (ftruncate(fd, 0) < 0)
		return WRONG;
	return *memory->regions[1].host == 0 && has_faulted(memory) ? SURVIVED : WRONG;
}

static void huge_pages_are_contained_too(void **state)
{
	int fd = vhost_rig_huge_memfd(4 * MIB);

	if (fd < 0)
		skip();
	close(fd);
	assert_int_equal(vhost_rig_in_child(fault_in_huge_page, *state), SURVIVED);
}

static int system_call_after_shrink(void *arg)
{
	struct rig *rig = arg;
	struct iovec iov = {.iov_base = rig->memory->regions[0].host, .iov_len = 10};
	int pipes[2];

	guard(rig);
	if (pipe(pipes) < 0 || ftruncate(rig->fd, 0) < 0)
		return WRONG;
	return writev(pipes[1], &iov, 1) == -1 && errno == EFAULT ? SURVIVED : WRONG;
}

static void a_system_call_fails_instead_of_faulting(void **state)
{
	assert_int_equal(vhost_rig_in_child(system_call_after_shrink, *state), SURVIVED);
}

static int fault_elsewhere(void *arg)
{
	int fd = vhost_rig_memfd(PAGE);
	volatile char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	guard(arg);
	if (ftruncate(fd, 0) < 0)
		return WRONG;
	return page[0];
}

static void a_fault_outside_guest_memory_kills(void **state)
{
	assert_true(is_killed_by_bus(vhost_rig_in_child(fault_elsewhere, *state)));
}

static int fault_unregistered(void *arg)
{
	struct rig *rig = arg;

	guard(rig);
	fault_unregister(rig->registry, rig->memory);
	if (ftruncate(rig->fd, 0) < 0)
		return WRONG;
	return *(volatile char *)rig->memory->regions[0].host;
}

static void a_fault_in_memory_that_was_unregistered_kills(void **state)
{
	assert_true(is_killed_by_bus(vhost_rig_in_child(fault_unregistered, *state)));
}

static int fault_without_registry(void *arg)
{
	struct rig *rig = arg;

	guard(rig);
	fault_enter(NULL);
	if (ftruncate(rig->fd, 0) < 0)
		return WRONG;
	return *(volatile char *)rig->memory->regions[0].host;
}

static void a_fault_of_a_thread_that_did_not_enter_kills(void **state)
{
	assert_true(is_killed_by_bus(vhost_rig_in_child(fault_without_registry, *state)));
}

static int send_signal(void *arg)
{
	guard(arg);
	kill(getpid(), SIGBUS);
	return WRONG;
}

static void a_signal_that_a_process_sends_kills(void **state)
{
	assert_true(is_killed_by_bus(vhost_rig_in_child(send_signal, *state)));
}

static int install_twice(void *arg)
{
	return fault_install() == 0 ? read_after_shrink(arg) : WRONG;
}

static void installing_again_changes_nothing(void **state)
{
	assert_int_equal(vhost_rig_in_child(install_twice, *state), SURVIVED);
}

static void a_full_registry_refuses_and_has_room_again(void **state)
{
	struct rig *rig = *state;
	struct guest_memory *many = calloc(FAULT_MAX_MEMORIES, sizeof(*many));

	for (unsigned i = 0; i < FAULT_MAX_MEMORIES - 2; i++)
		assert_int_equal(fault_register(rig->registry, &many[i]), 0);
	assert_int_equal(fault_register(rig->registry, &many[FAULT_MAX_MEMORIES - 1]), -ENOSPC);
	fault_unregister(rig->registry, &many[7]);
	assert_int_equal(fault_register(rig->registry, &many[FAULT_MAX_MEMORIES - 1]), 0);
	free(many);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_shrunk_file_reads_as_zeros_and_is_flagged),
		TEST(writes_and_copies_survive_too),
		TEST(threads_that_fault_together_all_survive),
		TEST(huge_pages_are_contained_too),
		TEST(a_system_call_fails_instead_of_faulting),
		TEST(a_fault_outside_guest_memory_kills),
		TEST(a_fault_in_memory_that_was_unregistered_kills),
		TEST(a_fault_of_a_thread_that_did_not_enter_kills),
		TEST(a_signal_that_a_process_sends_kills),
		TEST(installing_again_changes_nothing),
		TEST(a_full_registry_refuses_and_has_room_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
