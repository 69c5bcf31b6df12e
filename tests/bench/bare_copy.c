/* SPDX-License-Identifier: BSD-3-Clause */
/* See bare_copy.h. Makes a thread for each CPU and joins it. */
#include "tests/bench/bare_copy.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/words.h"
#include "tests/lib/deadline.h"

#define FRAME_BYTES 1536u
#define N_FRAMES 256u
#define LINE_BYTES 64u
#define N_LAPS 60u
#define N_COLD 2u /* laps before the time is taken: pages come with the first touch */
#define LIMIT_MS 1000u

struct bare_copy {
	_Alignas(LINE_BYTES) uint32_t turn; /* laps written and copied so far, added */
	_Alignas(LINE_BYTES) unsigned char *from;
	unsigned char *to;
	uint64_t deadline_ns;
	uint64_t copy_ns;
};

struct hand {
	struct bare_copy *loop;
	unsigned int cpu;
	bool copies;
	int err;
};

static int wait_for(const struct bare_copy *loop, uint32_t turn)
{
	for (uint32_t spins = 1; __atomic_load_n(&loop->turn, __ATOMIC_ACQUIRE) != turn; spins++) {
		if (spins % 4096 == 0 && deadline_passed(loop->deadline_ns))
			return -ETIMEDOUT;
	}
	return 0;
}

static void write_lap(const struct bare_copy *loop, uint32_t lap)
{
	for (size_t at = 0; at < (size_t)N_FRAMES * FRAME_BYTES; at += LINE_BYTES)
		memcpy(loop->from + at, &lap, sizeof(lap));
}

static void copy_lap(struct bare_copy *loop, uint32_t lap)
{
	uint64_t start_ns = deadline_now_ns();

	for (size_t i = 0; i < N_FRAMES; i++)
		memcpy(loop->to + i * FRAME_BYTES, loop->from + i * FRAME_BYTES, FRAME_BYTES);
	if (lap >= N_COLD)
		loop->copy_ns += deadline_now_ns() - start_ns;
}

static void *work(void *arg)
{
	struct hand *hand = arg;
	struct bare_copy *loop = hand->loop;

	hand->err = words_pin_thread(hand->cpu);
	for (uint32_t lap = 0; lap < N_LAPS && hand->err == 0; lap++) {
		uint32_t turn = 2 * lap + hand->copies;

		hand->err = wait_for(loop, turn);
		if (hand->err < 0)
			break;
		if (hand->copies)
			copy_lap(loop, lap);
		else
			write_lap(loop, lap);
		__atomic_store_n(&loop->turn, turn + 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

static int run(struct bare_copy *loop, unsigned int from_cpu, unsigned int to_cpu)
{
	struct hand writer = {.loop = loop, .cpu = from_cpu};
	struct hand copier = {.loop = loop, .cpu = to_cpu, .copies = true};
	pthread_t threads[2];
	int err = -pthread_create(&threads[0], NULL, work, &writer);

	if (err < 0)
		return err;
	err = -pthread_create(&threads[1], NULL, work, &copier);
	if (err == 0)
		pthread_join(threads[1], NULL);
	pthread_join(threads[0], NULL);
	return err < 0 ? err : writer.err < 0 ? writer.err : copier.err;
}

static double one_way_ns(unsigned int from_cpu, unsigned int to_cpu)
{
	struct bare_copy loop = {.deadline_ns = deadline_in_ms(LIMIT_MS)};
	size_t bytes = (size_t)N_FRAMES * FRAME_BYTES;
	int err;

	loop.from = aligned_alloc(4096, bytes);
	loop.to = aligned_alloc(4096, bytes);
	err = loop.from == NULL || loop.to == NULL ? -ENOMEM : run(&loop, from_cpu, to_cpu);
	free(loop.from);
	free(loop.to);
	return err < 0 ? err : (double)loop.copy_ns / ((N_LAPS - N_COLD) * (double)N_FRAMES);
}

double bare_copy_ns(unsigned int cpu_a, unsigned int cpu_b)
{
	double there_ns = one_way_ns(cpu_a, cpu_b);
	double back_ns = there_ns < 0 ? there_ns : one_way_ns(cpu_b, cpu_a);

	if (back_ns < 0)
		return back_ns;
	return there_ns > back_ns ? there_ns : back_ns;
}
