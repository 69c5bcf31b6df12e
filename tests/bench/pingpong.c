/* SPDX-License-Identifier: BSD-3-Clause */
/* Hand-over time of a cache line. See pingpong.h. Makes a thread for each CPU and joins it. */
#include "tests/bench/pingpong.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>

#include "tests/bench/words.h"
#include "tests/lib/deadline.h"

#define N_ROUNDS 2000u
#define CHUNK 100u    /* rounds timed together; the best counts: others may use the CPUs too */
#define LIMIT_MS 500u /* a CPU that does not answer is busy, not far */

struct game {
	_Alignas(64) uint32_t ball; /* hand-overs so far; player `parity` moves on its own */
	_Alignas(64) uint64_t deadline_ns;
};

struct player {
	struct game *game;
	int cpu;
	uint32_t parity;
	int err;
	uint64_t best_ns; /* of one chunk */
};

/* Waits for the ball to be at `turn` and passes it on. */
static int hit(struct game *game, uint32_t turn)
{
	uint32_t spins = 0;

	while (__atomic_load_n(&game->ball, __ATOMIC_ACQUIRE) != turn) {
		if ((++spins & 0xfff) == 0 &&
		    deadline_passed(__atomic_load_n(&game->deadline_ns, __ATOMIC_RELAXED)))
			return -ETIMEDOUT;
	}
	__atomic_store_n(&game->ball, turn + 1, __ATOMIC_RELEASE);
	return 0;
}

static void *play(void *arg)
{
	struct player *player = arg;
	uint64_t start_ns = deadline_now_ns();

	player->err = words_pin_thread((unsigned int)player->cpu);
	for (uint32_t i = 0; i < N_ROUNDS && player->err == 0; i++) {
		player->err = hit(player->game, 2 * i + player->parity);
		if ((i + 1) % CHUNK != 0)
			continue;
		uint64_t now_ns = deadline_now_ns();

		if (now_ns - start_ns < player->best_ns)
			player->best_ns = now_ns - start_ns;
		start_ns = now_ns;
	}
	return NULL;
}

double pingpong_ns(int cpu_a, int cpu_b)
{
	struct game game = {.deadline_ns = deadline_in_ms(LIMIT_MS)};
	struct player a = {.game = &game, .cpu = cpu_a, .parity = 0, .best_ns = UINT64_MAX};
	struct player b = {.game = &game, .cpu = cpu_b, .parity = 1, .best_ns = UINT64_MAX};
	pthread_t threads[2];
	int err = pthread_create(&threads[0], NULL, play, &a);

	if (err != 0)
		return -err;
	err = pthread_create(&threads[1], NULL, play, &b);
	if (err == 0)
		pthread_join(threads[1], NULL);
	else
		__atomic_store_n(&game.deadline_ns, 0, __ATOMIC_RELAXED);
	pthread_join(threads[0], NULL);
	if (err != 0 || a.err != 0 || b.err != 0)
		return err != 0 ? -err : a.err != 0 ? a.err : b.err;
	return (double)a.best_ns / (2.0 * CHUNK);
}
