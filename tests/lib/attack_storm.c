/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Attacks by persistence: kicks and connections without end, a receive ring that is never filled, a
 * call descriptor on which the caller shall wait for ever. See attack.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/lib/attack.h"
#include "tests/lib/deadline.h"

#define STORM_MS 300u
#define STEP_MS 1000u
#define N_CALLS 16u

static int storm_kicks(struct attack_scene *scene, uint64_t detail)
{
	uint64_t deadline_ns = deadline_in_ms(STORM_MS);

	while (!deadline_passed(deadline_ns)) {
		frontend_kick(&scene->attacker->tx[0]);
		frontend_kick(&scene->attacker->rx[0]);
	}
	return 0;
}

/* Attaches whole, rings and all, and hangs up: again and again. */
static int storm_attach(struct attack_scene *scene, uint64_t detail)
{
	int err = 0;

	for (uint64_t i = 0; i < detail && err == 0; i++)
		err = frontend_reconnect(scene->attacker);
	return err;
}

/* Knocks at an occupied door. */
static int storm_connect(struct attack_scene *scene, uint64_t detail)
{
	for (uint64_t i = 0; i < detail; i++) {
		int fd = handshake_connect(scene->attacker->config.path, deadline_in_ms(100));

		if (fd >= 0)
			close(fd);
	}
	return 0;
}

/* A second front-end with manners: it waits for an answer, and must not get one. */
static int negotiate_second(struct attack_scene *scene, uint64_t detail)
{
	struct handshake second = {.step_ms = STEP_MS};

	second.fd = handshake_connect(scene->attacker->config.path, deadline_in_ms(STEP_MS));
	if (second.fd < 0)
		return second.fd;
	int err = handshake_negotiate(&second, FRONTEND_ALL, 0);

	close(second.fd);
	return err == 0 ? -EISCONN : 0;
}

/* No buffer, however much comes. */
static int starve(struct attack_scene *scene, uint64_t detail)
{
	for (uint64_t i = 0; i < detail; i++) {
		if (attack_broadcast(scene->peer) < 0)
			frontend_flush(scene->peer, 0, STEP_MS);
	}
	return 0;
}

/* The descriptor is full, and once the back-end has it, it is made blocking: the flag belongs to
 * both sides. */
static int block_calls(struct attack_scene *scene, uint64_t detail)
{
	struct frontend *f = scene->attacker;
	struct frontend_queue *queue = scene->receives ? &f->rx[0] : &f->tx[0];
	struct vhu_message message = {
		.header = {.request = VHU_SET_VRING_CALL, .bytes = sizeof(uint64_t)},
		.payload.number = queue->index,
	};
	uint64_t nearly = UINT64_MAX - 1;
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0 || write(fd, &nearly, sizeof(nearly)) < 0)
		return -errno;
	int err = handshake_request(&f->handshake, &message, &fd, 1);

	if (err == 0 && fcntl(fd, F_SETFL, 0) < 0)
		err = -errno;
	close(fd);
	if (scene->receives)
		frontend_post(f, 0, queue->ring.size / 2);
	split_ring_want_call(&queue->ring, true);
	for (unsigned int i = 0; i < N_CALLS && err == 0; i++) {
		err = attack_broadcast(scene->receives ? scene->peer : f);
		split_ring_want_call(&queue->ring, true);
		/* One by one: each is a call of its own. */
		poll(NULL, 0, 1);
	}
	return err;
}

const struct attack attack_storm_rows[] = {
	{.name = "storm-kicks",
	 .what = "kicks without frames, as fast as they go",
	 .ends = ATTACK_HARMLESS,
	 .run = storm_kicks},
	{.name = "storm-attach",
	 .what = "attaches and hangs up 100 times",
	 .ends = ATTACK_HARMLESS,
	 .run = storm_attach,
	 .detail = 100},
	{.name = "storm-connect",
	 .what = "100 connections to an occupied socket",
	 .ends = ATTACK_HARMLESS,
	 .run = storm_connect,
	 .detail = 100},
	{.name = "second-front-end",
	 .what = "a second front-end negotiates",
	 .ends = ATTACK_HARMLESS,
	 .run = negotiate_second},
	{.name = "rx-never",
	 .what = "no receive buffer for 2,000 frames",
	 .ends = ATTACK_HARMLESS,
	 .receives = true,
	 .run = starve,
	 .detail = 2000},
	{.name = "call-blocks-tx",
	 .what = "a full call descriptor that is made blocking",
	 .ends = ATTACK_STOPPED,
	 .shuts_out = true,
	 .run = block_calls},
	{.name = "call-blocks-rx",
	 .what = "the same for the receive ring",
	 .ends = ATTACK_STOPPED,
	 .shuts_out = true,
	 .receives = true,
	 .run = block_calls},
	{.name = NULL},
};
