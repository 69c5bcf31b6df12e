/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tap devices of this host's ports, and weftd's copy of their descriptors. A device lives as
 * long as weftd or the dataplane holds it, so a crash of either leaves it, with its addresses and
 * routes, where it is. Only when nobody has it, it is made anew.
 *
 * Works in the rhythm of a change: taps_prepare() and taps_doom() any number of times, then
 * taps_commit() or taps_abort(), which puts everything back. Runs on weftd's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "control/device_fds.h"
#include "control/model.h"

struct taps;

int taps_create(struct taps **taps);
void taps_destroy(struct taps *taps); /* closes the descriptors; NULL is legal */

/* Is a device to be made for ports of this kind? */
bool taps_is_needed(const struct model_port *port);

/* Makes the port's device, or brings the one that is held to what the port says. The descriptors
 * stay ours. 0 or -errno with one line in `why`. */
int taps_prepare(struct taps *taps, const struct model *model, const struct model_port *port,
		 struct device_fds *fds, char *why, size_t why_bytes);

/* The device of the port goes with the commit. None is no error. */
void taps_doom(struct taps *taps, uint64_t port_id);

void taps_commit(struct taps *taps);
void taps_abort(struct taps *taps);

/* Takes over descriptors that the dataplane gave back; closes them on an error (the device is gone,
 * or is not the port's any more). */
int taps_adopt(struct taps *taps, const struct model *model, const struct model_port *port,
	       const struct device_fds *fds, char *why, size_t why_bytes);

bool taps_is_held(const struct taps *taps, uint64_t port_id);

/* Calls fn for each device that vanished (its namespace was deleted, or made anew under the same
 * name, or someone deleted the device) and forgets it. */
void taps_find_lost(struct taps *taps, void (*fn)(void *ctx, uint64_t port_id), void *ctx);

/* Makes every device again what it was made to be, whatever others have changed of it. */
void taps_repair(struct taps *taps);

/* What others have changed of the port's device, as tap_device_compare() says it. */
void taps_compare(const struct taps *taps, uint64_t port_id, char *drift, size_t drift_bytes);

/* Frames that the kernel could not keep for the port until they were taken, since its device was
 * made; 0: there is none. Asks the kernel: some 40 us. */
uint64_t taps_count_lost(const struct taps *taps, uint64_t port_id);

/* Time spent on making, changing and removing devices since the start: nearly all the kernel's. */
uint64_t taps_busy_ns(const struct taps *taps);
