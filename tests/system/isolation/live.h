/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports change segments, and ports and segments are deleted and made again so that their indices
 * are used again, while every port sends marked frames all the time. A frame may be where sender
 * and receiver had a segment in common at some moment between its sending and its receiving, and
 * nowhere else. One thread; changes are made by `weft` in a process of its own.
 */
#pragma once

#include "tests/system/isolation/rig.h"

struct live_result {
	uint64_t n_sent;
	uint64_t n_received;
	uint64_t n_foreign;
	uint64_t n_repeated;	/* came twice to one port */
	uint64_t n_unknown;	/* without a mark, damaged, or never sent */
	unsigned int n_changes;
};

/* 0: no frame was where it may not be; -EUCLEAN, said on stderr; -errno. On return the ports are
 * where they were at first, all frames have been received. */
int live_run(struct rig *rig, const char *weft, unsigned int n_rounds, struct live_result *result);
void live_print(const struct live_result *result);
