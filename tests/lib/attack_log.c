/* SPDX-License-Identifier: BSD-3-Clause */
/* Attacks with the log of dirty pages that live migration uses. See attack.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/lib/attack.h"

#define LOG_BYTES 0x100000u
#define N_SWAPS 200u

static int say(struct frontend *f, uint32_t request, const void *payload, uint32_t n_bytes, int fd)
{
	struct vhu_message message = {
		.header = {.request = request, .flags = VHU_VERSION, .bytes = n_bytes},
	};

	memcpy(&message.payload, payload, n_bytes);
	return frontend_send_raw(f, &message, sizeof(message.header) + n_bytes, &fd, fd >= 0);
}

static int agree_on_log(struct frontend *f)
{
	uint64_t features = f->handshake.protocol | 1ULL << VHU_PROTOCOL_LOG_SHMFD;

	return say(f, VHU_SET_PROTOCOL_FEATURES, &features, sizeof(features), -1);
}

static int want_marks(struct frontend *f)
{
	uint64_t features = f->handshake.features | FRONTEND_BIT(VHU_F_LOG_ALL);

	return say(f, VHU_SET_FEATURES, &features, sizeof(features), -1);
}

/* Hands over fd and closes it. */
static int give_log(struct frontend *f, int fd, uint64_t bytes, uint64_t offset)
{
	const uint64_t log[2] = {bytes, offset};
	int err = fd < 0 ? -errno : say(f, VHU_SET_LOG_BASE, log, sizeof(log), fd);

	if (fd >= 0)
		close(fd);
	return err;
}

static int log_file(bool is_sealed)
{
	int fd = memfd_create("log", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && (ftruncate(fd, LOG_BYTES) < 0 ||
			(is_sealed && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Logs for hardly any page, and for more than there are, one after the other while frames pass and
 * are marked. */
static int swap_logs(struct attack_scene *scene, uint64_t detail)
{
	struct frontend *f = scene->attacker;
	int err = agree_on_log(f);

	if (err == 0)
		err = give_log(f, log_file(true), 1, 0);
	if (err == 0)
		err = want_marks(f);
	for (uint64_t i = 0; i < detail && err == 0; i++) {
		int sent = attack_broadcast(f);

		err = sent == -EAGAIN ? 0 : sent;
		if (err == 0)
			err = give_log(f, log_file(true), i % 2 != 0 ? LOG_BYTES - 5 : 1, i % 5);
	}
	return err;
}

static int give_unsealed(struct attack_scene *scene, uint64_t detail)
{
	int err = agree_on_log(scene->attacker);

	return err < 0 ? err : give_log(scene->attacker, log_file(false), LOG_BYTES, 0);
}

static int give_long(struct attack_scene *scene, uint64_t detail)
{
	int err = agree_on_log(scene->attacker);

	return err < 0 ? err : give_log(scene->attacker, log_file(true), detail, LOG_BYTES / 2);
}

static int give_eventfd(struct attack_scene *scene, uint64_t detail)
{
	int err = agree_on_log(scene->attacker);

	return err < 0 ? err
		       : give_log(scene->attacker, eventfd(0, EFD_CLOEXEC), (uint64_t)LOG_BYTES, 0);
}

static int give_unasked(struct attack_scene *scene, uint64_t detail)
{
	return give_log(scene->attacker, log_file(true), LOG_BYTES, 0);
}

#define ROW(row, text, end, fn, number)                                                            \
	{                                                                                          \
		.name = row, .what = text, .ends = end, .run = fn, .detail = number                \
	}

const struct attack attack_log_rows[] = {
	ROW("log-small", "a dirty log of one byte", ATTACK_HARMLESS, swap_logs, 1),
	ROW("log-swap", "a new dirty log for each of 200 frames", ATTACK_HARMLESS, swap_logs,
	    N_SWAPS),
	ROW("log-unsealed", "a dirty log that can shrink", ATTACK_DISCONNECTED, give_unsealed, 0),
	ROW("log-long", "a dirty log beyond its file", ATTACK_DISCONNECTED, give_long, LOG_BYTES),
	ROW("log-wrap", "size and offset wrap around", ATTACK_DISCONNECTED, give_long,
	    UINT64_MAX - LOG_BYTES / 2 + 1),
	ROW("log-eventfd", "an eventfd as dirty log", ATTACK_DISCONNECTED, give_eventfd, 0),
	ROW("log-unasked", "a dirty log that was not agreed on", ATTACK_DISCONNECTED, give_unasked,
	    0),
	{.name = NULL},
};
