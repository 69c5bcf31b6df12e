/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs attacks and sees how they end. See attack.h. One thread at a time per port. */
#include "tests/lib/attack.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/deadline.h"
#include "tests/lib/frontend_ring.h"
#include "tests/lib/mark.h"

#define CLOSE_MS 3000u	  /* a back-end that gives 1 s to half a message closes within this */
#define STAY_OPEN_MS 200u /* where closing is wrong, or the ring tells sooner */
#define PROBE_MS 1000u	  /* a ring that runs moves a frame within this */
#define N_BROADCASTS 8u
#define ATTACKER_SEGMENT 0xbad0

static const struct attack *const groups[] = {
	attack_message_rows, attack_ring_rows, attack_packed_rows,
	attack_log_rows,     attack_race_rows, attack_storm_rows,
};

const struct attack *attack_row(size_t i)
{
	for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
		for (const struct attack *row = groups[g]; row->name != NULL; row++) {
			if (i-- == 0)
				return row;
		}
	}
	return NULL;
}

const struct attack *attack_find(const char *name)
{
	const struct attack *row = attack_row(0);

	for (size_t i = 1; row != NULL && strcmp(row->name, name) != 0; i++)
		row = attack_row(i);
	return row;
}

const char *attack_ends_name(unsigned int ends)
{
	static const char *const names[ATTACK_ANY + 1] = {
		"none",
		"harmless",
		"quarantined",
		"harmless|quarantined",
		"disconnected",
		"harmless|disconnected",
		"quarantined|disconnected",
		"any",
	};

	return names[ends & ATTACK_ANY];
}

int attack_broadcast(struct frontend *from)
{
	static const uint8_t nobody[6];
	struct mark mark = {.segment = ATTACKER_SEGMENT, .kind = MARK_BROADCAST};
	struct frontend_frame frame = {0};
	unsigned char bytes[MARK_FRAME_MAX];

	frame.bytes = bytes;
	frame.n_bytes = mark_build(&mark, nobody, bytes, &frame.header);
	return frontend_send(from, 0, &frame);
}

/* Whether a connection without rings still talks. */
static unsigned int see_talk(struct frontend *f)
{
	struct vhu_message message = {.header = {.request = VHU_GET_FEATURES}};

	f->handshake.step_ms = PROBE_MS;
	int err = handshake_request(&f->handshake, &message, NULL, 0);

	if (err == -ECONNRESET)
		return ATTACK_DISCONNECTED;
	return err == 0 ? ATTACK_HARMLESS : ATTACK_QUARANTINED;
}

/* Whether the transmit ring is emptied, of the attack and of an honest frame behind it. */
static int see_transmit(struct frontend *f, unsigned int *seen)
{
	int err = attack_broadcast(f);

	/* A full ring is no answer yet: the attack may lie in it. */
	if (err == 0 || err == -EAGAIN)
		err = frontend_flush(f, 0, PROBE_MS);
	if (err == -ECONNRESET)
		*seen = ATTACK_DISCONNECTED;
	else
		*seen = err == 0 ? ATTACK_HARMLESS : ATTACK_QUARANTINED;
	return err == -EPROTO ? err : 0;
}

/* Whether the peer's broadcasts arrive in honest buffers behind those of the attack. */
static int see_receive(struct frontend *f, struct frontend *peer, unsigned int *seen)
{
	uint64_t deadline_ns = deadline_in_ms(PROBE_MS);
	struct frontend_received received;
	int err = -ETIMEDOUT;

	frontend_post(f, 0, frontend_ring_size(&f->rx[0]) / 2);
	while (err == -ETIMEDOUT && !deadline_passed(deadline_ns)) {
		attack_broadcast(peer);
		err = frontend_receive(f, 0, 10, &received);
	}
	if (err == -ECONNRESET)
		*seen = ATTACK_DISCONNECTED;
	else
		*seen = err == -ETIMEDOUT ? ATTACK_QUARANTINED : ATTACK_HARMLESS;
	return 0;
}

static int see_end(const struct attack *attack, struct attack_scene *scene, unsigned int *seen)
{
	bool must_close = attack->ends == ATTACK_DISCONNECTED || attack->memory_gone;

	*seen = ATTACK_DISCONNECTED;
	if (frontend_wait_closed(scene->attacker, must_close ? CLOSE_MS : STAY_OPEN_MS) == 0)
		return 0;
	*seen = ATTACK_QUARANTINED;
	if (attack->memory_gone)
		return 0;
	if (attack->stage != FRONTEND_RUNNING) {
		*seen = see_talk(scene->attacker);
		return 0;
	}
	if (attack->receives)
		return see_receive(scene->attacker, scene->peer, seen);
	return see_transmit(scene->attacker, seen);
}

int attack_run(const struct attack *attack, const char *path, struct frontend *peer,
	       unsigned int *seen, char *why)
{
	struct frontend_config config = {
		.path = path,
		.stage = attack->stage,
		.n_regions = 2,
		.layout = attack->packed ? FRONTEND_PACKED : FRONTEND_SPLIT,
		.unsealed = attack->unsealed,
		.rx_bytes = 8192,
		.manual_post = attack->receives,
		.why = why,
	};
	struct attack_scene scene = {.peer = peer, .receives = attack->receives};

	if (attack->receives && peer == NULL) {
		snprintf(why, FRONTEND_WHY_BYTES, "%s needs a peer that sends", attack->name);
		return -ENOTSUP;
	}
	int err = frontend_create(&config, &scene.attacker);

	if (err < 0)
		return err;
	err = attack->run(&scene, attack->detail);
	/* A back-end that hangs up before all is said has answered, too. */
	if (err == -ECONNRESET)
		err = 0;
	for (unsigned int i = 0; err == 0 && attack->receives && i < N_BROADCASTS; i++)
		attack_broadcast(peer);
	if (err == 0)
		err = see_end(attack, &scene, seen);
	if (err < 0)
		snprintf(why, FRONTEND_WHY_BYTES, "%s: %s", attack->name,
			 err == -EPROTO ? "the switch wrote a used entry that cannot be"
					: strerror(-err));
	frontend_destroy(scene.attacker);
	return err;
}
